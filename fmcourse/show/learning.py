"""Learning curves: a score against the number of labelled examples, with its spread over seeds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from fmcourse.show import inputs, units
from fmcourse.show.layout import End, label_ends, linear_axis, log_axis
from fmcourse.show.look import GREY, Picture, Series, canvas, series, styled


@styled
def learning_curves(
    table: object,
    x: str = "labels",
    y: str = "accuracy",
    group: str = "arm",
    chance: float | None = None,
    title: str | None = None,
) -> Picture:
    """A score over the number of labels (log axis), one line an arm, named at its end.

    Rows that share arm and number of labels are seeds: the line is their mean, the bar runs from
    the lowest to the highest. A single seed has no bar, and so claims no certainty.

    Args:
        table: one row a measurement, with the columns x, y and group.
        x: number of labelled examples, above zero.
        y: the score, such as `accuracy` in [0, 1].
        group: the arm.
        chance: the score of guessing, drawn as a grey line.
        title: optional.

    Raises:
        DataError: no rows, missing columns, or nothing finite to draw.
    """
    rows = inputs.frame(table, [x, y, group], "learning_curves")
    data = pd.DataFrame({"arm": rows[group].astype(str).to_numpy(),
                         "x": inputs.numbers(rows, x, "learning_curves"),
                         "y": inputs.numbers(rows, y, "learning_curves")})
    data = data[np.isfinite(data[["x", "y"]]).all(axis=1) & (data["x"] > 0)]
    if not len(data):
        raise inputs.nothing_finite("The table", "learning_curves")
    figure, ax = canvas(3.8, title=title)
    low, high = data["x"].min(), data["x"].max()
    sizes = sorted(data["x"].unique())
    even = len(sizes) < 8 and all(b / a >= 1.5 for a, b in pairwise(sizes))  # room for each name
    log_axis(ax, "x", low / 1.15, max(high, 1.5 * low) * 1.15, x, ticks=sizes if even else None)
    groups = data.groupby("arm", sort=False)
    ends = [_arm(ax, str(name), points, i, len(groups), y, high)
            for i, (name, points) in enumerate(groups)]
    if chance is not None:
        look = Series(GREY, (0, (4, 3)), "")
        ax.axhline(chance, color=look.colour, lw=1.2, ls=look.dash, zorder=1)
        ends.append(End(f"chance {_written(chance, y)}", look, high, chance))
    across = "labelled examples" if x == "labels" else units.label(x)
    ax.set_xlabel(across)
    ax.set_ylabel(units.label(y))
    linear_axis(ax.yaxis)
    if y == "accuracy":
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: units.tick_for(y)(value)))
    label_ends(ax, ends)
    figure.alt = f"{units.label(y)} against {across}. " + "; ".join(
        f"{end.text.removesuffix(f' at {units.count(end.x)}')} at {units.count(end.x)}"
        for end in ends if end.marker) + "."
    return figure


def _arm(ax: Axes, name: str, points: pd.DataFrame, index: int, arms: int, y: str, most: float
         ) -> End:
    """One arm: means joined by a line, bars from the lowest to the highest seed."""
    look, by_size = series(index), points.groupby("x")["y"].agg(["mean", "min", "max"])
    ax.plot(by_size.index, by_size["mean"], color=look.colour, ls=look.dash, marker=look.marker,
            ms=5)
    nudge = 1.03 ** (index - (arms - 1) / 2)  # bars of neighbours side by side
    ax.vlines(by_size.index * nudge, by_size["min"], by_size["max"], color=look.colour, lw=1.4,
              alpha=0.6)
    last, where = by_size["mean"].iloc[-1], ""
    if by_size.index[-1] < most:  # values written in one column must not pass for comparable
        where = f" at {units.count(float(by_size.index[-1]))}"
    return End(f"{name} {_written(last, y)}{where}", look, float(by_size.index[-1]), float(last),
               marker=True)


def _written(value: float, column: str) -> str:
    return units.format_for(column)(value)
