"""Which items to have labelled next: those that the model is least sure of, or any.

Labelling in rounds: label a few, teach a model, let it say where it hesitates, label those, and so
on. Uncertainty is the margin between the two likeliest classes (Scheffer, Decomain and Wrobel 2001,
"Active hidden Markov models for information extraction"); Settles (2009, "Active learning
literature survey") compares it with others. Trade-off: what is chosen by one model is no fair
sample any more, so a test set must be drawn at random, and apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fmcourse.errors import DataError

Teach = Callable[[list[int]], Any]


def least_sure(probabilities: np.ndarray, count: int) -> list[int]:
    """Items with the smallest margin between their two likeliest classes, the smallest first.

    Args:
        probabilities: (items, classes)

    >>> least_sure(np.array([[0.9, 0.1, 0.0], [0.4, 0.35, 0.25], [0.6, 0.3, 0.1]]), 2)
    [1, 2]
    """
    first_two = np.sort(probabilities, axis=1)[:, -2:]
    return np.argsort(first_two[:, 1] - first_two[:, 0], kind="stable")[:count].tolist()


def in_rounds(items: int, teach: Teach, doubt: Callable[[Any, list[int]], np.ndarray] | None, *,
              start: int = 50, batch: int = 50, budget: int = 500, seed: int = 0
              ) -> Iterator[tuple[list[int], Any]]:
    """Have items labelled in rounds, and teach a model after each.

    Args:
        items: how many there are, 0 … items - 1.
        teach: from the items labelled so far to a model; it knows, or asks for, their labels.
        doubt: from a model and items to probabilities (items, classes), by which the next ones
            are chosen; None chooses at random.
        start, batch, budget: items labelled at first, in each round, and in all.
        seed: of what is chosen at random; the start is the same for both ways to choose.

    Yields:
        After each round, the items labelled so far in their order and the model taught on them.

    Raises:
        DataError: there are not so many items, or no such rounds.
    """
    if not 0 < start <= budget <= items or batch < 1:
        raise DataError(f"{budget} of {items} items cannot be labelled as {start} and then "
                        f"{batch} at a time.", where="in_rounds",
                        fix="Start with some, and end within the items there are.")
    order = np.random.default_rng([seed, 3]).permutation(items).tolist()
    chosen, rest = order[:start], order[start:]
    while True:
        model = teach(chosen)
        yield list(chosen), model
        count = min(batch, budget - len(chosen))
        if not count:
            return
        best = range(count) if doubt is None else least_sure(doubt(model, rest), count)
        picked = {rest[i] for i in best}
        chosen = chosen + [rest[i] for i in best]
        rest = [item for item in rest if item not in picked]
