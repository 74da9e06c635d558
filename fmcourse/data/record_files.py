"""A file of records, cut into records and each one read or named as bad.

JSON lines are streamed. A `.json` file with one list in it is read whole, for JSON cannot be cut
into records without a parser; where such a list breaks, nothing after can be told apart, so that
ends the reading, while a bad line is only one bad line.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fmcourse import store
from fmcourse.data import record_formats
from fmcourse.data.record_checks import Message
from fmcourse.data.strict_json import MisreadError
from fmcourse.errors import DataError
from fmcourse.sources.pieces import encoding

LINE = 1_000_000  # bytes of a record; at 4 a token, 250,000 tokens: a book, not a conversation
BAD = 100_000  # bad lines after which a file is no file of records
T = TypeVar("T")
_SPACE = re.compile(r"[ \t\r\n]*")  # JSON's


@dataclass(frozen=True)
class BadLine:
    """A record that cannot be used: where (line and column from 1), why, and what to do.

    `start` and `end` are the place of the whole record in the file, in bytes.
    """

    line: int
    column: int
    reason: str
    fix: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.reason} {self.fix}"


@dataclass
class Found:
    """What was found in a file; filled in while its records are read."""

    format: str | None = None
    good: int = 0
    copies: int = 0
    bad: list[BadLine] = field(default_factory=list)


@dataclass(frozen=True)
class Raw:
    """A record's bytes (of a line too long, the first) and the place of the first of them."""

    data: bytes
    line: int
    column: int
    start: int
    end: int

    def bad(self, text: str, offset: int, reason: str, fix: str) -> BadLine:
        """This record with a fault at an offset in its text."""
        before = text[:offset]
        first = 0 if "\n" in before else self.column - 1
        return BadLine(self.line + before.count("\n"), first + offset - before.rfind("\n"),
                       reason, fix, self.start, self.end)


def check_path(path: Path, suffixes: tuple[str, ...]) -> None:
    """The file is there, and of a type that is read.

    Raises:
        DataError: it is not.
    """
    if path.suffix.lower() not in suffixes:
        raise DataError(f"Records are not read from files of type '{path.suffix}'.", where=path,
                        fix=f"Use {' or '.join(suffixes)}.")
    if not path.is_file():
        raise DataError("There is no such file.", where=path,
                        fix="Check the path; a relative one begins in the working folder.")


def is_list(path: Path) -> bool:
    """Whether a file holds one JSON list, not a record a line."""
    with open(path, "rb") as file:
        head = file.read(1000).removeprefix(codecs.BOM_UTF8).lstrip()
    return path.suffix.lower() == ".json" and head.startswith(b"[")


def records(path: Path, found: Found) -> Iterator[dict[str, Any]]:
    """The good conversations of a file, as rows `messages` and `line`.

    The first good one decides the format. Blank lines at the end are passed over.

    Args:
        path: a `.jsonl` or `.json` file that exists.
        found: gets the bad records and the counts.

    Raises:
        DataError: nothing more can be read of the file.
    """
    def conversation(text: str) -> list[Message]:
        messages, found.format = record_formats.read(text, found.format)
        return messages

    seen = set()
    for raw, messages in each(path, conversation):
        if isinstance(messages, BadLine):
            found.bad.append(messages)
            if len(found.bad) > BAD:
                raise DataError(f"More than {BAD:,} lines here are no records; the first: "
                                f"{found.bad[0]}", where=path, fix="Write one JSON object a line.")
            continue
        found.good += 1
        found.copies += (key := int(store.sha256_json(messages)[:32], 16)) in seen
        seen.add(key)
        yield {"messages": messages, "line": raw.line}


