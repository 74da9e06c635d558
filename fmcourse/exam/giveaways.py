"""Can items be answered without knowing anything? Baselines that look at the wording alone.

Multiple-choice banks leak: the option written with most care is the right one, or it repeats the
question's words (Haladyna, Downing & Rodriguez 2002, "A review of multiple-choice item-writing
guidelines"). Each baseline here picks one option by such a sign and is held against guessing, by
an exact test over all items that the sign says anything about. The test needs picks that know
nothing of each other, and matches of one item do (an option that is taken is seldom taken again),
so that a matching is asked for one of its prompts, drawn by its id. A sign that wins by more than
chance allows is a fault of the bank, not of an item: the remedy is to rewrite several.

Shuffled options make positions harmless; ordering has no options to pick from and is left out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scipy import stats

from fmcourse.exam import item as items
from fmcourse.exam.item import Item

LEVEL = 0.01  # of one sign: with five, a sound bank fails at most once in twenty (Bonferroni)
ABSOLUTE = {"always", "never", "only", "every", "all", "none", "must", "cannot", "completely",
            "impossible", "any", "no"}

Sign = Callable[[str, str], float]  # (question, option) → the more, the likelier


@dataclass(frozen=True)
class Baseline:
    """What picking by one sign earns.

    Attributes:
        name: the sign.
        items: picks that it makes, one an item; none where every option looks alike to it.
        right: how many of them are in the key.
        chance: how many would be by guessing.
        p: how often guessing gets as many right, or more.
    """

    name: str
    items: int
    right: int
    chance: float
    p: float

    @property
    def leaks(self) -> bool:
        """Whether it beats guessing by more than chance allows."""
        return self.p < LEVEL

    def __str__(self) -> str:
        return (f"{self.name:18} {self.right:3} of {self.items:3} right, {self.chance:.1f} by "
                f"guessing (p = {self.p:.2g}){'  ← a giveaway' if self.leaks else ''}")


def words(text: str) -> set[str]:
    """Content words, cut to their first five letters so that endings don't matter.

    >>> sorted(words("The trained models train on tokens."))
    ['model', 'token', 'train']
    """
    return {word[:5] for word in re.findall(r"[a-z]{4,}", text.lower())} - {
        "which", "what", "that", "this", "with", "from", "they", "their", "them", "each", "into",
        "than", "then", "when", "where", "does", "most", "have", "been", "will", "would", "must"}


SIGNS: dict[str, Sign] = {
    "longest option": lambda _, option: len(option),
    "shortest option": lambda _, option: -len(option),
    "keyword overlap": lambda question, option: len(words(question) & words(option)),
    "least overlap": lambda question, option: -len(words(question) & words(option)),
    "no absolute words": lambda _, option: -len(
        ABSOLUTE & set(re.findall(r"[a-z]+", option.lower()))),
}


def baselines(bank: Iterable[Item]) -> list[Baseline]:
    """Every sign, measured over the bank."""
    bank = list(bank)
    return [_measure(name, sign, bank) for name, sign in SIGNS.items()]


def _measure(name: str, sign: Sign, bank: list[Item]) -> Baseline:
    hits, chances = [], []
    for item in bank:
        if item.type == items.ORDERING:
            continue
        question, key = _question(item)
        scores = {option: sign(question, text) for option, text in item.options.items()}
        best = [option for option, score in scores.items() if score == max(scores.values())]
        if len(best) == len(scores):
            continue  # the sign says nothing here
        hits.append(random.Random(f"{name} {item.id}").choice(sorted(best)) in key)
        chances.append(len(key) / len(scores))
    p = float(stats.poisson_binom(chances).sf(sum(hits) - 1)) if hits else 1.0
    return Baseline(name, len(hits), sum(hits), sum(chances), p)


def _question(item: Item) -> tuple[str, set[str]]:
    """What an option is picked for, with the right ones: the stem, or a prompt of a matching."""
    if item.type != items.MATCHING:
        return item.stem, set(item.key)
    pairs = list(zip(item.prompts.values(), item.key, strict=True))
    prompt, right = random.Random(item.id).choice(pairs)
    return prompt, {right}
