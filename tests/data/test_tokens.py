"""Tokens on disk are the text; packed rows show every token, at the right place, in any order."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tiny
import torch
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data, models, store
from fmcourse.data.card import Card
from fmcourse.errors import DataError

TOKENS = sys.modules["fmcourse.data.tokens"]  # the package's function of that name hides it


def made(lengths: list[int]) -> data.TokenFile:
    """Documents of these lengths; every token is its own index, so rows can be read off."""
    starts = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
    total = sum(lengths)
    return data.TokenFile(np.arange(total, dtype=np.uint16), starts, Card("made", {}), "0", total)


def test_the_file_decodes_to_the_texts():
    file, tokenizer = tiny.token_file(), tiny.tokenizer()
    pieces = np.split(np.asarray(file.ids), file.starts[1:])
    assert [piece[0] for piece in pieces] == [tokenizer.bos_token_id] * 120
    assert [tokenizer.decode(piece[1:]) for piece in pieces] == tiny.texts()


def test_the_file_is_mapped_small_and_made_once(monkeypatch):
    file = tiny.token_file()
    assert isinstance(file.ids, np.memmap)
    assert file.ids.dtype == np.uint16
    assert file.characters == sum(map(len, tiny.texts()))
    monkeypatch.setattr(TOKENS, "_write", lambda *_: pytest.fail("made again"))
    assert tiny.token_file().sha256 == file.sha256


def test_a_part_of_a_dataset_is_not_taken_for_the_whole():
    whole, tokenizer = tiny.dataset(), tiny.tokenizer()
    few = data.tokens(whole.select(range(5)), tokenizer)  # carries the card of the whole
    loud = data.tokens(whole.map(lambda row: {"text": row["text"].upper()}), tokenizer)
    file = data.tokens(whole, tokenizer)
    assert (len(few.starts), len(file.starts)) == (5, 120)
    assert few.characters == sum(map(len, tiny.texts()[:5]))
    assert tokenizer.decode(loud.ids[1:loud.starts[1]]) == tiny.texts()[0].upper()
    assert len({few.sha256, loud.sha256, file.sha256}) == 3


def test_a_tokenizer_left_truncating_or_padding_does_not_cut_the_corpus():
    used = models.train_tokenizer(tiny.texts(), vocabulary=384)
    before = data.tokenizer_hash(used)
    used(["one", "a longer text"], truncation=True, max_length=2, padding=True)
    assert data.tokenizer_hash(used) == before
    file = data.tokens(tiny.dataset().select(range(2)), used)
    assert used.decode(file.ids[1:file.starts[1]]) == tiny.texts()[0]


def test_a_control_token_in_a_text_is_only_text():
    rows = data.with_card(Dataset.from_dict({"text": ["a<|endoftext|>b<|pad|>", "<|mask|>"]}),
                          Card("made", {}))
    file, tokenizer = data.tokens(rows, tiny.tokenizer()), tiny.tokenizer()
    assert np.flatnonzero(np.asarray(file.ids) < 5).tolist() == file.starts.tolist()
    assert tokenizer.decode(file.ids[1:file.starts[1]]) == "a<|endoftext|>b<|pad|>"


def test_another_tokenizer_makes_another_file():
    small = models.train_tokenizer(tiny.texts(), vocabulary=300)
    assert data.tokens(tiny.dataset(), small).sha256 != tiny.token_file().sha256


def test_a_saved_tokenizer_finds_the_file_again(tmp_path):
    model = models.load(tiny.model().save(tmp_path / "m"))
    assert data.tokens(tiny.dataset(), model.tokenizer).sha256 == tiny.token_file().sha256


def test_an_interrupted_file_is_made_again(monkeypatch):
    def stop(folder, *_):
        (folder / "ids.npy").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TOKENS, "_write", stop)
        with pytest.raises(KeyboardInterrupt):
            tiny.token_file()
    assert len(tiny.token_file().starts) == 120
    assert not [p for p in (store.home() / "tokens").iterdir() if p.name.startswith(store.PARTIAL)]


def test_no_text_is_an_error():
    with pytest.raises(DataError, match="no text"):
        data.tokens(tiny.dataset().select([]), tiny.tokenizer())


@pytest.mark.parametrize("context", [8, 32, 100])
@pytest.mark.parametrize("lengths", [[1000], [7] * 143, [1] * 1000, [3, 990, 7]])
def test_an_epoch_shows_every_window_once(lengths, context):
    file = made(lengths)
    rows = data.PackedRows(file, context, rows=10_000, seed=3)
    for epoch in range(2):
        begins = sorted(int(rows[epoch * rows.windows + i]["tokens"][0])
                        for i in range(rows.windows))
        assert np.diff(begins).tolist() == [context] * (rows.windows - 1)  # side by side
        unseen = len(file) - 1 - rows.windows * context
        assert unseen < 2 * context


def test_epochs_and_seeds_differ_in_order_and_place():
    def begins(seed, epoch):
        rows = data.PackedRows(made([1000]), 10, 1000, seed)
        return [int(rows[epoch * rows.windows + i]["tokens"][0]) for i in range(rows.windows)]

    assert begins(0, 0) != begins(0, 1)
    assert begins(0, 0) != begins(1, 0)
    assert sorted(begins(0, 0)) != list(begins(0, 0))
    assert len({min(begins(0, epoch)) for epoch in range(8)}) > 1  # boundaries move


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=4, max_size=60).filter(lambda x: sum(x) > 60),
       st.integers(2, 40), st.integers(0, 9), st.data())
def test_rows_are_windows_with_their_documents_numbered(lengths, context, seed, draw):
    file = made(lengths)
    rows = data.PackedRows(file, context, rows=1000, seed=seed)
    row = rows[draw.draw(st.integers(0, 999))]
    begin = int(row["tokens"][0])
    assert row["tokens"].tolist() == list(range(begin, begin + context + 1))  # targets: one further
    assert (row["tokens"].dtype, row["segments"].dtype) == (torch.int64, torch.int32)
    owner = np.repeat(np.arange(len(lengths)), lengths)[begin:begin + context]
    assert row["segments"].tolist() == (owner - owner[0]).tolist()


def test_a_row_does_not_depend_on_which_were_read_before():
    file, order = made([50] * 40), np.random.default_rng(0).permutation(400)
    straight = data.PackedRows(file, 16, 400, seed=2, mask_share=0.3)
    jumping = data.PackedRows(file, 16, 400, seed=2, mask_share=0.3)
    wanted = [straight[i] for i in range(400)]
    for i in order:
        for key, value in jumping[int(i)].items():
            assert torch.equal(value, wanted[i][key])


def test_about_the_asked_share_is_hidden_and_not_always_the_same():
    rows = data.PackedRows(made([50] * 40), 50, 400, mask_share=0.3)
    hidden = torch.stack([rows[i]["hidden"] for i in range(400)])  # 20,000 draws
    assert hidden.dtype == torch.bool
    assert abs(hidden.float().mean() - 0.3) < 0.015  # about five standard errors
    assert (hidden.float().mean(0) - 0.3).abs().max() < 0.12
    assert not torch.equal(hidden[0], hidden[rows.windows])  # the same window in another epoch
    assert "hidden" not in data.PackedRows(made([50] * 40), 50, 4)[0]


def test_rows_end():
    rows = data.PackedRows(made([100]), 10, 5)
    assert len(rows) == 5
    assert len(list(rows)) == 5
    with pytest.raises(IndexError):
        rows[-1]


@pytest.mark.parametrize("tokens", [1, 32, 33])
def test_too_little_text_says_what_to_do(tokens):
    with pytest.raises(DataError, match="shorter context"):
        data.PackedRows(made([tokens]), 32, 4)


def test_the_least_text_that_fits_is_one_window():
    rows = data.PackedRows(made([34]), 32, 4)
    assert rows.windows == 1
    assert len(rows[3]["tokens"]) == 33


def test_a_dataset_needs_a_card_to_be_tokenised():
    with pytest.raises(DataError, match="no card"):
        data.tokens(Dataset.from_dict({"text": ["a"]}), tiny.tokenizer())


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_the_files_are_those_that_numpy_would_save(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(TOKENS, "BATCH", batch)
    texts, tokenizer = [*tiny.texts(), "", "é😀"], tiny.tokenizer()
    TOKENS._write(tmp_path, iter(texts), tokenizer)
    pieces = [[tokenizer.bos_token_id, *tokenizer.encode(text, add_special_tokens=False)]
              for text in texts]
    np.save(tmp_path / "whole.npy", np.concatenate(pieces).astype(np.uint16))
    np.save(tmp_path / "begins.npy", np.cumsum([0, *map(len, pieces[:-1])], dtype=np.int64))
    assert (tmp_path / "ids.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
    assert (tmp_path / "starts.npy").read_bytes() == (tmp_path / "begins.npy").read_bytes()


def test_a_batch_is_bounded_in_characters_too(monkeypatch):
    monkeypatch.setattr(TOKENS, "CHARACTERS", 10)
    assert list(TOKENS._batches(["a" * 20, "b" * 4, "c" * 6, "d"])) == [
        ["a" * 20], ["b" * 4, "c" * 6], ["d"]]