def each(path: Path, read: Callable[[str], T]) -> Iterator[tuple[Raw, T | BadLine]]:
    """Every record of a file in order, with what was read of it or what is wrong with it.

    Blank lines at the end are none. Memory does not grow with the file.

    Args:
        path: a file of JSON lines, or a `.json` file with one list.
        read: takes a record's text; raises `MisreadError` at a fault.

    Raises:
        DataError: nothing more can be read of the file.
    """
    check_utf8(path)
    blank: list[Raw] = []
    for raw in _elements(path) if is_list(path) else _lines(path):
        is_blank = not raw.data.strip() and raw.end - raw.start <= LINE
        if is_blank and len(blank) < BAD:  # it may be one of the last
            blank.append(raw)
            continue
        yield from ((line, _blank(line)) for line in blank)
        blank = []
        yield raw, _blank(raw) if is_blank else _record(raw, read)


def _blank(raw: Raw) -> BadLine:
    return raw.bad("", 0, "This line is blank.", "Delete it.")


def check_utf8(path: Path) -> None:
    """The file's mark does not tell of another encoding.

    Raises:
        DataError: it does.
    """
    with open(path, "rb") as file:
        if encoding(file.read(4)) not in ("utf-8", "utf-8-sig"):
            raise DataError("These records are not UTF-8.", where=path,
                            fix="Save the file again as UTF-8.")


def _record(raw: Raw, read: Callable[[str], T]) -> T | BadLine:
    if raw.end - raw.start > LINE:
        return raw.bad("", 0, f"This record is longer than {LINE:,} bytes.",
                       "Write one record a line; shorten this one.")
    try:
        text = raw.data.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        before = raw.data[:error.start].decode()
        return raw.bad(before, len(before),
                       f"This is not UTF-8, at byte {raw.start + error.start:,} of the file.",
                       "Save the file again as UTF-8.")
    try:
        return read(text)
    except MisreadError as error:
        return raw.bad(text, error.offset, error.what, error.fix)


def _lines(path: Path) -> Iterator[Raw]:
    with open(path, "rb") as file:
        number, end = 0, 0
        while data := file.readline(LINE + 1):
            number, start, end = number + 1, end, end + len(data)
            rest = data
            while len(data) > LINE and rest and not rest.endswith(b"\n"):  # to the end of it
                rest = file.readline(LINE)
                end += len(rest)
            if number == 1 and data.startswith(codecs.BOM_UTF8):
                data, start = data[3:], 3
            yield Raw(data, number, 1, start, end)


def _elements(path: Path) -> Iterator[Raw]:
    """The elements of the one list in a file."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise DataError(f"This file is not UTF-8, at byte {error.start:,}.", where=path,
                        fix="Save it again as UTF-8.") from error
    line, line_at, byte, last = 1, 0, 0, 0
    mark = int(text.startswith("\ufeff"))  # takes no column
    try:
        for at, end in _spans(text):
            line += text.count("\n", last, at)
            line_at = max(line_at, text.rfind("\n", last, at) + 1)
            byte += len(text[last:at].encode())
            data = text[at:end].encode()
            yield Raw(data, line, at - max(line_at, mark) + 1, byte, byte + len(data))
            last = at
    except json.JSONDecodeError as error:
        raise DataError(f"This list is not JSON: {error.msg}.",
                        where=f"{path}, line {error.lineno}, column {error.colno}",
                        fix="Correct it there; what comes after cannot be read.") from error
    except RecursionError as error:
        raise DataError("This list is nested too deeply.", where=path,
                        fix="Write one JSON object a line, in a .jsonl file.") from error


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each element of a JSON list begins and ends.

    >>> list(_spans('[1, {"a": 2}]'))
    [(1, 2), (4, 12)]
    """
    decode = json.JSONDecoder(parse_int=float).raw_decode
    at = _after_space(text, text.index("[") + 1)
    more = text[at:at + 1] != "]"
    while more:
        _, end = decode(text, at)
        yield at, end
        at = _after_space(text, end)
        if text[at:at + 1] not in ("]", ","):
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        more = text[at] == ","
        at = _after_space(text, at + 1) if more else at
    if (rest := _after_space(text, at + 1)) < len(text):
        raise json.JSONDecodeError("Extra data", text, rest)


def _after_space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()
