"""Rules of thumb for what reads like prose, with the thresholds that well-known corpora used.

The rules are Gopher's (Rae et al. 2021, arXiv:2112.11446, appendix A1) and C4's (Raffel et al.
2020, arXiv:1910.10683, section 2.2), written for whole web pages: for paragraphs, which is what the
course reads, a page's fifty words are too many, so that bound is an argument. `thresholds` shows
them all. The price is good texts lost: a paragraph that says a name three times looks repetitive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from fmcourse.data.curation.pipeline import Decision, Drop, Step, each

WORDS = 50  # Gopher's least number of words
STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))
GOPHER, C4 = "Gopher, appendix A1", "C4, section 2.2"
_SENTENCE_END = re.compile(r"[.!?][\"')\]]*(?=\s|$)")
_BULLET = re.compile(r"\s*[-*•‣▪●◦]\s")


class Parts:
    """A text taken apart once: lines, words, and counts that several rules look at."""

    def __init__(self, text: str):
        self.text, self.words = text, text.split()
        self.lines = [line for line in text.split("\n") if line.strip()]

    @cached_property
    def characters(self) -> int:
        """Of its words."""
        return sum(map(len, self.words)) or 1

    def lines_with(self, holds: Callable[[str], object]) -> float:
        """Share of the lines."""
        return sum(bool(holds(line)) for line in self.lines) / (len(self.lines) or 1)

    def words_with(self, holds: Callable[[str], object]) -> float:
        """Share of the words."""
        return sum(bool(holds(word)) for word in self.words) / (len(self.words) or 1)

    def ngrams(self, n: int) -> list[tuple[str, ...]]:
        """Runs of n words, in order."""
        return list(zip(*(self.words[i:] for i in range(n)), strict=False))


def _repeated_lines(parts: Parts) -> float:
    """Share of the characters that stand in a line that was there before."""
    seen: set[str] = set()
    again = sum(len(line) for line in parts.lines if line in seen or seen.add(line))
    return again / (sum(map(len, parts.lines)) or 1)


def _commonest(n: int) -> Callable[[Parts], float]:
    """Share of the characters that stand in the commonest run of n words, if it is there twice; a
    run that overlaps itself counts each time, as in known implementations, up to 1."""
    def measure(parts: Parts) -> float:
        runs = Counter(parts.ngrams(n))
        if not runs:
            return 0.0
        run, count = max(runs.items(), key=lambda item: (item[1] > 1) * item[1] * _size(item[0]))
        return min(1.0, (count > 1) * count * _size(run) / parts.characters)

    return measure


def _repeated(n: int) -> Callable[[Parts], float]:
    """Share of the characters that stand in runs of n words that are there twice or more."""
    def measure(parts: Parts) -> float:
        runs = parts.ngrams(n)
        counts = Counter(runs)
        inside = {i + j for i, run in enumerate(runs) if counts[run] > 1 for j in range(n)}
        return sum(len(parts.words[i]) for i in inside) / parts.characters

    return measure


def _size(run: tuple[str, ...]) -> int:
    return sum(map(len, run))


@dataclass(frozen=True)
class Rule:
    """A quantity of a text, and the bounds within which it has to be.

    Attributes:
        name: the quantity.
        measure: how it is counted.
        low, high: bounds, both allowed.
        source: who chose them.
    """

    name: str
    measure: Callable[[Parts], float]
    low: float = 0.0
    high: float = float("inf")
    source: str = GOPHER

    def broken(self, parts: Parts) -> Drop | None:
        """The reason to drop a text, or None."""
        value = self.measure(parts)
        if self.low <= value <= self.high:
            return None
        side, bound = ("below", self.low) if value < self.low else ("above", self.high)
        return Drop(f"{self.name} {side} {bound:g}", f"{value:.3g}")


RULES = (
    Rule("words", lambda p: len(p.words), WORDS, 100_000),
    Rule("mean word length", lambda p: p.characters / (len(p.words) or 1), 3, 10),
    Rule("symbols (# or ...) per word",
         lambda p: max(p.text.count("#"), p.text.count("...") + p.text.count("…"))
         / (len(p.words) or 1), high=0.1),
    Rule("words with a letter", lambda p: p.words_with(lambda word: any(map(str.isalpha, word))),
         low=0.8),
    Rule("stop words", lambda p: len(STOP_WORDS & {word.strip(".,;:").lower()
                                                   for word in p.words}), low=2),
    Rule("lines that are bullets", lambda p: p.lines_with(_BULLET.match), high=0.9),
    Rule("lines that trail off", lambda p: p.lines_with(
        lambda line: line.rstrip().endswith(("...", "…"))), high=0.3),
    Rule("characters in repeated lines", _repeated_lines, high=0.2),
    *(Rule(f"characters in the commonest {n} words", _commonest(n), high=high)
      for n, high in ((2, 0.20), (3, 0.18), (4, 0.16))),
    *(Rule(f"characters in repeated runs of {n} words", _repeated(n), high=high)
      for n, high in ((5, 0.15), (10, 0.10))),
    Rule("ends of sentences", lambda p: len(_SENTENCE_END.findall(p.text)), low=1,
         source=f"{C4}, which asks for 3"),
    Rule("filler and code", lambda p: p.text.lower().count("lorem ipsum") + p.text.count("{"),
         high=0, source=C4),
)


def heuristics(words: int = WORDS, rules: tuple[Rule, ...] = RULES) -> Step:
    """Texts that break no rule stay; the first broken one is the reason.

    Args:
        words: the least number of words, in place of Gopher's 50.
        rules: those to hold.
    """
    chosen = _with_words(words, rules)

    def judge(text: str) -> Decision:
        parts = Parts(text)
        return next(filter(None, (rule.broken(parts) for rule in chosen)), text)

    return each("heuristics", judge)


def thresholds(words: int = WORDS, rules: tuple[Rule, ...] = RULES) -> pd.DataFrame:
    """The rules as a table: rule, at least, at most, source."""
    return pd.DataFrame([{"rule": rule.name, "at least": rule.low, "at most": rule.high,
                          "source": rule.source} for rule in _with_words(words, rules)])


def _with_words(words: int, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    note = GOPHER if words == WORDS else f"{GOPHER}, which asks for {WORDS}"
    return tuple(replace(rule, low=words, source=note) if rule.name == "words" else rule
                 for rule in rules)
