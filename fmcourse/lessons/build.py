"""Make notebooks of text masters, and say when the two differ.

The master is what people edit and review; the notebook is what they read. Building is
deterministic: cell ids are hashes, so a rebuilt notebook differs only where its text does, and a
code cell that did not change keeps its outputs. What that could hide, outputs made by a lesson
that has changed since, `check` finds by the hash of the code that the executor stored.
"""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol

import jupytext
import nbformat
from nbformat import NotebookNode

from fmcourse import store
from fmcourse.errors import LessonError
from fmcourse.lessons.catalogue import Lesson

KEPT = "kept"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python",
            "pygments_lexer": "ipython3"}


class Mastered(Protocol):
    """A notebook that is made of a text master: a lesson, or a sheet of exercises."""

    @property
    def name(self) -> str: ...
    @property
    def master(self) -> Path: ...
    @property
    def notebook(self) -> Path: ...


def assemble(lesson: Mastered) -> NotebookNode:
    """The notebook that the master describes, without outputs."""
    try:
        draft = jupytext.read(lesson.master, fmt="py:percent")
    except FileNotFoundError as error:
        raise LessonError("The text master is missing.", where=lesson.master,
                          fix=f"git checkout -- {lesson.master.name}") from error
    except nbformat.ValidationError as error:
        raise LessonError(f"The text master is no notebook: {error.message}.", where=lesson.master,
                          fix="Correct the header.") from error
    draft.metadata = nbformat.from_dict({
        "fmcourse": draft.metadata.get("fmcourse", {}), "kernelspec": KERNEL,
        "language_info": LANGUAGE})
    draft.nbformat, draft.nbformat_minor = 4, 5
    identify(lesson, draft)
    return draft


def identify(lesson: Mastered, notebook: NotebookNode) -> None:
    """Give each cell the id that follows from its text."""
    for cell, name in zip(notebook.cells, _ids(lesson, notebook), strict=True):
        cell.id = name


def _ids(lesson: Mastered, notebook: NotebookNode) -> list[str]:
    """The id of each cell: a hash of its text, and of how often the lesson has had it before."""
    seen: Counter[str] = Counter()
    ids = []
    for cell in notebook.cells:
        key = store.sha256_json([lesson.name, cell.cell_type, cell.source])
        seen[key] += 1  # the same text twice in a lesson needs two ids
        ids.append(store.sha256_text(f"{key}{seen[key]}")[:12])
    return ids


def edited(lesson: Mastered) -> bool:
    """Whether somebody wrote into the notebook: ids follow from texts, so an edit breaks them."""
    if not lesson.notebook.exists():
        return False
    try:
        found = read(lesson)
    except LessonError:
        return True  # whatever it is, no program of ours wrote it
    return [cell.get("id") for cell in found.cells] != _ids(lesson, found)


def keep_edited(lesson: Mastered) -> Path | None:
    """Before a notebook is replaced, put somebody's edits aside; returns where, if there were any.

    They go to `notebooks/kept`, with the time in the name; nothing there is ever overwritten.
    """
    if not edited(lesson):
        return None
    place = lesson.notebook.parent / KEPT / (
        f"{lesson.notebook.stem}-{datetime.now():%Y%m%d-%H%M%S-%f}.ipynb")
    place.parent.mkdir(exist_ok=True)
    shutil.copy2(lesson.notebook, place)
    return place


def build(lesson: Lesson) -> NotebookNode:
    """Write the lesson's notebook, keeping the outputs of code cells that did not change."""
    notebook = assemble(lesson)
    keep_edited(lesson)
    if lesson.notebook.exists():
        old = read(lesson)
        kept = {cell.id: cell for cell in old.cells if cell.cell_type == "code"}
        for cell in notebook.cells:
            if cell.cell_type == "code" and cell.id in kept:
                cell.outputs = kept[cell.id].outputs
                cell.execution_count = kept[cell.id].execution_count
        _carry(old, notebook)
    write(lesson, notebook)
    return notebook


