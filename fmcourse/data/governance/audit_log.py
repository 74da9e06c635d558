"""An audit log in which nothing can be changed unseen: every line holds the hash of the one before.

A line is one JSON object: number, time, who, what was done, to what (name and hash), for which
purpose, the hash of the line before, and its own. Changing, deleting, inserting or reordering
lines breaks the chain there (Haber and Stornetta 1991, "How to time-stamp a digital document").
What a chain cannot show:

- that its end is missing: for that the last hash and the count are kept beside it (`head`), and
  should also be kept where whoever can write the log cannot;
- that someone rewrote all of it, hashes included: for that the hashes can be keyed (HMAC, RFC
  2104), with a key that is not kept with the log;
- what was never logged.

Lines are written one at a time, under a lock between processes, and flushed to disk. A kill may
leave half a line at the end: the next writer sets it aside, logs that it did, and goes on.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fmcourse import store
from fmcourse.errors import StoreError

START = "0" * 64  # what the first line holds in the place of a hash
TORN = "torn line set aside"


@dataclass(frozen=True)
class Entry:
    """One line: `number` from 0, `when` in UTC, `who` did what (`event`) to `what`.

    `sha256` is the hash of what was touched, `purpose` what for; `note` says more. `before` is the
    hash of the line before, `hash` that of this one.
    """

    number: int
    when: str
    who: str
    event: str
    what: str
    sha256: str
    purpose: str
    note: str
    before: str
    hash: str


@dataclass(frozen=True)
class Head:
    """How many lines there were, and the hash of the last: what a log is later held against."""

    count: int
    hash: str


@dataclass(frozen=True)
class Fault:
    """The first place where a log is not what it should be; `line` counts from 1."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


