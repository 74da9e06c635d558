"""How every picture of the course looks: colours, type, grid, ticks, labels at the line.

Colours are those of Okabe and Ito (2008, "Color universal design"), which people with any common
colour blindness can tell apart; each series also gets its own dash and marker, so that grey paper
loses nothing. Lines are named at their end instead of in a legend. Text is never below 10 points
at notebook width.

A picture is a `Picture`: a matplotlib Figure that pyplot does not know, so it appears once (as the
value of a cell, or through `display`) and never a second time when the cell ends; there is nothing
to close. It carries a sentence saying what it shows, which is its alternative text in Jupyter and
its `print`. The trade-off: no interactive windows; `figure.savefig("name.png")` is the way out.
"""

from __future__ import annotations

import functools
import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from PIL import Image

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#6E6E6E"
PALE = "#F2F2F2"

_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
_DASHES = ("-", (0, (6, 2)), (0, (1.2, 1.2)), (0, (6, 2, 1, 2)), (0, (3, 1)),
           (0, (8, 2, 1, 2, 1, 2)), (0, (2, 3)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

WIDTH = 7.0  # inches: the text column of a notebook
MONOSPACE = "DejaVu Sans Mono"
SMALL = 10.0  # points: the smallest text

_RC = {
    "figure.dpi": 100, "savefig.dpi": 100, "figure.figsize": (WIDTH, 3.6),
    "figure.facecolor": "white", "savefig.facecolor": "white",
    "font.family": "DejaVu Sans", "font.size": SMALL, "axes.labelsize": 10.5,
    "axes.titlesize": 11.5, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "xtick.labelsize": SMALL, "ytick.labelsize": SMALL, "legend.fontsize": SMALL,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#888888",
    "axes.grid": True, "grid.color": "#DDDDDD", "grid.linewidth": 0.8, "axes.axisbelow": True,
    "xtick.color": "#888888", "xtick.labelcolor": "#222222",
    "ytick.color": "#888888", "ytick.labelcolor": "#222222",
    "lines.linewidth": 2.0, "legend.frameon": False,
}


def style() -> None:
    """Give figures made directly with matplotlib in a lesson the look of the course."""
    cycle = cycler(color=_COLOURS) + cycler(linestyle=_DASHES)
    mpl.rcParams.update({**_RC, "axes.prop_cycle": cycle})


@dataclass(frozen=True)
class Series:
    """How one line or group of points is drawn: colour, dash and marker together."""

    colour: str
    dash: object
    marker: str


def series(index: int) -> Series:
    """The look of the nth series; after seven, colours return with another dash and marker."""
    turn = index + index // 7
    return Series(_COLOURS[index % 7], _DASHES[turn % 7], _MARKERS[turn % 7])


def ink(colour: str) -> str:
    """A colour darkened until text in it has a contrast of 4.5 to 1 on white (WCAG 2.1, AA).

    >>> ink("#0072B2"), ink("#E69F00") < "#E69F00"
    ('#0072b2', True)
    """
    rgb = np.array(mpl.colors.to_rgb(colour))
    while 1.05 / (luminance(rgb) + 0.05) < 4.5:
        rgb = rgb * 0.95
    return mpl.colors.to_hex(rgb)


def luminance(rgb: Sequence[float]) -> float:
    """Relative luminance of an sRGB colour in [0, 1] (WCAG 2.1)."""
    parts = np.asarray(rgb, dtype=float)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


class _SmallPng(FigureCanvasAgg):
    """Writes PNGs with a palette: a third of the size, which committed notebooks feel.

    It sits in the canvas so that Jupyter's own rendering of figures goes through it too.
    """

    def print_png(self, filename_or_obj, *, metadata=None, pil_kwargs=None, **_):
        FigureCanvasAgg.draw(self)
        pixels = np.asarray(self.buffer_rgba())
        if (pixels[..., 3] < 255).any():  # asked to be transparent: a palette would fill it in
            super().print_png(filename_or_obj, metadata=metadata, pil_kwargs=pil_kwargs)
            return
        image = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
        image = image.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        image.save(filename_or_obj, format="png", optimize=True, dpi=(self.figure.dpi,) * 2)


class Picture(Figure):
    """A figure outside pyplot, with alternative text in `alt`."""

    alt: str = "figure"

    def _repr_mimebundle_(self, include=None, exclude=None):
        png = self.png()
        return {"image/png": png, "text/plain": str(self)}, {"image/png": {"alt": self.alt}}

    def png(self) -> bytes:
        """The picture as PNG bytes, as a notebook shows it."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()

    def __str__(self) -> str:
        return f"[figure] {self.alt}"

    __repr__ = __str__


def styled(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """Decorator: draw in the course's style, lay out once, make all text safe to draw."""

    @functools.wraps(draw)
    def wrapper(*args, **kwargs) -> Picture:
        # parse_math off: a '$' in a token or a document title is a dollar, not mathematics.
        with mpl.rc_context({**_RC, "text.parse_math": False}):
            figure = draw(*args, **kwargs)
            lay_out(figure)
            figure.set_layout_engine("none")  # keep what was just laid out
        return figure

    return wrapper


def lay_out(figure: Figure) -> None:
    """Place everything, after replacing characters the font lacks (each would be a warning)."""
    for text in figure.findobj(Text):
        text.set_text(plain(text.get_text()))
    figure.draw_without_rendering()


def canvas(height: float, rows: int = 1, columns: int = 1, title: str | None = None,
           **kwargs) -> tuple[Picture, object]:
    """A new picture of the standard width and its axes (one, or an array as in `subplots`).

    A title stands at the left edge of the picture and adds its own height.
    """
    heading = wrapped(title, 70, lines=3) if title else ""
    lines = heading.count("\n") + 1 if title else 0
    figure = Picture(figsize=(WIDTH, height + 0.22 * lines), layout="constrained")
    _SmallPng(figure)
    if title:
        figure.suptitle(heading, x=0.008, ha="left", fontsize=11.5, fontweight="bold")
    return figure, figure.subplots(rows, columns, **kwargs)


@functools.lru_cache(maxsize=4096)
def _drawable(character: str) -> bool:
    if not character.isprintable():  # nor is the no-break space, which units use
        return character == "\u00a0"
    fonts = (get_font(findfont(FontProperties(family=f))) for f in ("DejaVu Sans", MONOSPACE))
    return all(font.get_char_index(ord(character)) != 0 for font in fonts)


def plain(text: object, width: int | None = None) -> str:
    """Text the bundled fonts can draw: other characters become '�', long lines are cut with '…'.

    >>> plain("a\\tb"), plain("a long name", width=6)
    ('a�b', 'a lon…')
    """
    kept = "".join(c if c == "\n" or _drawable(c) else "�" for c in str(text))
    return kept if width is None or len(kept) <= width else kept[: width - 1].rstrip() + "…"


def wrapped(text: object, width: int = 22, lines: int = 2) -> str:
    """A label folded at spaces into at most `lines` lines of about `width` characters."""
    return "\n".join(textwrap.wrap(plain(text).replace("\n", " "), width, max_lines=lines,
                                   placeholder=" …")) or " "
