"""What `fmcourse run` says in the terminal: a line per running lesson, a table at the end.

In a terminal the line is rewritten four times a second; in a log it is printed when a lesson
starts, once a minute, and when it ends, so that neither a person nor a log is left in the dark.
"""

from __future__ import annotations

import time
from types import TracebackType

from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fmcourse.lessons.catalogue import Lesson
from fmcourse.lessons.execute import SHOWN, Outcome, Progress

HEARTBEAT = 60.0  # seconds between two lines in a log


def clock(seconds: float) -> str:
    """Minutes and seconds.

    >>> clock(75.2)
    '1:15'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def promised(lesson: Lesson, scale: str) -> str:
    """How long the lesson's header says it takes here; it promises nothing at smoke."""
    minutes = lesson.minutes(scale)
    return f" of about {minutes:g} min" if minutes is not None else ""


class Line:
    """The line of one lesson; use it as a context manager and call `watch` as it runs."""

    def __init__(self, lesson: Lesson, scale: str, console: Console):
        self.lesson, self.scale, self.console = lesson, scale, console
        self.live = Live("", console=console, transient=True, auto_refresh=False)
        self.spoken, self.picture = time.monotonic(), False

    def __enter__(self) -> Line:
        if self.console.is_terminal:
            self.live.start()
        else:
            self.console.print(f"{self._name()}  {clock(0)}{promised(self.lesson, self.scale)}",
                               highlight=False, markup=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.live.stop()

    def watch(self, progress: Progress) -> None:
        """Show where the lesson is; say once where its first picture lies."""
        if progress.picture and not self.picture:
            self.picture = True
            self.console.print(f"{self._name()}  first picture: {progress.picture}",
                               highlight=False, markup=False, soft_wrap=True)
        text = (f"{self._name()}  cell {progress.cell} of {progress.cells}  "
                f"{clock(progress.seconds)}{promised(self.lesson, self.scale)}  {progress.note}")
        if self.console.is_terminal:
            self.live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)
        elif time.monotonic() - self.spoken > HEARTBEAT:
            self.spoken = time.monotonic()
            self.console.print(escape(text.rstrip()), highlight=False, soft_wrap=True)

    def done(self, outcome: Outcome) -> None:
        """The line's last state, which stays; a failure is told in full."""
        self.live.stop()
        mark = "[red]✗[/]" if outcome.failure else "[green]✓[/]"
        self.console.print(f"{escape(self._name())}  {mark} {clock(outcome.seconds)}",
                           highlight=False)
        if outcome.failure:
            self.console.print(failure(outcome), highlight=False, soft_wrap=True)

    def _name(self) -> str:
        return f"{self.lesson.number} {self.lesson.title}"


def failure(outcome: Outcome) -> Text:
    """Lesson, cell, first lines of its source, and the error."""
    assert outcome.failure is not None
    if outcome.failure.cell == 0:
        return Text(f"  Lesson {outcome.lesson.name} could not be run:\n  {outcome.failure.error}")
    source = "\n".join(f"    {line}" for line in outcome.failure.source.splitlines())
    error = "\n".join(f"  {line}" for line in outcome.failure.error.splitlines())
    return Text(f"  Lesson {outcome.lesson.name} stopped in code cell {outcome.failure.cell}:\n"
                f"{source}\n{error}\n  Its outputs so far: {outcome.notebook}")


def table(outcomes: list[Outcome]) -> Table:
    """The summary: a row per lesson with its minutes and what was shown."""
    view = Table(box=box.SIMPLE_HEAD, title="The course, executed", title_justify="left")
    for column in ("lesson", "minutes", "shown", "not shown", ""):
        view.add_column(column, justify="right" if column == "minutes" else "left")
    for outcome in outcomes:
        verdicts: dict[str, list[str]] = {}
        for claim in dict.fromkeys([*outcome.lesson.claims, *outcome.verdicts]):
            verdicts.setdefault(outcome.verdicts.get(claim, "not judged"), []).append(claim)
        shown = verdicts.pop(SHOWN, [])
        rest = [f"{' '.join(claims)} ({verdict})" for verdict, claims in verdicts.items()]
        expected = outcome.lesson.minutes(outcome.scale)
        minutes = f"{outcome.seconds / 60:.1f}" + (f" of {expected:g}" if expected else "")
        where = f"cell {outcome.failure.cell} failed" if outcome.failure else ""
        state = f"[red]{where.replace('cell 0', 'start')}[/]" if where else ""
        view.add_row(f"{outcome.lesson.number} {escape(outcome.lesson.title)}", minutes,
                     " ".join(shown), ", ".join(rest), state)
    return view
