"""Make solution and exercise notebooks of one text, so that they cannot drift apart.

Both carry nbgrader's cell metadata. The exercises are what nbgrader's own `generate_assignment`
makes of the solutions (a test compares the two); doing it here too means that only instructors who
grade with nbgrader need it. Built notebooks hold no outputs: whether one is stale is a comparison
of bytes. What a learner has written into a notebook is put aside before it is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nbformat
from nbformat import NotebookNode

from fmcourse.classroom.masters import BEGIN, COMMENTARY, END, Copy, Task, is_solution, tasks
from fmcourse.errors import LessonError
from fmcourse.lessons import build as notebooks
from fmcourse.lessons.catalogue import Lesson

SOLUTIONS, EXERCISES = "solutions", "exercises"
STUBS = {"code": ("# YOUR CODE HERE", "raise NotImplementedError()"),
         "markdown": ("YOUR ANSWER HERE",)}  # nbgrader's own
CHECK = "sheet.check("
GOES_ON = "raises-exception"  # after such a cell, Run All does not stop


def assemble(copy: Copy) -> NotebookNode:
    """The notebook of a copy, without outputs.

    Raises:
        LessonError: the master is missing, or an exercise in it is not whole.
    """
    notebook = notebooks.assemble(copy)
    found = tasks(copy.lesson, notebook)
    if copy.folder == EXERCISES:
        notebook.cells = [cell for cell in notebook.cells
                          if COMMENTARY not in cell.metadata.get("tags", [])]
    _introduce(notebook, found)
    _mark(notebook, found)
    if copy.folder == EXERCISES:
        for cell in notebook.cells:
            release(cell)
    notebooks.identify(copy, notebook)
    return notebook


def build(lesson: Lesson) -> list[Copy]:
    """Write both notebooks of a lesson's sheet; returns them."""
    copies = [Copy(lesson, SOLUTIONS), Copy(lesson, EXERCISES)]
    for copy, notebook in [(copy, assemble(copy)) for copy in copies]:
        copy.notebook.parent.mkdir(exist_ok=True)
        notebooks.keep_edited(copy)
        notebooks.write(copy, notebook)
    return copies


def check(lesson: Lesson) -> list[str]:
    """Which notebooks of the sheet are not what its text makes, a sentence each."""
    problems = []
    for copy in (Copy(lesson, SOLUTIONS), Copy(lesson, EXERCISES)):
        wanted = nbformat.writes(assemble(copy)) + "\n"
        if not copy.notebook.exists():
            problems.append(f"{copy.name}.ipynb has not been built: fmcourse class build")
        elif copy.notebook.read_text(encoding="utf-8") != wanted:
            problems.append(f"{copy.name}.ipynb is not what {copy.master.name} makes. Edit that "
                            "text, then: fmcourse class build")
    return problems


def release(cell: NotebookNode) -> None:
    """Take the solution out of a cell, and let one that fails for want of it stop no other.

    Raises:
        LessonError: a solution begins and does not end.
    """
    if is_solution(cell):
        cell.source = _without_solution(cell.source, STUBS[cell.cell_type])
    if cell.cell_type == "code":
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), GOES_ON]


def _without_solution(source: str, stub: Sequence[str]) -> str:
    """The text with its stub in the place of what stands between the marks.

    >>> print(_without_solution("a\\n  ### BEGIN SOLUTION\\n  b\\n  ### END SOLUTION", ("c",)))
    a
      c
    """
    lines: list[str] = []
    inside = False
    for line in source.splitlines():
        if BEGIN in line:
            indent = line[:len(line) - len(line.lstrip())]
            lines += [indent + words for words in stub]
            inside = True
        elif END in line:
            inside = False
        elif not inside:
            lines.append(line)
    if inside:
        raise LessonError("A solution begins and does not end.", where=source.splitlines()[0],
                          fix=f"Close it with {END}.")
    return "\n".join(lines)


def _introduce(notebook: NotebookNode, found: Sequence[Task]) -> None:
    """Write each exercise's facts under its title, and all of them into the first cell."""
    facts = {task.name: task for task in found}
    rows = [f"| {task.title} | {task.kind} | {task.difficulty} | {task.minutes} | "
            f"{', '.join(task.claims)} |" for task in found]
    table = ["| exercise | kind | difficulty, of 5 | minutes | claims |", "|---|---|---|---|---|"]
    notebook.cells[0].source += "\n\n" + "\n".join([*table, *rows])
    for cell in notebook.cells:
        if "exercise" in cell.metadata:
            title, _, rest = cell.source.partition("\n")
            line = facts[cell.metadata["exercise"]].line
            cell.source = f"{title}\n{line}\n\n{rest.strip()}"


def _mark(notebook: NotebookNode, found: Sequence[Task]) -> None:
    """Give each cell nbgrader's metadata: answers, tests (a point a difficulty), prose (a point a
    row of its rubric), and the rest."""
    facts, task, given = {task.name: task for task in found}, None, 0
    for cell in notebook.cells:
        task = facts.get(cell.metadata.pop("exercise", ""), task)
        for key in ("kind", "difficulty", "minutes", "claims", "lines_to_next_cell"):
            cell.metadata.pop(key, None)
        if is_solution(cell) and cell.cell_type == "code":
            cell.metadata["nbgrader"] = _nbgrader(task.name, solution=True)
        elif is_solution(cell):  # prose, which a person grades by its rubric
            cell.metadata["nbgrader"] = _nbgrader(
                task.reasons, solution=True, points=len(task.rubric))
        elif cell.source.startswith(CHECK):
            cell.metadata["nbgrader"] = _nbgrader(f"{task.name}_check", points=task.difficulty)
        elif cell.cell_type == "code":
            given += 1
            cell.metadata["nbgrader"] = _nbgrader(f"given_{given}")


def _nbgrader(name: str, solution: bool = False, points: int | None = None) -> dict[str, Any]:
    """Metadata of nbgrader's third schema; what earns points is graded."""
    graded = points is not None
    return {"grade": graded, "grade_id": name, "locked": not solution, "schema_version": 3,
            "solution": solution, "task": False, **({"points": points} if graded else {})}
