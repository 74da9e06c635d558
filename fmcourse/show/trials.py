"""Results with their uncertainty: minimal pairs with intervals, every seed of every arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fmcourse.show import inputs, units
from fmcourse.show.layout import direction, frame_values, key, key_dot, name_rows, percent_axis
from fmcourse.show.look import (
    BLUE,
    GREY,
    PALE,
    VERMILLION,
    Picture,
    canvas,
    ink,
    series,
    styled,
)

_CHANCE = {"color": "#333333", "lw": 1.2, "ls": (0, (4, 2))}
_PAIR_COLUMNS = ("phenomenon", "accuracy", "low", "high", "chance")


@styled
def pairs_bars(models: Mapping[str, object], title: str | None = None) -> Picture:
    """Accuracy per phenomenon as dots with their intervals, and a line at chance.

    Args:
        models: dictionary model name → table with `phenomenon`, `accuracy`, `low`, `high`,
            `chance` (fractions in [0, 1]; where absent, no interval is drawn and chance is
            0.5). The row `all`, over all of them, is drawn last, on grey.
        title: optional.

    Raises:
        DataError: no models, missing columns, or no accuracy measured.
    """
    from fmcourse.evaluate.intervals import ALL

    tables = {name: _pair_table(table)
              for name, table in inputs.arms(models, "pairs_bars", "model").items()}
    rows = list(dict.fromkeys(p for table in tables.values() for p in table.index))
    rows.sort(key=lambda name: name == ALL)  # stable: only this one moves
    if not any(np.isfinite(table["accuracy"]).any() for table in tables.values()):
        raise inputs.nothing_finite("The column 'accuracy'", "pairs_bars")
    pitch = max(0.36, 0.2 * len(tables))
    figure, ax = canvas(1.0 + pitch * len(rows), title=title)
    if rows[-1] == ALL:
        ax.axhspan(len(rows) - 1.5, len(rows) - 0.4, color=PALE, zorder=0)
    for index, table in enumerate(tables.values()):
        offset = (index - (len(tables) - 1) / 2) * min(0.24, 0.75 / len(tables))
        _dots(ax, table, rows, index, offset)
    _chance(ax, tables, rows)
    name_rows(ax, rows, width=26)
    intervals = any(np.isfinite(table["low"]).any() for table in tables.values())
    percent_axis(ax, "accuracy (%), with 95 % interval" if intervals else "accuracy (%)")
    looks = [series(i) for i in range(len(tables))]
    dots = [key_dot(n, k.marker, k.colour) for n, k in zip(tables, looks, strict=True)]
    key(ax, [*dots, Line2D([], [], label="chance", **_CHANCE)])
    figure.alt = "Accuracy per phenomenon. " + "; ".join(
        f"{name}: " + ", ".join(f"{p} {units.percent(v)}" for p, v in table["accuracy"].items())
        for name, table in tables.items()) + "."
    return figure


def _pair_table(data: object) -> pd.DataFrame:
    """The numeric columns by phenomenon; intervals and chance filled in where absent."""
    table = inputs.frame(data, ["phenomenon", "accuracy"], "pairs_bars")
    columns = {c: inputs.numbers(table, c, "pairs_bars") for c in _PAIR_COLUMNS[1:] if c in table}
    found = pd.DataFrame(columns, index=table["phenomenon"].astype(str))
    if ((found < 0) | (found > 1)).any(axis=None):
        raise inputs.DataError("Accuracies must be fractions between 0 and 1.",
                               where="show.pairs_bars", fix="Divide percentages by 100.")
    found = found.assign(**{c: np.nan for c in ("low", "high") if c not in found})
    found["chance"] = found["chance"].fillna(0.5) if "chance" in found else 0.5
    return found[~found.index.duplicated()]


def _dots(ax: Axes, table: pd.DataFrame, rows: list[str], index: int, offset: float) -> None:
    look = series(index)
    data = table.reindex(rows)
    y = np.arange(len(rows)) + offset
    ax.hlines(y, data["low"], data["high"], color=look.colour, lw=1.6, zorder=2)
    ax.plot(data["accuracy"], y, color=look.colour, marker=look.marker, ms=6.5, ls="none",
            zorder=3)


def _chance(ax: Axes, tables: dict[str, pd.DataFrame], rows: list[str]) -> None:
    """A dashed line where guessing lands; its own short stroke per row if it differs."""
    chance = pd.concat([table["chance"] for table in tables.values()])
    by_row = chance[~chance.index.duplicated()].reindex(rows)
    for row, value in enumerate(by_row):
        ax.plot([value, value], [row - 0.5, row + 0.5], zorder=1, **_CHANCE)


@styled
def seeds(
    arms: Mapping[str, Sequence[float]],
    control: str | Sequence[float] | None = None,
    bound: float | None = None,
    unit: str = "score",
    better: str = "higher",
    title: str | None = None,
) -> Picture:
    """Every seed of every arm as a dot, the mean as a stroke with its value, the bound as a line.

    Args:
        arms: dictionary arm → value per seed.
        control: name of the control among the arms, or its values; drawn grey and last.
        bound: the value the claim must pass, in the same unit.
        unit: what the values are.
        better: `higher` or `lower`.
        title: optional.

    Raises:
        DataError: no arms, an unknown control, or values that are not numbers.
    """
    inputs.choice(better, ("lower", "higher"), "better", "seeds")
    values = {name: _seed_values(name, v) for name, v in inputs.arms(arms, "seeds").items()}
    if isinstance(control, str):
        inputs.choice(control, list(values), "control", "seeds")
        values[control] = values.pop(control)  # to the end
    elif control is not None:
        values["control"] = _seed_values("control", control)
    grey = control if isinstance(control, str) else "control" if control is not None else None
    known = np.concatenate([v[np.isfinite(v)] for v in values.values()])
    if not len(known):
        raise inputs.nothing_finite("No arm", "seeds")
    figure, ax = canvas(0.95 + 0.5 * len(values), title=title)
    means = units.aligned(_mean(found) for found in values.values())
    for row, (name, found) in enumerate(values.items()):
        _strip(ax, row, found, GREY if name == grey else BLUE, means[row])
    frame_values(ax, known if bound is None else np.append(known, bound))
    name_rows(ax, [f"{name} (control)" if name == grey != "control" else name for name in values])
    if bound is not None:
        _bound(ax, bound)
    direction(ax, unit, better)
    listed = "; ".join(f"{name}: mean {mean} of {np.isfinite(found).sum()} seeds"
                       for (name, found), mean in zip(values.items(), means, strict=True))
    figure.alt = f"{unit} per arm ({better} is better). {listed}" + (
        f"; bound {units.number(bound)}." if bound is not None else ".")
    return figure


def _seed_values(name: str, values: object) -> np.ndarray:
    try:
        found = np.atleast_1d(np.asarray(values, dtype=float)).ravel()
    except (TypeError, ValueError) as error:
        raise inputs.DataError(f"The arm {name!r} holds values that are not numbers.",
                               where="show.seeds", fix="Pass one number per seed.") from error
    if not len(found):
        raise inputs.DataError(f"The arm {name!r} has no seeds.", where="show.seeds",
                               fix="Run it over at least three seeds.")
    return found


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _bound(ax: Axes, bound: float) -> None:
    ax.axvline(bound, color=VERMILLION, lw=1.5, ls=(0, (5, 2)), zorder=1)
    ax.annotate(f"bound {units.number(bound)}", (bound, 1), xytext=(0, 3), ha="center",
                xycoords=ax.get_xaxis_transform(), textcoords="offset points",
                color=ink(VERMILLION), annotation_clip=False)


def _strip(ax: Axes, row: int, values: np.ndarray, colour: str, written: str) -> None:
    finite, mean = values[np.isfinite(values)], _mean(values)
    # Neighbours are stacked a little apart by rank, so equal seeds remain countable.
    shift = np.resize([0.0, -0.14, 0.14], len(finite))[np.argsort(np.argsort(finite))]
    ax.plot(finite, row + shift, marker="o", ms=7, mfc=colour, mec="white", mew=0.8, alpha=0.85,
            ls="none", zorder=3)
    if len(finite):
        ax.plot([mean, mean], [row - 0.34, row + 0.34], color="#222222", lw=2, zorder=2)
    failed = len(values) - len(finite)
    text = f"mean {written}" + (f"\n{failed} failed" if failed else "")
    ax.annotate(text, (1.02, row), va="center", color=ink(colour),
                xycoords=ax.get_yaxis_transform(), annotation_clip=False)
