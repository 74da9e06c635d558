"""Where a learner stands: lessons begun, claims shown, exercises passed, exam items right.

It reads the progress file and judges nothing anew: a claim is shown when the latest run that could
judge it showed all its measures, an exercise is passed once its check has said so, and of an exam
item the latest answer counts.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from fmcourse.classroom.check import RIGHT
from fmcourse.evidence.claim import NOT_JUDGED, SHOWN
from fmcourse.exam import bank, review
from fmcourse.exam.report import by_claim
from fmcourse.lessons import catalogue
from fmcourse.lessons.catalogue import Lesson
from fmcourse.progress import opened
from fmcourse.show import Html, table

NOTHING = "–"


def progress() -> Html:
    """Tables of lessons and, once an item was answered, of the exam's claims, weakest first.

    Raises:
        StoreError: the progress file cannot be used.
    """
    lessons = lesson_rows(catalogue.lessons())
    shown = [table(lessons, caption="Your progress", rows=len(lessons))]
    claims = exam_rows()
    if claims:
        shown.append(table(claims, caption="The exam, latest answers", rows=len(claims)))
    return Html("".join(one.markup for one in shown), "\n\n".join(one.text for one in shown))


def lesson_rows(lessons: Iterable[Lesson]) -> list[dict[str, str]]:
    """A row a lesson: when and at which scale it was begun last, and what came of it."""
    with opened() as database:
        begun = _latest_start(database)
        verdicts = _verdicts(database)
        tries = Counter(database.execute("select lesson, exercise from exercise_try"))
        passed = set(database.execute(
            "select distinct lesson, exercise from exercise_try where verdict = ?", (RIGHT,)))
    rows = []
    for lesson in lessons:
        at, scale = begun.get(lesson.number, (None, NOTHING))
        known = [(lesson.number, name) for name in exercises(lesson)]
        shown = [claim for claim in lesson.claims if verdicts.get((lesson.number, claim))]
        rows.append({
            "lesson": f"{lesson.number} {lesson.title}",
            "begun": f"{datetime.fromtimestamp(at):%Y-%m-%d}" if at else NOTHING,
            "scale": scale,
            "claims shown": _share(len(shown), len(lesson.claims)),
            "exercises passed": _share(sum(one in passed for one in known), len(known)),
            "tries": str(sum(tries[one] for one in known)) if known else NOTHING,
        })
    return rows


def exam_rows() -> list[dict[str, str]]:
    """A row for each claim of which an item was answered, weakest first."""
    return [{"claim": row.name, "right": _share(row.right, row.asked),
             "share": f"{row.right / row.asked:.0%}", "revisit": "; ".join(row.revisit) or NOTHING}
            for row in by_claim(review.outcomes(bank.load()))]


def exercises(lesson: Lesson) -> list[str]:
    """The names that a lesson's sheet checks; none where it has no sheet.

    Of the notebook's text, since importing the checks takes several seconds.
    """
    notebook = lesson.root / "exercises" / lesson.notebook.name
    if not notebook.is_file():
        return []
    return list(dict.fromkeys(re.findall(r"sheet\.check\((\w+)\)",
                                         notebook.read_text(encoding="utf-8"))))


def _latest_start(database: sqlite3.Connection) -> Mapping[str, tuple[float, str]]:
    return {lesson: (at, scale) for lesson, at, scale in database.execute(
        "select lesson, at, scale from lesson_begun order by at")}


def _verdicts(database: sqlite3.Connection) -> Mapping[tuple[str, str], bool]:
    """(lesson, claim) → whether the latest verdict on each of its measures is that it shows."""
    latest = {(lesson, claim, metric): verdict for lesson, claim, metric, verdict in
              database.execute("select lesson, claim, metric, verdict from lesson_claim "
                               "where verdict != ? order by at", (NOT_JUDGED,))}
    found: dict[tuple[str, str], bool] = {}
    for (lesson, claim, _), verdict in latest.items():
        found[lesson, claim] = found.get((lesson, claim), True) and verdict == SHOWN
    return found


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}" if whole else NOTHING
