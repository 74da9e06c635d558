"""The file of the mock exam that is under way: never half-written, read with care.

A file that somebody or a failing disk has damaged is moved aside, with what it still holds, and
what was lost is said. The next mock exam goes on without it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import Timeout

from fmcourse import store, user_data
from fmcourse.errors import ExamError, StoreError
from fmcourse.exam.grade import check_answer
from fmcourse.exam.item import Item
from fmcourse.exam.mock import Mock, digest

NAMES = ("items", "extra", "flagged")  # fields that hold ids


class Sheet:
    """The file of the mock that is under way; finished ones are kept beside it, by date.

    Attributes:
        folder, path: where it lies.
        aside: where the last `load` moved a damaged file, or None.
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder or user_data.folder("progress")
        self.path = self.folder / "mock.json"
        self.aside: Path | None = None

    @property
    def lost(self) -> str:
        """What a damaged file has cost, in words; '' if none was found."""
        if self.aside is None:
            return ""
        return ("The mock exam that was under way cannot be read: its file is damaged. Its answers "
                "are lost; those of practice, of reviews and of mock exams handed in are not. The "
                f"file was moved to {self.aside}.")

    @contextmanager
    def alone(self) -> Iterator[Sheet]:
        """Nobody else takes the same mock meanwhile; a crash gives it free.

        Raises:
            ExamError: somebody does.
        """
        try:
            with store.lock(self.path).acquire(timeout=0):
                yield self
        except Timeout as error:
            raise ExamError("This mock exam is being taken in another window.", where=self.path,
                            fix="Go on there, or close it.") from error

    def save(self, mock: Mock) -> None:
        """Write it down, whole or not at all."""
        if not mock.finished:
            store.write_json(self.path, asdict(mock))
            return
        name = mock.began.replace(":", "-")
        store.write_json(self.folder / "mocks" / f"{name}.json", asdict(mock))
        self.path.unlink(missing_ok=True)

    def load(self, bank: Iterable[Item]) -> Mock | None:
        """The mock that is under way; None if there is none, or if its file was damaged (`lost`).

        Raises:
            ExamError: its questions have changed since.
        """
        self.aside = None
        if not self.path.exists():
            return None
        try:
            mock = read(store.read_json(self.path))
            asked = {item.id: item for item in bank if item.id in mock.items}
            if digest(asked.values()) != mock.digest:
                raise _Changed
            for name, given in mock.answers.items():
                check_answer(asked[name], given)
        except _Changed:
            raise ExamError("The questions of this mock exam have changed since it began.",
                            where=self.path, fix="Begin a new one: fmcourse exam mock --new, or "
                                                 "room.mock(new=True).") from None
        except (StoreError, ExamError, ValueError, RecursionError):
            self.aside = self._put_aside()
            return None
        return mock

    def discard(self) -> None:
        """Forget the mock that is under way."""
        self.path.unlink(missing_ok=True)

    def _put_aside(self) -> Path:
        """Move the file to a name that nothing reads."""
        target = self.path.with_name(f"mock-damaged-{datetime.now():%Y-%m-%dT%H-%M-%S-%f}.json")
        os.replace(self.path, target)
        return target


class _Changed(Exception):  # noqa: N818  (never leaves this module)
    """The bank asks other questions by now."""


def read(raw: Any) -> Mock:
    """A mock of what its file says.

    Raises:
        ValueError: it is no mock that `Sheet.save` could have written.
    """
    if not isinstance(raw, dict) or raw.keys() != Mock.__dataclass_fields__.keys():
        raise ValueError("other fields")
    if not _fits(raw):
        raise ValueError("values that do not fit")
    datetime.fromisoformat(raw["began"])
    return Mock(**{**raw, **{name: tuple(raw[name]) for name in NAMES},
                   "answers": {name: tuple(given) for name, given in raw["answers"].items()}})


def _fits(raw: Mapping[str, Any]) -> bool:
    """Whether every field is of its type, and speaks of questions that are asked."""
    if not all(map(_texts, (raw[name] for name in NAMES))):
        return False
    asked, answers = set(raw["items"]), raw["answers"]
    return (bool(asked) and len(asked) == len(raw["items"])
            and asked >= {*raw["extra"], *raw["flagged"]}
            and isinstance(answers, dict) and asked >= answers.keys()
            and all(_texts(given) and given for given in answers.values())
            and type(raw["seed"]) is int and type(raw["finished"]) is bool
            and type(raw["place"]) is int and 0 <= raw["place"] < len(asked)
            and _number(raw["minutes"]) and raw["minutes"] > 0 and _number(raw["spent"])
            and isinstance(raw["began"], str) and isinstance(raw["digest"], str))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0
