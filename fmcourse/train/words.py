"""The cheap rival: count words, know nothing of language. Always try it first.

No policy is asked here, for a list of texts brings no card: of governed data, ask `project.check`
yourself (`fmcourse.data.governance`).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline


def bag_of_words(texts: Sequence[str], labels: Sequence[Any],
                 weights: Sequence[float] | None = None) -> Pipeline:
    """TF-IDF of words and pairs of words, and logistic regression; fitted.

    Args:
        texts, labels: the examples.
        weights: how much each counts; without them all count 1.

    >>> words = bag_of_words(["red fox", "red hen", "blue whale", "blue fish"], [0, 0, 1, 1])
    >>> words.predict(["a red one"]).tolist()
    [0]
    """
    counts = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    with warnings.catch_warnings():  # a class with one example is no mistake here
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return make_pipeline(counts, LogisticRegression(C=10, max_iter=300)).fit(
            texts, labels, logisticregression__sample_weight=weights)
