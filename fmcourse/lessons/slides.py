"""A lesson as slides: one HTML file that needs no network, for the room's projector.

nbconvert makes slides of notebooks, but lets the browser load reveal.js, MathJax and more from the
web, and ships none of it. So reveal.js (MIT licence) is fetched once, pinned and by its hash, from
a package that holds it, and put into the file; formulas become MathML as in the HTML copy. A
heading begins a slide; what follows it goes below (press ↓) in pieces that fit a screen, by an
estimate of their height. Widgets show as the text or table they ended with.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbconvert.exporters.slides import SlidesExporter
from nbformat import NotebookNode

from fmcourse import store
from fmcourse.errors import LessonError
from fmcourse.lessons import supplies
from fmcourse.lessons.catalogue import Lesson
from fmcourse.lessons.site import OfflineExporter
from fmcourse.sources import Source
from fmcourse.sources.archive import Archive

REVEAL = Source(
    name="reveal.js", kind="wheel", package="sphinx-revealjs", version="3.2.1",
    file="sphinx_revealjs-3.2.1-py3-none-any.whl",
    sha256="805bed3ca459346e0f01967d5ed1c40d6b7b917de1541e1e4566c8341fe7017b",
    reader="", licence="MIT", licence_url="https://github.com/hakimel/reveal.js/blob/5.2.0/LICENSE",
    attribution="reveal.js 5.2.0 by Hakim El Hattab and contributors.",
    description="The presentation framework that slides of lessons are shown with.",
    url="https://revealjs.com")
INSIDE = "sphinx_revealjs/_static/revealjs/"
WIDGET = "application/vnd.jupyter.widget-view+json"
SCREEN = 24  # lines of text that fit a slide
LINE = 85  # letters in one
PICTURE, TABLE_ROW = 17, 1.3  # heights in lines


class _Exporter(OfflineExporter, SlidesExporter):
    """nbconvert's slides, with our template and formulas."""


def write(lesson: Lesson, folder: Path) -> Path:
    """Write a lesson's slides, with its outputs as they were published.

    Args:
        folder: where `NN_name.slides.html` goes.

    Raises:
        LessonError: the lesson's notebook is missing.
        SourceError: reveal.js is not here yet and cannot be fetched.
    """
    if not lesson.notebook.exists():
        raise LessonError("The lesson has no notebook yet.", where=lesson.notebook,
                          fix=f"fmcourse run {lesson.number}")
    notebook = nbformat.read(lesson.notebook, as_version=4)
    _stand_still(notebook.cells)
    divide(notebook.cells)
    archive = Archive(supplies.carry(REVEAL, store.folder("sources") / REVEAL.name), REVEAL.name)
    page, _ = _Exporter("slides.html.j2").from_notebook_node(notebook, {
        "metadata": {"name": f"{lesson.number} · {lesson.title}",
                     "path": str(lesson.notebook.parent)},
        "course": {"script": _script(archive, "dist/reveal.js"),
                   "notes": _script(archive, "plugin/notes/notes.js")}})
    terms, style = (archive.read(INSIDE + name).decode() for name in ("LICENSE", "dist/reveal.css"))
    page, count = re.subn(r'<link[^>]*/dist/reveal\.css"[^>]*>',
                          lambda _: f"<style>/* reveal.js: {terms} */\n{style}</style>", page)
    page = re.sub(r'<link[^>]*/dist/theme/[^>]*>', "", page)
    if not count:
        raise LessonError("This nbconvert makes slides in a way that the course does not know.",
                          where="nbconvert", fix="pip install -c constraints.txt nbconvert")
    return store.atomic_write(folder / f"{lesson.name}.slides.html", page)


def _stand_still(cells: list[NotebookNode]) -> None:
    """Leave widgets out, which need scripts from the web; each has a text or table beside it."""
    for cell in cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)


def _script(archive: Archive, name: str) -> str:
    """A script that may stand inside a page: one that writes pages itself would end it."""
    return archive.read(INSIDE + name).decode().replace("</script", "<\\/script")


def divide(cells: list[NotebookNode]) -> None:
    """Say of each cell whether it begins a slide, a piece below one, or goes on with it."""
    filled = 0.0
    for cell in cells:
        size = height(cell)
        if cell.cell_type == "markdown" and re.match(r"#{1,2} ", cell.source):
            kind, filled = "slide", size
        elif filled and filled + size > SCREEN:
            kind, filled = "subslide", size
        else:
            kind, filled = "-", filled + size
        cell.metadata["slideshow"] = {"slide_type": kind}


def height(cell: NotebookNode) -> float:
    """How many lines of a slide a cell takes, about.

    >>> height(nbformat.v4.new_markdown_cell("A sentence.\\n\\nAnother one."))
    3.0
    """
    lines = cell.source.splitlines() or [""]
    total = float(sum(-(-len(line) // LINE) or 1 for line in lines))
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if any(kind.startswith("image/") for kind in data):
            total += PICTURE
        elif "<tr" in data.get("text/html", ""):
            total += TABLE_ROW * data["text/html"].count("<tr")
        else:
            total += len(output.get("text", data.get("text/plain", "")).splitlines())
    return total
