"""Scores by slice, and swap tests of a score and of a model."""

from __future__ import annotations

import pytest
from tiny import model

from fmcourse import evaluate
from fmcourse.errors import DataError
from fmcourse.evaluate.counterfactual import CHANGED, GAP

TEXTS = ["He left.", "His boat.", "She left.", "A boat.", "He met her."]


def test_rates_by_slice_and_their_change():
    before = evaluate.slice_rates([1, 0, 1, 1], [1, 1, 1, 0], ["a", "a", "b", "b"])
    after = evaluate.slice_rates([1, 1, 1, 1], [1, 1, 1, 0], ["a", "a", "b", "b"])
    assert before["accuracy"].tolist() == [0.5, 0.5, 0.5]
    assert evaluate.slice_change(before, after)["change"].tolist() == [0.5, 0, 0.25]
    with pytest.raises(DataError):
        evaluate.slice_change(before, after.iloc[1:])
    with pytest.raises(DataError):
        evaluate.slice_rates([1], [1, 0], ["a"])


def test_a_score_that_sees_the_pronoun_is_caught():
    def score(texts):
        return [0.9 if text.startswith(("He ", "His ")) else 0.1 for text in texts]

    unfair = evaluate.swap_test(score, TEXTS).set_index("measure")
    assert unfair["n"].tolist() == [3, 3]
    assert unfair["value"][CHANGED] == 1
    assert unfair["value"][GAP] == pytest.approx(0.8)


def test_a_score_that_does_not_is_not():
    fair = evaluate.swap_test(lambda texts: [len(text) > 99 for text in texts], TEXTS)
    assert fair["value"].tolist() == [0, 0]
    with pytest.raises(DataError):
        evaluate.swap_test(lambda texts: texts, ["A boat."])


def test_bits_turn_with_the_swap():
    there = evaluate.swap_bits(model(), ["He left.", "A boat."])
    back = evaluate.swap_bits(model(), there["swapped"].tolist())
    assert there["bits"].tolist() == pytest.approx((-back["bits"]).tolist(), abs=1e-3)
    assert there["bits"][1] == pytest.approx(0, abs=1e-6)
    assert there["bits"][0] != 0
