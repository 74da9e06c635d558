"""Axes that read well: named rows, round log ticks, labels at line ends, a key, a direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullLocator,
    ScalarFormatter,
)

from fmcourse.show import units
from fmcourse.show.look import SMALL, Series, ink, lay_out, plain, wrapped


def name_rows(ax: Axes, names: Sequence[object], width: int = 22) -> None:
    """Name the rows 0, 1, 2 … of a horizontal chart on its y axis, first row on top."""
    ax.set_yticks(range(len(names)), [wrapped(name, width) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    ax.spines["left"].set_visible(False)


_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
CLOCK = (  # where a clock would put ticks, in seconds: fine, and coarse
    (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20,
     *(m * _MINUTE for m in (1, 2, 5, 10, 20)), *(h * _HOUR for h in (1, 2, 5, 10)),
     *(d * _DAY for d in (1, 2, 5, 10, 20, 50, 100))),
    (1e-3, 1e-2, 0.1, 1, 10, _MINUTE, 10 * _MINUTE, _HOUR, 10 * _HOUR, _DAY, 10 * _DAY,
     100 * _DAY))


def log_ticks(low: float, high: float, most: int = 6,
              among: Sequence[Sequence[float]] | None = None) -> list[float]:
    """Round tick positions for a log axis from low to high (both > 0), at most `most`.

    The finest of 1–2–5, 1–3 and whole powers of ten that is not too many; evenly spaced numbers
    where those would be too few, as within half a decade, where a log axis looks straight anyway.
    `among` gives the candidates instead, the finest first, such as `CLOCK` for durations.

    >>> log_ticks(1e3, 1e6), log_ticks(2, 60)
    ([1000.0, 10000.0, 100000.0, 1000000.0], [2.0, 5.0, 10.0, 20.0, 50.0])
    """
    slack = (high / low) ** 1e-6

    def inside(ticks: Sequence[float]) -> list[float]:
        return [float(t) for t in ticks if low / slack <= t <= high * slack]

    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    choices = [inside(each) for each in among] if among is not None else [
        inside([float(f"{m}e{p}") for p in powers for m in steps])
        for steps in ((1, 2, 5), (1, 3), (1,))]
    ticks = next((c for c in choices if len(c) <= most), None)
    if ticks is None:  # even whole powers are too many: every second, every third …
        return choices[-1][:: math.ceil(len(choices[-1]) / most)]
    if len(ticks) >= (3 if ticks is choices[0] and among is None and most > 3 else 2):
        return ticks
    even = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3).tick_values(low, high)
    return inside(even)


def log_axis(ax: Axes, which: str, low: float, high: float, column: str, most: int = 6,
             ticks: Sequence[float] | None = None) -> None:
    """Make the x or y axis logarithmic from low to high, its ticks (by default round ones) in a
    column's unit."""
    axis: Axis = getattr(ax, f"{which}axis")
    getattr(ax, f"set_{which}scale")("log")
    getattr(ax, f"set_{which}lim")(low, high)
    if ticks is None:
        ticks = log_ticks(low, high, most, CLOCK if column == "seconds" else None)
    write = units.seconds if column == "seconds" else units.tick_for(column)
    plain_numbers = write is units.number and high < 1e4 and low > 1e-3
    names = units.aligned(ticks, strip=True) if plain_numbers and high / low < 30 else \
        [write(t) for t in ticks]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FixedFormatter(names))


