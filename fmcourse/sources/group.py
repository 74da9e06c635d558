"""Which passages belong together, and which say the same thing twice.

Two passages that share a run of thirteen words come from one article (or quote each other): put in
different splits, one would leak into the other's test. Thirteen is GPT-3's contamination window
(Brown et al. 2020, appendix C). Trade-off: a quotation joins two unrelated articles as well, which
costs a few larger groups and never a leak. Exact, single-process; a few seconds for ten million
characters. Beyond about 1 GB use MinHash instead.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence

_WORD = re.compile(r"[^\W_]+")


def shingles(text: str, width: int) -> set[str]:
    """All runs of `width` consecutive lower-cased words.

    >>> sorted(shingles("To be, or not", 3))
    ['be or not', 'to be or']
    """
    found = words(text)
    return {" ".join(found[i:i + width]) for i in range(len(found) - width + 1)}


def words(text: str) -> list[str]:
    """The lower-cased words of a text, without punctuation.

    >>> words("To be, or not")
    ['to', 'be', 'or', 'not']
    """
    return _WORD.findall(text.lower())


def folded(text: str) -> str:
    """A text in lower case and single spaces: what is equal then is the same, word for word.

    >>> folded(" Stop.  Go ")
    'stop. go'
    """
    return " ".join(text.lower().split())


def connected(keys: Iterable[Iterable[Hashable]]) -> list[int]:
    """Union-find: items that share any key get the same number, the smallest index among them.

    >>> connected([["a"], ["b"], ["a", "c"], ["c"]])
    [0, 1, 0, 0]
    """
    parent: list[int] = []
    owner: dict[Hashable, int] = {}

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for index, own in enumerate(keys):
        parent.append(index)
        for key in own:
            first, second = root(owner.setdefault(key, index)), root(index)
            parent[max(first, second)] = min(first, second)
    return [root(index) for index in range(len(parent))]


def repeats(texts: Sequence[str], groups: Sequence[int], width: int = 8,
            share: float = 0.5) -> list[bool]:
    """True for a text most of which is already in longer texts of its group.

    `share` is the fraction of the text's `width`-word runs that is already covered. Texts shorter
    than `width` words count as repeats only when equal to a kept one.
    """
    order = sorted(range(len(texts)), key=lambda i: (groups[i], -len(texts[i]), texts[i]))
    repeated, seen, current = [False] * len(texts), set(), None
    for index in order:
        if groups[index] != current:
            current, seen = groups[index], set()
        runs = shingles(texts[index], width) or {texts[index].lower()}
        if len(runs & seen) > share * len(runs):
            repeated[index] = True
        else:
            seen |= runs
    return repeated
