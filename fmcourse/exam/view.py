"""An item as a learner sees it: shuffled, lettered, and answered by typing.

Letters are given to what is shown, from A on, and mean nothing elsewhere. The order depends on
the seed and the item alone, so that a page that is drawn again, or a mock exam that is resumed,
looks the same.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from string import ascii_uppercase

from fmcourse.errors import ExamError
from fmcourse.exam import item as items
from fmcourse.exam.grade import check_answer
from fmcourse.exam.item import Answer, Item

COUNTS = ("", "ONE", "TWO", "THREE", "FOUR", "FIVE")


@dataclass(frozen=True)
class View:
    """An item with the order in which its options are shown."""

    item: Item
    order: tuple[str, ...]  # ids

    @property
    def options(self) -> dict[str, str]:
        """Letter → text, as shown."""
        return {ascii_uppercase[place]: self.item.options[name]
                for place, name in enumerate(self.order)}

    @property
    def prompts(self) -> dict[str, str]:
        """Number → text, of a matching."""
        return {str(place): text for place, text in enumerate(self.item.prompts.values(), 1)}

    @property
    def task(self) -> str:
        """What is to be done, as the real exam says it."""
        return {
            items.CHOICE: "Select ONE.",
            items.RESPONSE: f"Select {COUNTS[len(self.item.key)]}.",
            items.ORDERING: "Put all in order, the first one first.",
            items.MATCHING: "Give each number a letter; a letter may serve several or none.",
        }[self.item.type]

    @property
    def example(self) -> str:
        """What an answer looks like when it is typed, in letters that no option has.

        With letters of options it would now and then be the key, or, if that were left out, say
        what is not.
        """
        letters = ascii_uppercase[-len(self.item.key):]
        if self.item.type == items.MATCHING:
            return " ".join(map("".join, zip(self.prompts, letters, strict=True)))
        return " ".join(letters)

    def read(self, typed: str) -> Answer:
        """What was typed, as an answer: letters with or without blanks, small or large.

        A matching may be typed as pairs in any order (`2A 1C 3B`) or as letters alone, for the
        prompts from 1 on (`C A B`).

        Raises:
            ExamError: a letter is not shown, or some are missing or too many.
        """
        marks = re.findall(r"[A-Za-z0-9]", typed)
        if not marks or re.search(r"[^A-Za-z0-9\s,;.:=>)-]", typed):
            raise self._unclear("Answer with letters.")
        if self.item.type == items.MATCHING and marks[0].isdigit():
            marks = self._paired([mark.upper() for mark in marks])
        names = dict(zip(self.options, self.order, strict=True))
        for mark in marks:
            if mark.upper() not in names:
                raise self._unclear(f"There is no {mark.upper()} here.")
        answer = tuple(names[mark.upper()] for mark in marks)
        wanted = len(self.item.prompts or self.item.key)
        if len(answer) != wanted:
            raise self._unclear(f"{len(answer)} given, {wanted} asked for.")
        try:
            check_answer(self.item, answer)
        except ExamError as error:
            raise self._unclear(error.what) from error
        return answer

    def _paired(self, marks: list[str]) -> list[str]:
        """Letters in the order of prompts, of pairs such as 2 A 1 C 3 B."""
        numbers, letters = marks[::2], marks[1::2]
        if sorted(numbers) != sorted(self.prompts) or len(letters) != len(numbers):
            raise self._unclear("Each number needs one letter.")
        given = dict(zip(numbers, letters, strict=True))
        return [given[number] for number in self.prompts]

    def _unclear(self, what: str) -> ExamError:
        return ExamError(what, fix=f"{self.task} Type such as: {self.example}")

    def letter(self, option: str) -> str:
        """The letter an option is shown with."""
        return ascii_uppercase[self.order.index(option)]

    def typed(self, answer: Answer) -> str:
        """An answer as it would be typed; the opposite of `read`."""
        shown = [self.letter(name) for name in answer]
        if self.item.type == items.MATCHING:
            return " ".join(map("".join, zip(self.prompts, shown, strict=True)))
        return " ".join(shown if self.item.type == items.ORDERING else sorted(shown))


def view(item: Item, seed: int) -> View:
    """Shuffle an item's options; an ordering is never shown already solved."""
    chance = random.Random(f"{seed} {item.id}")
    order = sorted(item.options)
    chance.shuffle(order)
    while item.type == items.ORDERING and tuple(order) == item.key:
        chance.shuffle(order)
    return View(item, tuple(order))
