"""Lines over training: loss curves and scaling laws.

Smoothing is off unless asked for, and the raw curve stays visible behind the smoothed one: a
smoothed line alone hides how noisy a short run is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from fmcourse.evaluate.scaling import PowerLaw, fit_power_law, frontier
from fmcourse.show import inputs, units
from fmcourse.show.layout import label_ends, log_axis
from fmcourse.show.style import GREY, Picture, canvas, series, styled


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
        smooth: weight of the past in an exponential moving average, in [0, 1); 0 is none.
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
    for name, run in inputs.arms(runs, "loss_curve").items():
        points = _points(inputs.history(run, [x, y], "loss_curve"), x, y, "loss_curve", log_x)
        if len(points):
            lines[name] = points
    if not lines:
        raise inputs.nothing_finite(f"The column {y!r}", "loss_curve")
    figure, ax = canvas(3.6)
    ends = [_line(ax, name, points, i, smooth) for i, (name, points) in enumerate(lines.items())]
    right = max(points["x"].max() for points in lines.values())
    for name, value in inputs.scalars(baselines, "loss_curve").items() if baselines else ():
        ax.axhline(value, color=GREY, lw=1.2, ls=(0, (4, 3)), zorder=1)
        ends.append((f"{name} {units.number(value)}", GREY, right, value))
    _axes(ax, x, y, [points["x"] for points in lines.values()], log_x)
    if title:
        ax.set_title(title)
    label_ends(ax, ends)
    values = "; ".join(f"{name} ends at {units.number(points['y'].iloc[-1])}"
                       for name, points in lines.items())
    figure.alt = f"{units.label(y)} against {units.label(x)}: {values}."
    return figure


def _points(table: pd.DataFrame, x: str, y: str, where: str, log_x: bool) -> pd.DataFrame:
    points = pd.DataFrame({"x": inputs.numbers(table, x, where),
                           "y": inputs.numbers(table, y, where)})
    points = points[np.isfinite(points).all(axis=1)]
    return points[points["x"] > 0] if log_x else points


def _line(ax: Axes, name: str, points: pd.DataFrame, index: int,
          smooth: float) -> tuple[str, str, float, float]:
    look, values = series(index), points["y"]
    if smooth:
        ax.plot(points["x"], values, color=look.colour, lw=0.8, alpha=0.3)
        # adjust=True corrects the start, where the average has seen few values.
        values = values.ewm(alpha=1 - smooth, adjust=True).mean()
    sparse = len(points) <= 12
    ax.plot(points["x"], values, color=look.colour, ls=look.dash,
            marker=look.marker if sparse else None, ms=5)
    last = float(values.iloc[-1])
    return f"{name} {units.number(last)}", look.colour, float(points["x"].iloc[-1]), last


def _axes(ax: Axes, x: str, y: str, columns: list[pd.Series], log_x: bool) -> None:
    low, high = min(c.min() for c in columns), max(c.max() for c in columns)
    ax.set_xlabel(units.label(x))
    ax.set_ylabel(units.label(y))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: units.number(value)))
    if log_x:
        log_axis(ax, "x", low / 1.05, max(high, low * 1.5), units.tick_for(x))
        return
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: units.tick_for(x)(value)))
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
    table = inputs.frame(points, [x, y], "scaling")
    data = _points(table, x, y, "scaling", log_x=True)
    data = data[data["y"] > 0]
    if not len(data):
        raise inputs.nothing_finite("The table", "scaling")
    data["group"] = table.loc[data.index, "group"].astype(str) if "group" in table else ""
    law = _law(fit, data)
    figure, ax = canvas(4.0)
    ends = []
    for i, (name, group) in enumerate(data.groupby("group", sort=False)):
        look, group = series(i), group.sort_values("x")
        ax.plot(group["x"], group["y"], color=look.colour, ls=look.dash, marker=look.marker,
                ms=7 if len(group) < 13 else 3.5, lw=1.5)
        if name:
            ends.append((name, look.colour, *group[["x", "y"]].iloc[-1].tolist()))
    _draw_law(ax, law, data)
    _log_log(ax, data, x, y)
    ax.set_title(title or "")
    if law is not None:
        ends.append((f"power law: exponent {-law.b:+.3f}".replace("-", "−"), "#333333",
                     ax.get_xlim()[1], float(law.predict(ax.get_xlim()[1]))))
    label_ends(ax, ends)
    figure.alt = (f"{units.label(y)} against {units.label(x)} on log axes, {len(data)} points"
                  + (f"; power law {law}." if law is not None else "."))
    return figure


def _law(fit: PowerLaw | str | None, data: pd.DataFrame) -> PowerLaw | None:
    if fit is None or isinstance(fit, PowerLaw):
        return fit
    inputs.choice(fit, ("points", "frontier"), "fit", "scaling")
    if fit == "frontier":
        data = data[frontier(data["x"], data["y"])]
    try:
        return fit_power_law(data["x"], data["y"])
    except inputs.DataError:  # a smoke run has two sizes: draw them, claim nothing
        return None


def _draw_law(ax: Axes, law: PowerLaw | None, data: pd.DataFrame) -> None:
    low, high = data["x"].min(), data["x"].max()
    ax.set_xlim(low / 1.5, high * 1.5)
    if law is None:
        return
    x = np.geomspace(*ax.get_xlim(), 100)
    ax.plot(x, law.predict(x), color="#333333", lw=1.2, ls=(0, (4, 3)), zorder=1)


def _log_log(ax: Axes, data: pd.DataFrame, x: str, y: str) -> None:
    log_axis(ax, "x", *ax.get_xlim(), units.tick_for(x))
    log_axis(ax, "y", data["y"].min() / 1.08, data["y"].max() * 1.08, units.tick_for(y))
    ax.set_xlabel(units.label(x))
    ax.set_ylabel(units.label(y))
