"""The mock exam: 65 questions of which 50 count, 90 minutes, and no help until the end.

What is known of the real one (November 2026): 50 questions are scored and 15 more are not, nobody
says which; a missing answer costs no more than a wrong one; it is passed as a whole, at 700 of a
scale from 100 to 1,000 that nobody outside can compute, so this one reports the raw share of right
answers and no such number. The 90 minutes are on other people's pages only. Ours asks about the
course's task statements alone, which are a part of the real exam.

Every step is a pure function from a mock to a mock; `Sheet` keeps the one that is under way in a
file that is never half-written. The clock counts the seconds spent on questions, so that a crash,
or a night's sleep, costs none: in the real exam it would.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import Timeout

from fmcourse import store, user_data
from fmcourse.errors import ExamError, StoreError
from fmcourse.exam.grade import Result, check_answer, grade
from fmcourse.exam.item import Answer, Item

QUESTIONS, COUNTED, MINUTES = 65, 50, 90


@dataclass(frozen=True)
class Mock:
    """A mock exam, under way or finished.

    Attributes:
        seed: of the choice of items and the order of their options.
        began: date and time, ISO.
        items: ids, in the order asked.
        extra: ids among them that do not count; the candidate is not told before the end.
        minutes: allowed.
        digest: of what was asked, so that an answer is never held against another question.
        answers: item → answer.
        flagged: ids to come back to.
        place: index of the question being looked at.
        spent: seconds used.
        finished: whether it was handed in, or time ran out.
    """

    seed: int
    began: str
    items: tuple[str, ...]
    extra: tuple[str, ...]
    minutes: float
    digest: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    flagged: tuple[str, ...] = ()
    place: int = 0
    spent: float = 0.0
    finished: bool = False

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, 60 * self.minutes - self.spent)

    @property
    def current(self) -> str:
        """Id of the question being looked at."""
        return self.items[self.place]

    @property
    def open(self) -> tuple[str, ...]:
        """Ids without an answer."""
        return tuple(name for name in self.items if name not in self.answers)

    @property
    def about(self) -> str:
        """How it compares with the real exam, in a sentence."""
        counted = len(self.items) - len(self.extra)
        told = (f"{len(self.items)} questions, of which {counted} count, in "
                f"{self.minutes:g} minutes")
        if len(self.items) == QUESTIONS:
            return told + "."
        return (f"{told}: shorter than the real exam's {QUESTIONS} in {MINUTES}, since the bank "
                "has no more.")


def draw(bank: Sequence[Item], seed: int, began: datetime) -> Mock:
    """Choose questions: as many claims as there are, in turn, so that none is left to chance.

    Args:
        bank: to choose from; with fewer than 65 the mock is shorter, in proportion.
        seed: the same seed and bank give the same questions.
        began: written down.

    Raises:
        ExamError: the bank is empty.
    """
    if not bank:
        raise ExamError("There is nothing to ask.", fix="Take a bank that has items.")
    chance = random.Random(seed)
    piles: dict[str, list[Item]] = {}
    for item in sorted(bank, key=lambda one: one.id):
        piles.setdefault(item.claim, []).append(item)
    for pile in piles.values():
        chance.shuffle(pile)
    order = chance.sample(sorted(piles), len(piles))
    dealt = [piles[claim][turn] for turn in range(max(map(len, piles.values())))
             for claim in order if turn < len(piles[claim])][:QUESTIONS]
    names = chance.sample([item.id for item in dealt], len(dealt))
    extra = chance.sample(names, len(names) - round(len(names) * COUNTED / QUESTIONS))
    return Mock(seed, began.isoformat(timespec="seconds"), tuple(names), tuple(sorted(extra)),
                max(1, round(MINUTES * len(names) / QUESTIONS)), digest(dealt))


def digest(items: Iterable[Item]) -> str:
    """A hash of what is asked and what is right, whatever the order."""
    return store.sha256_json(sorted([one.id, one.type, one.stem, *one.key, *one.options.items(),
                                     *one.prompts.items()] for one in items))


def spend(mock: Mock, seconds: float) -> Mock:
    """Let time pass; when none is left the mock is finished."""
    later = replace(mock, spent=mock.spent + seconds)
    return later if later.left else replace(later, finished=True)


def answer(mock: Mock, item: Item, given: Answer) -> Mock:
    """Put down an answer, in place of an earlier one; () takes it back.

    Raises:
        ExamError: the mock is finished, does not ask this, or it is no answer to it.
    """
    if mock.finished:
        raise ExamError("This mock exam is over.", where=mock.began, fix="Begin a new one.")
    if item.id not in mock.items:
        raise ExamError("This mock exam does not ask that.", where=item.id)
    if given:
        check_answer(item, given)
    kept = {name: one for name, one in mock.answers.items() if name != item.id}
    return replace(mock, answers=kept | ({item.id: given} if given else {}))


def flag(mock: Mock) -> Mock:
    """Mark the current question to come back to, or take the mark off."""
    flagged = set(mock.flagged) ^ {mock.current}
    return replace(mock, flagged=tuple(name for name in mock.items if name in flagged))


def go(mock: Mock, place: int) -> Mock:
    """Look at another question, from 0; beyond the ends there is none.

    Raises:
        ExamError: there is no such question.
    """
    if not 0 <= place < len(mock.items):
        raise ExamError(f"There is no question {place + 1}.",
                        fix=f"Choose from 1 to {len(mock.items)}.")
    return replace(mock, place=place)


def finish(mock: Mock) -> Mock:
    """Hand it in."""
    return replace(mock, finished=True)


def results(mock: Mock, bank: Iterable[Item]) -> tuple[Result, ...]:
    """Every question graded, in the order asked; one without an answer is wrong."""
    known = {item.id: item for item in bank}
    return tuple(grade(known[name], mock.answers.get(name, ())) for name in mock.items)


class Sheet:
    """The file of the mock that is under way; finished ones are kept beside it, by date."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or user_data.folder("progress")
        self.path = self.folder / "mock.json"

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
        """The mock that is under way, or None.

        Raises:
            StoreError: the file is damaged.
            ExamError: its questions have changed since.
        """
        if not self.path.exists():
            return None
        mock = from_json(store.read_json(self.path), self.path)
        if digest(item for item in bank if item.id in mock.items) != mock.digest:
            raise ExamError("The questions of this mock exam have changed since it began.",
                            where=self.path, fix="Begin a new one: fmcourse exam mock --new")
        return mock

    def discard(self) -> None:
        """Forget the mock that is under way."""
        self.path.unlink(missing_ok=True)


def from_json(raw: Any, where: object) -> Mock:
    """A mock exam of what `Sheet` wrote.

    Raises:
        StoreError: it is none, or damaged.
    """
    try:
        tuples = {name: tuple(raw[name]) for name in ("items", "extra", "flagged")}
        given = {str(name): tuple(one) for name, one in raw["answers"].items()}
        mock = Mock(**{**raw, **tuples, "answers": given})
        whole = (all(isinstance(one, str) for part in (*tuples.values(), *given.values())
                     for one in part)
                 and {*mock.extra, *mock.flagged, *given} <= {*mock.items}
                 and mock.place in range(len(mock.items)) and 0 <= mock.spent < math.inf
                 and 0 < mock.minutes < math.inf
                 and isinstance(mock.seed, int) and isinstance(mock.finished, bool)
                 and bool(datetime.fromisoformat(mock.began)) and isinstance(mock.digest, str))
    except (TypeError, KeyError, AttributeError, ValueError):
        whole = False
    if not whole:
        raise StoreError("This is not a mock exam.", where=where,
                         fix="Begin a new one: fmcourse exam mock --new")
    return mock
