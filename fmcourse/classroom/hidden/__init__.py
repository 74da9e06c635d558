"""Fresh cases for grading: made from a secret, so that no learner's machine holds them.

A module a lesson has `FRESH`: by an exercise's name a function that draws the inputs of one case.
Both are public; what is drawn is not, since it begins from the instructor's words. The same words
give the same cases, so that a class is graded alike and a mark can be looked at again. Exercises of
choices have no inputs and no fresh cases.

A drawn case must be one that all right programs agree on: no ties, no values at a bound.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeVar

Case = tuple[Any, ...]  # an answer's inputs
Cases = Mapping[str, Case]
Some = TypeVar("Some")
COUNT = 24  # fresh cases of an exercise


class Draw(Random):
    """Random numbers for one case after the other, which also takes sorts of cases by turns."""

    def __init__(self, words: str):
        super().__init__(words)  # all the words count: by their SHA-512
        self.turn = 0

    def each(self, sorts: Sequence[Some]) -> Some:
        """The sort whose turn it is, so that a few cases have them all.

        >>> draw = Draw("a secret")
        >>> made = []
        >>> for draw.turn in range(3):
        ...     made.append(draw.each("ab"))
        >>> made
        ['a', 'b', 'a']
        """
        return sorts[self.turn % len(sorts)]


def cases(lesson: str, name: str, words: str, count: int = COUNT) -> Cases:
    """Fresh cases of an exercise by a few words; none where it has no inputs.

    Args:
        lesson: its number, such as '01'.
        name: of the exercise.
        words: the secret that they are made from.
        count: how many.

    >>> cases("01", "training_days", "a secret", 1) == cases("01", "training_days", "a secret", 1)
    True
    """
    module = f"{__name__}.lesson_{lesson}"
    if importlib.util.find_spec(module) is None:
        return {}
    make = importlib.import_module(module).FRESH.get(name)
    made: dict[str, Case] = {}
    draw = Draw(f"{words}/{lesson}/{name}")
    for draw.turn in range(count if make else 0):
        made[f"hidden {draw.turn + 1}"] = make(draw)
    return made
