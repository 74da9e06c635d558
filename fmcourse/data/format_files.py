"""Files of records in any format, checked in one pass and little memory.

`Reading` goes through a file or an instruction folder once. It yields what is good and counts what
is not, so that kept and dropped always add up to what was read; the first faults are remembered,
the rest only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmcourse.data import formats, jumpstart, record_files
from fmcourse.data.model_limits import Limits
from fmcourse.data.record_checks import Message, RecordError, located
from fmcourse.data.record_files import BadLine, Raw
from fmcourse.data.record_formats import Format
from fmcourse.errors import DataError

SHOWN = 10  # faults that are remembered
TABLES = (".csv", ".txt")
SUFFIXES = (".jsonl", ".json", ".manifest", *TABLES)


@dataclass
class Reading:
    """A file or instruction folder of records; iterate it for what is made of the good ones.

    Attributes:
        path: the file or folder.
        make: what is yielded for a good record, beside its place: made of its format, itself and
            what it says. A `RecordError` raised there drops the record.
        format: the one format to accept; None until the first good record has shown it.
        kept, dropped: records so far.
        bad: the first of those dropped, as file and fault.
    """

    path: Path
    make: Callable[[Format, dict[str, Any], list[Message]], Any]
    format: Format | None = None
    kept: int = 0
    dropped: int = 0
    bad: list[tuple[Path, BadLine]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = Path(self.path).expanduser()
        self.files = _files(self.path)
        if self.path.is_dir():
            self._demand(formats.INSTRUCTION, "A folder")
            self.format = jumpstart.instruction(jumpstart.template(self.path))
        elif self.path.suffix.lower() in TABLES:
            self._demand(formats.TEXT_FILE, f"A {self.path.suffix} file")
            self.format = formats.TEXT_FILE
        elif self.format and self.format.name == formats.INSTRUCTION.name:
            raise DataError("An instruction folder is a folder, with its template.",
                            where=self.path, fix="Name the folder.")
        elif self.format is formats.TEXT_FILE and self.path.suffix.lower() != ".json":
            raise DataError(f"JumpStart text is not read from '{self.path.suffix}' files.",
                            where=self.path, fix="Use .csv, .json or .txt.")

    def _demand(self, form: Format, what: str) -> None:
        if self.format and self.format.name != form.name:
            raise DataError(f"{what} holds {form.name}, not {self.format.name}.", where=self.path,
                            fix="Name a .jsonl file, or leave the format out.")

    @property
    def read(self) -> int:
        """Records so far."""
        return self.kept + self.dropped

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(path.stat().st_size for path in self.files)

    def __iter__(self) -> Iterator[tuple[Raw, Any]]:
        for path in self.files:
            try:
                yield from self._of(path)
            except OSError as error:
                raise DataError(f"This cannot be read: {error.strerror}.", where=path,
                                fix="Check its permissions.") from error

    def _of(self, path: Path) -> Iterator[tuple[Raw, Any]]:
        for raw, made in (jumpstart.rows(path, self._made) if path.suffix.lower() in TABLES else
                          record_files.each(path, self._text)):
            if isinstance(made, BadLine):
                self.dropped += 1
                if len(self.bad) < SHOWN:
                    self.bad.append((path, made))
            else:
                self.kept += 1
                yield raw, made

    def _text(self, text: str) -> Any:
        (record, parts), form = formats.read(text, self.format)
        try:
            made = self.make(form, record, parts)
        except RecordError as error:
            raise located(text, error) from error
        self.format = form
        return made

    def _made(self, record: dict[str, str]) -> Any:
        (record, parts), form = formats.check(record, self.format)
        return self.make(form, record, parts)

    def complaint(self) -> str:
        """The first faults and how many more there are, a line each; nothing if there are none."""
        lines = [f"  {path.name}, {bad}" for path, bad in self.bad]
        more = [f"  and {self.dropped - len(self.bad):,} more"] * (self.dropped > len(self.bad))
        return "\n".join(lines + more)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        if found := sorted(path.glob("*.jsonl")):
            return found
        raise DataError("There is no .jsonl file in this folder.", where=path,
                        fix="Name a file, or a folder as JumpStart wants it.")
    record_files.check_path(path, SUFFIXES)
    return [path]


def check_file(path: Path | str, form: Format | None = None,
               limits: Limits | None = None) -> tuple[Reading, list[str]]:
    """Read a file or instruction folder to its end.

    Args:
        path: `.jsonl`, `.json`, `.manifest`, `.csv` or `.txt`, or a folder.
        form: the format that it must have; by default the first good record decides.
        limits: of the model that it is for; records beyond them are dropped too.

    Returns:
        The counts and the records that are wrong; and what is wrong with the whole, in sentences.

    Raises:
        DataError: nothing can be read of it.
    """
    obstacle: DataError | None = None  # the first one, to converting what is of another format

    def within(form: Format, record: dict[str, Any], parts: list[Message]) -> None:
        nonlocal obstacle
        if limits and form.name in limits.formats:
            limits.check_record(record, parts)
        elif limits and not obstacle:
            try:
                limits.check_convertible(record, parts, form)
            except DataError as error:
                obstacle = error

    reading = Reading(Path(path), within, form)
    for _ in reading:
        pass
    if not reading.kept:
        return reading, ["There is no good record here."]
    if not limits:
        return reading, []
    return reading, list(limits.faults(reading.files[0].name, reading.size, reading.format,
                                       reading.kept, obstacle))
