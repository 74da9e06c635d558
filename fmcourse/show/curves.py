"""Lines over training: loss curves and scaling laws.

Smoothing is off unless asked for, and the raw curve stays visible behind the smoothed one: a
smoothed line alone hides how noisy a short run is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fmcourse.show import inputs, units
from fmcourse.show.layout import End, label_ends, linear_axis, log_axis
from fmcourse.show.look import GREY, Picture, Series, canvas, plain, series, styled

if TYPE_CHECKING:
    from fmcourse.evaluate.scaling import PowerLaw


@styled
def loss_curve(
    runs: object,
    y: str = "loss",
    x: str = "tokens",
    smooth: float = 0.0,
    baselines: Mapping[str, float] | None = None,
    title: str | None = None,
    log_x: bool = False,
) -> Picture:
    """A quantity over training, one line per run, named at its end.

    Args:
        runs: dictionary name → Run or history DataFrame; or a single Run or DataFrame.
        y: column of the history: `loss`, `validation_loss`, `bits_per_byte`, `learning_rate` …
        x: column of the history: `tokens`, `step`, `seconds`.
        smooth: in [0, 1): 0 is none, 0.9 averages about twenty rows, as an exponential moving
            average of that weight would, but without its lag. The raw curve stays visible.
        baselines: dictionary name → value, drawn as grey horizontal lines, in y's unit.
        title: optional.
        log_x: logarithmic x axis (rows at x = 0 are left out).

    Raises:
        DataError: no runs, missing columns, nothing finite to draw, or `smooth` out of range.
    """
    if not 0 <= smooth < 1:
        raise inputs.DataError(f"smooth={smooth} is not possible.", where="show.loss_curve",
                               fix="Use 0 (none) up to, not including, 1; 0.9 is strong.")
    lines = {}
    for name, run in inputs.arms(runs, "loss_curve", single="").items():
        table = inputs.history(run, [x, y], "loss_curve")
        points = _points(table, x, y, "loss_curve", log_x)
        if len(points):
            # A training loss is in every row: if the last is not finite, the run broke there.
            broke = y == "loss" and not np.isfinite(inputs.numbers(table, y, "loss_curve")[-1])
            lines[f"{name} (diverged)" if broke else name] = points
    if not lines:
        raise inputs.nothing_finite(f"The column {y!r}", "loss_curve")
    figure, ax = canvas(3.6, title=title)
    ends = [_line(ax, name, points, i, smooth) for i, (name, points) in enumerate(lines.items())]
    right = max(points["x"].max() for points in lines.values())
    for name, value in inputs.scalars(baselines, "loss_curve").items() if baselines else ():
        look = Series(GREY, (0, (4, 3)), "")
        ax.axhline(value, color=look.colour, lw=1.2, ls=look.dash, zorder=1)
        ends.append(End(name, look, right, value))
    _axes(ax, x, y, [points["x"] for points in lines.values()], log_x)
    label_ends(ax, _with_values(ends))
    values = "; ".join(f"{name or 'run'} ends at {units.number(points['y'].iloc[-1])}"
                       for name, points in lines.items())
    figure.alt = f"{units.label(y)} against {units.label(x)}: {values}."
    return figure


def _points(table: pd.DataFrame, x: str, y: str, where: str, log_x: bool) -> pd.DataFrame:
    points = pd.DataFrame({"x": inputs.numbers(table, x, where),
                           "y": inputs.numbers(table, y, where)})
    points = points[np.isfinite(points).all(axis=1)]
    return points[points["x"] > 0] if log_x else points


def _line(ax: Axes, name: str, points: pd.DataFrame, index: int, smooth: float) -> End:
    look, values = series(index), points["y"]
    if smooth:
        ax.plot(points["x"], values, color=look.colour, lw=0.8, alpha=0.3)
        values = _smoothed(values, smooth)
    sparse = len(points) <= 12
    ax.plot(points["x"], values, color=look.colour, ls=look.dash,
            marker=look.marker if sparse else None, ms=5)
    if not sparse:
        ax.plot(points["x"].iloc[-1], values.iloc[-1], color=look.colour, marker=look.marker, ms=5,
                clip_on=False)
    return End(name, look, float(points["x"].iloc[-1]), float(values.iloc[-1]), marker=True)


def _smoothed(values: pd.Series, weight: float) -> pd.Series:
    """At each row, a straight line fitted to its neighbours, one d rows away counting weight^2d.

    That averages over as many rows as an exponential moving average of this weight, which would
    lag above a falling curve; this does not, even at the ends.
    """
    n, y = len(values), values.to_numpy()
    reach = min(n - 1, int(7 / (1 - weight)))
    d = np.arange(-reach, reach + 1)

    def total(v: np.ndarray, power: int) -> np.ndarray:  # sum over neighbours of w · d^power · v
        return np.convolve(v, (weight ** (2 * abs(d)) * d**power)[::-1])[reach : reach + n]

    s0, s1, s2 = (total(np.ones(n), power) for power in range(3))
    t0, t1 = total(y, 0), total(y, 1)
    spread = s0 * s2 - s1**2
    fitted = np.divide(s2 * t0 - s1 * t1, spread, out=y.copy(), where=spread > 1e-9)
    return pd.Series(fitted, index=values.index)


def _with_values(ends: list[End]) -> list[End]:
    """The ends with their value written behind the name; a single unnamed run is its value."""
    values = units.aligned(end.y for end in ends)
    return [replace(end, text=f"{plain(end.text, 36)} {value}".strip())
            for end, value in zip(ends, values, strict=True)]


def _axes(ax: Axes, x: str, y: str, columns: list[pd.Series], log_x: bool) -> None:
    low, high = min(c.min() for c in columns), max(c.max() for c in columns)
    ax.set_xlabel(units.label(x))
    ax.set_ylabel(units.label(y))
    linear_axis(ax.yaxis, y)
    if log_x:
        log_axis(ax, "x", low / 1.05, max(high, low * 1.5), x)
        return
    linear_axis(ax.xaxis, x)
    ax.set_xlim(min(low, 0), high if high > low else low + 1)


@styled
def scaling(
    points: object,
    fit: PowerLaw | str | None = "points",
    x: str = "flops",
    y: str = "loss",
    title: str | None = None,
) -> Picture:
    """Loss against compute, parameters or tokens on log axes, with a power law through it.

    Args:
        points: one row per measurement; columns x and y, optionally `group` (such as the model
            size: its points are joined and named) and others, which are ignored.
        fit: a PowerLaw; or `"points"` (fitted here to all points), `"frontier"` (fitted to the
            lowest loss reached at each x, for curves that cross); or None.
        x: `flops`, `parameters`, `tokens` …
        y: the quantity that falls.
        title: optional.

    Raises:
        DataError: no rows, missing columns, or nothing positive and finite to draw.

    Source: Kaplan et al. 2020, arXiv:2001.08361.
    """
    table = inputs.frame(points, [x, y], "scaling").reset_index(drop=True)
    data = _points(table, x, y, "scaling", log_x=True)
    data = data[data["y"] > 0]
    if not len(data):
        raise inputs.nothing_finite("The table", "scaling")
    data["group"] = table.loc[data.index, "group"].astype(str) if "group" in table else ""
    law = _law(fit, data)
    figure, ax = canvas(4.0, title=title)
    ends = []
    for i, (name, group) in enumerate(data.groupby("group", sort=False)):
        look, group = series(i), group.sort_values("x")
        ax.plot(group["x"], group["y"], color=look.colour, marker=look.marker, lw=1.5,
                ls=look.dash if name else "none", ms=7 if len(group) < 6 else 4)
        if name:
            ends.append(End(name, look, *group[["x", "y"]].iloc[-1], marker=True))
    if "group" not in table and "parameters" in table and x != "parameters" and len(data) < 9:
        _name_sizes(ax, data, inputs.numbers(table.loc[data.index], "parameters", "scaling"))
    _log_log(ax, data, x, y, law)
    if law is not None:
        ends.append(_draw_law(ax, law))
    elif fit is not None:
        ax.annotate("too few sizes to fit a power law", (0.02, 0.03), xycoords="axes fraction",
                    color=GREY)
    if ends:
        label_ends(ax, ends)
    figure.alt = (f"{units.label(y)} against {units.label(x)} on log axes, {len(data)} points"
                  + (f"; power law {law}." if law is not None else "."))
    return figure


def _law(fit: PowerLaw | str | None, data: pd.DataFrame) -> PowerLaw | None:
    if not isinstance(fit, str):
        return fit
    inputs.choice(fit, ("points", "frontier"), "fit", "scaling")
    # Imported here: the evaluation room brings torch, and no other picture needs it.
    from fmcourse.evaluate.scaling import fit_power_law, frontier

    if fit == "frontier":
        data = data[frontier(data["x"], data["y"])]
    try:
        return fit_power_law(data["x"], data["y"])
    except inputs.DataError:  # a smoke run has two sizes: draw them, claim nothing
        return None


def _draw_law(ax: Axes, law: PowerLaw) -> End:
    look = Series("#333333", (0, (4, 3)), "")
    x = np.geomspace(*ax.get_xlim(), 100)
    ax.plot(x, law.predict(x), color=look.colour, lw=1.2, ls=look.dash, zorder=1)
    text = f"power law, exponent {-law.b:.3f}, R² {law.r2:.3f}".replace("-", "−")
    return End(text, look, x[-1], float(law.predict(x[-1])))


def _name_sizes(ax: Axes, data: pd.DataFrame, parameters: np.ndarray) -> None:
    for x, y, size in zip(data["x"], data["y"], parameters, strict=True):
        ax.annotate(units.count(size), (x, y), xytext=(5, 6), textcoords="offset points")


def _log_log(ax: Axes, data: pd.DataFrame, x: str, y: str, law: PowerLaw | None) -> None:
    left, right = data["x"].min() / 1.5, data["x"].max() * 1.5
    heights = data["y"].tolist() + ([] if law is None else law.predict([left, right]).tolist())
    log_axis(ax, "x", left, right, x)
    log_axis(ax, "y", min(heights) / 1.08, max(heights) * 1.08, y)
    ax.set_xlabel(units.label(x))
    ax.set_ylabel(units.label(y))
