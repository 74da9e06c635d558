"""Has the distribution moved? Statistics of two sets of texts, or of two columns.

Each looks at one thing: lengths (population stability index, Kolmogorov-Smirnov), words and labels
(Jensen-Shannon distance), or anything a classifier can see (two-sample test: Lopez-Paz and Oquab
2017, arXiv:1610.06545). None is zero between two samples of one and the same distribution, so
`drift` puts beside each what chance alone gives; a threshold such as "a PSI above 0.2" knows
nothing of sizes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon

from fmcourse.data.label_errors import Teach
from fmcourse.errors import DataError
from fmcourse.sources.group import words

BINS = 10
_Z = 1.959964  # 97.5 % point of the standard normal distribution


def stability_index(expected: Sequence[float], actual: Sequence[float]) -> float:
    """PSI = Σ (p - q) ln(p / q) over bins, of counts or shares; 0 or more.

    An empty bin would make it infinite: counts get half a record each where any is empty.

    >>> round(stability_index([50, 50], [40, 60]), 4)
    0.0405
    """
    p, q = _shares(expected, actual)
    return float(((p - q) * np.log(p / q)).sum())


def psi(first: Sequence[float], second: Sequence[float], bins: int = BINS) -> float:
    """Population stability index of two columns of numbers, over the first one's quantiles.

    Rules of thumb call 0.1 small and 0.25 large.

    Raises:
        DataError: a column is empty, or has a value that is no number.
    """
    one, other = _numbers(first), _numbers(second)
    inner = np.unique(np.quantile(one, np.linspace(0, 1, bins + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(inner, column, side="left"), minlength=len(inner) + 1)
              for column in (one, other)]
    return stability_index(*counts)


def js_distance(first: Iterable[Hashable], second: Iterable[Hashable]) -> float:
    """Jensen-Shannon distance of two columns of words, labels or other values: 0 to 1.

    The square root of the divergence in bits; by scipy.

    >>> js_distance("aabb", "bbaa"), js_distance("aa", "bb")
    (0.0, 1.0)
    """
    one, other = Counter(first), Counter(second)
    if not one or not other:
        raise DataError("A distance needs two columns with values.", where="js_distance",
                        fix="Give at least one value on either side.")
    kinds = list(one | other)
    found = jensenshannon([one[kind] for kind in kinds], [other[kind] for kind in kinds], base=2)
    return 0.0 if math.isnan(found) else float(min(found, 1.0))  # rounding near 0 and 1


def ks_distance(first: Sequence[float], second: Sequence[float]) -> float:
    """Kolmogorov-Smirnov: the largest distance of two cumulative distributions. 0 to 1"""
    both = [np.sort(_numbers(some)) for some in (first, second)]
    places = np.concatenate(both)
    below = [np.searchsorted(some, places, side="right") / len(some) for some in both]
    return float(np.abs(below[0] - below[1]).max())


def auc_interval(negatives: Sequence[float], positives: Sequence[float]
                 ) -> tuple[float, float, float]:
    """Area under the ROC curve with its 95 % interval (DeLong et al. 1988, doi:10.2307/2531595).

    The chance that a positive scores above a negative, ties half.

    Returns:
        AUC, low, high; the interval is cut at 0 and 1.

    >>> round(auc_interval([0.1, 0.4, 0.35], [0.8, 0.3, 0.9])[0], 3)
    0.778
    """
    low, high = _numbers(negatives), _numbers(positives)
    ordered = np.sort(low), np.sort(high)
    above = (np.searchsorted(ordered[0], high, "left")
             + np.searchsorted(ordered[0], high, "right")) / (2 * len(low))  # of each positive
    below = 1 - (np.searchsorted(ordered[1], low, "left")
                 + np.searchsorted(ordered[1], low, "right")) / (2 * len(high))
    area = float(above.mean())
    if min(len(low), len(high)) < 2:
        return area, 0.0, 1.0
    half = _Z * math.sqrt(above.var(ddof=1) / len(high) + below.var(ddof=1) / len(low))
    return area, max(0.0, area - half), min(1.0, area + half)


def two_sample_auc(first: Sequence[str], second: Sequence[str], teach: Teach, seed: int = 0
                   ) -> tuple[float, float, float]:
    """How well a classifier tells two sets of texts apart: AUC, low, high; 0.5 is not at all.

    It is taught on half of either set and asked about the other half.

    Args:
        first, second: four texts or more each.
        teach: texts, labels → a classifier with `predict_proba`, such as `train.bag_of_words`.
        seed: of the halves.
    """
    if min(len(first), len(second)) < 4:
        raise DataError(f"{len(first)} and {len(second)} texts are too few to tell apart.",
                        where="two_sample_auc", fix="Give four or more of each.")
    draw, halves = np.random.default_rng(seed), []
    for texts in (first, second):
        order = draw.permutation(len(texts))
        halves.append([[texts[i] for i in order[start::2]] for start in (0, 1)])
    (seen, asked), (other_seen, other_asked) = halves
    taught = teach([*seen, *other_seen], [0] * len(seen) + [1] * len(other_seen))
    return auc_interval(*(taught.predict_proba(texts)[:, 1] for texts in (asked, other_asked)))


def drift(first: Sequence[str], second: Sequence[str], teach: Teach | None = None,
          labels: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
          shuffles: int = 20, seed: int = 0) -> pd.DataFrame:
    """Statistics of two sets of texts, each beside what chance alone would give.

    Args:
        first: the texts a model was taught on.
        second: those it meets.
        teach: for the two-sample test, which is left out without it.
        labels: of the first and of the second, where there are any.
        shuffles: times that all texts are mixed and dealt out anew, in sets of the same sizes.
        seed: of the shuffles.

    Returns:
        Columns statistic, value, chance (95 % of the shuffles give less) and drift (value is above
        chance; for the AUC, its interval above 0.5).
    """
    both, sizes = [*first, *second], len(first)
    lengths = [len(text.split()) for text in both]
    columns = {"length: PSI": (psi, lengths),
               "length: KS": (ks_distance, lengths),
               "words: JS distance": (_js_of_words, [words(text) for text in both])}
    if labels is not None:
        columns["labels: JS distance"] = (js_distance, [*labels[0], *labels[1]])
    draw, rows = np.random.default_rng(seed), []
    orders = [draw.permutation(len(both)) for _ in range(shuffles)]
    for name, (measure, column) in columns.items():
        value = measure(column[:sizes], column[sizes:])
        chance = [measure([column[i] for i in order[:sizes]], [column[i] for i in order[sizes:]])
                  for order in orders]
        highest = float(np.quantile(chance, 0.95)) if chance else math.nan
        rows.append({"statistic": name, "value": value, "chance": highest,
                     "drift": value > highest})
    if teach is not None:
        area, low, _ = two_sample_auc(first, second, teach, seed)
        rows.append({"statistic": "classifier: AUC", "value": float(area), "chance": 0.5,
                     "drift": bool(low > 0.5)})
    return pd.DataFrame(rows)


def _js_of_words(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> float:
    return js_distance((word for text in first for word in text),
                       (word for text in second for word in text))


def _shares(expected: Sequence[float], actual: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    p, q = np.asarray(expected, float), np.asarray(actual, float)
    if p.shape != q.shape or not p.size or (p < 0).any() or (q < 0).any() or not (
            p.sum() and q.sum()):
        raise DataError("These are not counts of the same bins.", where=[p.tolist(), q.tolist()],
                        fix="Give as many counts of one as of the other, of at least 0.")
    if (p == 0).any() or (q == 0).any():
        p, q = p + 0.5, q + 0.5
    return p / p.sum(), q / q.sum()


def _numbers(column: Sequence[float]) -> np.ndarray:
    found = np.asarray(column, float)
    if not found.size or not np.isfinite(found).all():
        raise DataError("A column is empty, or has a value that is no number.", where="drift",
                        fix="Drop missing values first.")
    return found
