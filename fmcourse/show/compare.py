"""Arms side by side: cost of phases, before and after, minimal pairs, seeds.

All are dot plots with rows to read from left to right, and every value that matters is written
beside its dot. Dots rather than bars because most of these axes are logarithmic or do not start at
zero, and a bar's length would then mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fmcourse.show import inputs, units
from fmcourse.show.layout import direction, frame_values, key, key_dot, log_axis, name_rows
from fmcourse.show.look import BLUE, GREEN, GREY, VERMILLION, Picture, canvas, ink, styled

_COSTS = {"tokens": "tokens read", "flops": "compute (FLOP)", "seconds": "time",
          "memory": "peak memory"}


@styled
def cost_bars(costs: object, title: str | None = None) -> Picture:
    """What each phase of a model's life cost, one panel a quantity, on log axes, values printed.

    Args:
        costs: one row per phase with `phase` and any of `tokens`, `flops`, `seconds`, `memory`
            (or `peak_memory_bytes`), in tokens, FLOP, seconds, bytes; or a dictionary
            phase → Run or Cost. Missing values leave a gap; the dearest phase is marked.
        title: optional.

    Raises:
        DataError: no phases, or none of the quantities present.
    """
    table = _cost_table(costs)
    values = {c: inputs.numbers(table, c, "cost_bars") for c in _COSTS if c in table}
    values = {c: v for c, v in values.items() if (np.isfinite(v) & (v > 0)).any()}
    if not values:
        raise inputs.nothing_finite("The cost table", "cost_bars")
    columns = min(2, len(values))
    rows = -(-len(values) // columns)
    figure, axes = canvas(rows * (0.75 + 0.33 * len(table)) + 0.2, rows, columns,
                          title=title, sharey=True, squeeze=False)
    for ax, (column, numbers) in zip(axes.flat, values.items(), strict=False):
        _cost_panel(ax, column, numbers)
    for ax in axes.flat[len(values):]:
        ax.set_visible(False)
    name_rows(axes[0, 0], table["phase"])
    parts = (f"{_COSTS[c]}: " + ", ".join(f"{p} {units.format_for(c)(v)}"
             for p, v in zip(table["phase"], n, strict=True)) for c, n in values.items())
    figure.alt = "Cost by phase. " + "; ".join(parts) + "."
    return figure


def _cost_table(costs: object) -> pd.DataFrame:
    """One row per phase; Runs and Costs by phase name become rows."""
    columns = (list, tuple, np.ndarray, pd.Series)
    if isinstance(costs, Mapping) and not all(isinstance(v, columns) for v in costs.values()):
        costs = [{"phase": phase, **_cost_record(run)} for phase, run in costs.items()]
    table = inputs.frame(costs, ["phase"], "cost_bars")
    if "memory" not in table and "peak_memory_bytes" in table:
        table = table.rename(columns={"peak_memory_bytes": "memory"})
    return table.reset_index(drop=True)


def _cost_record(run: object) -> Mapping[str, object]:
    cost = getattr(run, "cost", run)
    if isinstance(cost, Mapping):
        return cost
    names = (*_COSTS, "peak_memory_bytes")
    return {name: getattr(cost, name) for name in names if hasattr(cost, name)}


def _cost_panel(ax: Axes, column: str, values: np.ndarray) -> None:
    write, drawn = units.format_for(column), np.isfinite(values) & (values > 0)
    low, high = values[drawn].min() / 2, values[drawn].max() * 2
    log_axis(ax, "x", low, high, column, most=3)
    for row, value in enumerate(values):
        dearest = drawn[row] and value == values[drawn].max()
        colour = VERMILLION if dearest else BLUE if drawn[row] else GREY
        if drawn[row]:
            ax.plot([low, value], [row, row], color=colour, lw=1, alpha=0.5, zorder=1)
            ax.plot(value, row, marker="D" if dearest else "o", color=colour, ms=7)
        ax.annotate(write(value) if drawn[row] else "unknown", (1.03, row), va="center",
                    xycoords=ax.get_yaxis_transform(), annotation_clip=False, color=ink(colour),
                    fontweight="bold" if dearest else "normal")
    ax.set_xlabel(_COSTS[column])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(False, axis="y")


@styled
def before_after(
    before: object,
    after: object,
    unit: str = "bits per byte",
    better: str = "lower",
    control: object | None = None,
    title: str | None = None,
) -> Picture:
    """One row per test: hollow dot before, filled dot after, an arrow between, the change written.

    Args:
        before: dictionary name → score (or one number).
        after: the same names, after training.
        unit: what the scores are, for the axis.
        better: `lower` or `higher`.
        control: the same names for the control arm, drawn as a grey diamond.
        title: optional.

    Raises:
        DataError: no scores, or names that do not match.
    """
    inputs.choice(better, ("lower", "higher"), "better", "before_after")
    old, new = inputs.scalars(before, "before_after"), inputs.scalars(after, "before_after")
    other = inputs.scalars(control, "before_after") if control is not None else {}
    if list(old) != [n for n in old if n in new] or len(new) != len(old):
        raise inputs.DataError(
            f"Scores before are of {', '.join(old)}; after, of {', '.join(new)}.",
            where="show.before_after", fix="Measure the same tests before and after.")
    known = [v for scores in (old, new, other) for v in scores.values() if np.isfinite(v)]
    if not known:
        raise inputs.nothing_finite("The comparison", "before_after")
    figure, ax = canvas(0.95 + 0.5 * len(old), title=title)
    frame_values(ax, known)
    for row, name in enumerate(old):
        _change(ax, row, old[name], new[name], better)
        if np.isfinite(other.get(name, np.nan)):
            ax.plot(other[name], row, marker="D", color=GREY, ms=6, ls="none", zorder=3)
    name_rows(ax, list(old))
    direction(ax, unit, better)
    key(ax, [key_dot("before", "o", "#333333", "white"), key_dot("after", "o", "#333333")]
        + ([key_dot("control", "D", GREY)] if other else []))
    rows = "; ".join(f"{n} {units.number(old[n])} to {units.number(new[n])}" for n in old)
    figure.alt = f"Before and after, {unit} ({better} is better): {rows}."
    return figure


def _change(ax: Axes, row: int, old: float, new: float, better: str) -> None:
    """One row: the two dots, the arrow, and on the right the values and a verdict in words."""
    gain = (old - new) if better == "lower" else (new - old)
    known = np.isfinite(gain)
    first, second, change = units.aligned([old, new, new - old])
    same = known and (first == second or abs(gain) < 5e-4 * max(abs(old), abs(new), 1e-9))
    colour = GREY if not known or same else GREEN if gain > 0 else VERMILLION
    word = "not measured" if not known else "no change" if same else \
        "better" if gain > 0 else "worse"
    if known and not same:
        ax.annotate("", xy=(new, row), xytext=(old, row), arrowprops={
            "arrowstyle": "-|>", "color": colour, "lw": 2, "shrinkA": 4, "shrinkB": 5})
    for value, fill in ((old, "white"), (new, colour)):
        if np.isfinite(value):
            ax.plot(value, row, marker="o", ms=9, mfc=fill, mec=colour, mew=1.8, ls="none")
    text = f"{first} → {second}"
    if known and not same:
        text += f"  ({'+' if new > old else ''}{change})"
    ax.annotate(f"{text}\n{word}", (1.02, row), va="center",
                xycoords=ax.get_yaxis_transform(), color=ink(colour), annotation_clip=False)
