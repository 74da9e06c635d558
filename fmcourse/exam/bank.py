"""The item bank: one YAML file a claim, read whole and checked together.

A claim's file is its writer's alone, so that several people can write at once. Everything that is
wrong in all files is said at once, one fault an item.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path

from fmcourse import evidence, store
from fmcourse.errors import ExamError, meant
from fmcourse.evidence import ledger
from fmcourse.exam.item import Item
from fmcourse.exam.reading import read_file, read_item
from fmcourse.lessons import catalogue

NO_EXPERIMENT = "no experiment yet"
ITEMS = Path(__file__).with_name("items")
GROUPS = "KMDGSLRH"  # the syllabus's


@cache
def statements() -> dict[str, str]:
    """What each claim says, in the ledger's words and the syllabus's order."""
    found = {name: claim.statement for name, claim in evidence.claims().items()}
    return dict(sorted(found.items(), key=lambda one: (GROUPS.index(one[0][0]), int(one[0][1:]))))


@cache
def verdicts() -> dict[str, str]:
    """What the ledger says of each claim: 'shown', 'not shown', 'inconclusive' or nothing yet."""
    files = {name: ledger.FOLDER / f"{name}.json" for name in statements()}
    return {name: store.read_json(path)["verdict"] if path.exists() else NO_EXPERIMENT
            for name, path in files.items()}


@cache
def judged() -> dict[str, str]:
    """What each claim says, never without what the ledger says of it."""
    return {name: f"{said} [evidence: {verdicts()[name]}]" for name, said in statements().items()}


def load(folder: Path = ITEMS) -> tuple[Item, ...]:
    """All items of a folder, by file and in order.

    Raises:
        ExamError: a file or an item is malformed; all faults are named.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ExamError("There are no items here.", where=folder,
                        fix="A file a claim, such as K1.yaml; see fmcourse/exam/items/README.md.")
    found: list[Item] = []
    faults: list[ExamError] = []
    for path in paths:
        try:
            entries = read_file(path)
        except ExamError as error:
            faults.append(error)
            continue
        for where, raw in entries:
            try:
                found.append(_placed(read_item(raw, where, statements()), path, where))
            except ExamError as error:
                faults.append(error)
    _refuse(faults + _doubles(found))
    return tuple(found)


def _placed(item: Item, path: Path, where: str) -> Item:
    if item.claim != path.stem:
        raise ExamError(f"An item on {item.claim} stands in {path.name}.",
                        where=f"{where} ({item.id})", fix=f"Move it to {item.claim}.yaml.")
    return item


def _doubles(items: Sequence[Item]) -> list[ExamError]:
    """Ids, or stems, that two items share."""
    ids, stems = (Counter(item.id for item in items),
                  Counter(item.stem.casefold() for item in items))
    faults = [ExamError(f"The id {name} is given {count} times.", where=name,
                        fix="Give the later one a number not yet used.")
              for name, count in ids.items() if count > 1]
    return faults + [ExamError("Two items have the same stem.", where=item.id,
                               fix="Say in the stem what differs.")
                     for item in items if stems[item.stem.casefold()] > 1 and ids[item.id] == 1]


def check_places(items: Iterable[Item], course: Path | None = None) -> None:
    """Hold what items say of lessons against the lessons.

    Args:
        items: of the bank.
        course: its folder; by default the one that the working folder is in.

    Raises:
        ExamError: a lesson or heading is not there, or an item on a claim that a lesson teaches
            does not say where it is shown.
    """
    lessons = {lesson.number: lesson for lesson in catalogue.lessons(course)}
    headings = {number: headings_of(lesson.master.read_text(encoding="utf-8"))
                for number, lesson in lessons.items()}
    teaching = {claim: number for number, lesson in lessons.items() for claim in lesson.claims}
    faults = []
    for item in items:
        if item.shown is None:
            if item.claim in teaching:
                faults.append(ExamError(
                    f"It does not say where lesson {teaching[item.claim]} shows it.",
                    where=item.id, fix=f"Add such as: shown: {teaching[item.claim]} The control"))
        elif item.shown.lesson not in headings:
            faults.append(ExamError(f"There is no lesson {item.shown.lesson}.", where=item.id,
                                    fix=meant(item.shown.lesson, headings)))
        elif item.shown.heading not in headings[item.shown.lesson]:
            known = headings[item.shown.lesson]
            faults.append(ExamError(
                f"Lesson {item.shown.lesson} has no heading '{item.shown.heading}'.",
                where=item.id, fix=meant(item.shown.heading, known)))
    _refuse(faults)


def check_dates(items: Iterable[Item], today: date) -> None:
    """Refuse dates to come; for writers alone, since a learner's clock may be wrong.

    Raises:
        ExamError: somebody verified an item tomorrow.
    """
    _refuse([ExamError(f"'verified' is in the future: {item.verified}.", where=item.id,
                       fix="Write the day on which you read the sources.")
             for item in items if item.verified > today])


def headings_of(master: str) -> list[str]:
    """The headings of a lesson's sections.

    >>> headings_of("# %% [markdown]\\n# # 01 · Title\\n# ## The control\\n# Text.")
    ['The control']
    """
    return re.findall(r"^# #{2,3} (.+?)\s*$", master, flags=re.M)


def _refuse(faults: Sequence[ExamError]) -> None:
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise ExamError("\n".join(map(str, faults)))