class AuditLog:
    """A log on disk, written only at its end.

    Args:
        path: of the `.jsonl` file; it and its folder are made with the first line.
        key: keys the hashes; whoever has none can neither write a line nor make a new chain.
        now: tells the time, for tests.
    """

    def __init__(self, path: Path | str, key: bytes | str | None = None,
                 now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self.path, self._now = Path(path), now
        self._key = key.encode() if isinstance(key, str) else key

    def add(self, event: str, what: str, *, who: str, sha256: str = "", purpose: str = "",
            note: str = "") -> Entry:
        """Write one line, and the new head.

        Raises:
            StoreError: the end of the log is not as it was left; see `verify`.
        """
        with store.lock(self.path):
            head, last = self._kept_head(), self._last()
            if last is None and self.path.exists() and self.path.stat().st_size:
                last = self._mend(head)
            elif not _follows(last, head):
                raise StoreError("The end of this log is not as it was left.", where=self.path,
                                 fix="Look at it with verify(); begin a new log.")
            return self._append(last, event, what, who, sha256, purpose, note)

    def entries(self) -> list[Entry]:
        """All lines, whole or not chained; those that cannot be read are left out."""
        found = (self._parsed(line) for line, _ in self._lines())
        return [entry for entry in found if entry]

    @property
    def head(self) -> Head:
        """Count and hash as they are now, to be kept elsewhere."""
        last = self._last()
        return Head(last.number + 1, last.hash) if last else Head(0, START)

    @property
    def head_path(self) -> Path:
        """The file beside the log that holds the head."""
        return self.path.with_suffix(".head.json")

    def verify(self, head: Head | None = None) -> Fault | None:
        """The first fault, or None if every line is as it was written.

        Args:
            head: one that was kept elsewhere; by default the one beside the log. The log may have
                grown since, but what it had then must be there still.
        """
        before, count, hashes = START, 0, [START]
        for count, (line, whole) in enumerate(self._lines(), 1):
            entry = self._parsed(line)
            fault = "the line is not whole" if not whole else self._fault(
                entry, line, count - 1, before)
            if fault:
                return Fault(count, fault)
            before = entry.hash
            hashes.append(before)
        return self._ends_early(head, hashes)

    def _ends_early(self, head: Head | None, hashes: list[str]) -> Fault | None:
        count = len(hashes) - 1
        try:
            head = head or self._kept_head(count)
        except StoreError as error:
            return Fault(count + 1, error.what)
        if head.count > count:
            return Fault(count + 1, f"lines are missing: there were {head.count}")
        if hashes[head.count] != head.hash:
            return Fault(max(head.count, 1), "this line is not the one that was the last then")
        return None

    def _kept_head(self, lines: int = 0) -> Head:
        """The head beside the log; of a log without lines, there need be none."""
        if not lines and not self.head_path.exists() and not self.path.exists():
            return Head(0, START)
        try:
            head = Head(**store.read_json(self.head_path))
        except (StoreError, TypeError):
            head = Head(-1, "")
        if type(head.count) is int and type(head.hash) is str and head.count >= 0:
            return head
        raise StoreError("The head that was kept beside the log is gone or broken.",
                         where=self.head_path, fix="Look at the log; begin a new one.")

    def _lines(self) -> Iterator[tuple[bytes, bool]]:
        """Each line, and whether it has its end."""
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            for line in file:
                yield line.removesuffix(b"\n"), line.endswith(b"\n")

    def _parsed(self, line: bytes) -> Entry | None:
        try:
            entry = Entry(**json.loads(line))
        except (ValueError, TypeError, RecursionError):
            return None
        kinds = {name: type(value) for name, value in asdict(entry).items()}
        return entry if kinds == _KINDS else None

    def _fault(self, entry: Entry | None, line: bytes, number: int, before: str) -> str:
        """What is wrong with a line; nothing, as it should be."""
        if entry is None:
            return "this is no line of an audit log"
        if entry.before != before or entry.number != number:
            return "the line before was changed, or lines are missing, added or out of order"
        if line != _line(asdict(entry)) or not hmac.compare_digest(
                entry.hash, self._hash(asdict(entry))):
            return "the line was changed" + (", or is under another key" if self._key else "")
        return ""

    def _hash(self, told: dict[str, Any]) -> str:
        content = _line({name: value for name, value in told.items() if name != "hash"})
        if self._key:
            return hmac.new(self._key, content, hashlib.sha256).hexdigest()
        return hashlib.sha256(content).hexdigest()

    def _last(self) -> Entry | None:
        """The last line, if it is whole; read from the end, however long the log is."""
        if not self.path.exists():
            return None
        with open(self.path, "rb") as file:
            line = _tail(file)
        entry = self._parsed(line.removesuffix(b"\n")) if line.endswith(b"\n") else None
        return entry if entry and entry.hash == self._hash(asdict(entry)) else None

    def _append(self, last: Entry | None, event: str, what: str, who: str, sha256: str,
                purpose: str, note: str) -> Entry:
        told = {"number": last.number + 1 if last else 0,
                "when": self._now().astimezone(UTC).isoformat(timespec="microseconds"),
                "who": str(who), "event": str(event), "what": str(what), "sha256": sha256,
                "purpose": purpose, "note": note, "before": last.hash if last else START}
        told["hash"] = self._hash(told)
        if not last:
            store.write_json(self.head_path, asdict(Head(0, START)))
        _add_bytes(self.path, _line(told) + b"\n")
        entry = Entry(**told)
        store.write_json(self.head_path, asdict(Head(entry.number + 1, entry.hash)))
        return entry

    def _mend(self, head: Head) -> Entry | None:
        """Set half a line at the end aside, and say so in the log.

        Raises:
            StoreError: the end is no half line, but was changed.
        """
        content = self.path.read_bytes()
        whole, _, torn = content.rpartition(b"\n")
        if not torn or content.count(b"\n") < head.count:
            raise StoreError("The last line of this log is not as it was written.",
                             where=self.path, fix="Look at it with verify(); begin a new log.")
        aside = store.sha256_text(torn)
        store.atomic_write(self.path.with_name(f"{self.path.name}.torn-{aside[:8]}"), torn)
        os.truncate(self.path, len(whole) + 1 if whole else 0)
        return self._append(self._last(), TORN, self.path.name, "audit log", aside, "",
                            f"{len(torn)} bytes")


_KINDS = {field.name: int if field.name == "number" else str for field in fields(Entry)}


def _follows(last: Entry | None, head: Head) -> bool:
    """Whether a log ends where its head says, or a line later: a kill may have come between."""
    count, digest = (last.number + 1, last.hash) if last else (0, START)
    return (count, digest) == (head.count, head.hash) or (
        last is not None and (last.number, last.before) == (head.count, head.hash))


def _line(told: dict[str, Any]) -> bytes:
    """The one way to write a line; names in the order of `Entry`."""
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()


def _tail(file: Any, block: int = 65_536) -> bytes:
    """The bytes after the last line end but one."""
    size, tail = file.seek(0, os.SEEK_END), b""
    while size and tail.count(b"\n", 0, -1) == 0:
        step = min(block, size)
        size = file.seek(size - step)
        tail = file.read(step) + tail
    return tail[tail.rfind(b"\n", 0, -1) + 1:]


def _add_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
