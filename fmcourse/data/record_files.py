"""A file of fine-tuning records, cut into records and each one read or named as bad.

JSON lines are streamed. A `.json` file with one list in it is read whole, for JSON cannot be cut
into records without a parser; where such a list breaks, nothing after can be told apart, so that
ends the reading, while a bad line is only one bad line.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmcourse import store
from fmcourse.data.record_formats import Message, read
from fmcourse.data.strict_json import MisreadError
from fmcourse.errors import DataError
from fmcourse.sources.pieces import encoding

LINE = 1_000_000  # bytes of a record; at 4 a token, 250,000 tokens: a book, not a conversation
BAD = 100_000  # bad lines after which a file is no file of records
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
class _Raw:
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


def is_list(path: Path) -> bool:
    """Whether a file holds one JSON list, not a record a line."""
    with open(path, "rb") as file:
        head = file.read(1000).removeprefix(codecs.BOM_UTF8).lstrip()
    return path.suffix.lower() == ".json" and head.startswith(b"[")


def records(path: Path, found: Found) -> Iterator[dict[str, Any]]:
    """The good records of a file, as rows `messages` and `line`.

    The first good one decides the format. Blank lines at the end are passed over.

    Args:
        path: a `.jsonl` or `.json` file that exists.
        found: gets the bad records and the counts.

    Raises:
        DataError: nothing more can be read of the file.
    """
    with open(path, "rb") as file:
        if encoding(file.read(4)) not in ("utf-8", "utf-8-sig"):
            raise DataError("These records are not UTF-8.", where=path,
                            fix="Save the file again as UTF-8.")
    seen, blank = set(), []
    for raw in _elements(path) if is_list(path) else _lines(path):
        if len(found.bad) + len(blank) > BAD:
            raise DataError(f"More than {BAD:,} lines here are no records; the first: "
                            f"{(found.bad + blank)[0]}", where=path,
                            fix="Write one JSON object a line.")
        if not raw.data.strip() and raw.end - raw.start <= LINE:
            blank.append(raw.bad("", 0, "This line is blank.", "Delete it."))
            continue
        found.bad += blank
        blank = []
        record = _record(raw, found.format)
        if isinstance(record, BadLine):
            found.bad.append(record)
            continue
        messages, found.format = record
        found.good += 1
        found.copies += (key := int(store.sha256_json(messages)[:32], 16)) in seen
        seen.add(key)
        yield {"messages": messages, "line": raw.line}


def _record(raw: _Raw, expected: str | None) -> tuple[list[Message], str] | BadLine:
    if raw.end - raw.start > LINE:
        return raw.bad("", 0, f"This record is longer than {LINE:,} bytes.",
                       "Write one conversation a line; shorten this one.")
    try:
        text = raw.data.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        before = raw.data[:error.start].decode()
        return raw.bad(before, len(before),
                       f"This is not UTF-8, at byte {raw.start + error.start:,} of the file.",
                       "Save the file again as UTF-8.")
    try:
        return read(text, expected)
    except MisreadError as error:
        return raw.bad(text, error.offset, error.what, error.fix)


def _lines(path: Path) -> Iterator[_Raw]:
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
            yield _Raw(data, number, 1, start, end)


def _elements(path: Path) -> Iterator[_Raw]:
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
            yield _Raw(data, line, at - max(line_at, mark) + 1, byte, byte + len(data))
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
