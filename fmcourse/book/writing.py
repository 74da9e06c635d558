"""Make the pages: a chapter a claim, the lessons as they were executed, contents, and search.

The folder is made beside its place and renamed, so that there is a whole book or the old one. A
search needs no server: what can be found lies in a script that only the search page loads.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup
from nbconvert.filters import markdown2html
from selectolax.lexbor import LexborHTMLParser

from fmcourse import show, store
from fmcourse.book.chapters import Chapter, chapters
from fmcourse.book.pictures import picture, svg
from fmcourse.errors import StoreError
from fmcourse.evidence import ledger
from fmcourse.exam import bank, export
from fmcourse.exam.item import TASKS
from fmcourse.exam.view import view
from fmcourse.lessons import build, catalogue, site
from fmcourse.lessons.catalogue import Lesson

TEMPLATES = Path(__file__).with_name("templates")
FILES = ("book.css", "search.js")
# The parts of task statement 3.3 in the exam guide, and the claims' first letters.
PARTS = {"K": "Key elements of training (3.3.1)", "M": "Methods of fine-tuning (3.3.2)",
         "D": "Preparing data: curation (3.3.3)", "G": "Preparing data: governance (3.3.3)",
         "S": "Preparing data: size (3.3.3)", "L": "Preparing data: labelling (3.3.3)",
         "R": "Preparing data: representativeness (3.3.3)",
         "H": "Preparing data: feedback from people, RLHF (3.3.3)"}
VERDICTS = {"shown": "Shown: every measure passes its bound, with its whole interval.",
            "not shown": "Not shown: a measure stays below its bound, with its whole interval.",
            "inconclusive": "Inconclusive: a measure's bound lies within its interval."}
SHORT = 90  # characters of a question that a title of the search has room for
Entry = dict[str, str]  # u: address, t: title, x: text


def write(folder: Path, course: Path | None = None) -> Path:
    """Write the book into a folder of its own, in place of an earlier one; its first page.

    Args:
        folder: where it is to lie.
        course: as in `chapters`.

    Raises:
        StoreError: the folder holds something else, or cannot be written.
        CourseError: as in `chapters`, or a lesson's notebook was not built.
    """
    if folder.exists() and not (folder / FILES[0]).exists() and (
            not folder.is_dir() or any(folder.iterdir())):
        raise StoreError("There is something here that is no book.", where=folder,
                         fix="Name a folder that is empty, or not there yet.")
    made, lessons = chapters(course), catalogue.lessons(course)
    try:
        with store.atomic_folder(folder) as draft:
            _fill(draft, made, lessons)
    except OSError as error:
        raise StoreError(f"The book cannot be written: {error.strerror}.", where=folder,
                         fix="Name another folder, or free some space.") from error
    return folder / "index.html"


def _fill(draft: Path, made: Sequence[Chapter], lessons: list[Lesson]) -> None:
    for name in FILES:
        store.atomic_write(draft / name, (TEMPLATES / name).read_text(encoding="utf-8"))
    entries: list[Entry] = []
    for place, chapter in enumerate(made):
        before = made[place - 1] if place else None
        after = made[place + 1] if place + 1 < len(made) else None
        drawn = picture(chapter.record) if chapter.record else None
        store.atomic_write(draft / f"{chapter.claim}.html",
                           claim_page(chapter, drawn, before, after))
        if drawn:
            store.atomic_write(draft / f"{chapter.claim}.svg", svg(drawn))
        entries += chapter_entries(chapter)
    for lesson in lessons:
        page = site.render(lesson, build.read(lesson), lessons)
        store.atomic_write(draft / f"{lesson.name}.html", page)
        entries += lesson_entries(lesson, page)
    store.atomic_write(draft / "index.html", contents_page(made, lessons))
    store.atomic_write(draft / "search.html", _render("search", title="Search"))
    store.atomic_write(draft / "entries.js",
                       f"const ENTRIES = {json.dumps(entries, ensure_ascii=False)};\n")


def claim_page(chapter: Chapter, drawn: show.Picture | None, before: Chapter | None = None,
               after: Chapter | None = None) -> str:
    """The page of a claim, with the words for its picture and links to its neighbours."""
    record = chapter.record
    rows = ledger.lines(chapter.claim) if record else []
    table = show.table([{name: value for name, value in row.items() if name != "claim"}
                        for row in rows], caption="Every measure of the claim") if rows else None
    return _render(
        "claim", title=f"{chapter.claim} · {chapter.statement}", chapter=chapter, before=before,
        after=after, views=[view(item, export.SEED) for item in chapter.items],
        alt=drawn.alt if drawn else "", table=Markup(table.markup) if table else "",
        verdict=VERDICTS[record["verdict"]] if record else "",
        tasks={name: TASKS[name] for name in chapter.tasks})


def contents_page(made: Sequence[Chapter], lessons: Sequence[Lesson]) -> str:
    """The first page: claims by task statement, and by lesson."""
    parts = {title: [one for one in made if one.claim[0] == letter]
             for letter, title in PARTS.items()}
    neighbours = {
        task: {one.claim: count for one in made
               if (count := Counter(item.task for item in one.items)[task])}
        for task in TASKS if task != "3.3"}
    return _render("contents", title="Revision book", parts=parts, neighbours=neighbours,
                   tasks=TASKS, lessons=lessons, judged=bank.judged(),
                   total=sum(len(chapter.items) for chapter in made))


def chapter_entries(chapter: Chapter) -> list[Entry]:
    """What can be found of a claim: itself, each of its items, each of its exercises."""
    page = f"{chapter.claim}.html"
    said = " ".join([*chapter.exam_words, *chapter.today])
    found = [{"u": page, "t": f"{chapter.claim} · {bank.judged()[chapter.claim]}",
              "x": _plain(said)}]
    for item in chapter.items:
        texts = [*item.options.values(), *item.prompts.values(), item.why,
                 *(mistake.why for mistake in item.wrong), item.exam_says or "", item.today or ""]
        found.append({"u": f"{page}#{item.id}",
                      "t": f"{item.label} · {textwrap.shorten(item.stem, SHORT, placeholder=' …')}",
                      "x": _plain(" ".join([item.stem, *texts]))})
    return found + [{"u": f"{page}#exercises", "t": f"Exercise · {task.title}",
                     "x": f"{task.kind}, lesson {lesson.number}"}
                    for lesson, task in chapter.exercises]


def lesson_entries(lesson: Lesson, page: str) -> list[Entry]:
    """What can be found of a lesson: the prose of each of its sections."""
    found: list[Entry] = []
    for node in LexborHTMLParser(page).css(".jp-MarkdownOutput > *"):
        text = " ".join(node.text().replace("¶", " ").split())
        if node.tag in ("h1", "h2", "h3"):
            found.append({"u": f"{lesson.name}.html#{node.attributes['id']}",
                          "t": f"Lesson {lesson.number} · {text}", "x": ""})
        elif found:
            found[-1]["x"] += f" {text}"
    return found


def _plain(markdown: str) -> str:
    """Text without the marks of Markdown.

    >>> _plain("> **Today**: `LoRA`, *then*")
    'Today: LoRA, then'
    """
    return " ".join(re.sub(r"[*`>|]|-{3,}", " ", markdown).split()).replace(" :", ":").replace(
        " ,", ",")


def _render(name: str, **values: Any) -> str:
    environment = export.environment(TEMPLATES)
    environment.filters["markdown"] = lambda text: Markup(
        markdown2html(text).replace("<th></th>", "<td></td>"))
    return environment.get_template(f"{name}.html").render(**values)
