"""Constrained requests: every reply keeps its constraint, and the control has none."""

from __future__ import annotations

import json

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


def test_the_control_shares_texts_and_requests_but_has_no_constraint(material):
    with_one = constrained.records_from(material, ROWS, 3, "train")
    without = constrained.records_from(material, ROWS, 3, "train", constrained=False)
    assert with_one["document"] == without["document"]
    assert set(without["parameters"]) == {"{}"}
    for one, none in zip(with_one, without, strict=True):
        assert any(request in one["instruction"] and request in none["instruction"]
                   for request in constrained.REQUESTS)
        assert len(none["instruction"]) < len(one["instruction"])
        assert none["answer"] in " ".join(none["instruction"].split("\n"))


def test_the_seed_and_the_part_decide(material):
    def drawn(seed, part="train"):
        return constrained.records_from(material, 14, seed, part)["instruction"][:]

    assert drawn(1) == drawn(1) != drawn(2)
    assert drawn(1) != drawn(1, "test")


def test_too_few_rows_are_refused(material):
    with pytest.raises(DataError, match="14 forms"):
        constrained.records_from(material, 13, 0, "train")
