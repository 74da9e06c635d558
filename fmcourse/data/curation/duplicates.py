"""What is there twice stays once: word for word, and nearly; and what a test asks goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from fmcourse.data.curation.pipeline import Decision, Drop, Step
from fmcourse.data.near_duplicates import near_duplicates
from fmcourse.sources.group import folded, shingles, words

RUN, SHORTEST = 13, 8  # words; GPT-3's window (Brown et al. 2020, arXiv:2005.14165, appendix C)


def exact_duplicates() -> Step:
    """The first of texts stays that are equal after folding case and white space.

    >>> list(exact_duplicates().decide(["Stop.", "go", "stop. "]))[2].why
    'an earlier text, word for word'
    """
    return Step("exact duplicates", _exact)


def _exact(texts: Sequence[str]) -> Iterator[Decision]:
    seen: set[str] = set()
    for text in texts:
        key = folded(text)
        yield Drop("an earlier text, word for word", _start(text)) if key in seen else text
        seen.add(key)


def near_duplicate_texts(threshold: float = 0.8) -> Step:
    """A text stays unless an earlier one is nearly the same: see `data.near_duplicates`."""
    def decide(texts: Sequence[str]) -> Iterator[Decision]:
        for text, original in zip(texts, near_duplicates(texts, threshold), strict=True):
            yield text if original is None else Drop("nearly an earlier text",
                                                     _start(texts[original]))

    return Step("near duplicates", decide)


def decontaminated(against: Sequence[str], run: int = RUN) -> Step:
    """Texts go that share a run of words with a text that a model will be tested on.

    A test text shorter than `run` words is looked for whole, unless it has fewer than eight: those
    words could stand anywhere. Words are compared without case and punctuation.

    Args:
        against: the evaluation sets' texts.
        run: words in a row; thirteen is usual.
    """
    wanted: dict[int, set[str]] = defaultdict(set)  # length of a run → the runs to look for
    for text in against:
        length = min(run, len(words(text)))
        if length >= min(run, SHORTEST):
            wanted[length] |= shingles(text, length)

    def decide(texts: Sequence[str]) -> Iterator[Decision]:
        for text in texts:
            shared = next((min(both) for length, runs in wanted.items()
                           if (both := runs & shingles(text, length))), None)
            yield text if shared is None else Drop("in an evaluation set", shared)

    return Step("decontamination", decide)


def _start(text: str) -> str:
    return text[:80]
