"""Numbers as text, ticks and the spreading of labels."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.show import units
from fmcourse.show.layout import CLOCK, log_ticks, spread


@pytest.mark.parametrize(("write", "value", "expected"), [
    (units.count, 10_000, "10 k"), (units.count, 2_000_000, "2 M"), (units.count, 999_600, "1 M"),
    (units.count, 999, "999"), (units.count, 0, "0"), (units.count, 1.5e9, "1.5 B"),
    (units.flops, 1.6e21, "1.6 ZFLOP"), (units.flops, 12, "12 FLOP"), (units.size, 900e6, "900 MB"),
    (units.seconds, 0, "0 s"), (units.seconds, 59, "59 s"), (units.seconds, 5400, "1.5 h"),
    (units.percent, 0.005, "0.5 %"), (units.percent, 1, "100 %"), (units.number, -40, "−40"),
    (units.number, 3e-5, "3×10⁻⁵"), (units.scientific, 1e12, "10¹²"),
])
def test_quantities_read_naturally(write, value, expected):
    assert write(value).replace(units.SPACE, " ") == expected


@pytest.mark.parametrize("write", units.FORMATS.values())
@pytest.mark.parametrize("value", [math.nan, math.inf, None, "x"])
def test_what_is_not_a_number_is_a_dash(write, value):
    assert write(value) == units.MISSING


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-6, 1e20), st.floats(1.2, 1e12), st.integers(3, 7))
def test_log_ticks_are_few_inside_and_ascending(low, ratio, most):
    ticks = log_ticks(low, low * ratio, most)
    assert 1 <= len(ticks) <= most + 2
    assert ticks == sorted(ticks)
    assert all(low * (1 - 1e-4) <= t <= low * ratio * (1 + 1e-4) for t in ticks)


def test_durations_get_the_ticks_of_a_clock():
    assert log_ticks(5, 5000, 6, CLOCK) == [10, 60, 600, 3600]


def test_within_a_decade_they_are_finer_and_not_even_ones_that_touch():
    assert log_ticks(4, 45, 3, CLOCK) == [5, 10, 20]
    assert log_ticks(50, 1500, 6, CLOCK) == [60, 120, 300, 600, 1200]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_spread_labels_do_not_overlap_and_stay_inside(wanted):
    heights = [0.1] * len(wanted)
    placed = spread(wanted, heights)
    ordered = sorted(placed)
    assert all(b - a >= 0.1 - 1e-9 for a, b in pairwise(ordered))
    assert min(placed) >= 0.05 - 1e-9
    assert max(placed) <= 0.95 + 1e-9


def test_labels_with_room_stay_where_they_are():
    assert spread([0.2, 0.8], [0.1, 0.1]) == pytest.approx([0.2, 0.8])
