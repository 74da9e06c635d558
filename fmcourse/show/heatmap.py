"""Text shaded token by token with a model's surprise.

Each shade is a range of probability and brings its own text colour, so it reads in light and dark
themes; the ramp is monotone in lightness, hence safe for the colour-blind and in grey. Tokens below
one per cent are also bold, which survives viewers that drop colours (as GitHub does), and every
token's exact value is in its title (hover) and in the text twin.
"""

from __future__ import annotations

import html
import math
import textwrap

import numpy as np

from fmcourse.show import inputs, units
from fmcourse.show.diagrams import visible
from fmcourse.show.look import luminance, plain
from fmcourse.show.tables import FAINT, Html, one

# Probability the model gave the token: lower bounds of the shades, light to dark. The ramp is
# ColorBrewer's YlOrBr (Brewer 2003), monotone in lightness and safe for the colour-blind.
_SHADES = ((0.5, "#FFFFD4"), (0.2, "#FEE391"), (0.05, "#FEC44F"), (0.01, "#FE9929"),
           (0.001, "#D95F0E"), (0.0, "#7F2A03"))
_SURPRISING = 0.01  # below this, tokens are also bold


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
    words = [one(token) for token in shown["token"]]
    scores = np.clip(nats, 0, None).tolist()
    spans = "".join(_token_html(t, s) for t, s in zip(words[:tokens], scores, strict=False))
    more = f"… {len(words) - tokens:,} more tokens" if len(words) > tokens else ""
    head = (f"{caption}. " if caption else "") + (
        f"Mean surprise {mean:.2f} nats per token over {np.isfinite(nats).sum():,} tokens."
        if math.isfinite(mean) else "Nothing was measured.")
    markup = (f'<div style="font-size:13px;color:inherit;max-width:48em"><div style="font-weight:'
              f'600;margin-bottom:4px">{html.escape(head)}</div>'
              f'<div style="font:14px/2 monospace">{spans} {more}</div>'
              f'<div style="margin-top:6px;line-height:2">{_legend()}</div></div>')
    listed = " ".join(_token_text(t, s) for t, s in zip(words[:tokens], scores, strict=False))
    text = textwrap.fill(f"{listed} {more}".strip(), 88, break_long_words=False,
                         break_on_hyphens=False)
    return Html(markup, f"{head} [nats], * = probability below 1 %\n{text}")


def _shade(probability: float) -> str:
    return next(colour for bound, colour in _SHADES if probability >= bound)


def _tile_style(colour: str) -> str:
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    ink = "#000" if luminance(rgb) > 0.18 else "#FFF"  # the better contrast of the two
    return (f"background:{colour};color:{ink};padding:2px 1px;border-radius:3px;margin-right:1px;"
            "box-shadow:inset 0 0 0 1px rgba(128,128,128,.35)")


def _token_html(token: str, nats: float) -> str:
    shown = html.escape(visible(token))
    broken = "<br>" if "\n" in token else ""
    if not math.isfinite(nats):
        return f'<span title="not predicted" style="{FAINT}">{shown}</span>{broken}'
    probability = math.exp(-nats)
    shown = f"<b>{shown}</b>" if probability < _SURPRISING else shown
    title = f"{nats:.2f} nats, probability {_probability(probability)}"
    style = _tile_style(_shade(probability))
    return f'<span title="{title}" style="{style}">{shown}</span>{broken}'


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
