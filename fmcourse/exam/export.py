"""The bank to take along: an Anki deck, a page to print, a text in Markdown, a quiz for notebooks.

Options are shuffled once and for all, by a fixed seed, so that a printed page and its answers, and
two printings, agree. A note of the deck is known by its item's id, so that importing a newer deck
updates notes and keeps their schedule. Anki asks and shows; it doesn't grade what is typed.
jupyterquiz grades each click; it has no ordering or matching, and a quiz leaves those out.
"""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import genanki
import jinja2
from markupsafe import Markup

from fmcourse import store
from fmcourse.errors import ExamError, meant
from fmcourse.exam import item as items
from fmcourse.exam.bank import judged
from fmcourse.exam.grade import grade
from fmcourse.exam.item import Item
from fmcourse.exam.markup import marked
from fmcourse.exam.view import View, view

SEED = 1
DECK, MODEL = 1_772_061_845, 1_772_061_846  # drawn once; another number would be another deck
TITLE = "fmcourse: training and customizing foundation models"
TEMPLATES = Path(__file__).with_name("templates")
QUIZ = {items.CHOICE: "multiple_choice", items.RESPONSE: "many_choice"}  # as jupyterquiz says
CSS = ".card {font: 18px/1.45 sans-serif; text-align: left; max-width: 42em; margin: 0 auto}"


def export(bank: Sequence[Item], path: Path) -> Path:
    """Write the bank as the file's name says: .apkg (Anki), .html, .md or .json (jupyterquiz).

    Raises:
        ExamError: another ending, or the file cannot be written.
    """
    writers: dict[str, Callable[[Sequence[Item]], str | bytes]] = {
        ".apkg": anki, ".html": page, ".md": markdown, ".json": quiz}
    if path.suffix not in writers:
        raise ExamError(f"There is no export to '{path.suffix or path.name}'.", where=path,
                        fix=meant(path.suffix, writers))
    content = writers[path.suffix](bank)
    try:
        return store.atomic_write(path, content)
    except OSError as error:
        raise ExamError(f"This file cannot be written: {error.strerror}.", where=path,
                        fix="Name another file, in a folder of your own.") from error


def anki(bank: Iterable[Item]) -> bytes:
    """An Anki package of one deck: a note an item, tagged by claim, task, type and difficulty."""
    model = genanki.Model(
        MODEL, TITLE, fields=[{"name": name} for name in ("Id", "Question", "Answer")],
        templates=[{"name": "Item", "qfmt": "{{Question}}",
                    "afmt": "{{Question}}<hr id=answer>{{Answer}}"}], css=CSS)
    deck = genanki.Deck(DECK, TITLE)
    for item in bank:
        shown = view(item, SEED)
        tags = [*item.claims, f"task-{item.task}", item.type, f"difficulty-{item.difficulty}",
                *(["beyond-the-exam"] if item.beyond else [])]
        deck.add_note(genanki.Note(
            model=model, fields=[item.id, _render("question", shown), _render("answer", shown)],
            tags=tags, guid=genanki.guid_for("fmcourse", item.id)))
    file = io.BytesIO()
    genanki.Package(deck).write_to_file(file)
    return file.getvalue()


def page(bank: Sequence[Item]) -> str:
    """One page of HTML to read or print, questions first and answers after; loads nothing."""
    return _render("page", title=TITLE, views=_mixed(bank), statements=judged())


def markdown(bank: Sequence[Item]) -> str:
    """The same as Markdown."""
    views = _mixed(bank)
    return "\n\n".join([f"# {TITLE}", "## Questions", *map(_asked, views),
                        "## Answers", *map(_answered, views)]) + "\n"


def askable(bank: Sequence[Item], path: Path) -> list[Item]:
    """Those of the bank that a file of this name can ask; see `quiz`."""
    return [item for item in bank if path.suffix != ".json" or item.type in QUIZ]


