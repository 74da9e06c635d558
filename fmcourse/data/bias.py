"""The eight pre-training bias metrics of Amazon SageMaker Clarify, computed from their definitions.

Before anything is trained they ask of a table: is one group there less often, and is it labelled
otherwise? Clarify takes no new customers, so its users are told to compute them themselves. The
definitions are those of the SageMaker AI developer guide, "Pre-training Bias Metrics"
(docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-data-bias.html); each function names its
page. Facet d is the group that may be at a disadvantage, facet a is everybody else.

Trade-off: a number says that labels differ between groups, never whether they should. AWS's own
library, `smclarify` 0.5, leaves out labels that only one of the groups has, though its guide sums
over all; where both groups have every label, the two agree (see the test).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fmcourse.errors import DataError, meant


def class_imbalance(n_a: int, n_d: int) -> float:
    """CI = (n_a - n_d) / (n_a + n_d), from -1 (only d) to 1 (only a); of numbers of records.

    Page: clarify-bias-metric-class-imbalance.

    >>> class_imbalance(3, 1)
    0.5
    """
    if n_a < 0 or n_d < 0 or not n_a + n_d:
        raise DataError(f"{n_a} and {n_d} are no numbers of records.", where="class_imbalance",
                        fix="Give counts, at least one of them above 0.")
    return (n_a - n_d) / (n_a + n_d)


def label_difference(q_a: float, q_d: float) -> float:
    """DPL = q_a - q_d, from -1 to 1; of shares of positive labels.

    Page: clarify-data-bias-metric-true-label-imbalance.
    """
    return q_a - q_d


def kl_divergence(p_a: Sequence[float], p_d: Sequence[float]) -> float:
    """KL = Σ P_a ln(P_a / P_d) ≥ 0, in nats; of the label distributions (labels,).

    Infinite when d never has a label that a has. Page: clarify-data-bias-metric-kl-divergence.

    >>> round(kl_divergence([0.5, 0.5], [0.25, 0.75]), 4)
    0.1438
    """
    first, second = _distributions(p_a, p_d)
    there = first > 0
    if (second[there] == 0).any():
        return math.inf
    return max(0.0, float((first[there] * np.log(first[there] / second[there])).sum()))


def js_divergence(p_a: Sequence[float], p_d: Sequence[float]) -> float:
    """JS = ½ [KL(P_a, P) + KL(P_d, P)] with P = ½ (P_a + P_d); from 0 to ln 2.

    Page: clarify-data-bias-metric-jensen-shannon-divergence.
    """
    first, second = _distributions(p_a, p_d)
    middle = (first + second) / 2
    return (kl_divergence(first, middle) + kl_divergence(second, middle)) / 2


def lp_norm(p_a: Sequence[float], p_d: Sequence[float], p: float = 2) -> float:
    """LP = (Σ |P_a - P_d|^p)^(1/p); for p = 2 from 0 to √2.

    Page: clarify-data-bias-metric-lp-norm.
    """
    first, second = _distributions(p_a, p_d)
    return float(np.linalg.norm(first - second, p))


def total_variation(p_a: Sequence[float], p_d: Sequence[float]) -> float:
    """TVD = ½ Σ |P_a - P_d|, from 0 to 1: the share of d's labels that would have to change.

    Page: clarify-data-bias-metric-total-variation-distance.

    >>> round(total_variation([0.4, 0.4, 0.2], [0.2, 0.1, 0.7]), 3)
    0.5
    """
    return lp_norm(p_a, p_d, 1) / 2


def kolmogorov_smirnov(p_a: Sequence[float], p_d: Sequence[float]) -> float:
    """KS = max |P_a - P_d|, from 0 to 1: the label that differs most.

    Over labels, not over a cumulative distribution as in the test of that name. The example is
    AWS's. Page: clarify-data-bias-metric-kolmogorov-smirnov.

    >>> round(kolmogorov_smirnov([0.4, 0.4, 0.2], [0.2, 0.1, 0.7]), 3)
    0.5
    """
    return lp_norm(p_a, p_d, np.inf)


def demographic_disparity(positive: Sequence[bool], in_d: Sequence[bool]) -> float:
    """DD = d's share of the negative labels - d's share of the positive ones; from -1 to 1.

    NaN where one of the two outcomes never occurs: there is no share of nothing.

    >>> demographic_disparity([0, 0, 1, 1], [1, 1, 1, 0])
    0.5
    """
    given, member = np.asarray(positive, bool), np.asarray(in_d, bool)
    if given.all() or not given.any():
        return math.nan
    return float(member[~given].mean() - member[given].mean())


def conditional_disparity(positive: Sequence[bool], in_d: Sequence[bool],
                          groups: Sequence[Hashable]) -> float:
    """CDD = Σ n_i DD_i / Σ n_i, over groups of like records; from -1 to 1.

    Groups in which one of the outcomes never occurs have no DD and count neither above nor below
    (AWS's `smclarify` 0.5 takes a share of nothing for 0); NaN if no other is left. It guards
    against Simpson's paradox: see the test. Page: clarify-data-bias-metric-cddl.
    """
    table = pd.DataFrame({"positive": np.asarray(positive, bool), "d": np.asarray(in_d, bool),
                          "group": list(groups)})
    found = [(len(part), demographic_disparity(part["positive"], part["d"]))
             for _, part in table.groupby("group", sort=False)]
    known = [(n, value) for n, value in found if not math.isnan(value)]
    whole = sum(n for n, _ in known)
    return sum(n * value for n, value in known) / whole if whole else math.nan


@dataclass(frozen=True)
class _Metric:
    name: str
    low: float
    high: float
    reading: str  # {value} and {d}


_METRICS = {
    "CI": _Metric("class imbalance", -1, 1, "{more} records are of {d}: {value:+.2f} of all"),
    "DPL": _Metric("difference in proportions of labels", -1, 1,
                   "{d} is labelled positive {points:.0f} points {less} often than the others"),
    "KL": _Metric("Kullback-Leibler divergence", 0, math.inf,
                  "nats of surprise at the others' labels for one who knows only {d}'s"),
    "JS": _Metric("Jensen-Shannon divergence", 0, math.log(2),
                  "{part:.0%} of the most that two label distributions can diverge"),
    "LP": _Metric("Lp norm, p = 2", 0, math.sqrt(2),
                  "{part:.0%} of the largest distance between two label distributions"),
    "TVD": _Metric("total variation distance", 0, 1,
                   "{value:.0%} of {d}'s labels would have to change to match the others'"),
    "KS": _Metric("Kolmogorov-Smirnov", 0, 1,
                  "the label that differs most does so by {points:.0f} points"),
    "CDD": _Metric("conditional demographic disparity", -1, 1,
                   "within groups, {d} is {points:.0f} points {more} of the negative labels than "
                   "of the positive ones"),
}


def bias_metrics(labels: Sequence[Any], facet: Sequence[Any], d: Any, positive: Any = 1,
                 groups: Sequence[Hashable] | None = None) -> dict[str, float]:
    """All eight metrics of a table: CI, DPL, KL, JS, LP, TVD, KS and, given groups, CDD.

    KL, JS, LP, TVD and KS compare whole distributions, of two labels or of many; DPL and CDD need
    to know which labels are the good ones.

    Args:
        labels: of each record, as given.
        facet: the sensitive column.
        d: the value of `facet`, or a collection of values, of the group that may be disadvantaged.
        positive: the label, or a collection of labels, that is the good outcome.
        groups: of like records, for CDD; without them it is left out.

    Raises:
        DataError: columns of different lengths, a missing value, or an empty side.

    >>> found = bias_metrics([1, 1, 0, 0], ["a", "a", "d", "a"], "d")
    >>> found["CI"], round(found["DPL"], 3)
    (0.5, 0.667)
    """
    given, in_d, good = _columns(labels, facet, d, positive)
    classes = pd.unique(given)
    p_a, p_d = ([float((given[side] == one).mean()) for one in classes]
                for side in (~in_d, in_d))
    found = {"CI": class_imbalance(int((~in_d).sum()), int(in_d.sum())),
             "DPL": label_difference(float(good[~in_d].mean()), float(good[in_d].mean())),
             "KL": kl_divergence(p_a, p_d), "JS": js_divergence(p_a, p_d),
             "LP": lp_norm(p_a, p_d), "TVD": total_variation(p_a, p_d),
             "KS": kolmogorov_smirnov(p_a, p_d)}
    if groups is not None:
        if len(groups) != len(given):
            raise DataError(f"{len(groups)} groups for {len(given)} records.", where="bias_metrics",
                            fix="Give one group a record.")
        found["CDD"] = conditional_disparity(good, in_d, groups)
    return found


def bias_report(labels: Sequence[Any], facet: Sequence[Any], d: Any, positive: Any = 1,
                groups: Sequence[Hashable] | None = None) -> pd.DataFrame:
    """The metrics with their names, ranges and what each value says; arguments as `bias_metrics`.

    Returns:
        Columns metric, name, value, low, high (of what is possible) and reading.
    """
    who = " or ".join(map(str, _several(d)))
    rows = []
    for short, value in bias_metrics(labels, facet, d, positive, groups).items():
        kind = _METRICS[short]
        words = {"d": who, "value": value, "points": 100 * abs(value), "part": value / kind.high,
                 "less": "less" if value >= 0 else "more", "more": "more" if value > 0 else "less"}
        if short == "CI":
            words["more"] = "fewer" if value > 0 else "more" if value < 0 else "as many"
        reading = "not defined here" if math.isnan(value) else kind.reading.format(**words)
        rows.append({"metric": short, "name": kind.name, "value": value, "low": kind.low,
                     "high": kind.high, "reading": reading})
    return pd.DataFrame(rows)


def _several(value: Any) -> list[Any]:
    plain = isinstance(value, (str, bytes)) or not isinstance(value, Collection)
    return [value] if plain else list(value)


def _columns(labels: Sequence[Any], facet: Sequence[Any], d: Any, positive: Any
             ) -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Labels, who is in d, and whose label is positive."""
    given, groups = pd.Series(list(labels)), pd.Series(list(facet))
    if len(given) != len(groups) or given.isna().any() or groups.isna().any():
        raise DataError(f"{len(given)} labels, {int(given.isna().sum())} of them missing, do not "
                        f"fit {len(groups)} facet values, {int(groups.isna().sum())} missing.",
                        where="bias_metrics", fix="Give one of each to a record, or drop it.")
    in_d = groups.isin(_several(d)).to_numpy()
    if in_d.all() or not in_d.any():
        raise DataError(f"{'All' if in_d.all() else 'No'} records are of facet {d!r}: there is "
                        "nothing to compare.", where="bias_metrics",
                        fix=meant(str(d), map(str, pd.unique(groups))) if len(groups) else None)
    return given, in_d, given.isin(_several(positive)).to_numpy()


def _distributions(p_a: Sequence[float], p_d: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(p_a, float), np.asarray(p_d, float)
    if first.shape != second.shape or not all(
            math.isclose(p.sum(), 1, abs_tol=1e-6) and (p >= 0).all() for p in (first, second)):
        raise DataError("These are not two distributions over the same labels.",
                        where=[first.tolist(), second.tolist()],
                        fix="Give shares of each label that sum to 1, in the same order.")
    return first, second
