"""What one file of a learner's holds, record by record, read a little at a time.

A record that cannot be used (a line that is no JSON, a text that is missing) need not end the
reading, so it is not raised: the error stands in its place, and the caller decides. What ends the
reading of the file (not UTF-8, not to be opened) is raised.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fmcourse.errors import SourceError
from fmcourse.sources.pieces import blocks, encoding, pieces

TEXTS = (".txt", ".md", ".rst")
SUFFIXES = (*TEXTS, ".jsonl", ".parquet")
LINE = 32_000_000  # bytes of one JSON line; it is parsed whole

Found = dict[str, Any] | SourceError  # a record, or the error that stands where one should be


def strict(found: Iterable[Found]) -> Iterator[dict[str, Any]]:
    """The records, up to the first error, which is raised."""
    for record in found:
        if isinstance(record, SourceError):
            raise record
        yield record


def of_file(path: Path, name: str, text_only: bool = False) -> Iterator[Found]:
    """What a file holds: rows, and errors in the place of records that cannot be used.

    Args:
        path: .txt, .md, .rst, .jsonl or .parquet.
        name: what its documents are called.
        text_only: leave out other columns than `text` and `document`.

    Raises:
        SourceError: nothing more can be read of the file.
    """
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise SourceError(f"Files of type '{path.suffix}' cannot be read.", where=path,
                          fix=f"Use one of {', '.join(SUFFIXES)}.")
    if not path.is_file():  # a link in a circle or to nothing, a pipe that would never end
        raise SourceError("This is not a file, or a link to one.", where=path,
                          fix="Give the file itself.")
    if kind in TEXTS:
        for _ in blocks(path):
            pass  # all of it must be text before any of it is used
        yield from ({"text": piece, "document": name} for piece in pieces(blocks(path))
                    if piece.strip())
        return
    records = _parquet(path, text_only) if kind == ".parquet" else _json_lines(path)
    yield from checked(records, name, text_only)


def _json_lines(path: Path) -> Iterator[tuple[str, Found]]:
    try:
        with open(path, "rb") as file:
            if encoding(file.read(4)) not in ("utf-8", "utf-8-sig"):
                raise SourceError("These JSON lines are not UTF-8.", where=path,
                                  fix="Save the file again as UTF-8.")
            file.seek(0)
            number = 0
            while line := file.readline(LINE + 1):
                number += 1
                where = f"{path}:{number}"
                if len(line) > LINE:
                    while line and not line.endswith(b"\n"):  # past the rest of it
                        line = file.readline(LINE)
                    yield where, SourceError(f"This line is longer than {LINE:,} bytes.",
                                             where=where, fix="Write one text a line.")
                elif line.strip():
                    yield where, _parsed(line, where)
    except OSError as error:
        raise SourceError(f"This file cannot be read: {error.strerror}.", where=path,
                          fix="Check its permissions, and where it links to.") from error


def _parsed(line: bytes, where: str) -> Found:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:  # no JSON, not UTF-8, a number without end
        parsing = isinstance(error, json.JSONDecodeError)  # whose own line is always the first
        why = f"{error.msg.removesuffix(' at')}, column {error.colno}" if parsing else error
        return SourceError(f"This line is not JSON: {why}.", where=where,
                           fix="Correct or delete that line.")
    if isinstance(record, dict):
        return record
    return SourceError("This line is not a JSON object.", where=where,
                       fix='Write one {"text": ...} a line.')


def _parquet(path: Path, text_only: bool) -> Iterator[tuple[str, Found]]:
    try:
        with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            names = file.schema_arrow.names
            if "text" not in names:
                raise SourceError(_no_text(1, names), where=path,
                                  fix="Name the column with the text 'text'.")
            wanted = [name for name in names if name in ("text", "document")]
            for batch in file.iter_batches(100, columns=wanted if text_only else None):
                yield from ((str(path), record) for record in batch.to_pylist())
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise SourceError(f"This Parquet file cannot be read: {error}.", where=path,
                          fix="Write it again.") from error


def _no_text(number: int, columns: Iterable[str]) -> str:
    has = ", ".join(sorted(columns)) or "nothing"
    return f"Record {number} has no text column (it has: {has})."


def checked(records: Iterable[tuple[str, Found]], name: str, text_only: bool) -> Iterator[Found]:
    """Records with a text, each given a `document` when it brings none; long texts in pieces."""
    for number, (where, record) in enumerate(records, 1):
        if isinstance(record, SourceError):
            yield record
            continue
        text, document = record.get("text"), record.get("document")
        document = f"{name}:{number}" if document is None else str(document)
        if not isinstance(text, str):
            yield SourceError(_no_text(number, record), where=where,
                              fix="Name the column with the text 'text'.")
        elif not (_encodable(text) and _encodable(document)):
            yield SourceError(f"Record {number} holds half a character (a lone surrogate).",
                              where=where, fix="Write the file again as UTF-8.")
        else:
            rest = {} if text_only else record
            for piece in filter(str.strip, pieces([text])):
                row = {**rest, "text": piece, "document": document}
                row.pop("source", None)  # ours says which source this is
                yield row


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
