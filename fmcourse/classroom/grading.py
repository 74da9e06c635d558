"""Grade a class's notebooks: on cases that no learner has seen, in processes that cannot cheat.

A submission is graded on the cases of its check and then on fresh ones, made from a secret that the
instructor keeps (`classroom.hidden`). What a learner's machine holds (the checks, the solutions)
does not tell the fresh cases, so an answer fitted to the shown ones is found out. An answer copied
from the solutions is right, here as in any course whose solutions are open.

What was written in prose is put beside its rubric, for a person (`classroom.prose`).

The judge (`check.judge`) runs in this process, which never runs a line of a learner's; answers are
computed at a `classroom.desk`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fmcourse.classroom import deadline, hidden, masters, prose
from fmcourse.classroom.check import FAILS, RIGHT, UNWRITTEN, Exercise, Run, Verdict, judge
from fmcourse.classroom.desk import Desk, Sitting
from fmcourse.classroom.masters import Task
from fmcourse.classroom.prose import Pages, Section
from fmcourse.classroom.sheets import sheet
from fmcourse.errors import CourseError, ExerciseError
from fmcourse.lessons.catalogue import Lesson

LARGEST = 10 * 2**20  # bytes of a notebook
LONGEST = 400  # letters that are kept of a verdict
WAITS, PARTLY, LACKS = "waits", "partly", "lacks: "  # of prose: for a person; and what is missing
COMPARING = 30  # seconds that may be spent on comparing what an answer gave


@dataclass(frozen=True)
class Submission:
    """A learner's notebook for one lesson."""

    learner: str
    lesson: Lesson
    path: Path


@dataclass(frozen=True)
class Mark:
    """What one exercise of one learner has earned.

    Attributes:
        learner, lesson, exercise: whose, the lesson's name, and the exercise's.
        kind: of the verdict (`check.RIGHT` and the others), or `WAITS` and `PARTLY` of prose.
        points, of: earned, and the most there are: a point a difficulty; of prose, a point a row
            of its rubric.
        says: the verdict, for the instructor; a mistake by its sentence in the check.
        hidden: whether it was the fresh cases that showed it.
    """

    learner: str
    lesson: str
    exercise: str
    kind: str
    points: int
    of: int
    says: str
    hidden: bool = False


def submissions(folder: Path) -> list[Submission]:
    """The notebooks below a folder that are named after a lesson with exercises.

    The first folder below is the learner's name, as nbgrader's `submitted/` has it. Links are not
    followed: they could lead anywhere.

    Raises:
        ExerciseError: there are none, or two of one learner's for one lesson.
    """
    lessons = {lesson.name: lesson for lesson in masters.with_exercises()}
    found: dict[tuple[str, str], Submission] = {}
    for path in sorted(folder.rglob("*.ipynb")):
        parts = path.relative_to(folder).parts
        linked = any(folder.joinpath(*parts[:n + 1]).is_symlink() for n in range(len(parts)))
        if path.stem not in lessons or len(parts) < 2 or linked or parts[-2].startswith("."):
            continue
        key = (parts[0], path.stem)
        if key in found:
            raise ExerciseError(f"{parts[0]} has two notebooks for {path.stem}.",
                                where=f"{found[key].path} and {path}", fix="Keep one of them.")
        found[key] = Submission(parts[0], lessons[path.stem], path)
    if not found:
        raise ExerciseError("No notebook of the exercises is here.", where=folder,
                            fix="FOLDER/learner/01_pretraining.ipynb, or nbgrader's submitted/.")
    return [*found.values()]


