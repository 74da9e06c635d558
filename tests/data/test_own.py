"""A learner's own text gets a part to measure on, from one page to many documents."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.errors import DataError

OWN = sys.modules["fmcourse.data.own"]  # the package's function of that name hides it


def sentences(count: int, start: int = 0) -> str:
    """So many different sentences, about 50 characters each."""
    return "".join(f"Sentence {i} says that {i * i} is the square of {i}.\n"
                   for i in range(start, start + count))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty documents of about 1,000 characters."""
    place = tmp_path / "notes"
    place.mkdir()
    for i in range(40):
        (place / f"{i:02}.txt").write_text(sentences(20, 1000 * i))
    return place


def how(parts) -> str:
    return data.card(parts["validation"]).steps[-1]["note"]


def share(parts) -> float:
    held, rest = (data.card(parts[part]).characters for part in ("validation", "train"))
    return held / (held + rest)


def test_many_documents_are_split_whole(folder):
    parts = data.own(folder, held_out=0.1)
    assert parts.keys() == {"train", "validation"}
    data.check_no_leak(parts)
    assert how(parts) == "by document"
    assert 0.05 <= share(parts) <= 0.12
    assert sum(map(len, parts.values())) == 40
    assert data.own(folder, 0.1)["validation"]["document"][:] \
        == parts["validation"]["document"][:]
    assert data.own(folder, 0.1, seed=1)["validation"]["document"][:] \
        != parts["validation"]["document"][:]


def test_one_document_is_split_into_blocks_and_the_card_says_so(tmp_path):
    (tmp_path / "book.txt").write_text(sentences(2000))
    parts = data.own(tmp_path / "book.txt")
    assert "by blocks of text" in how(parts)
    assert 0.03 <= share(parts) <= 0.08
    texts = [text for part in parts.values() for text in part["text"][:]]
    assert sorted("".join(texts).splitlines()) == sorted(sentences(2000).splitlines())
    assert not set(parts["train"]["text"][:]) & set(parts["validation"]["text"][:])
    assert len(parts["validation"]) > 3  # from several places of the book


def test_one_large_document_among_small_ones_still_gives_something_to_measure_on(folder):
    (folder / "large.txt").write_text(sentences(20_000, 10**6))
    parts = data.own(folder)
    assert "by blocks" in how(parts)
    assert 0.03 <= share(parts) <= 0.08


def test_rows_of_one_document_far_from_equal(tmp_path):
    rows = [{"text": sentences(5000), "document": "d"}] + [
        {"text": sentences(1, 10**6 + i), "document": "d"} for i in range(80)]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert 0.03 <= share(data.own(tmp_path / "x.jsonl")) <= 0.08


@pytest.mark.parametrize("characters", [2_000, 2_001, 10_000])
def test_the_least_text_that_will_do(tmp_path, characters):
    (tmp_path / "x.txt").write_text(sentences(1000)[:characters])
    parts = data.own(tmp_path / "x.txt")
    assert all(len(part) for part in parts.values())
    (tmp_path / "x.txt").write_text(sentences(1000)[:1_999])
    with pytest.raises(DataError, match=r"only 1,999 characters"):
        data.own(tmp_path / "x.txt")


def test_text_without_white_space(tmp_path):
    (tmp_path / "x.txt").write_text("".join(map(str, range(3000))))
    parts = data.own(tmp_path / "x.txt")
    assert 0 < share(parts) < 0.3


def test_copies_are_read_once(folder):
    for i in range(40):
        (folder / f"copy of {i:02}.txt").write_text((folder / f"{i:02}.txt").read_text())
    parts = data.own(folder)
    data.check_no_leak(parts)
    assert sum(map(len, parts.values())) == 40
    assert "exact duplicates" in [step["step"] for step in data.card(parts["train"]).steps]


def test_bad_files_of_the_folder_are_on_the_parts_cards(folder):
    (folder / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.warns(UserWarning, match="not UTF-8 at byte 3"):
        parts = data.own(folder)
    assert data.card(parts["train"]).notes["skipped"]["files"].keys() == {"latin.txt"}


def test_columns_that_do_not_fit_together_do_not_matter(folder):
    (folder / "a.jsonl").write_text(json.dumps({"text": "one", "n": 1}))
    (folder / "b.jsonl").write_text(json.dumps({"text": "two", "n": "one"}))
    assert sum(map(len, data.own(folder).values())) == 42


@pytest.mark.parametrize("wrong", [0, -1, 0.9, float("nan")])
def test_a_share_that_is_none(folder, wrong):
    with pytest.raises(DataError, match="cannot be held out"):
        data.own(folder, held_out=wrong)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 1000)), min_size=2, max_size=80),
       st.floats(0.01, 0.5))
def test_what_is_held_out_is_whole_and_within_the_share(rows, wanted):
    keys = np.array([key for key, _ in rows], np.uint64)
    sizes = np.array([size for _, size in rows])
    held = OWN._chosen(keys, sizes, wanted)
    assert not set(keys[held]) & set(keys[~held])
    assert sizes[held].sum() <= 1.2 * wanted * sizes.sum() + 1e-6
