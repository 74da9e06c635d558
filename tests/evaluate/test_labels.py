"""Rates of labels: what counts as one, and the same numbers as scikit-learn."""

import random

import numpy as np
import pytest
from sklearn.metrics import f1_score

from fmcourse.errors import DataError
from fmcourse.evaluate import label_confusion, label_rates, wilson
from fmcourse.evaluate.labels import LABELS, NEITHER, _macro_f1, _table


def sampled(n=200, seed=0):
    draw = random.Random(seed)
    expected = draw.choices(LABELS, (6, 3, 1), k=n)
    return [word if draw.random() < 0.6 else draw.choice([*LABELS, "unclear"])
            for word in expected], expected


@pytest.mark.parametrize(("reply", "label"), [
    ("yes", "yes"), (" Yes.\n", "yes"), ('"maybe"', "maybe"), ("NO!", "no"),
    ("yes, because", NEITHER), ("yes no", NEITHER), ("", NEITHER), ("not", NEITHER),
    ("yes\nyes", NEITHER)])
def test_what_counts_as_a_label(reply, label):
    assert label_confusion([reply], ["yes"]).loc["yes", label] == 1


def test_rates_are_those_of_scikit_learn():
    replies, expected = sampled()
    table = label_rates(replies, expected).set_index("measure")
    right = sum(map(str.__eq__, replies, expected))
    assert table.loc["accuracy", "value"] == right / 200
    assert (table.loc["accuracy", "low"], table.loc["accuracy", "high"]) == wilson(right, 200)
    assert table.loc["neither", "value"] == replies.count("unclear") / 200
    assert table.loc["macro_f1", "value"] == pytest.approx(
        f1_score(expected, replies, labels=list(LABELS), average="macro", zero_division=0))
    assert table.loc["macro_f1", "low"] < table.loc["macro_f1", "value"]
    assert table.loc["macro_f1", "value"] < table.loc["macro_f1", "high"]


def test_the_bootstrap_of_cells_is_the_bootstrap_of_replies():
    replies, expected = sampled(80)
    replies = [reply if reply in LABELS else NEITHER for reply in replies]
    assert _macro_f1(_table(replies, expected, LABELS)) == pytest.approx(
        f1_score(expected, replies, labels=list(LABELS), average="macro", zero_division=0))
    draw, found = np.random.default_rng(1), []
    for _ in range(300):
        rows = draw.integers(0, 80, 80)
        found.append(f1_score([expected[i] for i in rows], [replies[i] for i in rows],
                              labels=list(LABELS), average="macro", zero_division=0))
    table = label_rates(replies, expected).set_index("measure")
    assert table.loc["macro_f1", ["low", "high"]].tolist() == pytest.approx(
        np.quantile(found, (0.025, 0.975)).tolist(), abs=0.03)


def test_always_the_commonest_answer_is_unmasked():
    _, expected = sampled()
    table = label_rates(["yes"] * 200, expected).set_index("measure")
    assert table.loc["accuracy", "value"] == table.loc["accuracy", "majority"] > 0.5
    assert table.loc["macro_f1", "value"] == table.loc["macro_f1", "majority"] < 1 / 3


def test_the_confusion_table_counts_everything_once():
    replies, expected = sampled()
    table = label_confusion(replies, expected)
    assert table.to_numpy().sum() == 200
    assert table.sum(axis=1).tolist() == [expected.count(label) for label in LABELS]
    assert table[NEITHER].sum() == replies.count("unclear")


def test_mistakes_of_the_caller_are_errors():
    with pytest.raises(DataError, match="0 replies"):
        label_rates([], [])
    with pytest.raises(DataError, match="1 replies for 2"):
        label_confusion(["yes"], ["yes", "no"])
    with pytest.raises(DataError, match="'perhaps' is none"):
        label_rates(["yes"], ["perhaps"])
