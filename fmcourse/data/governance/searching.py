r"""Looking for somebody in data, whatever a file makes of their name.

A name need not stand in a file as it is read: JSON may write "René" as `Ren\u00e9` and quotes as
`\"`, CSV doubles them, and Parquet is compressed. So records are parsed and their values looked at:
every text in them, however deep in lists and objects, and numbers and dates as they are printed.
Names of columns and keys are no values: they are the same in all records.

What cannot be parsed is searched as it stands, which may miss a name; that is told, and so is what
could not be searched at all. Memory holds a record, but the whole of a `.json` file.
"""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import load_from_disk

from fmcourse import sources, store
from fmcourse.errors import CourseError
from fmcourse.sources import local
from fmcourse.sources.pieces import blocks, pieces
from fmcourse.sources.records import TEXTS

SEAM = 1000  # characters on either side of where a long text is cut, that are searched together
SHOWN = 3  # faults that are told; the rest are counted


@dataclass
class Search:
    """For a person's words, or for one record by the hash of its text.

    Attributes:
        records: that hold it, so far.
        faults: what could not be searched, or not as it should be, and why.
    """

    words: str = ""
    record: str = ""
    records: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.words = alike(self.words)

    def holds(self, record: Any) -> bool:
        """Whether one record says it."""
        if self.record:
            return store.sha256_text(whole(record)) == self.record
        return any(self.words in alike(value) for value in said(record))

    def count(self, records: Iterable[Any]) -> None:
        """Count those that say it."""
        self.records += sum(map(self.holds, records))

    def why(self) -> str:
        """The first faults, and how many more; nothing, if all was searched."""
        more = [f"and {len(self.faults) - SHOWN:,} more"] * (len(self.faults) > SHOWN)
        return "; ".join([*self.faults[:SHOWN], *more])


def alike(text: str) -> str:
    r"""What looks the same as the same: no case, one space for any white space, Unicode NFKC.

    >>> alike("ANNE-MARIE\n  Stra\u00dfe") == alike("Anne-Marie STRASSE")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def said(value: Any) -> Iterator[str]:
    """Every value within a record, as text.

    >>> list(said({"messages": [{"role": "user", "content": "Hi"}], "n": 7, "none": None}))
    ['user', 'Hi', '7']
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield _raw(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from said(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from said(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def whole(record: Any) -> str:
    """A record's text; without a column `text`, all of it as JSON."""
    text = record.get("text") if isinstance(record, dict) else record
    return text if isinstance(text, str) else json.dumps(record, ensure_ascii=False, default=str)


def in_dataset(folder: Path, search: Search) -> None:
    """Look through a saved data set, in all its columns."""
    try:
        search.count(load_from_disk(str(folder)))
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        search.faults.append(f"it cannot be read: {_first_line(error)}")


def in_source(name: str, path: Path, search: Search) -> None:
    """Look through a source: a registered one as its reader has it, a file, a folder's files."""
    if name in sources.registry():
        try:
            search.count(sources.load(name))
        except CourseError as error:
            search.faults.append(error.what)
        return
    closed = local.Skipped()
    local.files(path, closed)  # tells folders that cannot be opened, and links to folders
    search.faults += [f"{place}: {why}" for place, why in closed.files.items()]
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file() and (file.suffix.lower() in READERS or not file.name.startswith(".")):
            _in_file(file, "" if file == path else f"{file.relative_to(path).as_posix()}: ", search)


def _in_file(path: Path, place: str, search: Search) -> None:
    """Look through one file; `place` is put before what is told of it."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        search.faults.append(f"{place}files of type '{path.suffix}' are not read")
        return
    within = Search(search.words, search.record)
    try:
        reader(path, within)
    except (OSError, pa.ArrowException) as error:
        within.faults.append(f"it cannot be read: {_first_line(error)}")
    except (ValueError, RecursionError, csv.Error, CourseError) as error:
        within.faults.append(f"searched as it stands, for: {_first_line(error)}")
        within.records = max(within.records, within.holds(_raw(path.read_bytes())))
    search.records += within.records
    search.faults += [place + fault for fault in within.faults]


def _text(path: Path, search: Search) -> None:
    """A text file is one record, found once."""
    search.records += _within(pieces(blocks(path)), search)


def _within(texts: Iterable[str], search: Search) -> bool:
    before = ""
    for piece in texts:
        if search.holds(piece) or (search.words and search.holds(before + piece[:SEAM])):
            return True
        before = piece[-SEAM:]
    return False


def _json(path: Path, search: Search) -> None:
    """One JSON value, its elements being the records if it is a list; else JSON lines."""
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        _json_lines(path, search)
    else:
        search.count(value if isinstance(value, list) else [value])


def _json_lines(path: Path, search: Search) -> None:
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip()
            try:
                search.count([json.loads(text.decode())] if text else [])
            except (ValueError, RecursionError):
                search.faults.append(f"line {number} is not JSON, and was searched as it stands")
                search.count([_raw(text)])


def _table(path: Path, search: Search) -> None:
    """Rows of a table, the first one too: it may be no heading."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        search.count(csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ","))


def _parquet(path: Path, search: Search) -> None:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(100):
            search.count(batch.to_pylist())


def _raw(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _first_line(error: Exception) -> str:
    told = error.what if isinstance(error, CourseError) else str(error)
    return told.strip().partition("\n")[0].rstrip(".") or type(error).__name__


READERS: dict[str, Callable[[Path, Search], None]] = {
    **dict.fromkeys(TEXTS, _text), ".jsonl": _json_lines, ".manifest": _json_lines, ".json": _json,
    ".csv": _table, ".tsv": _table, ".parquet": _parquet}
