"""A learner's own records for fine-tuning: read line by line, checked, named where they are wrong.

Every line is held against its format before anything is trained, and a bad one is told by line and
column, with what to do. Good records are written to the course's folder as they are read and mapped
from there, with what was found wrong, so that memory stays the same for any size of file and a file
is checked once.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from datasets import Dataset, DatasetDict

from fmcourse import store
from fmcourse.data import record_files
from fmcourse.data.card import Card, Tally, card, values
from fmcourse.data.record_files import BadLine, Found
from fmcourse.data.record_formats import Message
from fmcourse.errors import CourseWarning, DataError
from fmcourse.sources.group import folded

SUFFIXES = (".jsonl", ".json")
SHOWN = 10  # bad lines that an error names
ROWS, CHARACTERS = 1_000, 4_000_000  # written at once, whichever comes first
VERSION = 1  # of the rules of reading; what was read under others is read again
_TURN = pa.struct({"role": pa.string(), "content": pa.string()})
_SCHEMA = pa.schema({"messages": pa.list_(_TURN), "line": pa.int64()})


@dataclass(frozen=True)
class Conversations:
    """What a file of records holds.

    Attributes:
        records: columns `messages` (list of role and content) and `line`, with a card.
        bad: the lines that are not in it, in order.
        format: the one format of the file.
        path: the file.
    """

    records: Dataset
    bad: tuple[BadLine, ...]
    format: str
    path: Path

    def save_bad(self, folder: Path | str) -> Path:
        """Write the bad records, as they stand there, to `<name>.bad.jsonl` and why to `.bad.txt`.

        A record that a `.json` file spreads over lines is written on one.

        Raises:
            DataError: the file is gone, or no longer the one that was read.
        """
        if _digest(self.path) != card(self.records).sources[self.path.name]:
            raise DataError("This file was changed since it was read.", where=self.path,
                            fix="Read it again.")
        with open(self.path, "rb") as file:
            lines = b"".join(_bytes(file, bad) + b"\n" for bad in self.bad)
        base = Path(folder) / self.path.stem
        store.atomic_write(f"{base}.bad.txt", "".join(f"{bad}\n" for bad in self.bad))
        return store.atomic_write(f"{base}.bad.jsonl", lines)


def conversations(path: Path | str, skip_bad: bool = False) -> Conversations:
    """Read records for fine-tuning: one JSON object a line, or a `.json` file with one list.

    The formats are those of `fmcourse.data.to_messages`; the first good record decides which one
    the file has. Records that are there twice are kept and warned of.

    Args:
        path: a `.jsonl` or `.json` file, UTF-8.
        skip_bad: leave bad lines out instead of raising; they are in `bad`.

    Raises:
        DataError: the file cannot be read, has no good record, or has bad ones (the first ten are
            named, with line and column).
    """
    path = Path(path).expanduser()
    folder, digest = _kept(path)
    found = store.read_json(folder / "found.json")
    bad = tuple(BadLine(**entry) for entry in found["bad"])
    if not found["good"] or (bad and not skip_bad):
        raise _refused(path, found["good"], bad)
    if found["copies"]:
        warnings.warn(CourseWarning(f"{found['copies']:,} of the {found['good']:,} records of "
                                    f"{path.name} are copies of earlier ones."), stacklevel=2)
    about = Card(path.name, {path.name: digest}, notes={
        "format": found["format"], "copies": found["copies"], "bad": len(bad)})
    about = about.step("checked records", found["good"], len(bad), found["format"])
    return Conversations(_with_card(_mapped(folder), about), bad, found["format"], path)


def split_conversations(records: Dataset, validation: float = 0.1, seed: int = 0) -> DatasetDict:
    """Parts train and validation of whole conversations, copies of one in the same part.

    What differs only in case or white space counts as a copy. Which part a conversation falls in
    hangs on a hash of its words, not on its place: the same on every machine and in any order.

    Args:
        records: as in `Conversations.records`.
        validation: share of the different conversations held out, at least one.
        seed: changes which.

    Raises:
        DataError: there are not two different conversations, or no such share.
    """
    if not 0 < validation < 1:
        raise DataError(f"A share of {validation} cannot be held out.", where="validation",
                        fix="Use a share between 0 and 1, such as 0.1.")
    keys = np.fromiter((_key(messages, seed) for messages in values(records, "messages")),
                       np.uint64, len(records))
    different = np.unique(keys)  # in ascending order, which for hashes is none
    if len(different) < 2:
        raise DataError("One conversation cannot be split.", where=card(records).name,
                        fix="Give at least two different records.")
    count = min(max(1, round(validation * len(different))), len(different) - 1)
    held = np.isin(keys, different[:count])
    return DatasetDict({
        part: _with_card(records.select(rows), card(records).step(
            f"{part} part", len(rows), len(records) - len(rows), "by conversation"))
        for part, rows in (("train", np.flatnonzero(~held)), ("validation", np.flatnonzero(held)))})


def _kept(path: Path) -> tuple[Path, str]:
    """The folder with what was read of a file, and the file's hash; read now if it is new."""
    digest = _digest(path)
    key = store.sha256_json([digest, record_files.is_list(path), VERSION])[:16]
    folder = store.folder("data", "conversations") / key
    with store.lock(folder):
        if not folder.exists():
            with store.atomic_folder(folder) as draft:
                found = _write(path, draft / "rows.arrow")
                store.write_json(draft / "found.json", asdict(found))
                if _digest(path) != digest:
                    raise DataError("This file was changed while it was read.", where=path,
                                    fix="Run it again when nothing writes there.")
    return folder, digest


