"""What a mock exam shows in a notebook before, during and after: HTML and text, nothing else."""

from __future__ import annotations

import html
from collections.abc import Sequence

from fmcourse.exam import markup
from fmcourse.exam.candidate import SAID
from fmcourse.exam.grade import Result
from fmcourse.exam.item import BEYOND, Item
from fmcourse.exam.mock import Mock
from fmcourse.exam.report import Report
from fmcourse.exam.view import View, view
from fmcourse.show.tables import Html


def clock(seconds: float) -> str:
    """Time left as a clock shows it.

    >>> clock(754.9)
    '12:34'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def intro(mock: Mock) -> str:
    """Before the clock runs: what will be asked, or how far it has come."""
    if not mock.spent:
        return f"{mock.about} The clock runs from “Begin” on."
    return (f"A mock exam is under way: {len(mock.answers)} of {len(mock.items)} answered, "
            f"{len(mock.flagged)} flagged, {clock(mock.left)} left. The clock stands until you "
            "go on; for another one, room.mock(new=True) forgets it.")


def heading(mock: Mock, item: Item) -> str:
    """Above a question: its number, and whether it is answered and flagged."""
    parts = [f"Question {mock.place + 1} of {len(mock.items)}"]
    parts += [BEYOND] if item.beyond else []
    parts += ["answered"] if mock.current in mock.answers else []
    parts += ["flagged"] if mock.current in mock.flagged else []
    return " · ".join(parts)


def places(mock: Mock) -> list[tuple[str, int]]:
    """Every question's number and state, with its index, to choose from."""
    return [(f"{place + 1} {'answered' if name in mock.answers else 'open'}"
             f"{', flagged' if name in mock.flagged else ''}", place)
            for place, name in enumerate(mock.items)]


def remaining(mock: Mock) -> str:
    """What is open and what is flagged, before it is handed in."""
    told = [f"{title}: {', '.join(str(mock.items.index(name) + 1) for name in names) or 'none'}."
            for title, names in (("Without an answer", mock.open), ("Flagged", mock.flagged))]
    return " ".join([*told, "Hand in now?"])


def finished(mock: Mock, found: Report, results: Sequence[Result], simulated: bool) -> Html:
    """The report: the raw share, tables weakest first, and each wrong answer explained."""
    said = f"Answered {SAID}. {found}" if simulated else str(found)
    if found.unanswered:
        said += f" Questions without an answer: {found.unanswered}. A guess costs nothing."
    tables = [markup.shares(found.claims, "By claim, all questions"),
              markup.shares(found.tasks, "By task statement, all questions")]
    wrong = "".join(_wrong(one, view(one.item, mock.seed)) for one in results if not one.right)
    return Html(f"<p>{html.escape(said)}</p>" + "".join(one.markup for one in tables) + wrong,
                "\n\n".join([said, *map(str, tables)]))


def _wrong(result: Result, shown: View) -> str:
    given = f"answered {shown.typed(result.answer)}" if result.answer else "not answered"
    return (f"<details><summary>{result.item.label} · {given}</summary>"
            f"{markup.question(shown, '')}{markup.explained(result, shown)}</details>")
