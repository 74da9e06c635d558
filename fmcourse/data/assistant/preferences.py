"""Comparisons: which of two replies an annotator prefers. The annotators are simulated.

An annotator has a rubric in mind (`evaluate.rubric` scores it) and is not sure of small
differences: the first reply is preferred with probability `σ(s (u_1 − u_2))` (Bradley and Terry
1952), where s says how sharp the eye is; a share of choices is a slip of the hand. So what is the
best that any reward model could do on such comparisons is known: `ceiling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from datasets import Dataset

from fmcourse.data.card import Card, card, with_card
from fmcourse.errors import DataError


@dataclass(frozen=True)
class Annotator:
    """A simulated annotator.

    Attributes:
        sharpness: s, in units of 1 / utility; 0 guesses.
        slips: share of choices made by mistake.
        tie: utilities that differ by less than this are called equal.
    """

    sharpness: float = 4.0
    slips: float = 0.03
    tie: float = 0.02

    def probability(self, difference: np.ndarray) -> np.ndarray:
        """Of preferring the first reply, from how much better it is.

        >>> Annotator(sharpness=2.0, slips=0.1).probability(np.array([0.0, 50.0])).tolist()
        [0.5, 0.9]
        """
        clear = 1 / (1 + np.exp(-self.sharpness * difference))
        return (1 - 2 * self.slips) * clear + self.slips


def preferences(prompts: Dataset, first: Sequence[str], second: Sequence[str],
                utilities: tuple[Sequence[float], Sequence[float]],
                annotator: Annotator | None = None, seed: int = 0) -> Dataset:
    """Comparisons of two replies to each prompt, by a simulated annotator.

    Args:
        prompts: with a column `prompt`; others are kept.
        first, second: replies, one a prompt; where they are equal there is nothing to compare,
            and the row is left out.
        utilities: of the first and of the second replies, as the annotator sees them.
        seed: of the choices.

    Returns:
        Columns `prompt`, `chosen`, `rejected`, `tie`, `better` (utility of the chosen less that of
        the rejected: below 0 where the annotator erred), and those of `prompts`.

    Raises:
        DataError: not one reply and one utility for each prompt, or all replies are equal.
    """
    annotator, count = annotator or Annotator(), len(prompts)
    sizes = {len(first), len(second), len(utilities[0]), len(utilities[1])}
    if sizes != {count}:
        raise DataError(f"{count} prompts, but {', '.join(map(str, sorted(sizes)))} replies or "
                        "utilities.", where="data.preferences", fix="Give one for each prompt.")
    difference = np.asarray(utilities[0], float) - np.asarray(utilities[1], float)
    draw = np.random.default_rng([seed, 20])
    prefers = draw.random(count) < annotator.probability(difference)
    made = []
    for place, row in enumerate(prompts):
        if first[place] == second[place]:
            continue
        pair, sign = (first[place], second[place]), 1 if prefers[place] else -1
        chosen, rejected = pair[::sign]
        made.append({**row, "chosen": chosen, "rejected": rejected,
                     "tie": bool(abs(difference[place]) < annotator.tie),
                     "better": float(sign * difference[place])})
    if not made:
        raise DataError("All pairs of replies are equal: there is nothing to compare.",
                        where="data.preferences", fix="Sample the replies at a temperature of 1.")
    return with_card(Dataset.from_list(made), _about(prompts).step(
        "comparisons", len(made), count - len(made), f"simulated: {annotator}, seed {seed}"))


def _about(prompts: Dataset) -> Card:
    try:
        return card(prompts)
    except DataError:
        return Card("preferences", {})


def ceiling(pairs: Dataset, annotator: Annotator | None = None) -> float:
    """Bayes' ceiling: how often the truth itself agrees with an annotator, ties left out.

    Args:
        pairs: as `preferences` gives them.

    >>> rows = [{"better": 1.0, "tie": False}, {"better": -1.0, "tie": False}]
    >>> round(ceiling(Dataset.from_list(rows), Annotator(sharpness=1.0, slips=0.0)), 3)
    0.731
    """
    annotator = annotator or Annotator()
    gaps = np.abs([row["better"] for row in pairs.select_columns(["better", "tie"])
                   if not row["tie"]])
    return float(annotator.probability(gaps).mean())
