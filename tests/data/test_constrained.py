"""Constrained requests: every reply keeps its constraint, and the control has none."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import resources

import pytest

from fmcourse.data import constrained, constrained_records
from fmcourse.errors import DataError
from fmcourse.evaluate.constraint_checks import CONSTRAINTS
from tests.data.test_tasks import world

ROWS = 14 * 12


@pytest.fixture(scope="module")
def material():
    return world()


@pytest.fixture(scope="module")
def rows(material):
    return constrained.records_from(material, ROWS, 0, "train")


def test_every_reply_keeps_its_constraint(rows):
    check_replies(rows)


@pytest.mark.data
def test_every_reply_about_real_texts_keeps_its_constraint():
    check_replies(constrained_records(ROWS, part="test"))


def check_replies(rows):
    assert {row["kind"] for row in rows} == set(constrained.FORMS)
    for row in rows:
        wanted = json.loads(row["parameters"])
        assert CONSTRAINTS[row["kind"]](row["answer"], **wanted), (row["kind"], row["answer"])
        assert all(str(value) in row["instruction"] for value in wanted.values())
        assert [turn["content"] for turn in row["messages"]] == [row["instruction"], row["answer"]]


def test_replies_are_no_habit(rows):
    """One form's replies keep few of the other forms' constraints."""
    rows = rows.to_list()
    turned = rows[1:] + rows[:1]
    kept = [CONSTRAINTS[row["kind"]](other["answer"], **json.loads(row["parameters"]))
            for row, other in zip(rows, turned, strict=True)]
    assert sum(kept) / len(kept) < 0.4


def test_controls_share_texts_and_requests(material):
    kept, none, swapped = (constrained.records_from(material, ROWS, 3, "train", constraints)
                           for constraints in ("kept", "none", "swapped"))
    assert kept["document"][:] == none["document"][:] == swapped["document"][:]
    for one, bare, other in zip(kept, none, swapped, strict=True):
        assert any(request in one["instruction"] and request in bare["instruction"]
                   and request in other["instruction"] for request in constrained.REQUESTS)


def test_without_constraints_none_is_asked_for_and_replies_are_sentences(material):
    kept, none = (constrained.records_from(material, ROWS, 3, "train", constraints)
                  for constraints in ("kept", "none"))
    assert set(none["parameters"]) == {"{}"}
    for one, bare in zip(kept, none, strict=True):
        assert len(bare["instruction"]) < len(one["instruction"])
        assert bare["answer"] in " ".join(bare["instruction"].split("\n"))


def test_swapped_constraints_come_with_every_form_and_are_another_forms(material):
    kept, swapped = (constrained.records_from(material, ROWS, 3, "train", constraints)
                     for constraints in ("kept", "swapped"))
    assert swapped["answer"][:] == kept["answer"][:]
    for one, other in zip(kept, swapped, strict=True):
        assert one["instruction"] != other["instruction"]
    said = [_said(row["instruction"]) for row in swapped]
    assert sorted(said) == sorted(_said(row["instruction"]) for row in kept)


def _said(instruction):
    """The line that asks, without the request."""
    line = next(line for line in instruction.split("\n")
                if any(request in line for request in constrained.REQUESTS))
    for request in constrained.REQUESTS:
        line = line.replace(request, "").strip()
    return line


def _runs(text, size=5):
    words = re.findall(r"[a-z.]+", re.sub(r"\{\w+\}", " ", text).lower())
    return {tuple(words[i:i + size]) for i in range(len(words) - size + 1)}, " ".join(words)


def test_no_wording_of_the_test_is_trained_on():
    """Neither whole nor five words in a row; nor are the words that fill gaps."""
    place = resources.files("fmcourse.evaluate") / "probes" / "constraints.toml"
    kinds = tomllib.loads(place.read_text(encoding="utf-8"))["kinds"]
    asked = [wording for kind in kinds.values() for wording in kind.get("wordings", [])]
    asked += [item["say"] for item in kinds["two"]["items"]]
    trained_on = [wording for _, wordings in constrained.FORMS.values() for wording in wordings]
    for trained in (*constrained.REQUESTS, *trained_on):
        runs, whole = _runs(trained)
        for wording in asked:
            other_runs, other = _runs(wording)
            assert not runs & other_runs, (trained, wording)
            assert len(whole.split()) < 3 or whole not in other, (trained, wording)
    filled = {str(value) for kind in kinds.values() for item in kind["items"]
              for value in item.values()}
    assert not filled & {*constrained._WORDS, *constrained._PHRASES, *constrained._KEYS}


def test_the_seed_and_the_part_decide(material):
    def drawn(seed, part="train"):
        return constrained.records_from(material, 14, seed, part)["instruction"][:]

    assert drawn(1) == drawn(1) != drawn(2)
    assert drawn(1) != drawn(1, "test")


def test_constraints_are_kept_swapped_or_none(material):
    with pytest.raises(DataError, match="'many'"):
        constrained.records_from(material, ROWS, 0, "train", "many")


def test_too_few_rows_are_refused(material):
    with pytest.raises(DataError, match="14 forms"):
        constrained.records_from(material, 13, 0, "train")
