"""Items in a terminal: shown, answered by keyboard, explained.

Plain lines of text, wrapped to the window, so that a screen reader reads them in order and a
narrow window does no harm. What colour says is also said in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fmcourse.errors import ExamError
from fmcourse.exam import grade as grading
from fmcourse.exam import review
from fmcourse.exam.grade import Result, grade
from fmcourse.exam.item import Item
from fmcourse.exam.report import Row
from fmcourse.exam.view import View, view

STYLES = {grading.RIGHT: "green", grading.WRONG: "red", grading.MISSED: "yellow",
          grading.AVOIDED: ""}
WORDS = {grading.RIGHT: "right", grading.WRONG: "wrong", grading.MISSED: "missed",
         grading.AVOIDED: "not so"}
FELT = {"": "good", "g": "good", "h": "hard", "e": "easy", "good": "good", "hard": "hard",
        "easy": "easy"}
LEAVE, HELP = ("quit", "exit", "q"), ("help", "?")


class Left(Exception):  # noqa: N818  (no error: the learner has had enough)
    """The learner has left."""


def open_console() -> Console:
    """A console that prints texts as they are."""
    return Console(markup=False, highlight=False, emoji=False)


def asked(console: Console) -> str:
    """What is typed next.

    Raises:
        Left: 'quit', or the end of the input (Ctrl-D).
    """
    try:
        said = console.input(Text("> ")).strip()
    except EOFError:
        raise Left from None
    except UnicodeDecodeError:  # bytes that are no text in this terminal's encoding
        return "\ufffd"  # refused like any other character that is no answer
    if said.lower() in LEAVE:
        raise Left
    return said


def show_question(console: Console, shown: View, heading: str) -> None:
    """A heading, the stem, prompts with numbers, and options with letters."""
    console.print()
    console.print(Text(heading, "bold"))
    console.print(_text(shown.item.stem))
    for texts in filter(None, (shown.prompts, shown.options)):
        console.print()
        for mark, text in texts.items():
            console.print(_indented(_text(f"{mark}  {text}")))


def show_task(console: Console, shown: View) -> None:
    """What to do, and what an answer looks like."""
    console.print(f"{shown.task} Such as: {shown.example}")


def show_result(console: Console, result: Result, shown: View) -> None:
    """Right or wrong, the key, the reasons, and where to read on."""
    item = result.item
    verdict = "Right." if result.right else f"Wrong. Right is {shown.typed(item.key)}."
    console.print(Text(verdict, "bold green" if result.right else "bold red"))
    console.print(_text(item.why))
    for note in sorted(result.notes, key=lambda note: note.option and shown.letter(note.option)):
        line = Text(f"{WORDS[note.verdict]}: ", STYLES[note.verdict])
        letter = f"{shown.letter(note.option)}  " if note.option else ""
        console.print(_indented(line.append_text(_text(letter + note.text))))
        if note.why:
            console.print(_indented(_text(note.why), by=4))
    if item.exam_says:
        console.print(_text(f"The exam says: {item.exam_says}\nToday: {item.today}"))
    if item.shown:
        console.print(f"See {item.shown}.")
    console.print(f"Sources, checked {item.verified}:")
    for url in item.sources:
        console.print(Text(url, "dim"), soft_wrap=True)  # one line, that it may be followed


def _indented(text: Text, by: int = 2) -> Padding:
    return Padding(text, (0, 0, 0, by), expand=False)


def _text(text: str) -> Text:
    """Text with what stands between backticks in bold."""
    return Text("").join(Text(part, "bold" if place % 2 else "")
                         for place, part in enumerate(re.split(r"`([^`]+)`", text)))


def ask(console: Console, item: Item, heading: str, seed: int) -> Result:
    """Show one item until it has an answer that can be graded, and explain."""
    shown = view(item, seed)
    show_question(console, shown, heading)
    show_task(console, shown)
    while True:
        try:
            said = asked(console)
            if said.lower() in HELP:
                show_task(console, shown)
                console.print("quit leaves; what was answered is kept.")
                continue
            result = grade(item, shown.read(said))
        except ExamError as error:
            console.print(str(error))
            continue
        show_result(console, result, shown)
        return result


def practise(console: Console, chosen: Sequence[Item], seed: int) -> None:
    """Ask items one after the other; every answer is kept at once."""
    right = done = 0
    console.print("Every answer is kept; quit leaves.")
    try:
        for place, item in enumerate(chosen, 1):
            result = ask(console, item, f"{place} of {len(chosen)} · {item.label}", seed)
            review.record(result)
            right, done = right + result.right, done + 1
    except Left:
        console.print("Kept. The same command goes on with what is not answered yet.")
    console.print(f"{right} of {done} right." if done else "Nothing was answered.")


def review_due(console: Console, bank: Sequence[Item], new: int, seed: int) -> None:
    """Ask what is due until nothing is; the queue is made anew after each answer."""
    try:
        while waiting := review.queue(bank, new):
            result = ask(console, waiting[0], f"{len(waiting)} to go · {waiting[0].label}", seed)
            try:
                felt = _felt(console) if result.right else "good"
            except Left:
                review.record(result)
                raise
            console.print(f"It comes back {when(review.record(result, felt))}.")
    except Left:
        console.print("Kept. fmcourse exam review goes on from here.")
        return
    due = review.next_due(bank)
    console.print(f"Nothing more is due now; the next is due {when(due)}." if due
                  else "Nothing is due, and no new item is allowed today.")


def _felt(console: Console) -> str:
    console.print("How was it? Enter: good, h: hard or guessed, e: easy.")
    while (said := asked(console).lower()) not in FELT:
        console.print("Type h, e or nothing.")
    return FELT[said]


def when(due: datetime) -> str:
    """A date, with the time where it is today."""
    local, today = due.astimezone(), datetime.now().astimezone().date()
    return f"today at {local:%H:%M}" if local.date() == today else f"on {local:%Y-%m-%d}"


def show_rows(console: Console, title: str, rows: Iterable[Row]) -> None:
    """Shares by claim or task statement, weakest first."""
    table = Table("", "right", "what it says", "revisit", title=title, box=box.SIMPLE,
                  padding=(0, 1), title_justify="left")
    for row in rows:
        table.add_row(row.name, f"{row.right} of {row.asked}", row.statement,
                      "; ".join(row.revisit) or "–")
    console.print(table)
