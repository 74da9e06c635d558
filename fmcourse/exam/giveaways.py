"""Can items be answered without knowing anything? Strategies that look at the wording alone.

Banks leak: the option written with most care is the right one, or it repeats the question's words
(Haladyna, Downing & Rodriguez 2002, "A review of multiple-choice item-writing guidelines"). Each
strategy here picks by such a sign and is held against guessing, for each type of item by itself.
The test is two-sided: a sign that is right too seldom is one as well, turned round ("not the
shortest"). What guessing earns is computed and not drawn: the texts of an item's options are
shuffled among them in all ways, ties are split, and the items' distributions are added up, so that
the matches of one item, which hang together, count as what they are. A sign that differs from
guessing by more than chance allows is a fault of the bank, not of an item: the remedy is to
rewrite several.

Shuffled options make positions harmless; ordering has no options to pick from and is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np

from fmcourse.exam import item as items
from fmcourse.exam.item import Item

# Of one sign in one type of items, both sides together. With 36 of these, a bank whose options
# are shuffled at random raises an alarm in three cases of ten: a few items are to be turned round.
LEVEL = 0.01
ABSOLUTE = {"always", "never", "only", "every", "all", "none", "must", "cannot", "completely",
            "impossible", "any", "no", "entirely", "wholly"}
HEDGES = {"may", "might", "can", "some", "often", "usually", "most", "mostly", "likely", "perhaps",
          "about", "partly", "tend", "tends", "seldom", "rarely"}
COMMON = {"which", "what", "that", "this", "with", "from", "they", "their", "them", "each", "into",
          "than", "then", "when", "where", "does", "most", "have", "been", "will", "would", "must"}

Sign = Callable[[str, Sequence[str]], list[float]]  # (question, options) → the more, the likelier


@dataclass(frozen=True)
class Baseline:
    """What picking by one sign earns.

    Attributes:
        name: the sign.
        type: of the items.
        items: those that the sign says anything about; of the others all options look alike to it.
        right: how many picks are in the key, ties split; a matching has as many as prompts.
        chance: how many would be by guessing.
        p: how often guessing is as far from `chance`, on the side where that is rarer, doubled.
    """

    name: str
    type: str
    items: int
    right: float
    chance: float
    p: float

    @property
    def leaks(self) -> bool:
        """Whether it, or its opposite, beats guessing by more than chance allows."""
        return self.p < LEVEL

    def __str__(self) -> str:
        return (f"{self.type:17} {self.name:22} {self.right:5.1f} right in {self.items:3} items, "
                f"{self.chance:.1f} by guessing (p = {self.p:.2g})"
                f"{'  ← a giveaway' if self.leaks else ''}")


@cache
def words(text: str) -> frozenset[str]:
    """Content words, cut to their first five letters so that endings don't matter.

    >>> sorted(words("The trained models train on tokens."))
    ['model', 'token', 'train']
    """
    return frozenset(word[:5] for word in re.findall(r"[a-z]{4,}", text.lower())
                     if word not in COMMON)


def _length(rank: int) -> Sign:
    """The option of that rank by length, 0 for the longest and -1 for the shortest."""
    def sign(_: str, options: Sequence[str]) -> list[float]:
        wanted = sorted(map(len, options), reverse=True)[rank]
        return [len(option) == wanted for option in options]
    return sign


def _overlap(by: int) -> Sign:
    return lambda question, options: [by * len(words(question) & words(option))
                                      for option in options]


def _likeness(by: int) -> Sign:
    """How many words an option shares with each other one, on average."""
    return lambda _, options: [
        by * sum(len(words(option) & words(other)) for other in options if other is not option)
        for option in options]


def _vocabulary(known: set[str], by: int) -> Sign:
    return lambda _, options: [by * len(known & set(re.findall(r"[a-z]+", option.lower())))
                               for option in options]


SIGNS: Mapping[str, Sign] = {
    "longest option": _length(0), "second longest": _length(1),
    "second shortest": _length(-2), "shortest option": _length(-1),
    "keyword overlap": _overlap(1), "least overlap": _overlap(-1),
    "most like the others": _likeness(1), "least like the others": _likeness(-1),
    "absolute words": _vocabulary(ABSOLUTE, 1), "no absolute words": _vocabulary(ABSOLUTE, -1),
    "hedged words": _vocabulary(HEDGES, 1), "no hedged words": _vocabulary(HEDGES, -1),
}


def baselines(bank: Iterable[Item]) -> list[Baseline]:
    """Every sign, measured over the items of each type."""
    bank = list(bank)
    kinds = {kind: [item for item in bank if item.type == kind]
             for kind in items.TYPES if kind != items.ORDERING}
    return [_measure(name, sign, kind, found)
            for kind, found in kinds.items() if found for name, sign in SIGNS.items()]


def _measure(name: str, sign: Sign, kind: str, bank: Sequence[Item]) -> Baseline:
    """Add up what the sign earns, and the distribution of what guessing earns, in whole parts."""
    picks = [(found, tuple(item.options)) for item in bank if (found := _picks(item, sign))]
    parts = math.lcm(*(len(best) for found, _ in picks for best, _ in found))
    earned, spread = 0, np.ones(1)
    for found, names in picks:
        earned += _earned(found, names, parts)
        spread = np.convolve(spread, _guessed(found, names, parts))
    tails = spread[:earned + 1].sum(), spread[earned:].sum()
    return Baseline(name, kind, len(picks), earned / parts,
                    float(spread @ np.arange(len(spread))) / parts, min(1.0, 2 * float(min(tails))))


Pick = tuple[tuple[int, ...], frozenset[str]]  # places of the options picked, and the right ids


def _picks(item: Item, sign: Sign) -> tuple[Pick, ...]:
    """What a sign picks for each question of an item; a tie picks several places."""
    texts, found = list(item.options.values()), []
    for question, right in _questions(item):
        scores = sign(question, texts)
        best = tuple(place for place, score in enumerate(scores) if score == max(scores))
        if len(best) < len(texts):
            found.append((best, right))
    return tuple(found)


def _questions(item: Item) -> list[tuple[str, frozenset[str]]]:
    """What options are picked for, with the right ones: the stem, or each prompt of a matching."""
    if item.type != items.MATCHING:
        return [(item.stem, frozenset(item.key))]
    return [(text, frozenset([right]))
            for text, right in zip(item.prompts.values(), item.key, strict=True)]


def _earned(picks: Iterable[Pick], names: Sequence[str], parts: int) -> int:
    """How much is right if the option at each place has this name; a whole pick is `parts`."""
    return sum(parts // len(best) * sum(names[place] in right for place in best)
               for best, right in picks)


@cache
def _guessed(picks: tuple[Pick, ...], names: tuple[str, ...], parts: int) -> np.ndarray:
    """How often each amount is earned if the texts are shuffled among the options."""
    earned = [_earned(picks, order, parts) for order in permutations(names)]
    return np.bincount(earned) / len(earned)
