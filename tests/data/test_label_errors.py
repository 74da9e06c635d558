"""Wrong labels: planted as said, found where they are, not found where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import data, train
from fmcourse.data.label_errors import CONTRADICTED, MISLABELLED, NEARLY, RIGHT
from fmcourse.errors import DataError

WORDS = {0: ["boat", "river", "heron", "fish", "mill", "water", "reed", "oar", "bank", "tide"],
         1: ["star", "comet", "orbit", "moon", "lens", "sky", "night", "dust", "ray", "dark"],
         2: ["bread", "oven", "flour", "salt", "crust", "dough", "yeast", "loaf", "heat", "rise"]}


@pytest.fixture(scope="module")
def records() -> Dataset:
    """240 texts of three subjects, each with words of its own, so that none are near duplicates."""
    draw = np.random.default_rng(0)
    rows = [{"text": " ".join(f"{word} x{i}y{j}" for j, word in enumerate(
        draw.choice(WORDS[i % 3], 20))), "label": i % 3} for i in range(240)]
    return data.with_card(Dataset.from_list(rows), data.Card("made", {}))


@pytest.fixture(scope="module")
def noisy(records) -> Dataset:
    return data.plant_label_errors(records, share=0.1, copies=0.05)


def test_errors_are_planted_as_often_as_asked_and_the_truth_is_kept(records, noisy):
    rows = noisy.to_list()
    kinds = [row["planted"] for row in rows]
    assert [kinds.count(kind) for kind in (MISLABELLED, CONTRADICTED, NEARLY)] == [24, 12, 12]
    assert all((row["label"] == row["truth"]) == (row["planted"] == RIGHT) for row in rows)
    assert [row["truth"] for row in rows[:240]] == records["label"][:]
    assert [row["text"] for row in rows[:240]] == records["text"][:]


@pytest.mark.parametrize("shares", [{"share": 0.9, "copies": 0.2}, {"share": -0.1}])
def test_impossible_shares_are_refused(records, shares):
    with pytest.raises(DataError, match="cannot be made wrong"):
        data.plant_label_errors(records, **shares)


def test_confident_learning_finds_most_and_little_else(noisy):
    thought = data.out_of_fold(noisy["text"][:], noisy["label"][:], train.bag_of_words)
    assert thought.shape == (264, 3)
    assert np.allclose(thought.sum(axis=1), 1)
    flagged = data.mislabelled(noisy["label"][:], thought)
    wrong = [i for i, row in enumerate(noisy) if row["label"] != row["truth"]]
    precision, recall = data.grade_flags(flagged, wrong)
    assert precision > 0.7  # by chance 0.18
    assert recall > 0.8
    top = data.grade_flags(flagged[:10], wrong)[0]
    assert top >= precision - 0.1  # the most doubtful come first


def test_labels_that_are_right_are_hardly_doubted(records):
    thought = data.out_of_fold(records["text"][:], records["label"][:], train.bag_of_words)
    assert len(data.mislabelled(records["label"][:], thought)) <= 3


def test_probabilities_that_say_nothing_find_nothing_worth_having(noisy):
    """The mechanism broken: a classifier that was taught nothing."""
    chance = np.random.default_rng(0).dirichlet(np.ones(3), len(noisy))
    wrong = [i for i, row in enumerate(noisy) if row["label"] != row["truth"]]
    assert data.grade_flags(data.mislabelled(noisy["label"][:], chance), wrong)[0] < 0.35


def test_contradictions_are_all_found(noisy):
    texts, labels = noisy["text"][:], noisy["label"][:]
    planted = {i for i, row in enumerate(noisy) if row["planted"] == CONTRADICTED}
    assert planted <= {i for group in data.contradictions(texts, labels) for i in group}
    nearly = {i for i, row in enumerate(noisy) if row["planted"] == NEARLY}
    assert nearly <= {later for _, later in data.near_contradictions(texts, labels)}


@given(st.lists(st.tuples(st.sampled_from(["a b c", "A  b C", "d e f"]), st.integers(0, 1))))
def test_a_contradiction_is_one_text_with_two_labels(records):
    texts, labels = [text for text, _ in records], [label for _, label in records]
    found = {i for group in data.contradictions(texts, labels) for i in group}
    for i, text in enumerate(texts):
        same = {labels[j] for j, other in enumerate(texts)
                if other.lower().split() == text.lower().split()}
        assert (i in found) == (len(same) > 1)


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 0, 0, 1], [-1, 0, 1, 1], [0, 1]])
def test_folds_need_every_label_often_enough(labels):
    with pytest.raises(DataError, match="is needed 2 times"):
        data.out_of_fold(["a", "b", "c", "d"], labels, train.bag_of_words, folds=2)


def test_labels_and_probabilities_must_fit():
    with pytest.raises(DataError, match="do not fit"):
        data.mislabelled([0, 2], np.full((2, 2), 0.5))
