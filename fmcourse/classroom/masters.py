"""Read a sheet's text master: which exercises it has, and whether each is whole.

The text is `solutions/src/NN_name.py` (jupytext py:percent), for the lesson of the same name. An
exercise opens with a markdown cell that carries its facts (`exercise="…" kind="…" difficulty=2
minutes=10 claims=["K1"]`); then come its cell with nbgrader's `### BEGIN SOLUTION` marks, the check
directly below, and cells tagged `commentary`, which only the solutions keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nbformat import NotebookNode

from fmcourse.classroom.sheets import sheet
from fmcourse.errors import LessonError
from fmcourse.lessons import catalogue
from fmcourse.lessons.build import assemble
from fmcourse.lessons.catalogue import Lesson

FOLDER = Path("solutions", "src")
KINDS = ("implement", "debug", "predict", "design", "investigate")
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
COMMENTARY = "commentary"
RUBRIC, REASONS = "**Rubric**", "_reasons"
FACTS = ("exercise", "kind", "difficulty", "minutes", "claims")


@dataclass(frozen=True)
class Task:
    """An exercise as its opening cell describes it; `difficulty` is 1 to 5.

    `asks` is what is asked for in prose, and `rubric` what earns a point there: a name and what it
    is earned by. An exercise that wants no prose has neither.
    """

    name: str
    title: str
    kind: str
    difficulty: int
    minutes: int
    claims: tuple[str, ...]
    rubric: tuple[tuple[str, str], ...] = ()
    asks: str = ""

    @property
    def reasons(self) -> str:
        """What the answer in prose is called in nbgrader's metadata and in marks."""
        return f"{self.name}{REASONS}"

    @property
    def line(self) -> str:
        """The facts, for people.

        >>> Task("x", "X", "debug", 2, 10, ("K1",)).line
        '*Debug · difficulty 2 of 5 · about 10 minutes · K1*'
        """
        return (f"*{self.kind.capitalize()} · difficulty {self.difficulty} of 5 · about "
                f"{self.minutes} minutes · {', '.join(self.claims)}*")


@dataclass(frozen=True)
class Copy:
    """One of the two notebooks made of a master: `folder` is 'solutions' or 'exercises'."""

    lesson: Lesson
    folder: str

    @property
    def name(self) -> str:
        """Such as 'exercises/01_pretraining'."""
        return f"{self.folder}/{self.lesson.name}"

    @property
    def master(self) -> Path:
        """The text that is edited."""
        return self.lesson.root / FOLDER / f"{self.lesson.name}.py"

    @property
    def notebook(self) -> Path:
        """The notebook that is generated."""
        return self.lesson.root / f"{self.name}.ipynb"


def with_exercises(wanted: Iterable[str] = (), root: Path | None = None) -> list[Lesson]:
    """The lessons that have a sheet of exercises, of those meant by numbers or names.

    Raises:
        LessonError: a sheet has no lesson, or a lesson that was asked for has no sheet.
    """
    root = root or catalogue.root()
    names = {path.stem for path in (root / FOLDER).glob("*.py")}
    words = [*wanted]
    chosen = catalogue.select(words, root)
    missing = names - {lesson.name for lesson in catalogue.lessons(root)}
    if missing:
        raise LessonError(f"No lesson is called {min(missing)}.", where=root / FOLDER,
                          fix="Name a sheet of exercises after its lesson.")
    for lesson in chosen:
        if words and lesson.name not in names:
            raise LessonError(f"Lesson {lesson.number} has no exercises.", where=root / FOLDER,
                              fix=f"These do: {', '.join(sorted(names))}.")
    return [lesson for lesson in chosen if lesson.name in names]