def read(lesson: Mastered) -> NotebookNode:
    """The lesson's notebook as it is on disk."""
    try:
        return nbformat.read(lesson.notebook, as_version=4)
    except FileNotFoundError as error:
        raise LessonError("The notebook has not been built.", where=lesson.notebook,
                          fix="fmcourse build") from error
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, KeyError) as error:
        raise LessonError("This is not a notebook.", where=lesson.notebook,
                          fix="Delete it, then: fmcourse build") from error


def write(lesson: Mastered, notebook: NotebookNode) -> None:
    """Put the notebook in its place, whole or not at all."""
    nbformat.validate(notebook)
    store.atomic_write(lesson.notebook, nbformat.writes(notebook) + "\n")


def code_hash(notebook: NotebookNode) -> str:
    """A hash of the code cells in order: which code the outputs belong to."""
    return store.sha256_json([c.source for c in notebook.cells if c.cell_type == "code"])[:12]


def stamp(notebook: NotebookNode, scale: str) -> None:
    """Note in an executed notebook at which scale its outputs were made, and by which code.

    What the kernel said of its own version is taken out again: it differs between machines.
    """
    notebook.metadata["language_info"] = nbformat.from_dict(LANGUAGE)
    notebook.metadata["fmcourse"]["executed"] = {"scale": scale, "code": code_hash(notebook)}


def _carry(old: NotebookNode, new: NotebookNode) -> None:
    """Keep what the executor wrote into the notebook's metadata."""
    executed = old.metadata.get("fmcourse", {}).get("executed")
    if executed:
        new.metadata["fmcourse"]["executed"] = executed
    if "widgets" in old.metadata:
        new.metadata["widgets"] = old.metadata["widgets"]


def check(lesson: Lesson) -> list[str]:
    """What is wrong with the lesson's notebook, a sentence each; nothing when all is well."""
    wanted, found = assemble(lesson), read(lesson)
    differences = _differences(wanted, found)
    if differences:
        return [f"{lesson.notebook.name} differs from its master at {differences[0]}. "
                "Edit the master, then: fmcourse build"]
    rerun = f"Run it again: fmcourse run {lesson.number} --scale cpu"
    problems = []
    for number, cell in enumerate((c for c in found.cells if c.cell_type == "code"), 1):
        place = f"{lesson.notebook.name}, code cell {number} ({_first_line(cell)})"
        if cell.source.strip() and cell.execution_count is None:
            problems.append(f"{place} has never been executed. {rerun}")
        if _fails(cell):
            problems.append(f"{place} holds an error. {rerun}")
    executed = found.metadata.get("fmcourse", {}).get("executed")
    if not problems and (not executed or executed["code"] != code_hash(found)):
        problems.append(f"The outputs in {lesson.notebook.name} were made by other code. {rerun}")
    if not problems and executed["scale"] != "cpu":
        problems.append(f"The outputs in {lesson.notebook.name} are not of the cpu scale. {rerun}")
    return problems


def _differences(wanted: NotebookNode, found: NotebookNode) -> list[str]:
    places = []
    for number, (new, old) in enumerate(zip_longest(wanted.cells, found.cells), 1):
        if new is None or old is None or _essence(new) != _essence(old):
            places.append(f"cell {number} ({_first_line(new or old)})")
    header = {k: v for k, v in found.metadata.get("fmcourse", {}).items() if k != "executed"}
    if header != wanted.metadata["fmcourse"]:
        places.append("the header (title, claims or minutes)")
    if found.metadata.get("kernelspec", {}).get("name") != KERNEL["name"]:
        places.append("the kernel's name")
    return places


def _essence(cell: NotebookNode) -> tuple[Any, ...]:
    return cell.get("id"), cell.cell_type, cell.source, cell.metadata.get("tags", [])


def _first_line(cell: NotebookNode) -> str:
    lines = cell.source.strip().splitlines() or ["empty"]
    return lines[0][:60]


def _fails(cell: NotebookNode) -> bool:
    expected = "raises-exception" in cell.metadata.get("tags", [])
    return not expected and any(out.output_type == "error" for out in cell.outputs)
