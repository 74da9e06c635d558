"""A SIMULATED candidate, who answers where nobody does; whatever it answers is called simulated.

It knows the key of some items, and guesses at the others with the answer's form alone. So it is
right a little more often than it knows, as people are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from fmcourse.exam import item as items
from fmcourse.exam.item import Answer, Item

SAID = "by a SIMULATED candidate, not by a person"


@dataclass(frozen=True)
class Candidate:
    """Who answers.

    Attributes:
        seed: of what it knows and how it guesses; an item's answer depends on nothing else.
        skill: how likely it knows an item.
        weak: claims of which it knows nothing.
    """

    seed: int = 0
    skill: float = 0.7
    weak: Sequence[str] = ()

    def answer(self, item: Item) -> Answer:
        """What it answers; always of the form that is asked for."""
        chance = random.Random(f"{self.seed} {item.id}")
        if chance.random() < self.skill and not set(self.weak) & set(item.claims):
            return item.key
        if item.type == items.MATCHING:
            return tuple(chance.choices(sorted(item.options), k=len(item.prompts)))
        return tuple(chance.sample(sorted(item.options), len(item.key)))
