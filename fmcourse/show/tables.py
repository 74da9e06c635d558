"""Tables and marked text as small HTML, with a plain-text twin for terminals and logs.

All colours of the page are inherited and all rules half-transparent grey, so a table is readable
in light and dark JupyterLab themes alike; coloured tiles bring their own text colour. Styles sit
on the elements because notebook viewers drop style sheets; where a viewer drops those too (as
GitHub does), tables stay tables and the heat map's marks of surprise remain as bold text. Whatever
a model wrote is escaped: a sample that contains markup is shown, never obeyed.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from fmcourse.show import inputs, units
from fmcourse.show.diagrams import visible
from fmcourse.show.style import luminance, plain

_TABLE = ("border-collapse:collapse;font-size:13px;line-height:1.4;margin:6px 0;"
          "color:inherit;background:transparent;max-width:100%")
_CELL = "padding:3px 10px;border:0;vertical-align:top;background:transparent;"
_RULE = "border-bottom:1px solid rgba(128,128,128,.45);"
_FAINT = "opacity:.7"
_CAPTION = "caption-side:top;text-align:left;font-weight:600;color:inherit;padding:2px 10px"

# Probability the model gave the token: lower bounds of the shades, light to dark. The ramp is
# ColorBrewer's YlOrBr (Brewer 2003), monotone in lightness and safe for the colour-blind.
_SHADES = ((0.5, "#FFFFD4"), (0.2, "#FEE391"), (0.05, "#FEC44F"), (0.01, "#FE9929"),
           (0.001, "#D95F0E"), (0.0, "#7F2A03"))
_SURPRISING = 0.01  # below this, tokens are also bold


class Html:
    """Something to look at: HTML in a notebook, text elsewhere."""

    def __init__(self, markup: str, text: str):
        self.markup, self.text = markup, text

    def _repr_html_(self) -> str:
        return self.markup

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def table(
    data: object,
    formats: Mapping[str, str | Callable[[object], str]] | None = None,
    caption: str | None = None,
    rows: int = 40,
) -> Html:
    """A small table, numbers to the right and written as people read them.

    Args:
        data: DataFrame, list of records or dictionary of columns. A named index becomes the
            first columns.
        formats: column → a format specification (`".2f"`), a name from `show.units.FORMATS`
            (`"count"`, `"percent"`, `"size"`, `"seconds"`, `"flops"`), or a function to text.
            Other columns are written by their conventional names, or with three digits.
        caption: optional line above.
        rows: at most this many rows are shown; the rest are counted.

    Raises:
        DataError: no rows, or a format for a column that is not there or does not fit it.

    >>> print(table([{"phase": "pre-training", "tokens": 10_000_000}], caption="Cost"))
    Cost
    phase         tokens
    pre-training    10 M
    """
    shown = inputs.frame(data, [], "table")
    named = any(name is not None for name in shown.index.names)
    shown = shown.reset_index() if named else shown
    formats = dict(formats or {})
    for column in formats:
        inputs.choice(column, [str(c) for c in shown.columns], "formats key", "table")
    more, shown = max(0, len(shown) - rows), shown.head(rows)
    cells = {str(c): _write(shown.iloc[:, i], formats.get(str(c)))
             for i, c in enumerate(shown.columns)}
    right = [pd.api.types.is_numeric_dtype(shown.dtypes.iloc[i])
             and not pd.api.types.is_bool_dtype(shown.dtypes.iloc[i])
             for i in range(len(shown.columns))]
    note = f"… {more:,} more rows" if more else ""
    return Html(_table_html(cells, right, caption, note), _table_text(cells, right, caption, note))


def _write(column: pd.Series, chosen: str | Callable[[object], str] | None) -> list[str]:
    if isinstance(chosen, str) and chosen in units.FORMATS:
        chosen = units.FORMATS[chosen]
    if isinstance(chosen, str):
        specification = chosen

        def chosen(value: object) -> str:
            return format(value, specification)
    elif chosen is None and pd.api.types.is_numeric_dtype(column) \
            and not pd.api.types.is_bool_dtype(column):
        chosen = units.format_for(str(column.name))
    try:
        return [units.MISSING if np.isscalar(v) and pd.isna(v) else
                chosen(v) if chosen else str(v) for v in column]
    except (ValueError, TypeError) as error:
        raise inputs.DataError(f"The format of column {column.name!r} does not fit its values.",
                               where="show.table", fix='Use one such as ".2f" for numbers.'
                               ) from error


def _table_html(cells: dict[str, list[str]], right: list[bool], caption: str | None,
                note: str) -> str:
    sides = ["right;font-variant-numeric:tabular-nums" if r else "left" for r in right]
    head = "".join(f'<th scope="col" style="{_CELL}{_RULE}font-weight:600;text-align:{side}">'
                   f"{html.escape(name.replace('_', ' '))}</th>"
                   for name, side in zip(cells, sides, strict=True))
    body = "".join("<tr>" + "".join(
        f'<td style="{_CELL}text-align:{side}">{html.escape(value)}</td>'
        for value, side in zip(row, sides, strict=True)) + "</tr>"
        for row in zip(*cells.values(), strict=True))
    foot = f'<div style="font-size:13px;{_FAINT}">{note}</div>' if note else ""
    top = f'<caption style="{_CAPTION}">{html.escape(caption)}</caption>' if caption else ""
    return (f'<table style="{_TABLE}">{top}<thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>{foot}")


def _table_text(cells: dict[str, list[str]], right: list[bool], caption: str | None,
                note: str) -> str:
    columns = []
    for (name, values), to_right in zip(cells.items(), right, strict=True):
        # A terminal gets ordinary spaces, and one line a row.
        texts = [" ".join(t.split()) for t in (name.replace("_", " "), *values)]
        width = max(map(len, texts))
        columns.append([t.rjust(width) if to_right else t.ljust(width) for t in texts])
    lines = ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]
    return "\n".join([*([caption] if caption else []), *lines, *([note] if note else [])])


def samples_over_time(data: object, caption: str | None = None, characters: int = 400) -> Html:
    """What a model writes at each stage of training, prompt by prompt, stages one under another.

    Args:
        data: rows with `prompt`, `text` and `label` or `step`, in the order to show. If a text
            starts with its prompt, the prompt is shown fainter.
        caption: optional line above.
        characters: longer texts are cut here, with '…'.

    Raises:
        DataError: no rows or missing columns.
    """
    shown = inputs.frame(data, ["prompt", "text"], "samples_over_time")
    if "label" not in shown and "step" not in shown:
        raise inputs.DataError("The table says neither 'label' nor 'step' of a sample.",
                               where="show.samples_over_time", fix="Add one of these columns.")
    blocks, lines = [], [caption] if caption else []
    for prompt, group in shown.groupby("prompt", sort=False, dropna=False):
        prompt = _one(prompt)
        blocks.append(f'<tr><th colspan="2" scope="rowgroup" style="{_CELL}{_RULE}text-align:left;'
                      f'font-weight:600;padding-top:10px">“{html.escape(prompt)}”</th></tr>')
        lines.append(f"“{prompt}”")
        for _, row in group.iterrows():
            stage, text = _stage(row), _continuation(prompt, _one(row["text"]), characters)
            blocks.append(
                f'<tr><th scope="row" style="{_CELL}font-weight:400;text-align:right;'
                f'white-space:nowrap;{_FAINT}">{html.escape(stage)}</th>'
                f'<td style="{_CELL}text-align:left;overflow-wrap:anywhere">'
                f"{_marked(text)}</td></tr>")
            lines.append(textwrap.fill(f"{stage}: " + " ".join(text.split()), 88,
                                       initial_indent="  ", subsequent_indent="    "))
    top = f'<caption style="{_CAPTION}">{html.escape(caption)}</caption>' if caption else ""
    return Html(f'<table style="{_TABLE}">{top}<tbody>{"".join(blocks)}</tbody></table>',
                "\n".join(lines))


def _one(value: object) -> str:
    return "" if value is None or (np.isscalar(value) and pd.isna(value)) else str(value)


def _stage(row: pd.Series) -> str:
    if "label" in row and _one(row["label"]):
        return _one(row["label"])
    step = row.get("step")
    return f"step {step:,.0f}" if isinstance(step, (int, float, np.number)) and \
        math.isfinite(step) else f"step {_one(step)}".strip()


def _continuation(prompt: str, text: str, characters: int) -> str:
    text = text.removeprefix(prompt) if prompt else text
    return text if len(text) <= characters else text[:characters].rstrip() + "…"


def _marked(text: str) -> str:
    """Escaped text; line breaks kept but shown, so that a run of them is visible as such."""
    if not text.strip():
        return f'<span style="{_FAINT}">(nothing)</span>'
    return html.escape(text.strip()).replace("\n", f'<span style="{_FAINT}">⏎</span><br>')


def token_heatmap(data: object, caption: str | None = None, tokens: int = 400) -> Html:
    """Text with every token shaded by how much it surprised the model.

    Args:
        data: rows with `token` (decoded) and `nats`, −ln p(token | what is before it). A missing
            value (the first token of a text has nothing before it) is left unshaded.
        caption: optional line above.
        tokens: at most this many are shown.

    Raises:
        DataError: no rows, missing columns, or negative values (log-probabilities by mistake).
    """
    shown = inputs.frame(data, ["token", "nats"], "token_heatmap")
    nats = inputs.numbers(shown, "nats", "token_heatmap")
    if (nats < -1e-3).any():
        raise inputs.DataError("A surprise in nats cannot be negative.",
                               where="show.token_heatmap",
                               fix="Pass −log p; these look like log-probabilities.")
    mean = float(np.nanmean(nats)) if np.isfinite(nats).any() else math.nan
    words = [_one(token) for token in shown["token"]]
    scores = np.clip(nats, 0, None).tolist()
    spans = "".join(_token_html(t, s) for t, s in zip(words[:tokens], scores, strict=False))
    more = f"… {len(words) - tokens:,} more tokens" if len(words) > tokens else ""
    head = (f"{caption}. " if caption else "") + (
        f"Mean surprise {mean:.2f} nats per token over {len(words):,} tokens."
        if math.isfinite(mean) else "Nothing was measured.")
    markup = (f'<div style="font-size:13px;color:inherit;max-width:48em"><div style="font-weight:'
              f'600;margin-bottom:4px">{html.escape(head)}</div>'
              f'<div style="line-height:2;font-family:monospace;font-size:14px">{spans} {more}</div>'
              f'<div style="margin-top:6px">{_legend()}</div></div>')
    listed = " ".join(_token_text(t, s) for t, s in zip(words[:tokens], scores, strict=False))
    text = textwrap.fill(f"{listed} {more}".strip(), 88, break_long_words=False,
                         break_on_hyphens=False)
    return Html(markup, f"{head} [nats], * = probability below 1 %\n{text}")


def _shade(probability: float) -> str:
    return next(colour for bound, colour in _SHADES if probability >= bound)


def _tile_style(colour: str) -> str:
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    ink = "#000" if luminance(rgb) > 0.18 else "#FFF"  # the better contrast of the two
    return f"background:{colour};color:{ink};padding:2px 1px;border-radius:3px;margin-right:1px"


def _token_html(token: str, nats: float) -> str:
    shown = html.escape(visible(token))
    broken = "<br>" if "\n" in token else ""
    if not math.isfinite(nats):
        return f'<span title="not predicted" style="{_FAINT}">{shown}</span>{broken}'
    probability = math.exp(-nats)
    shown = f"<b>{shown}</b>" if probability < _SURPRISING else shown
    title = f"{nats:.2f} nats, probability {_probability(probability)}"
    return f'<span title="{title}" style="{_tile_style(_shade(probability))}">{shown}</span>{broken}'


def _probability(p: float) -> str:
    return f"{100 * p:.3g} %" if p >= 1e-4 else f"1 in {1 / p:,.0f}" if p > 1e-12 else "about 0"


def _token_text(token: str, nats: float) -> str:
    mark = "*" if math.isfinite(nats) and math.exp(-nats) < _SURPRISING else ""
    score = f"{nats:.1f}" if math.isfinite(nats) else units.MISSING
    return f"{plain(visible(token))}[{score}{mark}]"


def _legend() -> str:
    """Chips from expected to surprising, each with its probabilities and its nats."""
    chips, upper = [], 1.0
    for bound, colour in _SHADES:
        name = f"{100 * bound:g}–{100 * upper:g} %" if bound else f"below {100 * upper:g} %"
        least = -math.log(upper) + 0.0
        name = f"<b>{name}</b>" if upper <= _SURPRISING else name
        chips.append(f'<span title="{least:.1f} nats or more" '
                     f'style="{_tile_style(colour)};padding:2px 6px">{name}</span>')
        upper = bound
    return "probability the model gave the token: " + " ".join(chips) + " (bold: below 1 %)"
