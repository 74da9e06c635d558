"""Answers in prose, beside their rubric, in files that a person marks and the grader reads back.

`reasons/02_routes.md` has a section a learner: the answer, quoted, and a box for each row of the
rubric, a point each. Text, so that any editor does; and every line of a learner's begins with a
quotation mark, so that none of them can be a box. An answer that changes after it was marked is to
be marked again, and its section says what it had earned. No section is ever dropped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmcourse import store
from fmcourse.classroom.masters import Task
from fmcourse.errors import ExerciseError
from fmcourse.lessons.catalogue import Lesson

LONGEST = 20_000  # letters of an answer
STUB = "YOUR ANSWER HERE"
NOTHING = "nothing of these"
HEAD = """\
# {lesson}: {name}

Put an x between the brackets before what an answer has earned, a point each; where it has earned
none, before the last line. Then `fmcourse class reasons {grades}` counts the points. The rest of
this file stays as it is.
"""
SECTION, BOX = re.compile(r"## (.+)"), re.compile(r"- \[\s*(x?)\s*\] ([^:]+)(?::.*)?", re.I)


@dataclass(frozen=True)
class Section:
    """An answer on its page.

    Attributes:
        text: the answer.
        boxes: names of the rubric's rows, and whether each is earned.
        nothing: whether it was marked and has earned none.
        note: what the person who marks it should know.
    """

    text: str
    boxes: dict[str, bool]
    nothing: bool = False
    note: str = ""

    @property
    def marked(self) -> bool:
        """Whether a person has looked at it."""
        return self.nothing or any(self.boxes.values())

    @property
    def lacks(self) -> list[str]:
        """The points that it has not earned."""
        return [name for name, earned in self.boxes.items() if not earned]


class Pages:
    """All such files of a folder, as they are; `put` adds answers, and `write` keeps them.

    Args:
        folder: need not be there yet.

    Raises:
        ExerciseError: one cannot be read, or its boxes contradict each other.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._held = {path: _read(path) for path in sorted(folder.glob("*.md"))}
        self._heads: dict[Path, tuple[str, Task]] = {}

    def path(self, lesson: str, exercise: str) -> Path:
        """Where the answers of an exercise are, by the lesson's name or number."""
        return self.folder / f"{lesson[:2]}_{exercise}.md"

    def find(self, lesson: str, exercise: str, learner: str) -> Section | None:
        """A learner's section, if there is one."""
        return self._held.get(self.path(lesson, exercise), {}).get(learner)

    def put(self, learner: str, lesson: Lesson, task: Task, text: str) -> Section:
        """Have an answer on its page; its points stay if it has not changed."""
        path = self.path(lesson.name, task.name)
        self._heads[path] = lesson.name, task
        before = self.find(lesson.name, task.name, learner)
        boxes = {name: False for name, _ in task.rubric}
        section = Section(text, boxes)
        if before and before.text == text:
            section = Section(text, boxes | {name: earned for name, earned in before.boxes.items()
                                             if name in boxes}, before.nothing, before.note)
        elif before and before.marked:
            had = ", ".join(name for name, earned in before.boxes.items() if earned) or "nothing"
            section = Section(text, boxes,
                              note=f"Changed since it was marked; it had earned {had}.")
        self._held.setdefault(path, {})[learner] = section
        return section

    def write(self) -> list[Path]:
        """Write the pages that answers were put on; returns them."""
        for path, (lesson, task) in self._heads.items():
            words = dict(task.rubric)
            parts = [HEAD.format(lesson=lesson, name=task.title, grades=self.folder.parent)]
            for learner, section in self._held[path].items():
                boxes = [f"- [{'x' * earned or ' '}] {name}: {words.get(name, '')}"
                         for name, earned in section.boxes.items()]
                boxes.append(f"- [{'x' * section.nothing or ' '}] {NOTHING}")
                quoted = [f"> {line}".rstrip() for line in section.text.split("\n")]
                note = [f"*{section.note}*", ""] if section.note else []
                parts.append("\n".join([f"## {_heading(learner)}", "", *quoted, "", *note, *boxes,
                                        ""]))
            store.atomic_write(path, "\n".join(parts))
        return [*self._heads]


def answer(cells: list[dict[str, Any]], task: Task) -> str:
    """What a learner wrote in prose, without what was asked; '' if nothing.

    Args:
        cells: of a notebook, as its JSON has them.
        task: the exercise, which tells the cell by nbgrader's metadata.
    """
    for cell in cells:
        facts = cell.get("metadata")
        facts = facts.get("nbgrader") if isinstance(facts, dict) else None
        if cell.get("cell_type") == "markdown" and isinstance(facts, dict) and (
                facts.get("grade_id") == task.reasons):
            text = "".join(cell["source"]).replace("\r\n", "\n").replace("\r", "\n").strip()
            text = text.removeprefix(task.asks).replace(STUB, "").strip()
            text = text.encode(errors="replace").decode()  # JSON may hold half a letter
            lines = "\n".join(line.rstrip() for line in text.split("\n"))
            return lines if len(lines) <= LONGEST else lines[:LONGEST].rstrip() + " …"
    return ""


def _read(path: Path) -> dict[str, Section]:
    """The sections of a page by learner."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ExerciseError("The marks of these answers cannot be read.", where=f"{path}: {error}",
                            fix="Save it as text in UTF-8.") from None
    found: dict[str, Section] = {}
    starts = [place for place, line in enumerate(lines) if SECTION.fullmatch(line.rstrip())]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        learner = _learner(SECTION.fullmatch(lines[start].rstrip())[1])
        found[learner] = _section(lines[start + 1:end], f"{path.name}, {learner}")
    return found


def _section(lines: list[str], where: str) -> Section:
    text = "\n".join(line[1:].removeprefix(" ").rstrip() for line in lines if line.startswith(">"))
    ticked = {box[2].strip(): bool(box[1]) for line in lines if (box := BOX.fullmatch(
        line.rstrip()))}
    note = next((line.strip("* ") for line in lines if line.startswith("*")), "")
    section = Section(text, {name: earned for name, earned in ticked.items() if name != NOTHING},
                      ticked.get(NOTHING, False), note)
    if section.nothing and any(section.boxes.values()):
        raise ExerciseError("This answer has earned points and nothing at once.", where=where,
                            fix=f"Take the x off one of them, or off “{NOTHING}”.")
    return section


def _heading(learner: str) -> str:
    """A learner's name in a line; folders may be called anything.

    >>> _heading("ann"), _heading("a\\n- [x] price")
    ('ann', '"a\\\\n- [x] price"')
    """
    plain = learner.isprintable() and learner == learner.strip() and not learner.startswith('"')
    return learner if plain else json.dumps(learner)


def _learner(heading: str) -> str:
    """The name again."""
    try:
        return json.loads(heading) if heading.startswith('"') else heading
    except ValueError:
        return heading
