"""Diagrams of what a model sees and learns from, and of what cleaning leaves: masks and funnels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.patheffects import withStroke

from fmcourse.show import inputs, units
from fmcourse.show.layout import linear_axis, name_rows
from fmcourse.show.look import (
    BLUE,
    GREY,
    MONOSPACE,
    PALE,
    VERMILLION,
    Picture,
    canvas,
    ink,
    plain,
    styled,
)

# state → (what it means, fill, text colour, edge). The hidden one is hatched and padding has a
# broken edge, so that the four stay apart in grey.
STATES = {
    "read": ("read only", PALE, "#333333", "#BBBBBB"),
    "scored": ("read, and counts in the loss", BLUE, "white", BLUE),
    "hidden": ("hidden from the model, and counts in the loss", "#F7C95C", "black", "#8A5F00"),
    "padding": ("padding, ignored", "white", GREY, "#999999"),
}
_COLUMNS = 78  # characters of the monospaced font that fit the width


def visible(token: object) -> str:
    """A token with its white space made visible: '·' space, '⏎' newline, '→' tab.

    >>> visible(" the"), visible("\\n")
    ('·the', '⏎')
    """
    text = str(token).replace(" ", "·").replace("\r", "").replace("\n", "⏎").replace("\t", "→")
    return text or "∅"


@styled
def mask_figure(
    tokens: Sequence[str],
    mask: Sequence[object] | Mapping[str, Sequence[object]],
    title: str | None = None,
) -> Picture:
    """Token by token: which are only read and which count in the loss.

    Args:
        tokens: the decoded tokens, in order. (T,)
        mask: per token True (counts in the loss) or False (read only), or a state: `read`,
            `scored`, `hidden` (masked out of the input and predicted), `padding`. (T,)
            A dictionary name → mask draws one block a name over the same tokens, such as causal
            and masked pre-training, or pre-training and fine-tuning.
        title: optional.

    Raises:
        DataError: no tokens, lengths that differ, or an unknown state.
    """
    shown = [plain(visible(token), 40) for token in tokens]
    blocks = {name: _states(value, len(shown)) for name, value in
              (mask.items() if isinstance(mask, Mapping) else [("", mask)])}
    if not shown or not blocks:
        raise inputs.DataError("There are no tokens to draw.", where="show.mask_figure",
                               fix="Pass the decoded tokens of one record and a mask as long.")
    places, lines = _flow(shown)
    used = [s for s in STATES if any(s in states for states in blocks.values())]
    heads = sum(bool(name) for name in blocks)
    units_high = len(blocks) * lines + 0.8 * heads + 0.5 * len(blocks) + 0.85 * len(used)
    figure, ax = canvas(0.3 * units_high + 0.1, title=title)
    top = 0.0
    for name, states in blocks.items():
        if name:
            ax.text(0, top + 0.45, name, fontweight="bold", va="center")
            top += 0.8
        for token, (line, column), state in zip(shown, places, states, strict=True):
            _tile(ax, column, top + line, token, state)
        top += lines + 0.5
    for state in used:
        _tile(ax, 0, top, "abc", state)
        ax.text(5.2, top + 0.45, STATES[state][0], va="center")
        top += 0.85
    ax.set(xlim=(-0.3, _COLUMNS + 0.3), ylim=(top, -0.1))
    ax.axis("off")
    figure.alt = "Loss mask. " + "; ".join(
        f"{name or 'tokens'}: " + ", ".join(f"{states.count(s)} {STATES[s][0]}" for s in used
                                            if s in states) for name, states in blocks.items())
    return figure


def _states(mask: Sequence[object], length: int) -> list[str]:
    states = [v if isinstance(v, str) else "scored" if v else "read" for v in mask]
    unknown = sorted(set(states) - set(STATES))
    if unknown:
        raise inputs.DataError(f"{unknown[0]!r} is not a state of a token.",
                               where="show.mask_figure",
                               fix=f"Use True, False or one of {', '.join(STATES)}.")
    if len(states) != length:
        raise inputs.DataError(f"There are {length} tokens but {len(states)} mask values.",
                               where="show.mask_figure", fix="Give one mask value per token.")
    return states


def _flow(tokens: list[str]) -> tuple[list[tuple[int, float]], int]:
    """(line, column) of each tile, broken where the line is full, and the number of lines."""
    places, line, column = [], 0, 0.0
    for token in tokens:
        if column and column + len(token) + 1 > _COLUMNS:
            line, column = line + 1, 0.0
        places.append((line, column))
        column += len(token) + 1.2
    return places, line + 1


def _tile(ax: Axes, column: float, row: float, token: str, state: str) -> None:
    _, fill, text, edge = STATES[state]
    ax.add_patch(FancyBboxPatch(
        (column + 0.1, row + 0.1), len(token) + 0.8, 0.7, facecolor=fill, edgecolor=edge, lw=0.8,
        hatch="///" if state == "hidden" else "", ls="--" if state == "padding" else "-",
        boxstyle="round,pad=0,rounding_size=0.12", mutation_aspect=0.4))
    # The halo keeps a hatch from crossing the letters.
    ax.text(column + 0.5 + len(token) / 2, row + 0.47, token, color=text, family=MONOSPACE,
            ha="center", va="center", path_effects=[withStroke(linewidth=3, foreground=fill)])


@styled
def attention_pattern(
    T: int = 6,  # noqa: N803 - the field's letter for sequence length
    kinds: Sequence[str] = ("causal", "bidirectional"),
    tokens: Sequence[str] | None = None,
    title: str | None = None,
) -> Picture:
    """Which positions each position may read: causal and bidirectional grids side by side.

    Args:
        T: number of positions, 2 to 12; ignored if `tokens` are given.
        kinds: of `causal`, `bidirectional`.
        tokens: optional labels of the positions.
        title: optional.

    Raises:
        DataError: T out of range or an unknown kind.
    """
    size = len(tokens) if tokens is not None else T
    if not 2 <= size <= 12:
        raise inputs.DataError(f"{size} positions cannot be drawn legibly.",
                               where="show.attention_pattern", fix="Use 2 to 12.")
    for kind in kinds:
        inputs.choice(kind, ("causal", "bidirectional"), "kind", "attention_pattern")
    names = [plain(visible(t), 10) for t in tokens] if tokens is not None else range(1, size + 1)
    slanted = max(len(str(name)) for name in names) > 2
    figure, axes = canvas(3.3, 1, len(kinds), title=title, squeeze=False)
    for ax, kind in zip(axes.flat, kinds, strict=True):
        allowed = np.tri(size, dtype=bool) if kind == "causal" else np.full((size, size), True)
        _grid(ax, allowed)
        turn = {"rotation": 60, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
        ax.set_xticks(range(size), names, **turn)
        ax.set_yticks(range(size), names)
        ax.set_title(f"{kind}: " + ("the past only" if kind == "causal" else "both sides"),
                     loc="center")
        ax.set_xlabel("position read")
        ax.set_ylabel("position that reads")
    figure.alt = (f"Attention over {size} positions: " + "; ".join(
        "causal, each reads itself and what is before it" if kind == "causal"
        else "bidirectional, each reads every position" for kind in kinds) + ".")
    return figure


def _grid(ax: Axes, allowed: np.ndarray) -> None:
    """Filled squares where reading is allowed, small crosses where it is not."""
    size = len(allowed)
    for row, column in np.ndindex(*allowed.shape):
        if allowed[row, column]:
            ax.add_patch(Rectangle((column - 0.44, row - 0.44), 0.88, 0.88, color=BLUE))
        else:
            ax.plot(column, row, marker="x", color="#AAAAAA", ms=5, mew=1.2)
    ax.set(xlim=(-0.55, size - 0.45), ylim=(size - 0.45, -0.55), aspect="equal")
    ax.grid(False)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


@styled
def funnel(steps: object, title: str | None = None, unit: str = "documents") -> Picture:
    """How many records each cleaning step left, from a card's steps.

    Args:
        steps: rows in order with `step` and `kept`; with `dropped` as well, what came in to the
            first step is drawn on top as `read`.
        title: optional.
        unit: what is counted.

    Raises:
        DataError: no steps, missing columns, or counts that are negative or not numbers.
    """
    table = inputs.frame(steps, ["step", "kept"], "funnel")
    kept, names = inputs.numbers(table, "kept", "funnel"), table["step"].astype(str).tolist()
    if "dropped" in table:
        first = inputs.numbers(table, "dropped", "funnel")[0]
        if first > 0:
            kept, names = np.insert(kept, 0, kept[0] + first), ["read", *names]
    if not np.isfinite(kept).any() or (kept < 0).any():
        raise inputs.nothing_finite("The column 'kept'", "funnel")
    start = kept[np.isfinite(kept)][0] or 1.0
    figure, ax = canvas(0.75 + 0.38 * len(kept), title=title)
    drawn = np.nan_to_num(kept)
    ax.barh(range(len(kept)), drawn, color=BLUE, height=0.66)
    lost = np.nan_to_num(np.maximum(np.concatenate((kept[:1], kept[:-1])) - kept, 0))
    rows = np.flatnonzero(lost)
    ax.barh(rows, lost[rows], left=drawn[rows], height=0.66, facecolor="white",
            edgecolor=VERMILLION, hatch="///", lw=0.8)
    for row, value in enumerate(kept):
        text = f"{units.count(value)}  ({units.percent(value / start)})"
        for words, shift, colour in ((text, 0, "#222222"),
                                     (f"−{units.count(lost[row])}", 92, ink(VERMILLION))):
            if shift == 0 or lost[row]:
                ax.annotate(words, (1.02, row), xytext=(shift, 0), textcoords="offset points",
                            xycoords=ax.get_yaxis_transform(), va="center", color=colour,
                            annotation_clip=False)
    name_rows(ax, names)
    ax.set_xlim(0, max(start, drawn.max()) * 1.02)
    linear_axis(ax.xaxis, "kept")
    ax.set_xlabel(f"{unit} kept (hatched: dropped by the step)")
    figure.alt = f"{unit} kept after each step: " + "; ".join(
        f"{name} {units.count(value)}" for name, value in zip(names, kept, strict=True)) + "."
    return figure
