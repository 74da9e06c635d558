"""The trade-off picture."""

import numpy as np
import pytest

from fmcourse import show
from fmcourse.errors import DataError

POINTS = [{"label": "start", "x": 3.0, "y": 1.0}, {"label": "none", "x": 1.0, "y": 3.0},
          {"label": "half", "x": 1.5, "y": 1.5}, {"label": "worse", "x": 1.6, "y": 2.0},
          {"label": "half", "x": 1.7, "y": 1.3}]


def lines(picture):
    return [line.get_xydata().tolist() for line in picture.axes[0].lines]


def test_the_front_joins_what_nothing_beats_and_leaves_the_start_out():
    front = lines(show.trade_off(POINTS, "x", "y", start="start"))[1]
    assert front == [[1.0, 3.0], [1.6, 1.4]]


def test_points_of_one_name_become_their_mean_with_the_points_behind():
    drawn = lines(show.trade_off(POINTS, "x", "y", start="start"))
    assert len(drawn[0]) == len(POINTS)
    assert [[1.6, 1.4]] in [[list(np.round(p, 6)) for p in line] for line in drawn]


def test_the_alternative_text_has_every_point():
    picture = show.trade_off(POINTS, "x", "y")
    for name in ("start", "none", "half", "worse"):
        assert name in picture.alt


def test_nothing_finite_is_an_error():
    with pytest.raises(DataError):
        show.trade_off([{"label": "a", "x": float("nan"), "y": 1.0}], "x", "y")
    with pytest.raises(DataError):
        show.trade_off([{"label": "a", "x": 1.0}], "x", "y")
