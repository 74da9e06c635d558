"""Axes that read well: named rows, round log ticks, labels at line ends, a key, a direction."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from fmcourse.show import units
from fmcourse.show.style import SMALL, ink, lay_out, wrapped


def name_rows(ax: Axes, names: Sequence[object], width: int = 22) -> None:
    """Name the rows 0, 1, 2 … of a horizontal chart on its y axis, first row on top."""
    ax.set_yticks(range(len(names)), [wrapped(name, width) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    ax.spines["left"].set_visible(False)


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round tick positions for a log axis from low to high (both > 0), at most about `most`.

    Powers of ten over two decades or more; 1, 2, 5 below that; evenly spaced numbers within
    half a decade, where a log axis looks straight anyway.

    >>> log_ticks(1e3, 1e6), log_ticks(2, 60)
    ([1000.0, 10000.0, 100000.0, 1000000.0], [2.0, 5.0, 10.0, 20.0, 50.0])
    """
    decades = math.log10(high / low)
    if decades < 0.5:
        ticks = MaxNLocator(most - 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high).tolist()
    else:
        steps = (1,) if decades >= 2 else (1, 2, 5) if decades < 1.6 else (1, 3)
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [float(f"{m}e{p}") for p in powers for m in steps]
    slack = (high / low) ** 1e-6
    inside = [t for t in ticks if low / slack <= t <= high * slack]
    stride = math.ceil(len(inside) / most) or 1
    return inside[::stride]


def log_axis(ax: Axes, which: str, low: float, high: float,
             write: Callable[[float], str], most: int = 6) -> None:
    """Make the x or y axis logarithmic from low to high, with round, written-out ticks."""
    axis: Axis = getattr(ax, f"{which}axis")
    getattr(ax, f"set_{which}scale")("log")
    getattr(ax, f"set_{which}lim")(low, high)
    axis.set_major_locator(FixedLocator(log_ticks(low, high, most)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))


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


def label_ends(ax: Axes, ends: Sequence[tuple[str, str, float, float]]) -> None:
    """Name lines at the right edge: (text, colour, last x, last y), moved apart where they clash.

    Call it last: it lays the figure out to learn how much room the labels have.
    """
    notes = []
    for text, colour, x, y in ends:
        notes.append(ax.annotate(
            wrapped(text), xy=(x, y), xytext=(1.025, 0.5), textcoords="axes fraction",
            color=ink(colour), va="center", fontsize=SMALL, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.9, "ls": ":",
                        "shrinkA": 1, "shrinkB": 2, "relpos": (0, 0.5)}))
    lay_out(ax.figure)
    points = ax.get_window_extent().height / ax.figure.dpi * 72
    targets = ax.transAxes.inverted().transform(
        ax.transData.transform([(x, y) for _, _, x, y in ends]))[:, 1]
    heights = [(1.25 * SMALL * (1 + note.get_text().count("\n")) + 2) / points for note in notes]
    for note, y in zip(notes, spread(targets.tolist(), heights), strict=True):
        note.set_position((1.025, y))


def direction(ax: Axes, unit: str, better: str) -> None:
    """Name the axis and say which way is good."""
    ax.set_xlabel(f"← better    {unit}" if better == "lower" else f"{unit}    better →")
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: units.number(value)))


def key(ax: Axes, entries: Sequence[tuple[str, str, str, str]], title: str | None) -> None:
    """A one-line key above the plot: (name, marker, fill, edge); a title above that."""
    handles = [ax.plot([], [], marker=m, mfc=fill, mec=edge, mew=1.5, ms=7, ls="none",
                       label=name)[0] for name, m, fill, edge in entries]
    ax.legend(handles=handles, ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 1.0),
              handletextpad=0.2, columnspacing=1.4, borderaxespad=0.1)
    if title:
        ax.set_title(title, pad=24)


def percent_axis(ax: Axes, name: str) -> None:
    """An x axis over fractions from 0 to 1, written as 0 to 100."""
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}"))
    ax.set_xlabel(name)
