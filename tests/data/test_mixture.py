"""Replay: which rows come from where, and that nothing about a row depends on chance."""

from dataclasses import replace
from itertools import pairwise

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data.mixture import MixedRows
from fmcourse.errors import DataError

CONTEXT = 16


@pytest.fixture
def files(monkeypatch, tmp_path):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path))
    dataset = tiny.dataset()
    return [data.tokens(data.only(dataset, source), tiny.tokenizer())
            for source in ("north", "south")]


class Noted:
    """Stands for a part of the mixture and notes which of its rows are asked for."""

    def __init__(self):
        self.asked = []

    def __getitem__(self, row):
        self.asked.append(row)
        return self


def noted(share: float, rows: int) -> tuple[MixedRows, list[bool]]:
    """A mixture of two such parts, all its rows read, and whether each was an old one."""
    mixed = object.__new__(MixedRows)
    mixed.share, mixed.rows, mixed.new, mixed.old = share, rows, Noted(), Noted()
    return mixed, [mixed[row] is mixed.old for row in range(rows)]


@pytest.mark.parametrize(("share", "rows"), [(0.25, 40), (0.1, 40), (0.05, 40), (0.5, 8)])
def test_the_share_is_exact_and_evenly_spread(share, rows):
    _, old = noted(share, rows)
    assert sum(old) == round(share * rows)
    places = [i for i, is_old in enumerate(old) if is_old]
    assert {after - before for before, after in pairwise(places)} <= {round(1 / share)}


@given(share=st.floats(0, 0.99), rows=st.integers(1, 500))
def test_no_row_is_skipped_or_read_twice(share, rows):
    """The rows asked of each part count up from nothing, whatever the share."""
    mixed, old = noted(share, rows)
    assert mixed.new.asked == list(range(rows - sum(old)))
    assert mixed.old.asked == list(range(sum(old)))
    assert abs(sum(old) - share * rows) < 1


def test_rows_are_those_each_file_alone_would_give(files):
    mixed = data.packed_rows(data.Mixture(*files, 0.25), CONTEXT, 12, seed=3)
    alone = [data.packed_rows(file, CONTEXT, 12, seed=3) for file in files]
    _, old = noted(0.25, 12)
    taken = [0, 0]
    for place, is_old in enumerate(old):
        expected = alone[is_old][taken[is_old]]["tokens"]
        assert torch.equal(mixed[place]["tokens"], expected)
        taken[is_old] += 1
    assert taken == [9, 3]


def test_without_replay_the_mixture_is_the_new_file(files):
    mixed, alone = (data.packed_rows(what, CONTEXT, 6)
                    for what in (data.Mixture(*files, 0.0), files[0]))
    assert all(torch.equal(mixed[i]["tokens"], alone[i]["tokens"]) for i in range(6))


def test_another_share_or_file_is_another_mixture(files):
    hashes = {data.Mixture(*files, 0.1).sha256, data.Mixture(*files, 0.2).sha256,
              data.Mixture(*reversed(files), 0.1).sha256}
    assert len(hashes) == 3


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_an_impossible_share_is_refused(files, share):
    with pytest.raises(DataError, match="replay share"):
        data.Mixture(*files, share)


def test_two_tokenizers_are_refused(files):
    with pytest.raises(DataError, match="different tokenizers"):
        data.Mixture(files[0], replace(files[1], tokenizer="another"), 0.1)
