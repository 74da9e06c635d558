"""What H1 to H3 rest on: the controls are what they say, and agreement is counted as it should."""

from __future__ import annotations

import numpy as np
import pytest
from datasets import Dataset

from fmcourse import data, evaluate
from fmcourse.data.assistant import ceiling, demonstrations, preferences, rivals
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.feedback import Said
from fmcourse.evidence.experiments.ranked import CARELESS, GUESSING, RIGHT, TRULY, scores


@pytest.fixture(scope="module")
def choices():
    """Written replies, compared by the careful annotator; and the annotator's own view of them."""
    pairs = rivals(600, part="train")
    rows = list(pairs)
    seen = [evaluate.rubric(rows, pairs[side][:])["utility"] for side in ("first", "second")]
    return pairs, seen, preferences(pairs, pairs["first"], pairs["second"], seen,
                                    feedback.ANNOTATOR)


def utilities(made: Dataset) -> list[np.ndarray]:
    return [evaluate.rubric(list(made), made[side][:])["utility"].to_numpy()
            for side in ("chosen", "rejected")]


def test_misplaced_replies_are_the_same_replies_one_prompt_further():
    rows = demonstrations(30, shares=feedback.MANNERS)
    moved = feedback.misplaced(rows)
    said = [[turns[1]["content"] for turns in part["messages"]] for part in (rows, moved)]
    assert said[1] == said[0][-1:] + said[0][:-1]
    assert moved["prompt"][:] == rows["prompt"][:]
    assert [turns[0] for turns in moved["messages"]] == [turns[0] for turns in rows["messages"]]
    assert data.card(moved).sha256 != data.card(rows).sha256


def test_misplaced_replies_are_no_help_and_the_right_ones_are():
    rows = demonstrations(400, shares=feedback.MANNERS)

    def helpful(part):
        said = [turns[1]["content"] for turns in part["messages"]]
        return feedback.judged(rows, Said(said, [True] * len(said)))[feedback.HELPFUL]

    assert helpful(rows) > 0.7 > 0.3 > helpful(feedback.misplaced(rows))


def test_the_truth_finds_every_better_reply_and_foretells_as_often_as_the_ceiling(choices):
    made = choices[2]
    found = scores(*utilities(made), made)
    assert found[TRULY] == 1
    assert found[RIGHT] == pytest.approx(ceiling(made, feedback.ANNOTATOR), abs=0.05)


def test_a_judge_of_the_opposite_mind_finds_none(choices):
    made = choices[2]
    found = scores(*(-side for side in utilities(made)), made)
    assert found[TRULY] == 0
    assert found[RIGHT] < 0.5


def test_a_careless_annotator_errs_more_and_a_guessing_one_knows_nothing(choices):
    pairs, seen, careful = choices
    wrong = [np.mean(np.array(made["better"][:]) < 0) for made in (careful, *(
        preferences(pairs, pairs["first"], pairs["second"], seen, who)
        for who in (CARELESS, GUESSING)))]
    assert wrong[0] + 0.05 < wrong[1] < wrong[2] - 0.05
    assert wrong[2] == pytest.approx(np.mean(np.array(careful["better"][:]) != 0) / 2, abs=0.06)
