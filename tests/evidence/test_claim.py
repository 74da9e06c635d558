"""The verdict is Student's, and claims.toml says nothing that cannot be measured or fail."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from fmcourse.errors import EvidenceError
from fmcourse.evidence import Measure, claims, get, judge
from fmcourse.evidence.claim import INCONCLUSIVE, NOT_SHOWN, SHOWN, judge_ratio, overall
from fmcourse.evidence.experiments import EXPERIMENTS

NUMBERS = st.floats(-100, 100, allow_subnormal=False)


@settings(max_examples=100, deadline=None)
@given(st.lists(NUMBERS, min_size=2, max_size=8), NUMBERS)
def test_the_interval_is_student_s(values, bound):
    assume(np.std(values) > 1e-6)
    judgement = judge(values, bound)
    right = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert judgement.effect == pytest.approx(np.mean(values))
    assert judgement.interval == pytest.approx((right.low, right.high))
    low, high = judgement.interval
    assert judgement.verdict == (
        SHOWN if low >= bound else NOT_SHOWN if high < bound else INCONCLUSIVE)


@pytest.mark.parametrize(("effects", "bound", "verdict"), [
    ([1.0, 1.1, 0.9], 0.5, SHOWN),
    ([1.0, 1.1, 0.9], 1.5, NOT_SHOWN),
    ([1.0, 1.1, 0.9], 1.0, INCONCLUSIVE),  # the mean reaches the bound, the interval does not
    ([0.5, 0.5, 0.5], 0.5, SHOWN),
    ([0.5], 0.5, SHOWN),
    ([0.49], 0.5, NOT_SHOWN),
])
def test_verdicts_by_hand(effects, bound, verdict):
    assert judge(effects, bound).verdict == verdict


def test_the_ends_of_a_ratio_s_interval_are_where_a_t_test_would_just_reject():
    first, second = np.array([6.1, 7.0, 6.6, 7.4]), np.array([2.0, 2.6, 2.1, 2.4])
    found = judge_ratio(first, second, bound=2)
    assert found.effect == pytest.approx(first.mean() / second.mean())
    for end in found.interval:
        assert stats.ttest_1samp(first - end * second, 0).pvalue == pytest.approx(0.05)
    assert found.verdict == SHOWN
    assert judge_ratio(first, second, bound=4).verdict == NOT_SHOWN


PAIRS = st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=3, max_size=8)


@settings(max_examples=200, deadline=None)
@given(PAIRS, st.floats(0.05, 20))
def test_a_ratio_is_in_the_interval_when_a_t_test_cannot_reject_it(pairs, ratio):
    first, second = np.array(pairs).T
    apart = first - ratio * second
    assume(np.std(apart) > 1e-6)
    low, high = judge_ratio(first, second, bound=1).interval
    assume(min(abs(ratio - low), abs(ratio - high)) > 1e-6 * ratio)
    if (low, high) == (0, math.inf):  # both means may be 0, and nothing is said
        return
    assert (low < ratio < high) == (stats.ttest_1samp(apart, 0).pvalue > 0.05)


def test_a_ratio_to_something_near_nothing_has_no_upper_end():
    first, second = np.array([0.21, 0.20, 0.23, 0.20]), np.array([0.07, 0.03, 0.09, 0.002])
    found = judge_ratio(first, second, bound=2)
    low, high = found.interval
    assert high == math.inf
    assert stats.ttest_1samp(first - low * second, 0).pvalue == pytest.approx(0.05)
    assert low < found.effect
    assert judge_ratio(first - 0.2, second, bound=2).interval[0] == 0


def test_a_ratio_of_nothing_is_an_error():
    with pytest.raises(EvidenceError, match="positive"):
        judge_ratio([1.0, 2.0], [0.0, 0.0], 1.0)


def test_a_single_value_has_no_interval():
    assert judge([1], 0).interval is None


@pytest.mark.parametrize("effects", [[], [math.nan], [1.0, math.inf, 1.0]])
def test_a_missing_effect_is_an_error_and_no_verdict(effects):
    with pytest.raises(EvidenceError, match="diverge"):
        judge(effects, 0)


def test_the_least_favourable_verdict_wins():
    order = [NOT_SHOWN, INCONCLUSIVE, SHOWN]
    for some in itertools.product(order, repeat=3):
        assert overall(some) == min(some, key=order.index)


@pytest.mark.parametrize(("better", "effect", "wanted"), [
    ("higher", "difference", 3 - 2), ("lower", "difference", 2 - 3),
    ("higher", "ratio", 3 / 2), ("lower", "ratio", 2 / 3),
])
def test_an_effect_points_where_the_claim_says(better, effect, wanted):
    measure = Measure("m", "t", "c", better, 0, effect=effect)
    assert measure.once(3.0, 2.0) == pytest.approx(wanted)
    assert measure.judge([3.0, 3.3, 2.7], [2.0, 2.2, 1.8]).effect == pytest.approx(wanted)


@pytest.mark.parametrize("name", claims())
def test_a_claim_is_well_formed(name):
    claim = get(name)
    assert claim.id == name
    assert claim.statement.endswith(".")
    assert claim.experiment in EXPERIMENTS
    assert claim.measures
    for measure in claim.measures:
        assert measure.better in ("higher", "lower")
        assert measure.effect in ("difference", "ratio")
        assert measure.treatment != measure.control
        least = 1 if measure.effect == "ratio" else 0
        if measure.no_worse:
            assert 0.9 <= measure.bound < 1
            assert measure.effect == "ratio"
        else:
            assert measure.bound > least  # no effect at all must not count as shown
        assert measure.live is None or least < measure.live <= measure.bound
    assert len({(m.metric, m.treatment, m.control) for m in claim.measures}) == len(claim.measures)
    assert any(m.live is not None for m in claim.measures)  # something is held to in the lesson


def test_the_claims_of_the_first_lessons_are_there():
    assert {"K1", "K2", "K3", "K4", "K5"} <= set(claims())


def test_an_unknown_claim_lists_the_known():
    with pytest.raises(EvidenceError, match="K1, K2"):
        get("K999")
