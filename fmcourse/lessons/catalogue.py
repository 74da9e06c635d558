"""Which lessons there are: read from the headers of their text masters, nowhere else.

A lesson is `notebooks/src/NN_name.py` (jupytext py:percent); its header says title, claims and
expected minutes. No second list to keep in step; the price is that a header is parsed, and
checked, each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fmcourse.errors import LessonError, meant

MASTERS = Path("notebooks", "src")
NAME = re.compile(r"(\d\d)_(\w+)")
HEADER = "Its header needs, under jupyter: fmcourse:, title, claims, minutes_cpu and minutes_gpu."


@dataclass(frozen=True)
class Lesson:
    """One lesson. `minutes` are what its header promises on two CPU cores and on a GPU."""

    number: str  # '01'
    name: str  # '01_pretraining'
    title: str
    claims: tuple[str, ...]
    minutes_cpu: float
    minutes_gpu: float
    root: Path

    @property
    def master(self) -> Path:
        """The text that is edited."""
        return self.root / MASTERS / f"{self.name}.py"

    @property
    def notebook(self) -> Path:
        """The notebook that is read."""
        return self.root / "notebooks" / f"{self.name}.ipynb"

    def minutes(self, scale: str) -> float | None:
        """What the header promises at this scale; nothing is promised at smoke."""
        return {"cpu": self.minutes_cpu, "gpu": self.minutes_gpu}.get(scale)


def anchor(heading: str) -> str:
    """What stands behind the # of a link to a heading, in JupyterLab and in our HTML copies.

    >>> anchor("The raw idea")
    'The-raw-idea'
    """
    return heading.replace(" ", "-")


def root(start: Path | None = None) -> Path:
    """The course's folder: the nearest one at or above `start` (the working folder) with masters.

    Outside of any, the folder that an editable install points to.

    Raises:
        LessonError: neither has lessons.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents, Path(__file__).resolve().parents[2]):
        if (folder / MASTERS).is_dir():
            return folder
    raise LessonError("There are no lessons here.", where=start,
                      fix="Change into the folder of the course (the one with notebooks/src).")


def lessons(folder: Path | None = None) -> list[Lesson]:
    """All lessons of the course in `folder`, in order."""
    folder = folder or root()
    found = [_read(path, folder) for path in sorted((folder / MASTERS).glob("*.py"))]
    numbers = [lesson.number for lesson in found]
    for lesson in found:
        if numbers.count(lesson.number) > 1:
            raise LessonError(f"Two lessons have the number {lesson.number}.", where=lesson.master,
                              fix="Rename one of them.")
    if not found:
        raise LessonError("The course has no lessons.", where=folder / MASTERS,
                          fix="Check out the repository again: git checkout -- notebooks")
    return found


def select(wanted: Iterable[str], folder: Path | None = None) -> list[Lesson]:
    """The lessons meant by numbers or names ('1', '01', 'pretraining', '00,01'); none means all.

    Raises:
        LessonError: no lesson has that number or name.
    """
    known = lessons(folder)
    words = [word for text in wanted for word in text.replace(",", " ").split()]
    if not words:
        return known
    chosen = {_one(word, known) for word in words}
    return [lesson for lesson in known if lesson in chosen]


def _one(word: str, known: list[Lesson]) -> Lesson:
    plain = Path(word).stem
    for lesson in known:
        if plain in {lesson.name, lesson.name[3:]} or plain.zfill(2) == lesson.number:
            return lesson
    raise LessonError(f"There is no lesson '{word}'.", where=known[0].master.parent,
                      fix=f"{meant(plain, [lesson.name for lesson in known])} A number does, too.")


def _read(path: Path, folder: Path) -> Lesson:
    matched = NAME.fullmatch(path.stem)
    if not matched:
        raise LessonError("A lesson's file is called NN_name.py.", where=path, fix="Rename it.")
    return Lesson(number=matched[1], name=path.stem, root=folder, **_checked(_header(path), path))


def _header(path: Path) -> Any:
    """The fmcourse part of the YAML comment that opens a master."""
    opening = re.match(r"# ---\n((?:#.*\n)*?)# ---\n", path.read_text(encoding="utf-8"))
    text = re.sub(r"^# ?", "", opening[1], flags=re.M) if opening else ""
    try:
        return yaml.safe_load(text)["jupyter"]["fmcourse"]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1  # from 1, and below the opening line
        raise LessonError("The header is not valid YAML.", where=f"{path}:{line}",
                          fix="Quote a title that holds a colon or a comma.") from error
    except (TypeError, KeyError) as error:
        raise LessonError("The header does not describe the lesson.", where=f"{path}:1",
                          fix=HEADER) from error


def _checked(header: Any, path: Path) -> dict[str, Any]:
    wanted = {"title": str, "claims": list, "minutes_cpu": (int, float),
              "minutes_gpu": (int, float)}
    if not isinstance(header, dict):
        raise LessonError("The header does not describe the lesson.", where=f"{path}:1", fix=HEADER)
    for key, kind in wanted.items():
        if not isinstance(header.get(key), kind):
            raise LessonError(f"The header's {key} is missing or of the wrong kind.",
                              where=f"{path}:1", fix=HEADER)
    unknown = sorted(set(header) - set(wanted))
    if unknown:
        raise LessonError(f"The header has unknown keys: {', '.join(unknown)}.",
                          where=f"{path}:1", fix=HEADER)
    return {**header, "claims": tuple(str(claim) for claim in header["claims"])}
