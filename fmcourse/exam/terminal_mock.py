"""The mock exam in a terminal: answers by letter, a few words to move about, saved at each step.

Words that move about all hold a letter that no option has, so that none can be taken for an
answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from fmcourse.errors import ExamError
from fmcourse.exam import mock as mocks
from fmcourse.exam import review
from fmcourse.exam.item import BEYOND, Item
from fmcourse.exam.mock import Mock
from fmcourse.exam.report import report
from fmcourse.exam.sheet import Sheet
from fmcourse.exam.terminal import Left, asked, show_question, show_result, show_rows, show_task
from fmcourse.exam.view import View, view

HELP = """Type letters to answer; another answer replaces it. Or a word:
  next, back     the next question, the one before (Enter is next, too)
  go 12          question 12
  flag           mark this question to come back to, or take the mark off
  clear          take the answer back
  list           what is open and what is flagged
  end            hand in
  quit           leave; fmcourse exam mock goes on from here"""


def take(console: Console, mock: Mock, bank: Sequence[Item], sheet: Sheet,
         clock: Callable[[], float] = time.monotonic) -> Mock:
    """Go through a mock exam until it is handed in, time is up, or the learner leaves."""
    known, drawn = {item.id: item for item in bank}, None
    mock, begun = mocks.spend(mock, 0), clock()
    while not mock.finished:
        sheet.save(mock)
        shown = view(known[mock.current], mock.seed)
        if drawn != mock.place:
            show_question(console, shown, _heading(mock, shown))
            show_task(console, shown)
        drawn = mock.place
        try:
            said, now = asked(console), clock()
            mock, begun = mocks.spend(mock, now - begun), now
            mock = mock if mock.finished else _step(console, mock, shown, said)
        except ExamError as error:
            console.print(str(error))
        except Left:
            sheet.save(mocks.spend(mock, clock() - begun))
            console.print("Kept, and the clock stands. fmcourse exam mock goes on from here.")
            return mock
    if not mock.left:
        console.print("Time is up; what was typed last came too late.")
    return mock


def hand_in(console: Console, mock: Mock, bank: Sequence[Item], sheet: Sheet) -> None:
    """Grade a finished mock, keep the answers for the review, and say what to revisit."""
    results = mocks.results(mock, bank)
    review.record_all(results)
    sheet.save(mock)
    found = report(mock, results)
    for result in (one for one in results if not one.right):
        shown = view(result.item, mock.seed)
        given = f"you: {shown.typed(result.answer)}" if result.answer else "not answered"
        show_question(console, shown, f"{result.item.label} · {given}")
        show_result(console, result, shown)
    show_rows(console, "By claim, all questions", found.claims)
    show_rows(console, "By task statement, all questions", found.tasks)
    console.print(str(found))
    if found.unanswered:
        console.print(f"Questions without an answer: {found.unanswered}. A guess costs nothing.")


def _heading(mock: Mock, shown: View) -> str:
    minutes, seconds = divmod(int(mock.left), 60)
    given = mock.answers.get(mock.current)
    beyond = [BEYOND] if shown.item.beyond else []
    parts = [f"Question {mock.place + 1} of {len(mock.items)}", *beyond,
             f"{minutes}:{seconds:02} left"]
    parts += [f"answered {shown.typed(given)}"] if given else []
    parts += ["flagged"] if mock.current in mock.flagged else []
    return " · ".join(parts)


def _step(console: Console, mock: Mock, shown: View, said: str) -> Mock:
    """What was typed, done: a word that moves about, or an answer."""
    word, _, rest = said.lower().partition(" ")
    if word == "go":
        if not rest.strip().isdecimal():
            raise ExamError("Go where?", fix="Type such as: go 12")
        return mocks.go(mock, int(rest) - 1)
    if said.lower() in WORDS:
        return WORDS[said.lower()](console, mock, shown)
    try:
        mock = mocks.answer(mock, shown.item, shown.read(said))
    except ExamError as error:
        raise ExamError(error.what, fix=f"{error.fix} (or a word: help)") from error
    return _next(console, mock, shown)


def _next(console: Console, mock: Mock, shown: View) -> Mock:
    if mock.place + 1 < len(mock.items):
        return mocks.go(mock, mock.place + 1)
    return _list(console, mock, shown)


def _back(console: Console, mock: Mock, shown: View) -> Mock:
    return mocks.go(mock, max(0, mock.place - 1))


def _list(console: Console, mock: Mock, shown: View) -> Mock:
    for title, names in (("Without an answer", mock.open), ("Flagged", mock.flagged)):
        numbers = [str(mock.items.index(name) + 1) for name in names]
        console.print(f"{title}: {', '.join(numbers) or 'none'}.")
    console.print("Type end to hand in, go 12 to look at question 12.")
    return mock


def _end(console: Console, mock: Mock, shown: View) -> Mock:
    _list(console, mock, shown)
    console.print("Hand in now? Type yes; anything else goes on.")
    return mocks.finish(mock) if asked(console).lower() == "yes" else mock


def _flag(console: Console, mock: Mock, shown: View) -> Mock:
    mock = mocks.flag(mock)
    console.print(_heading(mock, shown))
    return mock


def _clear(console: Console, mock: Mock, shown: View) -> Mock:
    mock = mocks.answer(mock, shown.item, ())
    console.print(_heading(mock, shown))
    return mock


def _help(console: Console, mock: Mock, shown: View) -> Mock:
    console.print(HELP)
    return mock


WORDS: Mapping[str, Callable[[Console, Mock, View], Mock]] = {
    "": _next, "next": _next, "back": _back, "list": _list, "end": _end, "help": _help,
    "flag": _flag, "clear": _clear,
}
