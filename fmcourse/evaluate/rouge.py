"""ROUGE-L: how much of a reference summary a reply says, in the same order.

The longest common subsequence of words, as a share of the reference (recall), of the reply
(precision) and both together (F1): Lin 2004, "ROUGE: A Package for Automatic Evaluation of
Summaries". Computed by Google's `rouge-score`, the reference implementation in Python, without
stemming ("filed" and "files" differ), which needs no language resources. Of its dependency NLTK
only the import is used; nothing is downloaded.

Trade-off: words are compared, not meanings. A good summary in other words scores low, a fluent
falsehood in the right words high, and copying the beginning of a text is a strong baseline. An
empty reply scores 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from fmcourse.errors import DataError

MEASURES = ("precision", "recall", "f1")
RESAMPLES = 1000


def rouge_l_scores(replies: Sequence[str], expected: Sequence[str]) -> pd.DataFrame:
    """Precision, recall and F1 of ROUGE-L, a row a reply; in [0, 1].

    Raises:
        DataError: no replies, another number of references, or a reference without a word.

    >>> rouge_l_scores(["They won the case."], ["They won."]).round(2).to_numpy().tolist()
    [[0.5, 1.0, 0.67]]
    """
    from rouge_score.rouge_scorer import RougeScorer  # brings NLTK: a second for who needs it

    if len(replies) != len(expected) or not len(replies):
        raise DataError(f"There are {len(replies)} replies for {len(expected)} references.",
                        where="evaluate.rouge_l", fix="Give one reply to each.")
    if wordless := [text for text in expected if not any(map(str.isalnum, text))]:
        raise DataError("A reference has no word in it.", where=repr(wordless[0]),
                        fix="Leave it out.")
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    scores = [scorer.score(wanted, reply)["rougeL"]
              for reply, wanted in zip(replies, expected, strict=True)]
    return pd.DataFrame([tuple(score) for score in scores], columns=MEASURES, dtype=float)


def rouge_l(replies: Sequence[str], expected: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """Mean ROUGE-L of replies, with intervals.

    Args:
        replies, expected: as many of one as of the other.
        seed: of the bootstrap.

    Returns:
        A row a measure: `measure` (precision, recall, f1), `n`, `value`, `low` and `high` (95 %
        percentile bootstrap over replies; the value itself where there is one reply).

    Raises:
        DataError: as `rouge_l_scores`.

    >>> rouge_l(["They won.", ""], ["They won.", "They lost."])["value"].tolist()
    [0.5, 0.5, 0.5]
    """
    scores = rouge_l_scores(replies, expected)
    rows = []
    for measure in MEASURES:
        values = scores[measure].to_numpy()
        low = high = float(values.mean())
        if len(values) > 1:
            low, high = bootstrap([values], np.mean, n_resamples=RESAMPLES, method="percentile",
                                  rng=np.random.default_rng(seed)).confidence_interval
        rows.append({"measure": measure, "n": len(values), "value": float(values.mean()),
                     "low": float(low), "high": float(high)})
    return pd.DataFrame(rows)