def tasks(lesson: Lesson, notebook: NotebookNode | None = None) -> list[Task]:
    """The exercises of a lesson's sheet, in order, each found to be whole.

    Args:
        notebook: the sheet's cells, where they have been read already.

    Raises:
        LessonError: facts are missing, or an exercise lacks its solution, check or commentary.
    """
    copy = Copy(lesson, "solutions")
    cells = (notebook or assemble(copy)).cells
    starts = [place for place, cell in enumerate(cells) if "exercise" in cell.metadata]
    found = [_task(cells[start], copy.master) for start in starts]
    known = set(sheet(lesson.number).exercises)
    if {task.name for task in found} != known:
        odd = sorted({task.name for task in found} ^ known)
        raise LessonError(f"In the text or in the checks, but not in both: {', '.join(odd)}.",
                          where=copy.master, fix=f"See checks/lesson_{lesson.number}.py.")
    parts = [cells[start + 1:end] for start, end in zip(starts, [*starts[1:], len(cells)],
                                                        strict=True)]
    for task, part in zip(found, parts, strict=True):
        _check_whole(task, part, copy.master)
    return [replace(task, rubric=_rubric(task, part, copy.master), asks=_asks(part))
            for task, part in zip(found, parts, strict=True)]


def _task(cell: NotebookNode, where: Path) -> Task:
    facts, title = cell.metadata, cell.source.splitlines()[0]
    place = f"{where.name}, {title}"
    if missing := [key for key in FACTS if key not in facts]:
        raise LessonError(f"The exercise does not say its {', '.join(missing)}.", where=place,
                          fix=f"Its first cell needs {', '.join(FACTS)}.")
    if not title.startswith("## "):
        raise LessonError("An exercise opens with its title.", where=place, fix="## Title")
    if facts["kind"] not in KINDS or facts["difficulty"] not in range(1, 6):
        raise LessonError("The exercise's kind or difficulty is unknown.", where=place,
                          fix=f"One of {', '.join(KINDS)}; and 1 to 5.")
    return Task(facts["exercise"], title[3:], facts["kind"], facts["difficulty"],
                facts["minutes"], tuple(facts["claims"]))


def _check_whole(task: Task, cells: list[NotebookNode], where: Path) -> None:
    """An exercise has one solution that defines its name, its check below, and commentary."""
    place = f"{where.name}, ## {task.title}"
    solved = [i for i, cell in enumerate(cells) if cell.cell_type == "code" and is_solution(cell)]
    if len(solved) != 1 or not re.search(rf"^(def|class) {task.name}\b", cells[solved[0]].source,
                                         re.M):
        raise LessonError(f"The exercise needs one cell that defines {task.name}.", where=place,
                          fix=f"Put the solution between {BEGIN} and {END}.")
    below = cells[solved[0] + 1].source if solved[0] + 1 < len(cells) else ""
    if below.strip() != f"sheet.check({task.name})":
        raise LessonError("The check is not directly below the solution.", where=place,
                          fix=f"sheet.check({task.name})")
    if not any(COMMENTARY in cell.metadata.get("tags", []) for cell in cells):
        raise LessonError("The solution has no commentary.", where=place,
                          fix=f'A markdown cell with tags=["{COMMENTARY}"].')


def _rubric(task: Task, cells: list[NotebookNode], where: Path) -> tuple[tuple[str, str], ...]:
    """The rows of the exercise's rubric, which stands below its prose and nowhere else."""
    prose = [i for i, cell in enumerate(cells) if cell.cell_type == "markdown"
             and is_solution(cell)]
    rubrics = [i for i, cell in enumerate(cells) if cell.source.startswith(RUBRIC)]
    rows = [tuple(part.strip() for part in line.strip().strip("|").split("|"))
            for i in rubrics for line in cells[i].source.splitlines() if line.startswith("|")][2:]
    names = [row[0] for row in rows]
    if [i + 1 for i in prose] != rubrics or len(prose) > 1 or bool(rows) != bool(prose) or not all(
            len(row) == 2 and all(row) for row in rows) or len(set(names)) < len(names) or any(
            ";" in name for name in names):
        raise LessonError("The rubric is not one of two columns directly below an answer in prose.",
                          where=f"{where.name}, ## {task.title}",
                          fix=f"A cell that begins with {RUBRIC}, with a row a point: | name | it "
                              "is earned by |.")
    return tuple(rows)


def _asks(cells: list[NotebookNode]) -> str:
    """What stands above the answer in prose."""
    return next((cell.source.partition(BEGIN)[0].strip() for cell in cells
                 if cell.cell_type == "markdown" and is_solution(cell)), "")


def is_solution(cell: NotebookNode) -> bool:
    """Whether a cell holds what the learner is to write."""
    return BEGIN in cell.source
