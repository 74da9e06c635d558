"""Replies that should be one of a few labels: how many are right, and of which kind the wrong ones.

When most answers are yes, a model that says yes to everything has a high accuracy and has learnt
nothing. So three things are reported together: accuracy, macro-F1 (the F1 of each label, averaged,
so that a rare label counts as much as a common one) and, beside both, what the commonest answer
alone would earn. A reply counts as a label when it is that word and nothing else, but for case,
white space, quotation marks and a full stop; any other reply is wrong, and is counted apart.

The interval of macro-F1 is a bootstrap over replies: drawing n replies with replacement is drawing
the confusion table's cells from a multinomial distribution, which is exact and takes no loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score

from fmcourse.errors import DataError
from fmcourse.evaluate.checkers import answer
from fmcourse.evaluate.intervals import wilson

LABELS = ("yes", "no", "maybe")
NEITHER = "(neither)"  # what a reply says that is none of the labels
RESAMPLES = 1000


def label_rates(replies: Sequence[str], expected: Sequence[str], labels: Sequence[str] = LABELS
                ) -> pd.DataFrame:
    """Accuracy, macro-F1 and the share of replies that are no label.

    Args:
        replies, expected: as many of one as of the other.
        labels: lower-cased; each counts in macro-F1, also one that is never expected.

    Returns:
        A row a measure: `measure`, `n`, `value`, `low` and `high` (95 %: Wilson's, for macro-F1 a
        bootstrap's) and `majority`: what the commonest expected label earns as every reply.

    Raises:
        DataError: no replies, another number of expected labels, or one that is none.

    >>> label_rates(["Yes.", "yes", "I think so"], ["yes", "no", "yes"])["value"].round(2).tolist()
    [0.33, 0.17, 0.33]
    """
    said = _said(replies, expected, labels)
    commonest = [Counter(expected).most_common(1)[0][0]] * len(said)
    rows = []
    for measure, hits in (("accuracy", _right(said, expected)), ("neither", said.count(NEITHER))):
        low, high = wilson(hits, len(said))
        rows.append({"measure": measure, "n": len(said), "value": hits / len(said), "low": low,
                     "high": high, "majority": 0.0})
    rows[0]["majority"] = _right(commonest, expected) / len(said)
    low, high = _macro_f1_interval(_table(said, expected, labels))
    rows.insert(1, {"measure": "macro_f1", "n": len(said), "value": _f1(said, expected, labels),
                    "low": low, "high": high, "majority": _f1(commonest, expected, labels)})
    return pd.DataFrame(rows)


def label_confusion(replies: Sequence[str], expected: Sequence[str],
                    labels: Sequence[str] = LABELS) -> pd.DataFrame:
    """How often each label was answered by which.

    Returns:
        Counts: a row an expected label, a column a reply, and last the column `(neither)`.

    Raises:
        DataError: as `label_rates`.

    >>> label_confusion(["no", "yes", "?"], ["yes", "yes", "no"], ("yes", "no")).to_numpy().tolist()
    [[1, 1, 0], [0, 0, 1]]
    """
    table = _table(_said(replies, expected, labels), expected, labels)
    return pd.DataFrame(table, index=pd.Index(labels, name="expected"),
                        columns=pd.Index([*labels, NEITHER], name="reply"))


def _said(replies: Sequence[str], expected: Sequence[str], labels: Sequence[str]) -> list[str]:
    """The label that each reply is, or NEITHER."""
    if len(replies) != len(expected) or not len(replies):
        raise DataError(f"There are {len(replies)} replies for {len(expected)} answers.",
                        where="evaluate.label_rates", fix="Give one reply to each.")
    if unknown := set(expected) - set(labels):
        raise DataError(f"The expected answer {min(unknown)!r} is none of the labels.",
                        where="evaluate.label_rates", fix=f"Use {', '.join(labels)}.")
    return [next((label for label in labels if answer(reply, "", [label])), NEITHER)
            for reply in replies]


def _right(said: Sequence[str], expected: Sequence[str]) -> int:
    return sum(one == other for one, other in zip(said, expected, strict=True))


def _f1(said: Sequence[str], expected: Sequence[str], labels: Sequence[str]) -> float:
    return float(f1_score(list(expected), list(said), labels=list(labels), average="macro",
                          zero_division=0))


def _table(said: list[str], expected: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Counts of (expected, said); shape (labels, labels + 1), the last column NEITHER."""
    return confusion_matrix(list(expected), said, labels=[*labels, NEITHER])[:-1]


def _macro_f1_interval(table: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap over the replies counted in a table."""
    draws = np.random.default_rng(seed).multinomial(
        table.sum(), table.ravel() / table.sum(), RESAMPLES).reshape(RESAMPLES, *table.shape)
    low, high = np.quantile(_macro_f1(draws), (0.025, 0.975))
    return float(low), float(high)


def _macro_f1(tables: np.ndarray) -> np.ndarray:
    """Macro-F1 of each table; a label neither expected nor said has an F1 of 0, as above."""
    count = tables.shape[-2]
    hits = np.diagonal(tables[..., :count], axis1=-2, axis2=-1)  # (tables, labels)
    found = tables.sum(axis=-1) + tables.sum(axis=-2)[..., :count]  # expected + said
    return (2 * hits / np.maximum(found, 1)).mean(axis=-1)
