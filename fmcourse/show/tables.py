"""Tables as small HTML, with a plain-text twin for terminals and logs.

Text takes the page's colour and all rules are half-transparent grey, so a table is readable in
light and dark JupyterLab themes alike. Styles sit on the elements because notebook viewers drop
style sheets; where a viewer drops those too, tables stay tables. Whatever a model wrote is
escaped: a sample that contains markup is shown, never obeyed.
"""

from __future__ import annotations

import html
import math
import re
import textwrap
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from fmcourse.show import inputs, units

_TABLE = ("border-collapse:collapse;font-size:13px;line-height:1.4;margin:6px 0;"
          "color:inherit;background:transparent;max-width:100%")
_CELL = "padding:3px 10px;border:0;vertical-align:top;background:transparent;"
_RULE = "border-bottom:1px solid rgba(128,128,128,.45);"
FAINT = "opacity:.7"
_CAPTION = "caption-side:top;text-align:left;font-weight:600;color:inherit;padding:2px 10px"
UNBROKEN = 24  # letters; a longer word may be broken, or it would push other columns out of sight
_BREAKS = ";overflow-wrap:anywhere;min-width:10em"


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
    breaks = [_BREAKS if max(map(len, " ".join(values).split()), default=0) > UNBROKEN else ""
              for values in cells.values()]
    head = "".join(f'<th scope="col" style="{_CELL}{_RULE}font-weight:600;text-align:{side}">'
                   f"{html.escape(name.replace('_', ' '))}</th>"
                   for name, side in zip(cells, sides, strict=True))
    body = "".join("<tr>" + "".join(
        f'<td style="{_CELL}text-align:{side}{wrap}">{html.escape(value)}</td>'
        for value, side, wrap in zip(row, sides, breaks, strict=True)) + "</tr>"
        for row in zip(*cells.values(), strict=True))
    foot = f'<div style="font-size:13px;{FAINT}">{note}</div>' if note else ""
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
            starts with its prompt, only what follows is shown.
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
        prompt = one(prompt)
        blocks.append(f'<tr><th colspan="2" scope="rowgroup" style="{_CELL}{_RULE}text-align:left;'
                      f'font-weight:600;padding-top:10px">“{html.escape(prompt)}”</th></tr>')
        lines.append(f"“{prompt}”")
        for _, row in group.iterrows():
            stage, text = _stage(row), _continuation(prompt, one(row["text"]), characters)
            blocks.append(
                f'<tr><th scope="row" style="{_CELL}font-weight:400;text-align:right;'
                f'white-space:nowrap;{FAINT}">{html.escape(stage)}</th>'
                f'<td style="{_CELL}text-align:left;overflow-wrap:anywhere">'
                f"{_marked(text)}</td></tr>")
            lines.append(textwrap.fill(f"{stage}: " + " ".join(text.split()), 88,
                                       initial_indent="  ", subsequent_indent="    "))
    top = f'<caption style="{_CAPTION}">{html.escape(caption)}</caption>' if caption else ""
    return Html(f'<table style="{_TABLE}">{top}<tbody>{"".join(blocks)}</tbody></table>',
                "\n".join(lines))


def one(value: object) -> str:
    return "" if value is None or (np.isscalar(value) and pd.isna(value)) else str(value)


def _stage(row: pd.Series) -> str:
    if "label" in row and one(row["label"]):
        return one(row["label"])
    step = row.get("step")
    return f"step {step:,.0f}" if isinstance(step, (int, float, np.number)) and \
        math.isfinite(step) else f"step {one(step)}".strip()


def _continuation(prompt: str, text: str, characters: int) -> str:
    text = text.removeprefix(prompt) if prompt else text
    return text if len(text) <= characters else text[:characters].rstrip() + "…"


def _marked(text: str) -> str:
    """Escaped text; line breaks are kept and shown, a run of them on one line."""
    if not text.strip():
        return f'<span style="{FAINT}">(nothing)</span>'

    def breaks(run: re.Match) -> str:
        return f'<span style="{FAINT}">{"⏎" * run.group().count(chr(10))}</span><br>'

    return re.sub(r"\s*\n\s*", breaks, html.escape(text.strip()))
