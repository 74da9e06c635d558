"""What the book says of each claim: gathered, not written.

Statement and results come from the ledger, the exam's words and today's from lessons and items,
questions from the bank, exercises from their sheets. What none of them has, a page leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmcourse import evidence
from fmcourse.classroom import masters
from fmcourse.classroom.masters import Task
from fmcourse.evidence import ledger
from fmcourse.exam import bank
from fmcourse.exam.item import Item
from fmcourse.lessons import build, catalogue
from fmcourse.lessons.catalogue import Lesson

EXAM_WORDS = re.compile(r"> \*\*Exam words\.\*\*")
TODAY = re.compile(r"> \*\*Today\*\*|\| \| older notes say \| today")


@dataclass(frozen=True)
class Place:
    """A section of a lesson that shows something of a claim."""

    lesson: Lesson
    heading: str

    @property
    def address(self) -> str:
        """Of the section in the book."""
        return f"{self.lesson.name}.html#{catalogue.anchor(self.heading)}"


@dataclass(frozen=True)
class Chapter:
    """All that the course has on one claim.

    Attributes:
        claim, statement: of the syllabus.
        verdict: the ledger's, or that there is none yet.
        record: its ledger entry, or None.
        items: whose main claim it is.
        related: others that touch it.
        lessons: that announce it.
        places: sections that its items point to, in the order of the lessons.
        exam_words, today: what those lessons say, as Markdown: each lesson's definition in the
            exam's words, and how things are by now.
        exercises: that serve it, with the lesson whose sheet they are in.
    """

    claim: str
    statement: str
    verdict: str
    record: dict[str, Any] | None
    items: tuple[Item, ...]
    related: tuple[Item, ...]
    lessons: tuple[Lesson, ...]
    places: tuple[Place, ...]
    exam_words: tuple[str, ...]
    today: tuple[str, ...]
    exercises: tuple[tuple[Lesson, Task], ...]

    @property
    def tasks(self) -> list[str]:
        """Task statements of the exam guide that its items belong to."""
        return sorted({item.task for item in self.items})

    @property
    def dated(self) -> list[Item]:
        """Items on which the exam's wording is older than the service."""
        return [item for item in (*self.items, *self.related) if item.exam_says]


def chapters(course: Path | None = None) -> list[Chapter]:
    """A chapter for each claim of the syllabus, in its order.

    Args:
        course: its folder; by default the one that the working folder is in.

    Raises:
        ExamError, LessonError, EvidenceError: the bank, a lesson, a sheet or the ledger is
            malformed.
    """
    items, lessons = bank.load(), catalogue.lessons(course)
    prose = {lesson: _prose(lesson) for lesson in lessons}
    exercises = [(lesson, task) for lesson in masters.with_exercises(root=lessons[0].root)
                 for task in masters.tasks(lesson)]
    found = []
    for claim, statement in bank.statements().items():
        teaching = tuple(lesson for lesson in lessons if claim in lesson.claims)
        own = tuple(item for item in items if item.claim == claim)
        found.append(Chapter(
            claim, statement, bank.verdicts()[claim], _record(claim), own,
            tuple(item for item in items if claim in item.claims[1:]),
            teaching, tuple(_places(own, lessons)),
            tuple(text for lesson in teaching for text in prose[lesson][0]),
            tuple(text for lesson in teaching for text in prose[lesson][1]),
            tuple(one for one in exercises if claim in one[1].claims)))
    return found


def _record(claim: str) -> dict[str, Any] | None:
    return evidence.read(claim) if (ledger.FOLDER / f"{claim}.json").exists() else None


def _prose(lesson: Lesson) -> tuple[list[str], list[str]]:
    """What a lesson quotes of the exam at its beginning, and what it says of today."""
    cells = [cell.source for cell in build.assemble(lesson).cells if cell.cell_type == "markdown"]
    return ([text for text in cells if EXAM_WORDS.match(text)][:1],
            [text for text in cells if TODAY.match(text)])


def _places(items: Iterable[Item], lessons: Sequence[Lesson]) -> list[Place]:
    """Each section once, lessons in their order, sections in that of the items."""
    cells = list(dict.fromkeys(item.shown for item in items if item.shown))
    return [Place(lesson, cell.heading) for lesson in lessons
            for cell in cells if cell.lesson == lesson.number]