def secret(path: Path) -> str:
    """The words that hidden cases are made from: read from a file, or made and kept there.

    Whoever knows them knows the cases; they are readable by their owner alone.

    Raises:
        ExerciseError: the file is no text, or cannot be made; or its words are too few.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
        words = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ExerciseError("The secret of the hidden cases cannot be read or kept there.",
                            where=f"{path}: {error}",
                            fix="--secret names a file of text in UTF-8, or a new one in a folder "
                                "that you can write to.") from None
    if len(words) < 8:
        raise ExerciseError("The secret of the hidden cases is too short to be one.", where=path,
                            fix="Delete the file, and a new one is made.")
    return words


def grade(folder: Path, words: str, desk: Desk, pages: Pages,
          tell: Callable[[str], None] = lambda line: None) -> Iterator[Mark]:
    """The marks of all notebooks below a folder, learner by learner.

    Args:
        folder: of submissions.
        words: the secret of the hidden cases.
        desk: where they run.
        pages: of answers in prose, which a person marks; new ones are put there.
        tell: gets a line for each notebook.
    """
    for submission in submissions(folder):
        marks = graded(submission, words, desk, pages)
        tell(f"{submission.learner}, {submission.lesson.name}: "
             f"{sum(mark.points for mark in marks)} of {sum(mark.of for mark in marks)}")
        yield from marks


def graded(submission: Submission, words: str, desk: Desk, pages: Pages) -> list[Mark]:
    """The marks of one notebook; one that cannot be read earns nothing and says why."""
    lesson = submission.lesson
    exercises, tasks = sheet(lesson.number).exercises, masters.tasks(lesson)
    try:
        cells = read_cells(submission.path)
    except ExerciseError as error:
        verdict = Verdict(FAILS, str(error))
        return [mark for task in tasks for mark in [_mark(submission, task, verdict), *(
            [prose_mark(submission.learner, lesson.name, task.reasons, len(task.rubric), verdict)]
            if task.rubric else [])]]
    sitting = Sitting(desk, code_cells(cells))
    marks = []
    for task in tasks:
        fresh = hidden.cases(lesson.number, task.name, words)
        try:
            verdict, seen = examined(exercises[task.name], fresh, sitting.outcomes)
        except CourseError:
            raise
        except Exception as error:  # a strange value must not stop a class's grading
            verdict, seen = Verdict(FAILS, "What it gives cannot be compared: "
                                           f"{type(error).__name__}: {error}"), True
        marks.append(_mark(submission, task, verdict, hidden=not seen))
        if task.rubric:
            text = prose.answer(cells, task)
            got = pages.put(submission.learner, lesson, task, text) if text else Verdict(
                UNWRITTEN, "Nothing is written.")
            marks.append(prose_mark(submission.learner, lesson.name, task.reasons,
                                    len(task.rubric), got))
    return marks


def prose_mark(learner: str, lesson: str, exercise: str, most: int,
               got: Section | Verdict) -> Mark:
    """The mark of an answer in prose: of its section on the page, or of why there is none."""
    if isinstance(got, Verdict):
        return Mark(learner, lesson, exercise, got.kind, 0, most, got.says)
    if not got.marked:
        return Mark(learner, lesson, exercise, WAITS, 0, most, "A person has to mark it.")
    points = most - len(got.lacks)
    kind, says = (RIGHT, "all points") if points == most else (PARTLY, LACKS + "; ".join(got.lacks))
    return Mark(learner, lesson, exercise, kind, points, most, says)


def marked_again(marks: Iterable[Mark], pages: Pages) -> list[Mark]:
    """Marks with the points that a person has given for prose since."""
    made = []
    for mark in marks:
        name = mark.exercise.removesuffix(masters.REASONS)
        section = None if name == mark.exercise else pages.find(mark.lesson, name, mark.learner)
        made.append(mark if section is None else prose_mark(
            mark.learner, mark.lesson, mark.exercise, mark.of, section))
    return made


def examined(exercise: Exercise, fresh: hidden.Cases, run: Run) -> tuple[Verdict, bool]:
    """The verdict on the cases shown and, if all of those are right, on fresh ones.

    Returns:
        The verdict, and whether the shown cases were enough for it.
    """
    shown = _judged(exercise, run)
    if not shown.right or not fresh:
        return shown, True
    verdict = _judged(replace(exercise, cases=fresh), run)
    return verdict, verdict.right


def _judged(exercise: Exercise, run: Run) -> Verdict:
    """The verdict, in an end of time: running has its limits at the desk, and comparing here."""
    got = run(exercise)
    try:
        with deadline.within(COMPARING):
            return judge(exercise, exercise.right, lambda _: got)
    except deadline.OverdueError:
        return Verdict(FAILS, f"What it gives could not be compared within {COMPARING} s.")


def read_cells(path: Path) -> list[dict[str, Any]]:
    """A notebook's cells, each with its source as one text.

    Raises:
        ExerciseError: this is no notebook, or too large to be one of the course.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path.stat().st_size:,} bytes")
        cells = json.loads(path.read_bytes())["cells"]
        return [{**cell, "cell_type": cell["cell_type"], "source": "".join(cell["source"])}
                for cell in cells]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ExerciseError("The notebook cannot be read.", where=f"{path.name}: {error}",
                            fix="Ask for it again.") from None


def code_cells(cells: Iterable[dict[str, Any]]) -> list[str]:
    """The sources of a notebook's code cells."""
    return [cell["source"] for cell in cells if cell["cell_type"] == "code"]


def _mark(submission: Submission, task: Task, verdict: Verdict, hidden: bool = False) -> Mark:
    said = "; ".join(part for part in (verdict.says, verdict.where) if part)
    return Mark(submission.learner, submission.lesson.name, task.name, verdict.kind,
                task.difficulty if verdict.right else 0, task.difficulty,
                said if len(said) <= LONGEST else said[:LONGEST] + " …", hidden)
