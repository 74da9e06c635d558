"""Take progress to another machine: all that was done by hand in one JSON file, and back.

Reading one in only adds. Events that are known are passed over, and those of lessons or exam items
that this course does not have are left out; exam cards follow from the answers of both sides; of a
file that is there too, such as the labels of one text, the longer one stays if
it goes on where the other ends, and otherwise the one that is here, which is then said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fmcourse import progress, store, user_data
from fmcourse.errors import StoreError
from fmcourse.exam import bank, mock, review, sheet
from fmcourse.lessons import catalogue

WHAT, VERSION = "fmcourse progress", 1
FILES = re.compile(r"(labels|rankings)/[\w-]+\.jsonl|progress/(mock|mocks/[\w-]+)\.json", re.ASCII)
LINES = {"labels": {"text": str, "reading": str, "label": str},
         "rankings": {"pair": str, "left": str, "repeated": bool, "side": str, "choice": str}}
UNDER_WAY = "progress/mock.json"
FEW = 5  # names that are told
RATINGS = range(1, 5)
END = datetime(3000, 1, 1).timestamp()  # later than any answer


@dataclass(frozen=True)
class Merged:
    """What came of reading a file in.

    Attributes:
        added: events and files that were not here.
        known: those that were.
        ours: files that are here and there, and differ; the ones here stayed.
        strange: lessons, items and mock exams that this course does not have; left out.
    """

    added: int
    known: int
    ours: tuple[str, ...]
    strange: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"{self.added} added, {self.known} were here already"
        kept = f"; what is here was kept of {', '.join(self.ours)}" if self.ours else ""
        more = f" and {len(self.strange) - FEW} more" if len(self.strange) > FEW else ""
        left = (f" Left out, since this course does not have them: {', '.join(self.strange[:FEW])}"
                f"{more}." if self.strange else "")
        return told + kept + "." + left


def write(path: Path | str) -> Path:
    """Write all that was done by hand to a JSON file.

    Raises:
        StoreError: the progress file cannot be used; or nothing can be written there, or something
            else than an export of ours would be lost.
    """
    path = Path(path)
    _check_free(path)
    with progress.opened() as database:
        events = {name: [dict(zip(columns, row, strict=True)) for row in database.execute(
            f"select {', '.join(columns)} from {name} order by id")]
            for name, columns in progress.EVENTS.items()}
    files = {name: file.read_text(encoding="utf-8") for name, file in _files()}
    try:
        return store.write_json(path, {"what": WHAT, "version": VERSION, "written":
                                       datetime.now().astimezone().isoformat(timespec="seconds"),
                                       "events": events, "files": files})
    except OSError as error:
        raise StoreError(f"This file cannot be written: {error.strerror}.", where=path,
                         fix="Name one in a folder that you can write to.") from error


def _check_free(path: Path) -> None:
    """Nothing is lost by writing there, and no folder is made for a slip of the keyboard."""
    if path.is_dir():
        raise StoreError("This is a folder.", where=path,
                         fix=f"Name a file, such as {path / 'mine.json'}")
    if not path.parent.is_dir():
        raise StoreError("There is no such folder.", where=path.parent,
                         fix="Make it, or name another one.")
    if path.exists():
        try:
            told = store.read_json(path)
        except StoreError:
            told = None
        if not isinstance(told, dict) or told.get("what") != WHAT:
            raise StoreError("This file is there already and is no exported progress; it was left "
                             "as it is.", where=path, fix="Name another one.")


def _files() -> Iterator[tuple[str, Path]]:
    for room in user_data.ROOMS:
        place = user_data.place(room)
        for file in sorted(place.rglob("*")):
            name = f"{room}/{file.relative_to(place).as_posix()}"
            if FILES.fullmatch(name):
                yield name, file


def read(path: Path | str) -> Merged:
    """Merge such a file into what is here; nothing that is here is lost.

    Raises:
        StoreError: it is missing, malformed, or of a newer version of the course. Nothing was
            changed then.
    """
    events, files, strange = _known(*_checked(path))
    added = 0
    with progress.opened() as database:
        for name, rows in events.items():
            if name == "exam_answer":
                added += review.merge(database, rows)
                continue
            columns = list(progress.EVENTS[name])
            here = set(database.execute(f"select {', '.join(columns)} from {name}"))
            new = {row: None for row in (tuple(one[key] for key in columns) for one in rows)
                   if row not in here}
            for row in new:
                progress.add(database, name, dict(zip(columns, row, strict=True)))
            added += len(new)
        total = sum(map(len, events.values())) + len(files)
        taken, ours = _merge_files(files)
    added += taken
    return Merged(added, total - added - len(ours), tuple(ours), strange)


def _known(events: Mapping[str, list[dict[str, Any]]], files: Mapping[str, str]) -> tuple[
        dict[str, list[dict[str, Any]]], dict[str, str], tuple[str, ...]]:
    """What is about lessons and items that are here; and what the rest is about."""
    lessons = {lesson.number for lesson in catalogue.lessons()}
    asked = bank.load() if events["exam_answer"] or UNDER_WAY in files else ()
    items = {item.id for item in asked}
    strange: dict[str, None] = {}

    def here(row: Mapping[str, Any]) -> bool:
        key, known = ("item", items) if "item" in row else ("lesson", lessons)
        if row[key] not in known:
            strange[f"{key} {row[key][:20]!r}"] = None
        return row[key] in known

    kept = {name: [row for row in rows if here(row)] for name, rows in events.items()}
    files = dict(files)
    if UNDER_WAY in files:
        begun = sheet.read(json.loads(files[UNDER_WAY]))
        if mock.digest(item for item in asked if item.id in begun.items) != begun.digest:
            del files[UNDER_WAY]
            strange[f"the questions of the mock exam of {begun.began[:20]!r}"] = None
    return kept, files, tuple(strange)


def _merge_files(files: Mapping[str, str]) -> tuple[int, list[str]]:
    taken, ours = 0, []
    for name, text in files.items():
        room, _, rest = name.partition("/")
        file = user_data.folder(room) / rest
        here = file.read_text(encoding="utf-8") if file.exists() else ""
        if text.startswith(here) and text != here:
            store.atomic_write(file, text)
            taken += 1
        elif not here.startswith(text):
            ours.append(name)
    return taken, ours


def _checked(path: Path | str) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """The events and files of an export, each of them well-formed."""
    try:
        told = store.read_json(path)
    except StoreError as error:  # its advice is for what the course can make again
        raise StoreError(error.what, error.where, fix="Export it again: fmcourse progress export"
                         ) from error
    if not isinstance(told, dict) or told.get("what") != WHAT:
        raise _malformed(path, "it does not say that it is one")
    if told.get("version") != VERSION:
        raise StoreError(f"This progress is of version {told.get('version')}, and this course "
                         f"reads version {VERSION}.", where=path, fix="Update the older course.")
    events, files = told.get("events"), told.get("files")
    if not isinstance(events, dict) or set(events) != set(progress.EVENTS):
        raise _malformed(path, "its events are not those of the course")
    for name, rows in events.items():
        for place, row in enumerate(rows if isinstance(rows, list) else [rows]):
            if not _fits(row, progress.EVENTS[name]):
                raise _malformed(path, f"number {place + 1} of {name} is not well-formed")
    if not isinstance(files, dict) or not all(
            FILES.fullmatch(name) and isinstance(text, str) for name, text in files.items()):
        raise _malformed(path, "its files are not those of the course")
    for name, text in files.items():
        if not _readable(name, text):
            raise _malformed(path, f"{name} in it is damaged")
    return events, files


def _readable(name: str, text: str) -> bool:
    """Whether what reads such a file could read this one."""
    room = name.partition("/")[0]
    try:
        if room in LINES:
            return all(_typed(json.loads(line), LINES[room]) for line in text.splitlines())
        sheet.read(json.loads(text))
    except (ValueError, RecursionError, StoreError):
        return False
    return True


def _typed(row: object, columns: Mapping[str, type]) -> bool:
    """Whether a row has these columns, of these types; a whole number is a real one, too."""
    return isinstance(row, dict) and set(row) == set(columns) and all(
        type(row[name]) is kind or (kind is float and type(row[name]) is int)
        for name, kind in columns.items())


def _fits(row: object, columns: Mapping[str, type]) -> bool:
    """Whether an event has these columns, of these types, with values that can be true."""
    return _typed(row, columns) and 0 < row["at"] < END and (
        row.get("rating", RATINGS[0]) in RATINGS)


def _malformed(path: Path | str, why: str) -> StoreError:
    return StoreError(f"This is not exported progress: {why}.", where=path,
                      fix="Export it again: fmcourse progress export")
