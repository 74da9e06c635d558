"""How far annotators agree beyond what chance would give: percent, kappa, alpha.

Percent agreement flatters: two people who call nearly everything "other" agree on nearly everything
without reading. The coefficients subtract what they would agree on by chance, from how often each
label was used: 1 is perfect, 0 is chance, below 0 is worse than chance. They differ in whose habits
count: each annotator's own (Cohen, of two people), or all labels pooled (Fleiss, of as many labels
an item; Krippendorff, of any number, with labels missing).

Where only one label was ever used, chance agrees perfectly too and nothing can be said: the result
is then nan, not 1. Agreement is not truth: annotators can be wrong together.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from fmcourse.errors import DataError
from fmcourse.evaluate.intervals import wilson

WEIGHTS = (None, "linear", "quadratic")


def percent_agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Share of items that two annotators gave the same label.

    Raises:
        DataError: no items, or not as many labels of one as of the other.

    >>> percent_agreement(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    0.75
    """
    _check_pairs(first, second)
    return sum(one == other for one, other in zip(first, second, strict=True)) / len(first)


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable],
                weights: str | None = None) -> float:
    """Cohen's kappa of two annotators (Cohen 1960); weighted, for labels in an order (1968).

    Args:
        first, second: a label an item each, the same items in the same order.
        weights: None: every disagreement is as bad; 'linear' or 'quadratic': it is as bad as the
            labels are apart when sorted, or the square of that.

    Returns:
        At most 1, at least -1; nan if both used one and the same label only.

    Raises:
        DataError: no items, not as many of each, or no such weights.

    >>> round(cohen_kappa(["a", "b", "b", "a"], ["a", "b", "a", "a"]), 3)
    0.5
    """
    if weights not in WEIGHTS:
        raise DataError(f"There are no weights {weights!r}.", where="cohen_kappa",
                        fix="Use None, 'linear' or 'quadratic'.")
    _check_pairs(first, second)
    labels = sorted({*first, *second})
    place = {label: i for i, label in enumerate(labels)}
    seen = np.zeros((len(labels), len(labels)))
    for one, other in zip(first, second, strict=True):
        seen[place[one], place[other]] += 1 / len(first)
    chance = np.outer(seen.sum(axis=1), seen.sum(axis=0))
    apart = np.abs(np.subtract.outer(np.arange(len(labels)), np.arange(len(labels))))
    cost = {None: apart > 0, "linear": apart, "quadratic": apart ** 2}[weights]
    expected = float((cost * chance).sum())
    return 1 - float((cost * seen).sum()) / expected if expected else math.nan


def cohen_interval(first: Sequence[Hashable], second: Sequence[Hashable]) -> tuple[float, float]:
    """95 % interval of unweighted kappa: Wilson's of the share agreed on, on kappa's scale.

    kappa = (agreed - chance) / (1 - chance), with chance taken as known. That is an approximation,
    but unlike a bootstrap it does not shrink to nothing when a few items are all agreed on.

    >>> low, high = cohen_interval(["a", "b"] * 15, ["a", "b"] * 15)
    >>> round(low, 2), high
    (0.77, 1.0)
    """
    kappa, agreed = cohen_kappa(first, second), percent_agreement(first, second)
    if math.isnan(kappa):
        return math.nan, math.nan
    ends = wilson(agreed * len(first), len(first))
    used = [(list(first).count(label), list(second).count(label)) for label in set(first)]
    chance = sum(one * other for one, other in used) / len(first) ** 2
    low, high = ((end - chance) / (1 - chance) for end in ends)
    return low, high


def fleiss_kappa(counts: Sequence[Sequence[int]] | np.ndarray) -> float:
    """Fleiss's kappa (1971): how often each item got each label. (items, labels)

    Returns:
        At most 1; nan if only one label was ever used.

    Raises:
        DataError: items got different numbers of labels, or fewer than two.

    >>> round(fleiss_kappa([[3, 0], [0, 3], [2, 1]]), 3)
    0.55
    """
    table = np.asarray(counts, float)
    each = table.sum(axis=1) if table.ndim == 2 else np.zeros(0)
    if not len(each) or len(set(each)) > 1 or each[0] < 2 or table.min() < 0:
        raise DataError("Fleiss's kappa needs as many labels of every item, two at least.",
                        where="fleiss_kappa",
                        fix="Use Krippendorff's alpha where labels are missing.")
    n, shares = each[0], table.sum(axis=0) / table.sum()
    agreed = float(((table ** 2).sum(axis=1) - n).mean() / (n * (n - 1)))
    chance = float((shares ** 2).sum())
    return (agreed - chance) / (1 - chance) if shares.max() < 1 else math.nan


