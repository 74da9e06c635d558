"""A trade-off: what is gained on one axis, what it costs on the other, and which choices are worth
considering at all."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from fmcourse.evaluate.scaling import frontier
from fmcourse.show import inputs, units
from fmcourse.show.layout import linear_axis
from fmcourse.show.look import BLUE, GREY, Picture, canvas, ink, plain, styled


@styled
def trade_off(
    points: object, x: str, y: str, label: str = "label", start: str | None = None,
    title: str | None = None,
) -> Picture:
    """Points of two measures that are both better when lower, joined where none is better in both.

    Args:
        points: DataFrame (or list of dictionaries) with the columns x, y and label; rows with the
            same label, such as seeds, become a mean with its spread behind it.
        x, y: columns, lower is better in both.
        label: column that names a point.
        start: the label of the point to start from, drawn hollow and not part of the front.
        title: optional.

    Raises:
        DataError: columns missing, or nothing finite to draw.
    """
    table = inputs.frame(points, [x, y, label], "trade_off")
    table = table.assign(**{name: inputs.numbers(table, name, "trade_off") for name in (x, y)})
    table = table[np.isfinite(table[[x, y]]).all(axis=1)]
    if not len(table):
        raise inputs.nothing_finite(f"The columns {x!r} and {y!r}", "trade_off")
    means = table.groupby(label, sort=False)[[x, y]].mean()
    choices = means.drop(index=start) if start in means.index else means
    figure, ax = canvas(3.8, title=title)
    ax.plot(table[x], table[y], ls="none", marker="o", ms=4, color=GREY, alpha=0.5, mew=0)
    best = choices[frontier(choices[x], choices[y])].sort_values(x)
    ax.plot(best[x], best[y], color=BLUE, lw=1.5, zorder=2)
    for name, (across, up) in means.iterrows():
        _point(ax, str(name), across, up, hollow=name == start)
    linear_axis(ax.xaxis, x)
    linear_axis(ax.yaxis, y)
    ax.set_xlabel(f"{units.label(x)}  (← better)")
    ax.set_ylabel(f"{units.label(y)}  (↓ better)")
    ax.margins(0.12)
    listed = "; ".join(f"{name}: {units.number(a)} and {units.number(b)}"
                       for name, (a, b) in means.iterrows())
    figure.alt = f"{units.label(x)} against {units.label(y)}, lower is better in both. {listed}."
    return figure


def _point(ax: Axes, name: str, across: float, up: float, hollow: bool) -> None:
    ax.plot(across, up, marker="o", ms=9, mfc="white" if hollow else BLUE, mec=BLUE, mew=1.8,
            zorder=3)
    side = {"xytext": (-9, -4), "ha": "right"} if hollow else {"xytext": (8, 7), "ha": "left"}
    ax.annotate(plain(name, 30), (across, up), textcoords="offset points", color=ink(BLUE),
                zorder=4, **side)
