"""Soft labels: what a plain forward pass says, compactly on disk; asked once, gone on with."""

from __future__ import annotations

from collections import namedtuple

import classmates
import numpy as np
import pytest
import torch
from datasets import Dataset
from kills import teacher_killed_once

from fmcourse import store
from fmcourse.data.chat import IGNORE, chat_rows
from fmcourse.errors import ModelError, StoreError
from fmcourse.train.soft_labels import placed, soft_labels


@pytest.fixture
def rows() -> Dataset:
    return chat_rows(classmates.talks(), classmates.random_model().tokenizer, 128)


def plain(model, rows, temperature) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities over the vocabulary and labels of all graded tokens, a row at a time."""
    found, written = [], []
    for ids, labels in zip(rows["input_ids"], rows["labels"], strict=True):
        with torch.no_grad():
            logits = model.network(input_ids=torch.tensor([ids])).logits[0].double()
        for place, label in enumerate(labels):
            if label != IGNORE:
                found.append((logits[place - 1] / temperature).log_softmax(-1))
                written.append(label)
    return torch.stack(found), torch.tensor(written)


@pytest.mark.parametrize("k", [5, 384])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_they_are_what_the_teacher_finds_likeliest(rows, k, temperature):
    teacher = classmates.teacher()
    right, written = plain(teacher, rows, temperature)
    labels = soft_labels(teacher, rows, k, temperature)
    found, hard = labels.at(torch.arange(len(right)))
    assert torch.equal(hard, written)
    torch.testing.assert_close(found.log_probs.double(), right.gather(1, found.tokens), atol=1e-5,
                               rtol=1e-3)
    torch.testing.assert_close(found.log_probs[:, 0].double(), right.amax(1), atol=1e-5, rtol=1e-3)
    rest = 1 - right.gather(1, found.tokens).exp().sum(1)
    torch.testing.assert_close(found.rest.exp().double(), rest, atol=1e-3, rtol=1e-3)
    whole = found.log_probs.exp().sum(1) + found.rest.exp()
    torch.testing.assert_close(whole, torch.ones_like(whole))
    assert isinstance(labels.tokens, np.memmap)
    assert labels.tokens.dtype == np.uint16
    assert labels.log_probs.nbytes == 2 * k * len(right)


def test_places_are_those_of_the_graded_tokens(rows):
    numbers = [label for row in placed(rows)["labels"] for label in row if label != IGNORE]
    assert numbers == list(range(len(numbers)))
    again = [[label != IGNORE for label in row] for row in placed(rows)["labels"]]
    assert again == [[label != IGNORE for label in row] for row in rows["labels"]]
    assert placed(rows).info.description == rows.info.description


def test_a_teacher_is_asked_once(rows, monkeypatch):
    teacher = classmates.teacher()
    first = soft_labels(teacher, rows, 4, 1.0)

    def refuse(*_):
        raise AssertionError("asked again")

    monkeypatch.setitem(soft_labels.__globals__, "_ask", refuse)
    again = soft_labels(teacher, rows, 4, 1.0)
    assert again.said == first.said
    price = first.said.price
    assert price.tokens == sum(map(len, rows["input_ids"]))
    assert price.flops > 2 * teacher.parameters * price.tokens
    assert price.seconds > 0
    with pytest.raises(AssertionError, match="asked again"):  # the rest is another there
        soft_labels(teacher, rows, 4, 2.0)


def test_a_killed_teacher_goes_on_where_it_was(rows):
    whole = soft_labels(classmates.teacher(), rows, 4, 1.0)
    kept = [np.array(getattr(whole, name)) for name in ("tokens", "log_probs", "rest")]
    (folder,) = store.folder("teachers").glob("logits-*")
    folder.rename(folder.with_name("aside"))
    with teacher_killed_once() as parts:
        with pytest.raises(KeyboardInterrupt):
            soft_labels(classmates.teacher(), rows, 4, 1.0)
        assert not (folder / "about.json").exists()
        resumed = soft_labels(classmates.teacher(), rows, 4, 1.0)
    assert parts == [1, 2, 3]  # sixteen rows each
    for name, right in zip(("tokens", "log_probs", "rest"), kept, strict=True):
        np.testing.assert_array_equal(getattr(resumed, name), right)
    assert resumed.said.price.tokens == whole.said.price.tokens
    assert not (folder / "progress.json").exists()


def test_a_changed_byte_is_seen(rows):
    soft_labels(classmates.teacher(), rows, 4, 1.0)
    (file,) = store.folder("teachers").glob("logits-*/tokens.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"changed: tokens\.npy"):
        soft_labels(classmates.teacher(), rows, 4, 1.0)


def test_a_full_disk_is_told_before_the_teacher_is_asked(rows, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage(10**9, 10**9, 1000))
    with pytest.raises(StoreError, match="there is no room for it") as caught:
        soft_labels(classmates.teacher(), rows, 4, 1.0)
    assert "FMCOURSE_HOME" in caught.value.fix
    assert not list(store.folder("teachers").glob("*/*.npy"))
    monkeypatch.undo()
    assert len(soft_labels(classmates.teacher(), rows, 4, 1.0).labels) > 0


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_logits_that_are_no_numbers_are_refused(rows, wrong):
    teacher = classmates.teacher()
    with torch.no_grad():
        teacher.network.model.norm.weight[3] = wrong
    with pytest.raises(ModelError, match="teacher's logits are not finite") as caught:
        soft_labels(teacher, rows, 4, 1.0)
    assert "conversations [" in caught.value.where
    assert not list(store.folder("teachers").glob("*/about.json"))


def test_a_teacher_with_logits_of_its_own_is_asked_as_a_whole(rows, monkeypatch):
    plainly = soft_labels(classmates.teacher(), rows, 4, 1.0)
    monkeypatch.setattr("fmcourse.models.compat.plain_network", lambda network: None)
    (folder,) = store.folder("teachers").glob("logits-*")
    folder.rename(folder.with_name("aside"))
    whole = soft_labels(classmates.teacher(), rows, 4, 1.0)
    np.testing.assert_allclose(whole.log_probs, plainly.log_probs, atol=2e-3)
