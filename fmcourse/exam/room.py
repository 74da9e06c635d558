"""The exam room in a notebook: practise, take a mock exam, review what is due, check a lesson.

The same items, grader and files as `fmcourse exam` in a terminal, so that one can go on where the
other stopped. Where nobody answers, `simulate` of each box stands in, and says so.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime

from fmcourse.errors import ExamError, meant
from fmcourse.exam import bank as banks
from fmcourse.exam import mock as mocks
from fmcourse.exam import review as reviews
from fmcourse.exam.check_box import CheckBox, varied
from fmcourse.exam.item import Item
from fmcourse.exam.mock_box import MockBox
from fmcourse.exam.practice_box import PracticeBox
from fmcourse.exam.sheet import Sheet


def practice(about: str | Sequence[str] = (), count: int = 10, *, seed: int | None = None
             ) -> PracticeBox:
    """A box that asks items, each explained at once; those never answered come first.

    Args:
        about: claims ('K9') and numbers of lessons ('02'), one or several; none means all.
        count: at most so many.
        seed: of the choice and of the order of options; by default another each day.

    Raises:
        ExamError: there is no such claim, or no item about it.
    """
    seed = datetime.now().toordinal() if seed is None else seed
    names = [about] if isinstance(about, str) else about
    items = reviews.practice(chosen(banks.load(), names), seed)[:count]
    return PracticeBox(lambda results: items[len(results):], seed, reviews.record)


def check(lesson: str, count: int = 3) -> CheckBox:
    """A box with a few items that this lesson shows, always the same ones, of several types.

    Args:
        lesson: its number, such as '02'.
        count: how many.

    Raises:
        ExamError: no item is shown there.
    """
    items = [item for item in banks.load() if item.shown and item.shown.lesson == lesson]
    if not items:
        raise ExamError(f"No item is shown in lesson '{lesson}'.", where="room.check",
                        fix="Name a lesson by its number, such as '02'.")
    return CheckBox(varied(items, count, int(lesson)), int(lesson), reviews.record)


def mock(seed: int | None = None, *, questions: int = mocks.QUESTIONS, beyond: bool = False,
         new: bool = False) -> MockBox:
    """A box for the mock exam that is under way, or for a new one; nothing runs before “Begin”.

    Args:
        seed: of a new one: the same seed asks the same questions; by default drawn by lot.
        questions: of a new one: how many; time, and what counts, are in proportion.
        beyond: of a new one: whether it may ask what goes beyond the exam.
        new: forget the one that is under way.

    Raises:
        ExamError: its questions have changed since it began, or it is taken in another window.
    """
    items, sheet = banks.load(), Sheet()
    if new:
        with sheet.alone():
            sheet.discard()
    sitting = sheet.load(items)
    if sitting is None:
        seed = random.randrange(10**6) if seed is None else seed
        sitting = mocks.draw(items, seed, datetime.now(), questions, beyond)
    return MockBox(items, sitting, sheet)


def review(new: int = reviews.NEW_A_DAY) -> PracticeBox:
    """A box that asks what is due today, weak claims first, then new items.

    Args:
        new: items never answered before, a day.
    """
    items = banks.load()
    return PracticeBox(lambda _: reviews.queue(items, new), datetime.now().toordinal(),
                       reviews.record, rated=True, empty="Nothing is due now.")


def chosen(bank: Sequence[Item], about: Sequence[str]) -> list[Item]:
    """Items on any of these claims, or shown in any of these lessons; all where none is named.

    Raises:
        ExamError: a name that no item has.
    """
    lessons = {item.shown.lesson for item in bank if item.shown}
    known = {claim for item in bank for claim in item.claims} | lessons
    wanted = [name.upper() for name in about]
    for name in wanted:
        if name not in known:
            raise ExamError(f"There is no item about '{name}'.", where="room.practice",
                            fix=meant(name, sorted(known)))
    return [item for item in bank if not wanted or set(wanted) & set(item.claims)
            or (item.shown and item.shown.lesson in wanted)]
