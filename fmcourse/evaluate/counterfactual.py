"""What changes when only somebody's sex, name or people does: swap tests of decisions and of bits.

A classifier is asked about each text and about the same text swapped; whatever differs is owed to
the words swapped. A language model is asked how likely it finds either; the difference in bits is
what its training text expects. Trade-off: some texts become absurd ("her beard"), and a model may
be right to be surprised; templates made for the purpose avoid that, real texts do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from fmcourse.data.swaps import WOMEN_AND_MEN, Pairs, side, swapped
from fmcourse.errors import DataError
from fmcourse.evaluate.bits import sequence_log_likelihood
from fmcourse.evaluate.intervals import wilson

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel

Score = Callable[[list[str]], Sequence[float]]
CHANGED, GAP = "decisions that change", "first minus second"


def swap_test(score: Score, texts: Sequence[str], pairs: Pairs = WOMEN_AND_MEN,
              threshold: float = 0.5) -> pd.DataFrame:
    """What a classifier makes of texts and of the same texts swapped.

    Args:
        score: texts → the probability of the good outcome, one a text.
        texts: each on one side of the pairs (`data.side`); others are passed over.
        pairs: what is swapped.
        threshold: probability from which on the outcome is decided to be good.

    Returns:
        measure, n, value, low, high, of two measures: the share of decisions that a swap changes
        (Wilson), and by how much the probability is higher as a text with first words of the pairs
        than as the same text with second ones (Student's t).

    Raises:
        DataError: no text is on one side.
    """
    sides = np.array([-1 if (found := side(text, pairs)) is None else found for text in texts])
    kept = [text for text, found in zip(texts, sides, strict=True) if found >= 0]
    if not kept:
        raise DataError("No text has a word to swap.", where="swap_test",
                        fix="Give texts with words of the pairs, all of one side.")
    before, after = np.asarray(score(kept), float), np.asarray(score(swapped(kept, pairs)), float)
    gaps = np.where(sides[sides >= 0] == 0, before - after, after - before)
    changed = int(((before >= threshold) != (after >= threshold)).sum())
    half = stats.t.ppf(0.975, len(gaps) - 1) * stats.sem(gaps) if len(gaps) > 1 else np.nan
    rows = [(CHANGED, changed / len(kept), *wilson(changed, len(kept))),
            (GAP, gaps.mean(), gaps.mean() - half, gaps.mean() + half)]
    return pd.DataFrame([{"measure": name, "n": len(kept), "value": float(value),
                          "low": float(low), "high": float(high)}
                         for name, value, low, high in rows])


def swap_bits(model: LanguageModel, texts: Sequence[str], pairs: Pairs = WOMEN_AND_MEN
              ) -> pd.DataFrame:
    """How much likelier a language model finds each text than the same text swapped, in bits.

    Returns:
        Columns text, swapped and bits: positive if the text as given is the likelier.
    """
    other = swapped(texts, pairs)
    given, changed = (np.asarray(sequence_log_likelihood(model, list(some)), float)
                      for some in (texts, other))
    return pd.DataFrame({"text": list(texts), "swapped": other,
                         "bits": (given - changed) / np.log(2)})
