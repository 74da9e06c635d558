"""What can be done about a set that is skewed, without asking anybody for new labels.

Weights that make groups and labels independent (reweighing: Kamiran and Calders 2012, "Data
preprocessing techniques for classification without discrimination", doi:10.1007/s10115-011-0463-8,
section 5.2), the same by drawing records again (5.3, uniform sampling), and weights that make a
sample count as if it came from another distribution: by known shares (post-stratification), or by
what a classifier sees (importance weights: Bickel, Brückner and Scheffer 2009). The price of all: a
few records carry much weight, which is as if there were fewer; `effective_size` says how many.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from fmcourse.data.label_errors import Teach, out_of_fold
from fmcourse.errors import DataError

LARGEST = 20.0  # times the mean weight, above which an importance weight is cut


def reweighing(labels: Sequence[Hashable], facet: Sequence[Hashable]) -> np.ndarray:
    """Weights under which label and facet are independent; their mean is 1. (records,)

    w(s, y) = P(s) P(y) / P(s, y). A group that is labelled positive too seldom has its positive
    records count more.

    Raises:
        DataError: no records, or not as many of one as of the other.

    >>> reweighing([1, 1, 0, 1, 0, 0], ["a", "a", "a", "d", "d", "d"]).round(2).tolist()
    [0.75, 0.75, 1.5, 1.5, 0.75, 0.75]
    """
    table = pd.DataFrame({"label": list(labels), "facet": _fitting(labels, facet)})
    both = table.groupby(["label", "facet"])["label"].transform("size").to_numpy()
    one, other = (table.groupby(name)[name].transform("size").to_numpy()
                  for name in ("label", "facet"))
    return one * other / (both * len(table))


def resampled(labels: Sequence[Hashable], facet: Sequence[Hashable], seed: int = 0) -> list[int]:
    """As many records, drawn so that label and facet are independent: some twice, some not at all.

    Each pair of label and facet gets the number of places that `reweighing` would give it as
    weight, rounded; within a pair every record is there once before any is there twice.

    Returns:
        Indices, in order.
    """
    weights = reweighing(labels, facet)
    draw, chosen = np.random.default_rng(seed), []
    cells = pd.DataFrame({"label": list(labels), "facet": list(facet)}).groupby(
        ["label", "facet"], sort=False).indices
    for rows in cells.values():
        count = round(float(weights[rows].sum()))
        turns = [draw.permutation(rows) for _ in range(-(-count // len(rows)))]
        chosen += np.concatenate(turns)[:count].tolist() if turns else []
    return sorted(chosen)


def importance_weights(texts: Sequence[str], target: Sequence[str], teach: Teach,
                       largest: float = LARGEST, seed: int = 0) -> np.ndarray:
    """Weights that make texts count as if they were drawn where `target` was. (texts,), mean 1

    A classifier learns to tell the two sets apart; its odds for the target, over those of a coin
    as lopsided as the sizes, are p(text | target) / p(text | source). It is asked only about texts
    that it was not taught. Needs no labels of the target. Where the target holds what the texts
    never do, no weight can help.

    Args:
        texts: what is at hand.
        target: texts of the distribution that matters.
        teach: texts, labels → a classifier with `predict_proba`, such as `train.bag_of_words`.
        largest: weights are cut at so many times their mean.
        seed: of the folds.

    Raises:
        DataError: fewer than five texts on a side.
    """
    sides = [0] * len(texts) + [1] * len(target)
    found = out_of_fold([*texts, *target], sides, teach, seed=seed)[:len(texts), 1]
    share = np.clip(found, 1e-6, 1 - 1e-6)
    odds = share / (1 - share)
    odds = np.minimum(odds, largest * odds.mean())
    return odds / odds.mean()


def strata_weights(strata: Sequence[Hashable], shares: Mapping[Hashable, float]) -> np.ndarray:
    """Weights that give each stratum its known share (post-stratification). (records,), mean 1

    Args:
        strata: of each record.
        shares: stratum → its share where the model will be used; they sum to 1.

    Raises:
        DataError: a stratum without a share, a share without a record, or a sum that is not 1.

    >>> strata_weights(["prose", "prose", "prose", "verse"], {"prose": 0.5, "verse": 0.5}).round(2)
    array([0.67, 0.67, 0.67, 2.  ])
    """
    counts = Counter(strata)
    wanted = {name for name, share in shares.items() if share > 0}
    if set(counts) - set(shares) or wanted - set(counts) or not math.isclose(
            sum(shares.values()), 1, abs_tol=1e-6) or min(shares.values()) < 0:
        raise DataError(f"Shares {dict(shares)} cannot be given to {dict(counts)}.",
                        where="strata_weights",
                        fix="Give every stratum a share; together 1; none without a record.")
    return np.array([shares[name] * len(strata) / counts[name] for name in strata])


def effective_size(weights: Sequence[float]) -> float:
    """(Σ w)² / Σ w²: as many records of equal weight would say as much (Kish 1965).

    >>> effective_size([1, 1, 1, 1]), effective_size([4, 0, 0, 0])
    (4.0, 1.0)
    """
    given = np.asarray(weights, float)
    if not len(given) or (given < 0).any() or not given.any():
        raise DataError("These are no weights.", where="effective_size",
                        fix="Give numbers of at least 0, one of them above.")
    return float(given.sum() ** 2 / (given ** 2).sum())


def _fitting(labels: Sequence[Hashable], facet: Sequence[Hashable]) -> list[Hashable]:
    if not len(labels) or len(labels) != len(facet):
        raise DataError(f"{len(labels)} labels do not fit {len(facet)} facet values.",
                        where="reweighing", fix="Give one of each to every record.")
    return list(facet)