def linear_axis(axis: Axis, column: str | None = None) -> None:
    """Round ticks with equal decimals; with a column, in its unit ('200 k' tokens)."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    if column is not None and units.tick_for(column) is not units.number:
        axis.set_major_formatter(FuncFormatter(lambda value, _: units.tick_for(column)(value)))
        return
    formatter = ScalarFormatter(useOffset=False)
    formatter.set_powerlimits((-4, 6))
    axis.set_major_formatter(formatter)


def spread(wanted: Sequence[float], heights: Sequence[float], low: float = 0.0,
           high: float = 1.0) -> list[float]:
    """Centres as near as possible to `wanted` so that boxes of these heights do not overlap.

    Neighbours that collide become one block centred on their mean (pool adjacent violators).

    >>> [round(y, 2) for y in spread([0.5, 0.5, 0.9], [0.1, 0.1, 0.1])]
    [0.45, 0.55, 0.9]
    """
    order = np.argsort(wanted, kind="stable")
    sizes = np.asarray(heights, dtype=float)[order]
    offsets = np.cumsum(sizes) - sizes / 2
    blocks: list[list[float]] = []  # [sum of targets, count]
    for target in np.asarray(wanted, dtype=float)[order] - offsets:
        blocks.append([target, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + count]
    free = np.concatenate([[total / count] * int(count) for total, count in blocks])
    starts = np.maximum(np.minimum(free, high - sizes.sum()), low)
    placed = np.empty(len(order))
    placed[order] = starts + offsets
    return placed.tolist()


@dataclass(frozen=True)
class End:
    """Where a line ends and how it looks, to be named at the right edge of the axes."""

    text: str
    look: Series
    x: float
    y: float
    marker: bool = False


def label_ends(ax: Axes, ends: Sequence[End]) -> None:
    """Name lines at the right edge, each by a sample of it, moved apart where they clash.

    Call it last: it lays the figure out to learn how much room the labels have.
    """
    notes = [ax.annotate(wrapped(end.text), (1.1, 0.5), xycoords="axes fraction", va="center",
                         color=ink(end.look.colour), annotation_clip=False) for end in ends]
    lay_out(ax.figure)
    points = ax.get_window_extent().height / ax.figure.dpi * 72
    places = ax.transAxes.inverted().transform(
        ax.transData.transform([(end.x, end.y) for end in ends]))  # (ends, 2)
    heights = [(1.25 * SMALL * (1 + note.get_text().count("\n")) + 2) / points for note in notes]
    spots = spread(places[:, 1].tolist(), heights)
    for end, note, place, y in zip(ends, notes, places, spots, strict=True):
        note.set_position((1.1, y))
        style = {"color": end.look.colour, "transform": ax.transAxes, "clip_on": False}
        ax.plot([1.03, 1.06, 1.09], [y, y, y], ls=end.look.dash, lw=2 if end.marker else 1.2,
                marker=end.look.marker if end.marker else None, ms=5, markevery=[1], **style)
        if place[0] > 0.97:  # the line arrives at the edge: lead it to its name
            ax.plot([place[0], 1.025], [place[1], y], lw=0.9, ls="-", alpha=0.5, **style)


def direction(ax: Axes, unit: str, better: str) -> None:
    """Name the x axis and say which way is good."""
    gap = 3 * units.SPACE
    text = f"← better{gap}{unit}" if better == "lower" else f"{unit}{gap}better →"
    ax.set_xlabel(wrapped(text, 58))
    linear_axis(ax.xaxis)


def frame_values(ax: Axes, values: Sequence[float]) -> None:
    """X limits around these values with a little air, also when they are all the same."""
    low, high = min(values), max(values)
    air = 0.08 * ((high - low) or abs(high) or 1.0)
    ax.set_xlim(low - air, high + air)


def key(ax: Axes, handles: Sequence[Line2D]) -> None:
    """A key above the plot, in one line if it fits."""
    lengths = [len(handle.get_label()) + 5 for handle in handles]
    columns = len(handles) if sum(lengths) <= 62 else max(1, 62 // max(lengths))
    ax.legend(handles=handles, ncols=columns, loc="lower left", bbox_to_anchor=(-0.02, 1.0),
              handletextpad=0.4, columnspacing=1.4, borderaxespad=0.1)


def key_dot(name: object, marker: str, colour: str, fill: str | None = None) -> Line2D:
    """An entry of a key: a dot, hollow if the fill is white."""
    return Line2D([], [], ls="none", marker=marker, ms=7, mec=colour, mfc=fill or colour, mew=1.5,
                  label=plain(name, 40))


def percent_axis(ax: Axes, name: str) -> None:
    """An x axis over fractions from 0 to 1, written as 0 to 100."""
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}"))
    ax.set_xlabel(name)
