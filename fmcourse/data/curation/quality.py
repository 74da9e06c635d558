"""A score a text, from whatever has read good ones: too high or too low a score, and it goes.

The usual score is the perplexity under a model of good text (CCNet: Wenzek et al. 2020,
arXiv:1911.00359); here in bits per byte, which texts of any length can be compared by. The scorer
is handed in, since models stand above data in the house.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from fmcourse.data.curation.pipeline import Decision, Drop, Step
from fmcourse.errors import DataError

Score = Callable[[Sequence[str]], Sequence[float]]


def quality(score: Score, highest: float, lowest: float = 0.0) -> Step:
    """Texts stay that surprise a model no more than `highest`, and no less than `lowest`.

    What surprises hardly at all is a text that repeats itself, or that the model has memorised.

    Args:
        score: texts → a number each, lower is better: such as
            `lambda texts: evaluate.bits_per_byte_each(model, texts)`.
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
