"""Run lessons one after the other and tell how it went.

One after the other on purpose: two lessons at once on two cores would both miss their minutes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from fmcourse import scale, store
from fmcourse.errors import CourseError, SourceError
from fmcourse.lessons import build, catalogue, report
from fmcourse.lessons.catalogue import Lesson
from fmcourse.lessons.execute import Failure, Outcome, execute
from fmcourse.lessons.site import Site


def run(wanted: Iterable[str] = (), setting: str | None = None,
        console: Console | None = None) -> list[Outcome]:
    """Execute lessons in order, print the summary, and write the HTML copy.

    Args:
        wanted: numbers or names of lessons; none means all.
        setting: the scale; by default `$FMCOURSE_SCALE`, else what the hardware allows.

    Raises:
        CourseError: unknown lesson or scale; a lesson that fails is in the outcomes instead.
    """
    console = console or Console()
    if setting:
        os.environ["FMCOURSE_SCALE"] = setting
    chosen = catalogue.select(wanted)
    setting = scale.current().name
    fetch_missing(console)
    pages = Site(_site(chosen[0], setting), catalogue.lessons(chosen[0].root))
    outcomes = [_one(lesson, setting, pages, console) for lesson in chosen]
    console.print(report.table(outcomes))
    if pages.index.exists():
        console.print(f"To read: {pages.index}", highlight=False, soft_wrap=True)
    return outcomes


def _site(lesson: Lesson, setting: str) -> Path:
    """A copy of the smoke scale is nothing to read, and must not replace one that is."""
    return store.folder("executed", "smoke", "site") if setting == "smoke" else lesson.root / "site"


def _one(lesson: Lesson, setting: str, pages: Site, console: Console) -> Outcome:
    if build.edited(lesson):
        console.print(f"{lesson.notebook.name} was edited. This runs the lesson as published; "
                      "yours runs in JupyterLab (Run → Run All Cells). If it has to make room "
                      f"here, it is kept in {lesson.notebook.parent.name}/{build.KEPT}.",
                      style="yellow", highlight=False)
    with report.Line(lesson, setting, console) as line:
        started = time.monotonic()
        try:
            outcome = execute(lesson, setting, pages, line.watch)
        except CourseError as error:  # this lesson cannot run; the others may
            outcome = Outcome(lesson, setting, time.monotonic() - started, (),
                              Failure(0, "", str(error)), lesson.notebook)
        line.done(outcome)
    return outcome


def fetch_missing(console: Console) -> None:
    """Bring what is not in the cache yet, so that no lesson waits for the network.

    What cannot be fetched is said here and fails only the lessons that need it.
    """
    from fmcourse import sources  # slow to import, so not before the lesson and scale are known
    from fmcourse.lessons import supplies

    for _, answer in supplies.bring_all(sources.registry()):
        if isinstance(answer, SourceError):
            console.print(str(answer), style="yellow", highlight=False, markup=False)
