"""The HTML copy of the lessons: one page each, an index, and every picture as a file of its own.

nbconvert's JupyterLab look, less everything it would load from the network (its template points to
scripts on the web); formulas become MathML, which browsers draw by themselves. So the copy reads
the same on a train. What that gives up: interactive widgets, in whose place a page shows what they
showed when the lesson was run.
"""

from __future__ import annotations

import base64
import contextlib
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jinja2
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from fmcourse import store
from fmcourse.errors import StoreError
from fmcourse.lessons.catalogue import Lesson

if TYPE_CHECKING:
    from fmcourse.lessons.execute import Outcome

TEMPLATES = Path(__file__).with_name("templates")
RESULTS = "results.json"


class _Formulas(IPythonRenderer):
    """Markdown with LaTeX turned into MathML; what latex2mathml cannot read stays as it is."""

    def block_math(self, body: str) -> str:
        return mathml(body, "block") or super().block_math(body)

    def inline_math(self, body: str) -> str:
        return mathml(body, "inline") or super().inline_math(body)


class OfflineExporter(HTMLExporter):
    """An nbconvert exporter with one of our templates, and formulas that need no script."""

    def __init__(self, template: str):
        super().__init__(extra_loaders=[jinja2.FileSystemLoader(TEMPLATES)],
                         template_file=template, embed_images=True)

    @property
    def default_config(self) -> Config:
        """nbconvert's, but for widgets, which nothing here could draw: their HTML is shown."""
        config = super().default_config
        config.NbConvertBase.display_data_priority = [
            kind for kind in config.NbConvertBase.display_data_priority if "widget" not in kind]
        return config

    def default_filters(self) -> Iterable[tuple[str, Any]]:
        yield from super().default_filters()
        yield "markdown2html", self._markdown

    @jinja2.pass_context
    def _markdown(self, context: jinja2.runtime.Context, source: str) -> str:
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = _Formulas(escape=False, attachments=attachments, embed_images=True, path=path,
                             anchor_link_text="¶")
        return MarkdownWithMath(renderer=renderer).render(source)


@dataclass
class Pictures:
    """Writes a lesson's pictures as its cells make them: NN-1.png, NN-2.png and so on."""

    folder: Path
    number: str
    count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        for old in self.folder.glob(f"{self.number}-*.png"):
            old.unlink()

    def save(self, cell: NotebookNode) -> Path | None:
        """Write the pictures in a cell's outputs; the last one's path, if there is one."""
        path = None
        for output in cell.outputs:
            picture = output.get("data", {}).get("image/png")
            if picture:
                self.count += 1
                path = self.folder / f"{self.number}-{self.count}.png"
                store.atomic_write(path, base64.b64decode(picture))
        return path


class Site:
    """The HTML copy in one folder.

    Args:
        folder: where it lies.
        lessons: all lessons of the course, for the index and the links between pages.
    """

    def __init__(self, folder: Path, lessons: list[Lesson]):
        self.folder, self.lessons = folder, lessons

    @property
    def index(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"

    def pictures(self, lesson: Lesson) -> Pictures:
        """Where a lesson's pictures go; those of an earlier run are removed."""
        return Pictures(self.folder / "pictures", lesson.number)

    def page(self, lesson: Lesson, notebook: NotebookNode, outcome: Outcome) -> Path:
        """Write a lesson's page and bring the index up to date."""
        path = store.atomic_write(self.folder / f"{lesson.name}.html",
                                  render(lesson, notebook, self.lessons))
        self._record(lesson, outcome)
        return path

    def _record(self, lesson: Lesson, outcome: Outcome) -> None:
        """Keep what the index says of each lesson, so that running one leaves the others' rows."""
        results = self._results()
        results[lesson.name] = {
            "scale": outcome.scale, "minutes": round(outcome.seconds / 60, 2),
            "claims": outcome.verdicts,
            "failed": outcome.failure.error if outcome.failure else None,
        }
        store.write_json(self.folder / RESULTS, results)
        template = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
            lstrip_blocks=True).get_template("contents.html.j2")
        rows = [(each, results.get(each.name), self._cover(each)) for each in self.lessons]
        store.atomic_write(self.index, template.render(rows=rows))

    def _results(self) -> dict[str, Any]:
        with contextlib.suppress(StoreError):
            results = store.read_json(self.folder / RESULTS)
            if isinstance(results, dict):
                return results
        return {}

    def _cover(self, lesson: Lesson) -> str | None:
        first = self.folder / "pictures" / f"{lesson.number}-1.png"
        return f"pictures/{first.name}" if first.exists() else None


def render(lesson: Lesson, notebook: NotebookNode, lessons: list[Lesson]) -> str:
    """A lesson's page, which loads nothing; links lead to the pages of `lessons` beside it."""
    place = lessons.index(lesson)
    resources = {
        "metadata": {"name": f"{lesson.number} · {lesson.title}",
                     "path": str(lesson.notebook.parent)},
        "course": {"before": lessons[place - 1] if place else None,
                   "after": dict(enumerate(lessons)).get(place + 1)},
    }
    body, _ = OfflineExporter("lesson.html.j2").from_notebook_node(notebook, resources)
    body = body.replace("<th></th>", "<td></td>")  # a corner of a table heads nothing
    return re.sub(r'(<a[^>]* href=")(\d\d_\w+)\.ipynb', r"\1\2.html", body)


def mathml(formula: str, display: Literal["block", "inline"]) -> str | None:
    """A LaTeX formula as MathML, or None where it cannot be read.

    >>> mathml("x^2", "inline").count("<msup>")
    1
    """
    from latex2mathml.converter import convert

    with contextlib.suppress(Exception):  # its errors have no common base class
        return convert(formula.strip(), display=display)
    return None


def network_references(page: str) -> list[str]:
    """Addresses that a browser would load by itself when it shows the page; links are not.

    >>> network_references('<a href="https://x.org">x</a> <script src="https://x.org/a.js">')
    ['https://x.org/a.js']
    """
    page = re.sub(r"<a\s[^>]*>", "", page)
    quoted = r"(?:src|href|data|poster|action)\s*=\s*[\"']?\s*((?:https?:)?//[^\"'\s>]+)"
    in_css = r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)"
    in_js = r"(?<!@)(?:import|fetch|load)\s*\(?\s*[\"'](https?://[^\"']+)"
    return [html.unescape(found) for pattern in (quoted, in_css, in_js)
            for found in re.findall(pattern, page)]