def _digest(path: Path) -> str:
    if path.is_dir():
        raise DataError("This is a folder, not a file of records.", where=path,
                        fix="Name one .jsonl or .json file in it.")
    record_files.check_path(path, SUFFIXES)
    try:
        return store.sha256_file(path)
    except OSError as error:
        raise DataError(f"This file cannot be read: {error.strerror}.", where=path,
                        fix="Check its permissions.") from error


def _write(path: Path, rows: Path) -> Found:
    """Read a file and write its good records to another, a batch at a time."""
    found, batch, characters = Found(), [], 0
    with pa.OSFile(str(rows), "wb") as file, pa.ipc.new_stream(file, _SCHEMA) as writer:
        for row in record_files.records(path, found):
            batch.append(row)
            characters += sum(len(message["content"]) for message in row["messages"])
            if len(batch) >= ROWS or characters >= CHARACTERS:
                writer.write_batch(pa.RecordBatch.from_pylist(batch, _SCHEMA))
                batch, characters = [], 0
        writer.write_batch(pa.RecordBatch.from_pylist(batch, _SCHEMA))
    return found


def _key(messages: list[Message], seed: int) -> int:
    said = [[m["role"], folded(m["content"])] for m in messages]
    return int(store.sha256_json([seed, said])[:16], 16)


def _with_card(records: Dataset, about: Card) -> Dataset:
    """Attach a card, counted over conversations; `data.with_card` counts a column `text`."""
    tally, characters = Tally(), 0
    for messages in values(records, "messages"):
        tally.add(_canonical(messages))
        characters += sum(len(message["content"]) for message in messages)
    about = replace(about, documents=tally.texts, texts=tally.texts, characters=characters,
                    sha256=tally.sha256)
    records.info.description = json.dumps(asdict(about))
    return records


def _canonical(messages: list[Message]) -> str:
    return json.dumps([[m["role"], m["content"]] for m in messages], ensure_ascii=False)


def _mapped(folder: Path) -> Dataset:
    try:
        return Dataset.from_file(str(folder / "rows.arrow"))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"The kept records are damaged: {error}.", where=folder,
                        fix="Delete this folder; it is made again.") from error


def _bytes(file: IO[bytes], bad: BadLine) -> bytes:
    """A record as it stands in its file, on one line."""
    file.seek(bad.start)
    return file.read(bad.end - bad.start).rstrip(b"\r\n").replace(b"\n", b" ")


def _refused(path: Path, good: int, bad: tuple[BadLine, ...]) -> DataError:
    if not bad:
        return DataError("There is no record in this file.", where=path,
                         fix='Write one {"prompt": …, "completion": …} a line.')
    more = [f"and {len(bad) - SHOWN:,} more"] if len(bad) > SHOWN else []
    lines = "".join(f"\n  {line}" for line in [*bad[:SHOWN], *more])
    return DataError(f"{len(bad):,} of {good + len(bad):,} records cannot be used:{lines}",
                     where=path, fix="Correct these lines" + (
                         "; or leave them out: skip_bad=True, in a terminal --skip-bad."
                         if good else "."))
