"""What the assistant is asked and shown: parts apart, shares kept, nothing harmful answered."""

from __future__ import annotations

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.data import card
from fmcourse.data.assistant import (
    HANDS,
    Annotator,
    assistant_prompts,
    ceiling,
    demonstrations,
    preferences,
    rivals,
)
from fmcourse.data.assistant.demonstrations import DECLINING, READY
from fmcourse.data.assistant.prompts import addressed, requests
from fmcourse.errors import DataError

REQUESTS = {"ordinary": 1.0, "lookalike": 1.0, "harmful": 1.0}  # need no fetched source
KINDS = tuple(REQUESTS)


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough_written_requests_and_none_is_in_both_parts(kind):
    train, test = ({entry["goal"] for entry in requests(kind, part)} for part in ("train", "test"))
    assert len(test) >= {"harmful": 200}.get(kind, 100)
    assert len(train) >= 400
    assert not train & test


def test_two_kinds_of_harm_are_only_in_the_test():
    train, test = ({entry["category"] for entry in requests("harmful", part)}
                   for part in ("train", "test"))
    assert test - train == {"blackmail", "cruelty_to_animals"}
    assert train < test


def test_only_harmless_requests_have_an_answer():
    for kind in KINDS:
        for part in ("train", "test"):
            assert all(bool(entry["answer"]) == (kind != "harmful")
                       for entry in requests(kind, part))


def test_prompts_have_the_shares_asked_for_and_hang_on_the_seed():
    made = assistant_prompts(90, seed=3, shares=REQUESTS)
    assert {kind: made["kind"][:].count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 30)
    assert made["prompt"][:] == assistant_prompts(90, seed=3, shares=REQUESTS)["prompt"][:]
    assert made["prompt"][:] != assistant_prompts(90, seed=4, shares=REQUESTS)["prompt"][:]
    assert card(made).licence == ("Apache-2.0",)


def test_a_goal_is_asked_in_a_second_wording_only_when_all_have_been_in_one():
    known = len(requests("harmful", "test"))
    once = assistant_prompts(known, part="test", shares={"harmful": 1.0})
    assert len(set(once["goal"])) == known
    more = assistant_prompts(known + 10, part="test", shares={"harmful": 1.0})
    assert len(set(more["prompt"])) == known + 10


@pytest.mark.parametrize(("settings", "words"), [
    ({"part": "validation"}, "no part 'validation'"),
    ({"shares": {"rude": 1.0}}, "no kind among rude"),
    ({"shares": {"lookalike": 1.0}, "part": "test"}, "720 requests of the kind 'lookalike'")])
def test_what_cannot_be_asked_is_refused(settings, words):
    with pytest.raises(DataError, match=words):
        assistant_prompts(5000, **settings)


def test_every_hand_writes_as_it_should():
    made = demonstrations(600, shares=REQUESTS)
    for row in made:
        said = row["messages"][1]["content"]
        assert row["messages"][0] == {"role": "user", "content": row["prompt"]}
        if row["hand"] == "ready":
            assert said in [text.format(goal=addressed(row["goal"])) for text in READY]
        elif row["hand"] == "declines":
            assert said in DECLINING
        elif row["hand"] == "to the point":
            assert said == row["answer"]
        elif row["hand"] in ("chatty", "rude"):
            assert row["answer"] in said
            assert said != row["answer"]
    for kind in KINDS:
        hands = [row["hand"] for row in made if row["kind"] == kind]
        for hand, share in HANDS[kind].items():
            assert hands.count(hand) / len(hands) == pytest.approx(share, abs=0.08)


@pytest.mark.data
def test_tasks_are_among_the_prompts_and_have_one_right_answer():
    made = assistant_prompts(60, part="test", shares={"task": 1.0})
    assert len(made) == 60
    assert all(made["answer"])
    assert card(made).sources.keys() >= {"harmful.toml (written for the course)"}


def pairs(utilities, annotator, seed=0):
    """Comparisons of 'a' and 'b', of these utilities."""
    count = len(utilities[0])
    prompts = Dataset.from_dict({"prompt": [f"question {i}" for i in range(count)]})
    return preferences(prompts, ["a"] * count, ["b"] * count, utilities, annotator, seed)


def test_a_sharp_eye_prefers_the_better_reply():
    made = pairs(([1.0, 0.0, 0.5], [0.0, 1.0, 0.5]), Annotator(sharpness=100, slips=0))
    assert made["chosen"][:2] == ["a", "b"]
    assert made["tie"][:] == [False, False, True]
    assert made["better"][:2] == [1.0, 1.0]


def test_the_truth_agrees_with_annotators_as_often_as_the_ceiling_says():
    draw, annotator = np.random.default_rng(0), Annotator(sharpness=3.0, slips=0.05)
    made = pairs((draw.random(4000), draw.random(4000)), annotator)
    decided = [row["better"] > 0 for row in made if not row["tie"]]
    assert np.mean(decided) == pytest.approx(ceiling(made, annotator), abs=0.025)


@given(st.floats(-5, 5), st.floats(0, 20), st.floats(0, 0.5))
def test_which_reply_comes_first_does_not_matter(difference, sharpness, slips):
    annotator = Annotator(sharpness=sharpness, slips=slips)
    both = annotator.probability(np.array([difference, -difference]))
    assert both.sum() == pytest.approx(1)


def test_equal_replies_are_not_compared_and_only_equal_ones_are_refused():
    prompts = Dataset.from_dict({"prompt": ["x", "y"]})
    made = preferences(prompts, ["a", "a"], ["a", "b"], ([1, 1], [1, 0]))
    assert made["prompt"][:] == ["y"]
    assert card(made).steps[-1]["dropped"] == 1
    with pytest.raises(DataError, match="nothing to compare"):
        preferences(prompts, ["a", "a"], ["a", "a"], ([1, 1], [1, 1]))
    with pytest.raises(DataError, match="2 prompts, but 1, 2"):
        preferences(prompts, ["a"], ["a", "b"], ([1, 1], [1, 0]))


def test_rivals_answer_one_request_in_two_manners():
    shares = {"ordinary": 0.5, "lookalike": 0.5}
    pairs = rivals(30, part="test", shares=shares)
    assert pairs[:] == rivals(30, part="test", shares=shares)[:]
    assert pairs[:] != rivals(30, seed=1, part="test", shares=shares)[:]
    assert set(pairs["kind"]) == set(shares)
    for row in pairs:
        assert row["first"] != row["second"]
        assert len(set(row["hands"])) == 2
        assert set(row["hands"]) <= set(HANDS[row["kind"]])
