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
from collections.abc import Mapping
from random import Random
from typing import Any

Cases = Mapping[str, tuple[Any, ...]]
COUNT = 24  # fresh cases of an exercise


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
    draw = importlib.import_module(module).FRESH.get(name)
    if draw is None:
        return {}
    source = Random(f"{words}/{lesson}/{name}")  # of all the words, by their SHA-512
    return {f"hidden {number}": draw(source) for number in range(1, count + 1)}
