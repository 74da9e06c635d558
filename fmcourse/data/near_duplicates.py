"""Drop texts that say nearly what an earlier one says.

Two texts are near duplicates when the Jaccard similarity of their word shingles (runs of three
words) reaches a threshold. Comparing all pairs is quadratic, so MinHash and locality-sensitive
hashing (Broder 1997; Indyk and Motwani 1998; the library rensa) propose pairs, and each proposal
is verified exactly here. So nothing is dropped wrongly; what can happen is that a pair is not
proposed, with probability (1 - s⁴)³² at similarity s: 5e-8 at 0.8, 0.13 at 0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from datasets import Dataset
from rensa import RMinHash, RMinHashLSH

from fmcourse.data.card import card, with_card
from fmcourse.errors import DataError
from fmcourse.sources.group import folded, shingles

WIDTH = 3  # words in a shingle; with five, one changed word already hides a pair of short texts
BANDS, PERMUTATIONS = 32, 128
_CHUNK = 1000  # texts whose shingles are in memory at once


def drop_near_duplicates(dataset: Dataset, threshold: float = 0.8,
                         compared: Callable[[str], str] = str) -> Dataset:
    """Keep a text unless an earlier kept one is nearly the same; which ones is deterministic.

    Put the texts that must not leak, such as a test part, first: then it is their copies elsewhere
    that are dropped.

    Args:
        dataset: column `text`.
        threshold: Jaccard similarity of three-word shingles, above 0 and at most 1.
        compared: the part of a text that counts, for instance without a heading.

    Raises:
        DataError: the threshold is out of range.
    """
    before = card(dataset)
    originals = near_duplicates([compared(text) for text in dataset["text"][:]], threshold)
    keep = [i for i, original in enumerate(originals) if original is None]
    note = f"(Jaccard >= {threshold:g})"
    return with_card(dataset.select(keep),
                     before.step("near duplicates", len(keep), len(dataset) - len(keep), note))


def near_duplicates(texts: Sequence[str], threshold: float = 0.8) -> list[int | None]:
    """For each text the index of the earliest kept text it nearly repeats, or None if it is kept.

    >>> near_duplicates(["A fox ran up the hill.", "Rain fell all day.", "a fox ran UP the hill"])
    [None, None, 0]
    """
    if not 0 < threshold <= 1:
        raise DataError(f"A similarity of {threshold} is not possible.", where="near_duplicates",
                        fix="Use a threshold above 0 and at most 1, such as 0.8.")
    index = RMinHashLSH(threshold, PERMUTATIONS, BANDS)
    originals: list[int | None] = []
    for number, (own, sketch) in enumerate(_sketched(texts)):
        original = next((other for other in sorted(index.query(sketch))
                         if jaccard(own, features(texts[other])) >= threshold), None)
        if original is None:
            index.insert(number, sketch)
        originals.append(original)
    return originals


def features(text: str) -> set[str]:
    """What two texts are compared by: their shingles, or all of a text too short to have any."""
    return shingles(text, WIDTH) or {folded(text)}


def jaccard(first: Collection[str], second: Collection[str]) -> float:
    """The share of two sets that they have in common.

    >>> jaccard({"a", "b"}, {"b", "c"})
    0.3333333333333333
    """
    first, second = set(first), set(second)
    union = len(first | second)
    return len(first & second) / union if union else 1.0


def _sketched(texts: Sequence[str]) -> Iterator[tuple[set[str], RMinHash]]:
    for start in range(0, len(texts), _CHUNK):
        sets = [features(text) for text in texts[start:start + _CHUNK]]
        yield from zip(sets, RMinHash.from_token_sets(sets, PERMUTATIONS, 0), strict=True)