def quiz(bank: Sequence[Item]) -> str:
    """Questions for `jupyterquiz.display_quiz`, in the form of its version 2.9.

    A list of `question`, `type` and `answers`, each with `answer`, `correct` and `feedback`. It
    reads all texts as HTML, `$` as mathematics and `[a](b)` as a link.

    Raises:
        ExamError: none of the items is of a type that jupyterquiz has.
    """
    chosen = [shown for shown in _mixed(bank) if shown.item.type in QUIZ]
    if not chosen:
        raise ExamError("None of these items can stand in a quiz.", where="exam export",
                        fix="jupyterquiz asks multiple choice and multiple response alone.")
    return json.dumps([{
        "question": f"{_literal(shown.item.stem)} <em>{shown.task}</em>",
        "type": QUIZ[shown.item.type],
        "answers": [{"answer": _literal(shown.item.options[name]),
                     "correct": name in shown.item.key,
                     "feedback": _literal(_feedback(shown.item, name))} for name in shown.order],
    } for shown in chosen], indent=1, ensure_ascii=False) + "\n"


def _feedback(item: Item, option: str) -> str:
    """Why an option is wrong, or right with where to read on; with the item's name."""
    why = {mistake.answer[0]: mistake.why for mistake in item.wrong}
    if option not in item.key:
        return f"{why[option]} ({item.id})"
    dated = f" The exam says: {item.exam_says} Today: {item.today}" if item.exam_says else ""
    places = [*([str(item.shown)] if item.shown else []), *item.sources]
    return f"{item.why}{dated} See {', '.join(places)}, checked {item.verified} ({item.label})."


def _literal(text: str) -> str:
    """HTML of a text in which jupyterquiz finds neither formulas nor links.

    >>> _literal("`a` costs $1 [more](than) b")
    '<code>a</code> costs &#36;1 &#91;more](than) b'
    """
    return marked(text).replace("$", "&#36;").replace("[", "&#91;")


def _mixed(bank: Sequence[Item]) -> list[View]:
    """Items as shown, in an order that says nothing: a claim as a heading gives answers away."""
    ordered = sorted(bank, key=lambda item: item.id)
    return [view(item, SEED) for item in random.Random(SEED).sample(ordered, len(ordered))]


def _asked(shown: View) -> str:
    lines = [f"{number}. {_escape(text)}" for number, text in shown.prompts.items()]
    choices = [f"- {letter}. {_escape(text)}" for letter, text in shown.options.items()]
    blocks = [f"**{shown.item.label}** {_escape(shown.item.stem)} *{shown.task}*",
              "\n".join(lines), "\n".join(choices)]
    return "\n\n".join(block for block in blocks if block)


def _answered(shown: View) -> str:
    item = shown.item
    lines = [f"**{item.label}: {shown.typed(item.key)}.** {_escape(item.why)}",
             "\n".join(f"- Not “{_escape(text)}”: {_escape(why)}" for text, why in reasons(item))]
    if item.exam_says:
        lines.append(f"The exam says: {_escape(item.exam_says)} Today: {_escape(item.today)}")
    places = [str(item.shown)] if item.shown else []
    lines.append(f"{item.claim}: {_escape(judged()[item.claim])}")
    lines.append("See " + ", ".join([*map(_escape, places), *(f"<{url}>" for url in item.sources)])
                 + f" (checked {item.verified}).")
    return "\n\n".join(lines)


def reasons(item: Item) -> list[tuple[str, str]]:
    """What is wrong, in its own words, and why."""
    return [(note.text, note.why) for note in grade(item, ()).notes if note.why]


def _escape(text: str | None) -> str:
    """Text as it is, where Markdown would read it as markup; code between backticks is left.

    >>> _escape("2 * 3 <b> `a*b`")
    '2 \\\\* 3 \\\\<b> `a*b`'
    """
    parts = re.split(r"(`[^`]+`)", text or "")
    return "".join(part if place % 2 else re.sub(r"([\\*_<&\[\]#|~])", r"\\\1", part)
                   for place, part in enumerate(parts))


def _render(name: str, shown: View | None = None, **more: object) -> str:
    return environment().get_template(f"{name}.html").render(shown=shown, **more)


@cache
def environment(*folders: Path) -> jinja2.Environment:
    """Where pages are made that show items by `question.html` and `answer.html`.

    Args:
        folders: of other templates, looked at first.
    """
    made = jinja2.Environment(loader=jinja2.FileSystemLoader([*folders, TEMPLATES]),
                              autoescape=True, trim_blocks=True, lstrip_blocks=True,
                              undefined=jinja2.StrictUndefined)
    made.filters["marked"] = lambda text: Markup(marked(text))
    made.globals["reasons"] = reasons
    return made
