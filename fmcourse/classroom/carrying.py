"""Take progress to another machine: all that was done by hand in one JSON file, and back.

Reading one in only adds. Events that are known are passed over; exam cards follow from the answers
of both sides; of a file that is there too, such as the labels of one text, the longer one stays if
it goes on where the other ends, and otherwise the one that is here, which is then said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fmcourse import progress, store, user_data
from fmcourse.errors import StoreError
from fmcourse.exam import review

WHAT, VERSION = "fmcourse progress", 1
FILES = re.compile(r"(labels|rankings)/[\w-]+\.jsonl|progress/(mock|mocks/[\w-]+)\.json", re.ASCII)
RATINGS = range(1, 5)
END = datetime(3000, 1, 1).timestamp()  # later than any answer


@dataclass(frozen=True)
class Merged:
    """What came of reading a file in.

    Attributes:
        added: events and files that were not here.
        known: those that were.
        ours: files that are here and there, and differ; the ones here stayed.
    """

    added: int
    known: int
    ours: tuple[str, ...]

    def __str__(self) -> str:
        told = f"{self.added} added, {self.known} were here already"
        kept = f"; what is here was kept of {', '.join(self.ours)}" if self.ours else ""
        return told + kept + "."


def write(path: Path | str) -> Path:
    """Write all that was done by hand to a JSON file.

    Raises:
        StoreError: the progress file cannot be used.
    """
    with progress.opened() as database:
        events = {name: [dict(zip(columns, row, strict=True)) for row in database.execute(
            f"select {', '.join(columns)} from {name} order by id")]
            for name, columns in progress.EVENTS.items()}
    files = {name: file.read_text(encoding="utf-8") for name, file in _files()}
    return store.write_json(path, {"what": WHAT, "version": VERSION, "written":
                                   datetime.now().astimezone().isoformat(timespec="seconds"),
                                   "events": events, "files": files})


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
    events, files = _checked(path)
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
    return Merged(added, total - added - len(ours), tuple(ours))


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
    return events, files


def _fits(row: object, columns: Mapping[str, type]) -> bool:
    """Whether a row has these columns, of these types, with values that can be true."""
    if not isinstance(row, dict) or set(row) != set(columns):
        return False
    if not all(type(row[name]) is kind or (kind is float and type(row[name]) is int)
               for name, kind in columns.items()):
        return False
    return 0 < row["at"] < END and row.get("rating", RATINGS[0]) in RATINGS


def _malformed(path: Path | str, why: str) -> StoreError:
    return StoreError(f"This is not exported progress: {why}.", where=path,
                      fix="Export it again: fmcourse progress export")
