"""Measures of a reward model against numbers worked by hand; no side of a pair is favoured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from fmcourse.errors import DataError
from fmcourse.evaluate import (
    calibration,
    calibration_error,
    length_bias,
    pairwise_accuracy,
    reward_report,
)

LN3, LN9 = math.log(3), math.log(9)  # σ = 3/4 and 9/10


def test_accuracy_by_hand():
    assert pairwise_accuracy([1, 1, 1, 1], [0, 0, 1, 2]) == (1 + 1 + 0.5 + 0) / 4
    assert pairwise_accuracy([1, 1, 9, 1], [0, 2, 0, 2], [False, True, False, True]) == 1


def test_calibration_by_hand():
    """Four pairs at ¾, of which three are right; two at 9/10, of which one is."""
    chosen, rejected = [LN3, LN3, LN3, 0, LN9, 0], [0, 0, 0, LN3, 0, LN9]
    table = calibration(chosen, rejected)
    assert table["sure"].tolist() == pytest.approx([0.75, 0.9])
    assert table["right"].tolist() == [0.75, 0.5]
    assert table["pairs"].tolist() == [4, 2]
    assert calibration_error(chosen, rejected) == pytest.approx(2 / 6 * 0.4)


def test_a_tie_is_half_right_however_sure_the_model_was():
    assert calibration_error([LN9], [0], ties=[True]) == pytest.approx(0.4)
    assert calibration_error([1.0], [1.0], ties=[True]) == 0
    assert calibration_error([1.0], [1.0]) == 0  # ½ sure, half right


def test_the_bins_are_of_equal_width_and_the_last_one_is_closed():
    sure = np.array([0.5, 0.5499, 0.5501, 0.9499, 0.9501, 1 - 1e-12])
    logits = np.log(sure / (1 - sure))
    assert calibration([*logits, 1e6], np.zeros(7))["pairs"].tolist() == [2, 1, 1, 3]


def test_a_model_that_says_the_truth_is_calibrated():
    draw = np.random.default_rng(0)
    difference = draw.normal(size=40_000) * 2
    right = draw.random(40_000) < 1 / (1 + np.exp(-difference))
    truth = np.where(right, difference, -difference)  # seen from the preferred side
    assert calibration_error(truth, 0 * truth) < 0.01
    assert calibration_error(3 * truth, 0 * truth) > 0.1  # three times too sure
    assert calibration_error(truth / 3, 0 * truth) > 0.1


def test_length_bias_by_hand():
    """The longer one was preferred in one of three uneven pairs, and is rated higher in two."""
    found = length_bias([2, 1, 3, 5], [1, 2, 1, 0], [9, 2, 4, 7], [5, 6, 8, 7])
    assert found["longer_preferred"] == pytest.approx(1 / 3)
    assert found["longer_rated_higher"] == pytest.approx(2 / 3)
    assert found["length_bias"] == pytest.approx(1 / 3)
    rewards, lengths = np.array([1, -1, 2, 5]), np.array([4, -4, -4, 0])
    both = [np.concatenate([each, -each]) for each in (rewards, lengths)]
    assert found["length_correlation"] == pytest.approx(pearsonr(*both).statistic)
    assert found["length_correlation"] == pytest.approx((4 + 4 - 8) / math.sqrt(31 * 48))


def test_lengths_that_tell_nothing():
    found = length_bias([1, 2], [0, 0], [3, 4], [3, 4])
    assert found == {"length_bias": 0, "longer_rated_higher": 0.5, "longer_preferred": 0.5,
                     "length_correlation": 0}
    assert length_bias([1, 1], [1, 1], [3, 4], [1, 1])["length_correlation"] == 0
    assert length_bias([1], [0], [3], [1], ties=[True])["longer_preferred"] == 0.5


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.floats(-100, 100))
def test_sides_order_and_offset_do_not_matter(seed, shift):
    draw = np.random.default_rng(seed)
    rewards, lengths = draw.normal(size=(2, 40)), draw.integers(1, 9, size=(2, 40))
    ties = np.arange(40) % 3 == 0
    report = reward_report(*rewards, *lengths, ties)
    turned = [np.where(ties, pair[::-1], pair) for pair in (rewards, lengths)]  # no side of a tie
    order = draw.permutation(40)
    shuffled = [pair[:, order] + offset for pair, offset in
                zip(turned, (shift, 3), strict=True)]
    again = reward_report(*shuffled[0], *shuffled[1], ties[order])
    assert again == pytest.approx(report)
    assert calibration(*rewards, ties)["sure"].min() >= 0.5


@pytest.mark.parametrize(("call", "message"), [
    (lambda: pairwise_accuracy([1, 2], [1]), "no pairs: shapes"),
    (lambda: pairwise_accuracy([], []), "no pairs"),
    (lambda: pairwise_accuracy([[1.0]], [[2.0]]), "no pairs"),
    (lambda: pairwise_accuracy([1], [0], ties=[True]), "all are ties"),
    (lambda: calibration_error([1, math.nan], [0, 0]), "pair 1"),
    (lambda: length_bias([1], [0], [2, 3], [4, 5]), "1 pairs of rewards, 2 pairs of lengths"),
])
def test_what_is_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
