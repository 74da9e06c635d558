"""Drift statistics: by hand, as scipy has them, silent where nothing moved."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import roc_auc_score

from fmcourse import data, train
from fmcourse.data.drift import auc_interval, stability_index
from fmcourse.errors import DataError

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)
WORDS = ("boat", "river", "heron", "fish", "mill", "water", "reed", "oar")


def sentences(count: int, seed: int, own: tuple[str, ...] = WORDS) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(own, 12)) for _ in range(count)]


def test_the_stability_index_by_hand():
    by_hand = (0.5 - 0.4) * math.log(0.5 / 0.4) + (0.5 - 0.6) * math.log(0.5 / 0.6)
    assert stability_index([50, 50], [40, 60]) == pytest.approx(by_hand)
    assert stability_index([1, 1], [2, 2]) == 0
    assert math.isfinite(stability_index([10, 0], [0, 10]))


def test_distances_are_scipys():
    draw = np.random.default_rng(0)
    one, other = draw.normal(size=80), draw.normal(0.5, size=60)
    assert data.ks_distance(one, other) == stats.ks_2samp(one, other).statistic
    assert data.js_distance("aab", "bcc") == pytest.approx(
        jensenshannon([2, 1, 0], [0, 1, 2], base=2))


def test_the_area_is_sklearns_and_its_interval_covers():
    draw, covered = np.random.default_rng(0), 0
    for _ in range(200):
        low, high = draw.normal(size=40), draw.normal(1, size=40)
        area, left, right = auc_interval(low, high)
        assert area == pytest.approx(roc_auc_score([0] * 40 + [1] * 40, [*low, *high]))
        covered += left <= stats.norm.cdf(1 / math.sqrt(2)) <= right
    assert covered >= 180  # of 200; 95 % asked for


def test_ties_count_half():
    assert auc_interval([1, 1], [1, 1])[0] == 0.5


def test_what_moved_is_seen_and_what_did_not_is_not():
    still = data.drift(sentences(80, 0), sentences(80, 1), train.bag_of_words)
    moved = data.drift(sentences(80, 0), sentences(80, 1, WORDS[:4]), train.bag_of_words,
                       labels=([0] * 80, [1] * 80))
    assert not still.set_index("statistic")["drift"]["words: JS distance"]
    found = moved.set_index("statistic")
    assert found["drift"][["words: JS distance", "labels: JS distance", "classifier: AUC"]].all()
    assert found["value"]["classifier: AUC"] > 0.9
    assert found["value"]["labels: JS distance"] == 1
    longer = data.drift(sentences(60, 0), [f"{text} {text}" for text in sentences(60, 1)])
    assert longer.set_index("statistic")["drift"]["length: KS"]


@settings(deadline=None, max_examples=50)
@given(numbers, numbers)
def test_columns_of_numbers_have_a_finite_distance(one, other):
    assert 0 <= data.psi(one, other) < math.inf
    assert data.psi(one, one) == pytest.approx(0, abs=1e-12)
    assert 0 <= data.ks_distance(one, other) <= 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_columns_of_values_have_a_distance_from_0_to_1(one, other):
    found = data.js_distance(one, other)
    assert 0 <= found <= 1
    assert found == pytest.approx(data.js_distance(other, one))
    assert data.js_distance(one, one) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("call", [
    lambda: data.psi([], [1]), lambda: data.psi([1], [math.nan]),
    lambda: data.js_distance([], "a"), lambda: stability_index([1], [1, 2]),
    lambda: data.two_sample_auc(["a"] * 3, ["b"] * 9, train.bag_of_words)])
def test_what_has_no_distance_is_refused(call):
    with pytest.raises(DataError):
        call()