def krippendorff_alpha(ratings: pd.DataFrame | Sequence[Sequence[Hashable | None]]) -> float:
    """Krippendorff's alpha for labels without an order (2011, "Computing Krippendorff's alpha").

    Args:
        ratings: a row an item, a column an annotator; None or nan where there is no label. Items
            with fewer than two labels say nothing and are left out.

    Returns:
        At most 1; nan if only one label was ever used.

    Raises:
        DataError: no item has two labels.

    >>> round(krippendorff_alpha([["a", "a"], ["b", "b"], ["a", "b"], ["b", None]]), 3)
    0.444
    """
    items = [[label for label in row if not pd.isna(label)]
             for row in pd.DataFrame(ratings).astype(object).to_numpy()]
    items = [row for row in items if len(row) > 1]
    if not items:
        raise DataError("No item has two labels, so nobody can agree.",
                        where="krippendorff_alpha", fix="Have some items labelled twice.")
    codes = {label: i for i, label in enumerate({label for row in items for label in row})}
    counts = np.zeros((len(items), len(codes)))
    for i, row in enumerate(items):
        for label in row:
            counts[i, codes[label]] += 1
    each = counts.sum(axis=1, keepdims=True)
    same = (counts * (counts - 1) / (each - 1)).sum()  # pairs, each item weighing its labels
    used, n = counts.sum(axis=0), counts.sum()
    if len(codes) == 1:
        return math.nan
    observed = 1 - same / n
    expected = 1 - (used * (used - 1)).sum() / (n * (n - 1))
    return float(1 - observed / expected)


def ratings(table: pd.DataFrame) -> pd.DataFrame:
    """Labels as a row an item and a column an annotator, missing ones as nan.

    Args:
        table: columns item, annotator and label, one row a label.

    Raises:
        DataError: somebody labelled an item twice.
    """
    if table.duplicated(["item", "annotator"]).any():
        raise DataError("Somebody labelled an item twice.", where="evaluate.ratings",
                        fix="Keep one label, or compare the passes as two annotators.")
    return table.pivot(index="item", columns="annotator", values="label")


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """All measures of a table of labels.

    Args:
        table: columns item, annotator and label, one row a label.

    Returns:
        A row a measure, columns measure and value. Of pairs of annotators, percent and Cohen's
        kappa are averaged over those that share an item (and whose kappa is defined); Fleiss's is
        nan where items got different numbers of labels.

    Raises:
        DataError: as `ratings` and `krippendorff_alpha`.
    """
    wide = ratings(table)
    alpha, same, kappas = krippendorff_alpha(wide), [], []
    for one, other in combinations(wide.columns, 2):
        both = wide[[one, other]].dropna()
        if len(both):
            same.append(percent_agreement(both[one].tolist(), both[other].tolist()))
            kappas.append(cohen_kappa(both[one].tolist(), both[other].tolist()))
    counts = pd.crosstab(table["item"], table["label"]).to_numpy()
    even = len(set(counts.sum(axis=1))) == 1
    kappas = [kappa for kappa in kappas if not math.isnan(kappa)]
    return pd.DataFrame([
        ("percent agreement", float(np.mean(same))),
        ("Cohen's kappa", float(np.mean(kappas)) if kappas else math.nan),
        ("Fleiss's kappa", fleiss_kappa(counts) if even else math.nan),
        ("Krippendorff's alpha", alpha)], columns=["measure", "value"])


def _check_pairs(first: Sequence[Hashable], second: Sequence[Hashable]) -> None:
    if len(first) != len(second) or not len(first):
        raise DataError(f"There are {len(first)} labels of one and {len(second)} of another.",
                        where="agreement", fix="Give both their labels of the same items.")
