"""Items as HTML for a notebook: the question, and what became of an answer.

Text takes the page's colour, and what a colour says is also said in words, so that both are
legible in light and dark themes and in black and white. Styles sit on the elements because
viewers of notebooks drop style sheets. Whatever an item's writer wrote is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from functools import cache

from fmcourse.errors import LessonError
from fmcourse.exam import grade as grading
from fmcourse.exam.grade import Note, Result
from fmcourse.exam.item import Cell
from fmcourse.exam.report import Row
from fmcourse.exam.terminal import WORDS
from fmcourse.exam.view import View
from fmcourse.lessons import catalogue
from fmcourse.show.look import BLUE, GREEN, GREY, VERMILLION
from fmcourse.show.tables import FAINT, Html, table

SIGNS = {grading.RIGHT: "✓", grading.WRONG: "✗", grading.MISSED: "○", grading.AVOIDED: "·"}
COLOURS = {grading.RIGHT: GREEN, grading.WRONG: VERMILLION, grading.MISSED: BLUE,
           grading.AVOIDED: GREY}
_TEXT = "line-height:1.45;max-width:52em"


def marked(text: str) -> str:
    """HTML of a text: code between backticks, everything else as it is.

    >>> marked("`a < b` & c")
    '<code>a &lt; b</code> &amp; c'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text)).replace("\n", "<br>")


def question(shown: View, heading: str, options: bool = True) -> str:
    """A heading, the stem and the task; options and prompts too, where no control holds them."""
    stem = f"{marked(shown.item.stem)} <em>{html.escape(shown.task)}</em>"
    lists = [_listed("decimal", shown.prompts),
             _listed("upper-alpha", shown.options)] if options else []
    return (f"<div style='{_TEXT}'><p style='{FAINT}'>{html.escape(heading)}</p>"
            f"<p>{stem}</p>{''.join(lists)}</div>")


def _listed(marks: str, texts: Mapping[str, str]) -> str:
    """A list; its marks are a style, since JupyterLab's overrules the attribute `type`."""
    lines = "".join(f"<li>{marked(text)}</li>" for text in texts.values())
    return f"<ol style='list-style-type:{marks}'>{lines}</ol>" if texts else ""


def explained(result: Result, shown: View) -> str:
    """Right or wrong, the key, the reason for each option, and where to read on."""
    key = shown.typed(result.item.key)
    return _told(result, shown, "✓ Right." if result.right else f"✗ Wrong. Right is {key}.")


def folded(shown: View) -> str:
    """The same for who has not answered, below a line that unfolds it."""
    told = _told(grading.grade(shown.item, shown.item.key), shown,
                 f"{shown.typed(shown.item.key)}.")
    return f"<details><summary>Answer to {shown.item.id}</summary>{told}</details>"


def _told(result: Result, shown: View, verdict: str) -> str:
    item = result.item
    notes = sorted(result.notes, key=lambda note: note.option and shown.letter(note.option))
    parts = [f"<p><b>{html.escape(verdict)}</b> {marked(item.why)}</p>",
             "<ul style='list-style:none;padding:0'>"
             + "".join(_note(note, shown) for note in notes) + "</ul>"]
    if item.exam_says:
        parts.append(f"<p><b>The exam says:</b> {marked(item.exam_says)}<br>"
                     f"<b>Today:</b> {marked(item.today or '')}</p>")
    places = [f"See {_link(item.shown)}."] if item.shown else []
    urls = [f"<a href='{html.escape(url)}' target='_blank' rel='noopener'>"
            f"{html.escape(url.partition('://')[2])}</a>" for url in item.sources]
    parts.append(f"<p>{' '.join(places)} Sources, checked {item.verified}: "
                 f"{', '.join(urls)}</p>")
    return f"<div style='{_TEXT}'>{''.join(parts)}</div>"


def _note(note: Note, shown: View) -> str:
    letter = f"{shown.letter(note.option)} " if note.option else ""
    why = f"<br>{marked(note.why)}" if note.why else ""
    return (f"<li style='border-left:4px solid {COLOURS[note.verdict]};padding:2px 10px;"
            f"margin:4px 0'><b>{SIGNS[note.verdict]} {WORDS[note.verdict]}</b> · {letter}"
            f"{marked(note.text)}{why}</li>")


def _link(cell: Cell) -> str:
    """To the section of the lesson's notebook; in words alone where the course is not at hand."""
    names, said = _lessons(), html.escape(str(cell))
    if cell.lesson not in names:
        return said
    target = f"{names[cell.lesson]}.ipynb#{catalogue.anchor(cell.heading)}"
    return f"<a href='{html.escape(target, quote=True)}' target='_blank'>{said}</a>"


@cache
def _lessons() -> dict[str, str]:
    """Number → name of each lesson, none where the course is not at hand."""
    try:
        return {lesson.number: lesson.name for lesson in catalogue.lessons()}
    except LessonError:
        return {}


def shares(rows: Iterable[Row], caption: str) -> Html:
    """Right of asked by claim or task statement, weakest first, as a table."""
    return table([{"": row.name, "right": f"{row.right} of {row.asked}",
                   "what it says": row.statement, "revisit": "; ".join(row.revisit) or "–"}
                  for row in rows], caption=caption)
