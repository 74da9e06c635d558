"""Loss curves and scaling: what is drawn, what is left out, what is refused."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from gallery import history, points

from fmcourse import show
from fmcourse.errors import DataError
from fmcourse.evaluate.scaling import PowerLaw
from fmcourse.show.curves import _smoothed


def labels(figure):
    return " ".join(t.get_text().replace("\n", " ") for t in figure.axes[0].texts)


def test_runs_frames_and_a_single_run_are_taken_alike():
    run = SimpleNamespace(history=history())
    assert show.loss_curve({"a": run}).png() == show.loss_curve({"a": history()}).png()
    assert show.loss_curve(run).alt.endswith("run ends at 3.59.")


def test_ends_and_baselines_are_named_with_their_values():
    text = labels(show.loss_curve({"real": history()}, baselines={"unigram": 9.1}))
    assert "real 3.59" in text
    assert "unigram 9.10" in text


def test_missing_values_are_skipped_and_divergence_is_said():
    table = history(4)
    table["validation_loss"] = [np.nan, 5.0, np.nan, 4.0]
    assert show.loss_curve(table, y="validation_loss").axes[0].lines[0].get_ydata().tolist() \
        == [5.0, 4.0]
    table.loc[3, "loss"] = np.nan
    assert "diverged" in show.loss_curve({"hot": table}).alt
    assert "diverged" not in show.loss_curve({"cool": history(4)}).alt


def test_smoothing_removes_noise_but_not_a_slope():
    straight = pd.Series(np.linspace(9, 3, 50))
    np.testing.assert_allclose(_smoothed(straight, 0.9), straight, atol=1e-9)
    noisy = pd.Series(4 + np.random.default_rng(0).standard_normal(500))
    assert _smoothed(noisy, 0.9).std() < noisy.std() / 2
    assert _smoothed(pd.Series([3.0]), 0.9).tolist() == [3.0]


@pytest.mark.parametrize("smooth", [-0.1, 1.0])
def test_impossible_smoothing_is_refused(smooth):
    with pytest.raises(DataError, match="smooth"):
        show.loss_curve(history(), smooth=smooth)


@pytest.mark.parametrize(
    ("runs", "message"),
    [({}, "nothing to draw"), (None, "nothing to draw"), ({"a": pd.DataFrame()}, "no rows"),
     ({"a": history()[["step"]]}, "no column 'tokens', 'loss'"), ({"a": 3}, "table was expected"),
     ({"a": pd.DataFrame({"tokens": [1], "loss": ["x"]})}, "not numbers"),
     ({"a": pd.DataFrame({"tokens": [1], "loss": [np.nan]})}, "no value that can be drawn")],
)
def test_bad_runs_are_refused_with_a_fix(runs, message):
    with pytest.raises(DataError, match=message) as error:
        show.loss_curve(runs)
    assert error.value.fix
    assert error.value.where == "show.loss_curve"


def test_the_exponent_is_printed():
    flops = np.geomspace(1e12, 1e15, 5)
    table = pd.DataFrame({"flops": flops, "loss": 100 * flops**-0.1})
    assert "exponent −0.100, R² 1.000" in labels(show.scaling(table))
    assert "exponent −0.300" in labels(show.scaling(table, fit=PowerLaw(9, 0.3, 0, 0.5)))
    assert "exponent" not in labels(show.scaling(table, fit=None))


def test_a_smoke_run_of_two_sizes_is_drawn_without_a_law():
    assert "too few" in labels(show.scaling(points().iloc[[0, 3]]))


def test_scaling_leaves_out_what_a_log_axis_cannot_show():
    table = pd.DataFrame({"flops": [0, 1e12, 1e13, np.nan], "loss": [9, 5, 4, 3]})
    assert "2 points" in show.scaling(table).alt
    with pytest.raises(DataError, match="no value"):
        show.scaling(table.iloc[:1])
    with pytest.raises(DataError, match="fit='guess'"):
        show.scaling(table, fit="guess")
