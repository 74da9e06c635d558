"""A score a text, from whatever has read good ones: too high or too low a score, and it goes.

The usual score is the perplexity under a model of good text (CCNet: Wenzek et al. 2020,
arXiv:1911.00359); here in bits per byte, which texts of any length can be compared by. It has a
bias that no threshold mends: what the model has not read about surprises it more than nonsense
about what it has. `against_shuffled` asks instead what the order of a text's words is worth. The
scorer is handed in, since models stand above data in the house.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence

from fmcourse.data.curation.pipeline import Decision, Drop, Step
from fmcourse.errors import DataError

Score = Callable[[Sequence[str]], Sequence[float]]
# For `against_shuffled` with three-grams of the general corpus. Below it were all of 98 held-out
# passages and 96 % of 120 AWS paragraphs; of the same with their words shuffled, 3 % and 8 %.
HIGHEST = 0.96


def quality(score: Score, highest: float = HIGHEST, lowest: float = 0.0) -> Step:
    """Texts stay that surprise a model no more than `highest`, and no less than `lowest`.

    What surprises hardly at all is a text that repeats itself, or that the model has memorised.

    Args:
        score: texts → a number each, lower is better: such as `evaluate.bits_per_byte_each` of a
            model, or that `against_shuffled`.
        highest, lowest: bounds; look at scores of texts that you know to be good before choosing.

    Raises:
        DataError: the bounds exclude everything; or a score is missing or not a number.
    """
    if not lowest < highest:
        raise DataError(f"No score is between {lowest} and {highest}.", where="curation.quality",
                        fix="Make `highest` larger than `lowest`.")

    def decide(texts: Sequence[str]) -> Iterator[Decision]:
        scores = list(score(texts)) if texts else []
        if len(scores) != len(texts) or any(map(math.isnan, scores)):
            raise DataError("A text has no score.", where="curation.quality",
                            fix="Let `score` return a number for each text.")
        for text, value in zip(texts, scores, strict=True):
            if lowest <= value <= highest:
                yield text
            else:
                why = "too surprising" if value > highest else "too predictable"
                yield Drop(why, f"{value:.2f}")

    return Step("quality", decide)


def against_shuffled(score: Score, seed: int = 0) -> Score:
    """A score of what word order is worth: a text's score over that of its own words, shuffled.

    1 for words in no order, less for sentences, of whatever subject; 1 for a text of one word.

    >>> before = lambda texts: [1.0 if text == "to be or not" else 2.0 for text in texts]
    >>> against_shuffled(before)(["to be or not"])
    [0.5]
    """
    def relative(texts: Sequence[str]) -> list[float]:
        draw, shuffled = random.Random(seed), []
        for text in texts:
            words = text.split()
            shuffled.append(" ".join(draw.sample(words, len(words))))
        return [own / other if other else 1.0
                for own, other in zip(score(texts), score(shuffled), strict=True)]

    return relative
