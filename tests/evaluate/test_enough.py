"""Plateaus of learning curves: known ones are found, and what no curve can tell is said."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from fmcourse.errors import DataError
from fmcourse.evaluate import Plateau, fit_plateau, plateau_interval

SIZES = np.array([8, 32, 128, 512, 2048, 8192])
ROUGH = {"max_examples": 20, "deadline": None}


def rising(plateau=0.9, a=1.2, b=0.5, sizes=SIZES):
    return plateau - a * np.asarray(sizes, float) ** -b


@settings(**ROUGH)
@given(plateau=st.floats(0.4, 0.95), a=st.floats(0.3, 3), b=st.floats(0.25, 1.5))
def test_a_known_plateau_is_found(plateau, a, b):
    curve = fit_plateau(SIZES, rising(plateau, a, b), limit=1)
    assert curve.plateau == pytest.approx(plateau, rel=0.01)
    assert curve.b == pytest.approx(b, rel=0.02)
    known = max(1, (a / (0.1 * plateau)) ** (1 / b))
    assert curve.examples_for(0.9) == pytest.approx(known, rel=0.05)
    assert curve.r2 == pytest.approx(1, abs=1e-4)


def test_bits_that_fall_are_the_mirror_image():
    up = fit_plateau(SIZES, rising(0.0, 3, 0.4) + 5)
    down = fit_plateau(SIZES, -rising(0.0, 3, 0.4) - 5, falls=True)
    assert (down.plateau, down.a, down.b) == pytest.approx((-up.plateau, -up.a, up.b))
    bits = fit_plateau(SIZES, 1.5 + 3 * SIZES**-0.4, limit=0, falls=True)
    assert bits.predict(bits.examples_for(0.9)) == pytest.approx(1.1 * bits.plateau)


def test_it_is_the_best_robust_fit_that_scipy_finds():
    y = rising() + np.random.default_rng(3).normal(0, 0.03, len(SIZES))
    ours, height = fit_plateau(SIZES, y, limit=1), np.ptp(y)

    def left(at):
        return (at[0] - at[1] * SIZES ** -at[2] - y) / height

    def cost(at):
        return 2 * (np.sqrt(1 + (left(at) / 0.1) ** 2) - 1).sum()

    theirs = min((least_squares(left, [0.8, 1, b], bounds=([-1, 0, 0.05], [1, 99, 3]),
                                loss="soft_l1", f_scale=0.1) for b in (0.1, 0.5, 1, 2)),
                 key=lambda fit: fit.cost)
    assert cost([ours.plateau, ours.a, ours.b]) <= cost(theirs.x) * (1 + 1e-4)


def test_one_bad_seed_moves_it_less_than_it_moves_least_squares():
    sizes = np.repeat(SIZES, 3)
    y = rising(sizes=sizes)
    y[-1] -= 0.4
    plain = least_squares(lambda at: at[0] - at[1] * sizes ** -at[2] - y, [0.8, 1, 0.5]).x[0]
    assert abs(fit_plateau(sizes, y, limit=1).plateau - 0.9) < abs(plain - 0.9) / 2


def test_no_plateau_passes_the_limit():
    steep = [0.1, 0.3, 0.5, 0.7, 0.9, 1.0]
    assert fit_plateau(SIZES, steep, limit=1).plateau <= 1 < fit_plateau(SIZES, steep).plateau
    assert fit_plateau(SIZES, [5, 4, 3, 2, 1, 0.1], limit=0, falls=True).plateau >= 0


def test_a_curve_that_does_not_rise_is_a_level():
    flat = fit_plateau(SIZES, [0.7] * 6, limit=1)
    assert (flat.plateau, flat.examples_for()) == (pytest.approx(0.7), 1)
    wrong_way = fit_plateau(SIZES, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], limit=1)
    assert wrong_way.a == pytest.approx(0)
    assert 0.4 <= wrong_way.plateau <= 0.9
    assert fit_plateau(SIZES, [0.0] * 6, limit=1).examples_for() == math.inf


def test_it_says_when_the_answer_lies_beyond_what_was_measured():
    near = Plateau(0.8, 0.8, 0.5, 1.0, most=512)
    assert "with 100 examples" in str(near)
    assert near.examples_for(0.5) < near.examples_for(0.9) < near.examples_for(0.99)
    far = Plateau(0.8, 0.8, 0.1, 1.0, most=512)
    assert far.examples_for() == pytest.approx(1e10)
    assert "more than 512" in str(far)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    draw, known, held = np.random.default_rng(0), (1.2 / 0.09) ** 2, 0
    for trial in range(40):
        low, high = plateau_interval(SIZES, rising() + draw.normal(0, 0.02, 6), limit=1,
                                     resamples=100, seed=trial)
        held += low <= known <= high
    assert held >= 30


def test_more_seeds_make_it_narrower_and_it_repeats_itself():
    draw, sizes = np.random.default_rng(1), np.repeat(SIZES, 8)
    many = rising(sizes=sizes) + draw.normal(0, 0.03, len(sizes))
    wide = plateau_interval(SIZES, many[::8], limit=1)
    narrow = plateau_interval(sizes, many, limit=1)
    assert narrow[1] / narrow[0] < wide[1] / wide[0]
    assert plateau_interval(SIZES, many[::8], limit=1) == wide
    assert plateau_interval(SIZES, rising()) == pytest.approx(
        [fit_plateau(SIZES, rising()).examples_for()] * 2, rel=1e-3)


@settings(**ROUGH)
@given(scores=st.lists(st.floats(0, 1), min_size=6, max_size=6), falls=st.booleans())
def test_any_scores_have_some_fit(scores, falls):
    limit = 0 if falls else 1
    curve = fit_plateau(SIZES, scores, limit, falls)
    assert np.isfinite([curve.plateau, curve.a, curve.b]).all()
    assert curve.plateau >= 0 if falls else curve.plateau <= 1
    low, high = plateau_interval(SIZES, scores, limit=limit, falls=falls, resamples=10)
    assert 1 <= low <= high


@pytest.mark.parametrize(("examples", "scores"), [
    ([8, 32, 128], [0.1, 0.2, 0.3]), ([8, 8, 32, 128], [0.1, 0.1, 0.2, 0.3]),
    ([0, 8, 32, 128], [0.1, 0.2, 0.3, 0.4]), ([8, 32, 128, 512], [0.1, 0.2, 0.3]),
    ([8, 32, 128, 512], [0.1, 0.2, math.nan, 0.4]), ([], []),
])
def test_what_is_no_curve_is_refused(examples, scores):
    with pytest.raises(DataError, match="what to do"):
        fit_plateau(examples, scores)


@pytest.mark.parametrize("share", [0, 1, -0.5, 90])
def test_a_share_lies_between_nothing_and_all(share):
    with pytest.raises(DataError, match="between 0 and 1"):
        Plateau(0.8, 0.8, 0.5, 1, 512).examples_for(share)
