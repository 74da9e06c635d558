"""A file of records in another format: everything of it, or nothing.

It is written beside its place and renamed when it is complete, a record at a time, so that neither
a fault nor a kill leaves half a file.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from fmcourse import store
from fmcourse.data import formats, jumpstart
from fmcourse.data.format_files import Reading
from fmcourse.data.record_checks import Message, RecordError
from fmcourse.data.record_files import LINE, Raw
from fmcourse.data.record_formats import Format
from fmcourse.errors import CourseWarning, DataError

TRAIN = "train.jsonl"
_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def convert_file(path: Path | str, target: Format, out: Path | str, form: Format | None = None,
                 skip_bad: bool = False, force: bool = False) -> Reading:
    """Write the records of a file in another format, each whole.

    Into its own format a file's good records are copied as they stand.

    Args:
        path: as for `check_file`.
        target: the format to write.
        out: the file to write: `.jsonl`; for a manifest also `.manifest`; for text of JumpStart
            `.csv`, or `.txt` if there is one text. For an instruction folder the folder.
        form: as for `check_file`.
        skip_bad: leave out what is wrong or would lose something; by default there is no file then.
        force: replace what is there.

    Returns:
        The counts of what was read.

    Raises:
        DataError: something cannot be read, converted or written; the first ten are named.
    """
    path, out = Path(path).expanduser(), Path(out).expanduser()
    _check_out(out, target, force)

    def make(source: Format, record: dict[str, Any], parts: list[Message]) -> bytes | None:
        formats.check_kinds(source, target)
        if _is_copied(source, target):
            return None
        new = formats.rewritten(record, parts, source, target)
        if target.name == formats.TEXT_FILE.name:
            return _as_text(new["Text"], out, is_first=not reading.kept)
        line = formats.as_line(new).encode() + b"\n"
        if len(line) > LINE:
            raise RecordError(f"As {target.title} this is longer than {LINE:,} bytes.", (),
                              "Cut it into shorter records.")
        return line

    reading = Reading(path, make, form)
    with _written(out, target) as file:
        for raw, line in reading:
            file.write(_line(raw) if line is None else line)
        if not reading.kept or (reading.dropped and not skip_bad):
            raise _refused(reading, target)
    if reading.format.name == formats.REINFORCEMENT.name != target.name:
        warnings.warn(CourseWarning("each reference answer is an assistant's message now: see that "
                                    "they are answers, not criteria for a grader."), stacklevel=2)
    return reading


def _as_text(text: str, out: Path, is_first: bool) -> bytes:
    """A quoted cell of a CSV file, or the one text of a TXT file as it is."""
    if out.suffix.lower() == ".csv":
        return ('"' + text.replace('"', '""') + '"\n').encode()
    if not is_first:
        raise RecordError("A .txt file holds one text: where this one begins would be lost.", (),
                          "Write a .csv file.")
    if text.startswith("\ufeff"):
        raise RecordError("A byte order mark at the beginning of a .txt file would be lost.", (),
                          "Remove it, or write a .csv file.")
    return text.encode()


def _is_copied(source: Format, target: Format) -> bool:
    """Whether a record's line can be copied: its format is the same and made of JSON lines."""
    return source.name == target.name and \
        target.name not in (formats.INSTRUCTION.name, formats.TEXT_FILE.name)


def _refused(reading: Reading, target: Format) -> DataError:
    if not reading.read:
        return DataError("There is no record here.", where=reading.path, fix="Name another file.")
    return DataError(f"{reading.dropped:,} of {reading.read:,} records cannot be written as "
                     f"{target.title}, and nothing was written:\n{reading.complaint()}",
                     where=reading.path, fix="Correct these records" + (
                         "; or leave them out: --skip-bad." if reading.kept else "."))


def _check_out(out: Path, target: Format, force: bool) -> None:
    suffixes = {formats.INSTRUCTION.name: ("",), formats.TEXT_FILE.name: (".csv", ".txt"),
                formats.GROUND_TRUTH.name: (".jsonl", ".manifest")}.get(target.name, (".jsonl",))
    if out.suffix.lower() not in suffixes:
        raise DataError(f"{target.title} is not written as '{out.name}'.", where=out, fix=(
            f"End the name in {' or '.join(suffixes)}." if suffixes[0] else
            "Name a folder, without an ending."))
    if out.exists() and not force:
        raise DataError("There is something here already.", where=out,
                        fix="Choose another name, or replace it: --force.")
    if out.is_dir():
        others = {path.name for path in out.iterdir()} - {TRAIN, jumpstart.TEMPLATE}
        if suffixes[0] or others:
            raise DataError("This folder is not one that was written here, and stays.", where=out,
                            fix="Choose another name.")


@contextlib.contextmanager
def _written(out: Path, target: Format) -> Iterator[IO[bytes]]:
    """Yield a file for records; it becomes `out`, or part of it, when the block ends well."""
    with contextlib.ExitStack() as stack:
        try:
            if target.name == formats.INSTRUCTION.name:
                folder = stack.enter_context(store.atomic_folder(out))
                store.write_json(folder / jumpstart.TEMPLATE, asdict(jumpstart.PLAIN))
                file: IO[bytes] = stack.enter_context(open(folder / TRAIN, "wb"))
            else:
                file = stack.enter_context(store.atomic_file(out))
        except OSError as error:
            raise DataError(f"This cannot be written: {error.strerror}.", where=out,
                            fix="Choose a folder that you can write to.") from error
        if out.suffix.lower() == ".csv":
            file.write(b'"Text"\n')
        yield file


def _line(raw: Raw) -> bytes:
    """A record as it stands in its file, on one line: between values line ends mean nothing."""
    return raw.data.strip().translate(_ON_ONE_LINE) + b"\n"
