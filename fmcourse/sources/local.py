"""A learner's own files and folders, as rows of the same shape as the rest.

A text file becomes one document, in several rows if it is large; JSON lines and Parquet need a
`text` column and may bring a `document` column. One file given by name must be readable; in a
folder, what is not is left out and told of in `Skipped`: one photograph among a thousand notes
should neither stop a run nor vanish unseen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmcourse import store
from fmcourse.errors import SourceError
from fmcourse.sources.records import SUFFIXES, Found, of_file, strict

SHOWN = 3  # bad records of a file that are named; the rest are counted
NAMED = 30  # files that are named


@dataclass
class Skipped:
    """What of a folder was left out, and why; filled in while its rows are read.

    Attributes:
        read: files with text.
        files: file or folder → why nothing of it was read.
        partly: file → which of its records were not, the first few by line.
        records: how many those are, over all files.
        other: files of other types.
    """

    read: int = 0
    files: dict[str, str] = field(default_factory=dict)
    partly: dict[str, str] = field(default_factory=dict)
    records: int = 0
    other: int = 0

    def __bool__(self) -> bool:
        return bool(self.files or self.partly or self.other)

    def __str__(self) -> str:
        reasons = [f"{name}: {why}" for name, why in (self.files | self.partly).items()]
        more = f"; and {len(reasons) - NAMED} more" if len(reasons) > NAMED else ""
        shown = f" ({'; '.join(reasons[:NAMED])}{more})" if reasons else ""
        counts = ((len(self.files), "file"), (self.records, "record"),
                  (self.other, "file of another type"))
        return ", ".join(_count(*count) for count in counts if count[0]) + shown


def _count(number: int, noun: str) -> str:
    """
    >>> _count(2, "file of another type")
    '2 files of another type'
    """
    first, *rest = noun.split(" ")
    return " ".join([f"{number:,}", first if number == 1 else f"{first}s", *rest])


def label(path: Path, root: Path) -> str:
    """A file's name within its folder, with bytes that are no character written out."""
    name = path.relative_to(root).as_posix() if path != root else path.name
    return name.encode("utf-8", "backslashreplace").decode()


def files(path: Path, skipped: Skipped) -> list[Path]:
    """The files to read of a folder, in order; a single file is a list of one.

    Links to folders are not followed, for they can lead in circles.
    """
    if not path.is_dir():
        return [path]

    def unreadable(error: OSError) -> None:
        skipped.files[label(Path(error.filename), path)] = f"not opened: {error.strerror}"

    found = []
    for folder, names, members in os.walk(path, onerror=unreadable):
        for name in names:
            if os.path.islink(os.path.join(folder, name)):
                skipped.files[label(Path(folder, name), path)] = "a link to a folder"
        found += [Path(folder, name) for name in members]
    wanted = sorted(file for file in found if file.suffix.lower() in SUFFIXES)
    skipped.other += len(found) - len(wanted)
    return wanted


def rows(path: Path, skipped: Skipped, text_only: bool = False) -> Iterator[dict[str, Any]]:
    """Rows `text` and `document` (and what else the file has) of a file or a folder.

    Args:
        path: a file, or a folder of files.
        skipped: gets what of a folder could not be read. A file by name has to be readable.
        text_only: leave out other columns than `text` and `document`.

    Raises:
        SourceError: a folder without any text; a file by name of unknown type, with a bad line
            (named file:line), without a text column, or not UTF-8.
    """
    if not path.is_dir():
        yield from strict(of_file(path, label(path, path), text_only))
        return
    for file in files(path, skipped):
        yield from _lenient(of_file(file, label(file, path), text_only), label(file, path), skipped)
    if not skipped.read:
        raise SourceError(f"This folder has no text in it; left out: {skipped or 'nothing'}.",
                          where=path, fix=f"Put {', '.join(SUFFIXES)} files in it, as UTF-8.")


def _lenient(found: Iterator[Found], name: str, skipped: Skipped) -> Iterator[dict[str, Any]]:
    """The records of one of a folder's files; errors go on the list."""
    kept, errors, first = 0, 0, []
    try:
        for record in found:
            if isinstance(record, SourceError):
                errors += 1
                first += [_reason(record)] * (errors <= SHOWN)
            else:
                kept += 1
                yield record
    except SourceError as error:
        first.append(f"nothing read from here on, {_reason(error)}" if kept else _reason(error))
    skipped.read += bool(kept)
    skipped.records += errors
    if not kept:
        skipped.files[name] = "; ".join(first) or "empty"
    elif first:
        skipped.partly[name] = f"{_count(errors, 'record')} left out, the first: " * bool(errors) \
            + "; ".join(first)


def _reason(error: SourceError) -> str:
    line = str(error.where).rpartition(":")[2]
    place = f"line {line}: " if line.isdigit() else ""
    return place + " ".join(error.what.split()).rstrip(".")


def contents(path: Path) -> list[Any]:
    """What rows depend on: each file's name and hash (or why it has none), and what was passed."""
    passed = Skipped()

    def hashed(file: Path) -> str | None:
        try:
            return store.sha256_file(file) if file.is_file() else None
        except OSError as error:
            return error.strerror

    found = [[label(file, path), hashed(file)] for file in files(path, passed)]
    return [found, passed.files, passed.other]


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes; of a folder, that of its files' names and hashes."""
    found = contents(path)
    return store.sha256_json(found) if path.is_dir() else str(found[0][0][1])


def unchanging(rows: Iterator[dict[str, Any]], path: Path) -> Iterator[dict[str, Any]]:
    """The same rows, if no file below `path` was written while they were read.

    Raises:
        SourceError: one was; the rows are neither the old text nor the new.
    """
    before = _stamps(path)
    yield from rows
    if _stamps(path) != before:
        raise SourceError("A file was changed while it was read.", where=path,
                          fix="Run it again when nothing writes there.")


def _stamps(path: Path) -> dict[Path, tuple[int, int] | None]:
    def stamp(file: Path) -> tuple[int, int] | None:
        try:
            status = file.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    return {file: stamp(file) for file in files(path, Skipped())}
