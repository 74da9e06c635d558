"""Power-law fits: exact laws are recovered, noisy ones agree with scipy, bad input is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from fmcourse.errors import DataError
from fmcourse.evaluate.scaling import PowerLaw, fit_power_law, frontier

SIZES = np.geomspace(1e15, 1e21, 8)


@settings(max_examples=25, deadline=None)
@given(a=st.floats(0.01, 1e6), b=st.floats(0.02, 1.5))
def test_an_exact_law_is_recovered(a, b):
    law = fit_power_law(SIZES, a * SIZES**-b)
    assert law.b == pytest.approx(b, rel=1e-6)
    assert law.a == pytest.approx(a, rel=1e-4)
    assert law.r2 == pytest.approx(1)


@settings(max_examples=25, deadline=None)
@given(b=st.floats(0.05, 1.0), c=st.floats(0.3, 3.0))
def test_an_exact_floor_is_recovered(b, c):
    x = np.geomspace(1e3, 1e7, 9)
    law = fit_power_law(x, c + 50 * x**-b, floor=True)
    assert (law.b, law.c) == (pytest.approx(b, rel=1e-3), pytest.approx(c, rel=1e-3))


def test_the_floor_agrees_with_scipy_on_noisy_data():
    rng = np.random.default_rng(0)
    x = np.geomspace(1e3, 1e6, 12)
    y = (1.7 + 40 * x**-0.4) * (1 + 0.003 * rng.standard_normal(len(x)))
    law = fit_power_law(x, y, floor=True)
    (a, b, c), _ = curve_fit(lambda x, a, b, c: c + a * x**-b, x, y, p0=(30, 0.5, 1), maxfev=20_000)
    reference = np.sum(((c + a * x**-b) / y - 1) ** 2)
    assert np.sum((law.predict(x) / y - 1) ** 2) <= reference * (1 + 1e-6)  # ours minimises this
    assert law.b == pytest.approx(b, rel=0.1)


def test_a_pure_law_needs_no_floor():
    law = fit_power_law(SIZES, 3 * SIZES**-0.1, floor=True)
    assert law.c == pytest.approx(0, abs=1e-4)


def test_rising_values_show_in_the_sign():
    assert fit_power_law([1, 10, 100], [1, 2, 4]).b < 0
    assert fit_power_law([1, 10, 100, 1000], [1, 2, 4, 8], floor=True).a == 0


def test_points_that_are_not_finite_are_left_out():
    x, y = [1, 10, 100, 1000], [8, 4, np.nan, 1]
    assert fit_power_law(x, y) == fit_power_law([1, 10, 1000], [8, 4, 1])


@pytest.mark.parametrize(
    ("x", "y", "floor"),
    [([1, 2], [2, 1], False), ([1, 2, 3], [3, 2, 1], True), ([1, 1, 1], [3, 2, 1], False),
     ([0, 1, 2], [3, 2, 1], False), ([1, 2, 3], [3, 2, -1], False), ([1, 2, 3], [3, 2], False),
     ([], [], False)],
)
def test_bad_input_is_refused_with_a_fix(x, y, floor):
    with pytest.raises(DataError, match="what to do"):
        fit_power_law(x, y, floor=floor)


def test_frontier_keeps_only_the_best_so_far():
    assert frontier([4, 1, 2, 3, 3], [3, 5, 5, 6, 4]).tolist() == [True, True, False, False, True]
    assert frontier([1, 2, 3], [np.nan, 2, 1]).tolist() == [False, True, True]


def test_it_reads_as_a_formula():
    assert str(PowerLaw(2, 0.31, 1.5, 0.99)) == "y = 1.5 + 2 · x^-0.310 (R² = 0.990)"
