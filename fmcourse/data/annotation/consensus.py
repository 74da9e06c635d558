"""One label an item from several annotators: majority, Dawid and Skene's model, an expert.

A majority counts every annotator alike. Dawid and Skene (1979, "Maximum likelihood estimation of
observer error-rates using the EM algorithm", Applied Statistics 28) estimate, without knowing any
truth, how each annotator confuses the classes, from how they agree with the others, and weigh them
by that; SageMaker Ground Truth consolidates text labels by a variant of it. Trade-off: with few
labels from each annotator there is little to estimate from, and a majority is as good. And neither
notices what everybody gets wrong: for that, an expert looks at what was disputed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from fmcourse.errors import DataError


@dataclass(frozen=True)
class Consensus:
    """What several annotators' labels come to.

    Attributes:
        items: a row an item that has a label: item, label, confidence (0 to 1), votes (labels that
            it got), tied (the most voted labels were several).
        cost: paid so far, in labels: one each, and the price of an expert's looks.
        confusion: annotator → chance of each label for each class (class, label), where estimated.
        priors: share of each class, where estimated. (classes,)
    """

    items: pd.DataFrame
    cost: float
    confusion: Mapping[str, np.ndarray] = field(default_factory=dict)
    priors: np.ndarray | None = None

    def right(self, truth: Sequence[int]) -> float:
        """Share of the items whose label is the true one; `truth` is of items 0, 1 …"""
        return float(np.mean(np.asarray(truth)[self.items["item"]] == self.items["label"]))

    def skill(self) -> pd.Series:
        """Each annotator's estimated chance of being right, best first."""
        found = {name: float(self.priors @ np.diag(own)) for name, own in self.confusion.items()}
        return pd.Series(found, name="skill", dtype=float).sort_values(ascending=False)


def majority(table: pd.DataFrame, classes: int) -> Consensus:
    """The label that most annotators gave. A tie goes to the one of the tied that came first.

    Args:
        table: of labels: item, annotator, label and order.
        classes: labels are 0 … classes - 1.

    Returns:
        The confidence is the share of the votes.

    Raises:
        DataError: a label is none of the classes, or there is none.

    >>> labels = pd.DataFrame({"item": [0, 0, 0], "annotator": list("abc"), "label": [2, 1, 1],
    ...                        "order": [0, 1, 2]})
    >>> majority(labels, 3).items["label"].tolist()
    [1]
    """
    table, items, votes = _votes(table, classes)
    best = votes.max(axis=1, keepdims=True)
    tied = (votes == best).sum(axis=1) > 1
    label = np.full(len(items), -1)
    place = np.searchsorted(items, table["item"])
    for i, given in zip(place, table["label"], strict=True):
        if label[i] < 0 and votes[i, given] == best[i]:
            label[i] = given
    share = best[:, 0] / votes.sum(axis=1)
    return Consensus(_items(items, label, share, votes, tied), float(len(table)))


def dawid_skene(table: pd.DataFrame, classes: int, prior: float = 1.0, rounds: int = 200,
                tolerance: float = 1e-6) -> Consensus:
    """The likeliest labels, together with the likeliest confusion matrices, by EM.

    It starts from the shares of the votes and takes turns: what each annotator confuses, given the
    labels; what the labels are, given that.

    Args:
        table, classes: as in `majority`.
        prior: imagined labels added to each cell of each annotator's matrix, so that one who has
            done little is not believed to be perfect; 0 is the paper's.
        rounds: at most so many turns.
        tolerance: end when no probability changes by more.

    Returns:
        The confidence is the probability of the label under the model; ties are those of the votes.
        Where no item has two labels there is nothing to compare, and the labels stand as they are.

    Raises:
        DataError: as `majority`.
    """
    table, items, votes = _votes(table, classes)
    if votes.sum(axis=1).max() < 2:
        return majority(table, classes)
    item = np.searchsorted(items, table["item"])
    who, names = pd.factorize(table["annotator"], sort=True)
    said = table["label"].to_numpy()
    belief = votes / votes.sum(axis=1, keepdims=True)  # (items, classes)
    priors, confusion = _matrices(belief, item, who, said, len(names), prior)
    for _ in range(rounds):
        after = _beliefs(priors, confusion, item, who, said, len(items))
        change, belief = np.abs(after - belief).max(), after
        priors, confusion = _matrices(belief, item, who, said, len(names), prior)
        if change < tolerance:
            break
    tied = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
    found = _items(items, belief.argmax(axis=1), belief.max(axis=1), votes, tied)
    return Consensus(found, float(len(table)), dict(zip(names, confusion, strict=True)), priors)


def review(found: Consensus, truth: Sequence[int], looks: int, price: float = 5.0) -> Consensus:
    """An expert (simulated: the truth) settles the items of which the consensus is least sure.

    Args:
        truth: of items 0, 1 …
        looks: items that the expert has time for; fewer where there are fewer.
        price: of a look, in labels.

    Raises:
        DataError: a negative number of looks or price.
    """
    if looks < 0 or price < 0:
        raise DataError(f"{looks} looks at a price of {price:g} cannot be bought.", where="review",
                        fix="Use numbers from 0.")
    items = found.items.copy()
    doubtful = items.sort_values("confidence", kind="stable").index[:looks]
    items.loc[doubtful, "label"] = np.asarray(truth)[items.loc[doubtful, "item"]]
    items.loc[doubtful, "confidence"] = 1.0
    return replace(found, items=items, cost=found.cost + price * len(doubtful))


def _votes(table: pd.DataFrame, classes: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The table in its order, the items that have labels, and how often each got which."""
    given = table["label"]
    if not len(given) or given.isna().any() or given.min() < 0 or given.max() >= classes:
        raise DataError(f"There is no label, or one that is none of 0 … {classes - 1}.",
                        where="consensus",
                        fix="Leave out rows without a label; number the classes.")
    table = table.sort_values("order", kind="stable").astype({"label": int})
    items = np.unique(table["item"])
    votes = np.zeros((len(items), classes), int)
    np.add.at(votes, (np.searchsorted(items, table["item"]), table["label"]), 1)
    return table, items, votes


def _items(items: np.ndarray, label: np.ndarray, confidence: np.ndarray, votes: np.ndarray,
           tied: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"item": items, "label": label, "confidence": confidence,
                         "votes": votes.sum(axis=1), "tied": tied})


def _matrices(belief: np.ndarray, item: np.ndarray, who: np.ndarray, said: np.ndarray,
              annotators: int, prior: float) -> tuple[np.ndarray, np.ndarray]:
    """M step: shares of the classes (classes,), and (annotators, class, label)."""
    classes = belief.shape[1]
    counts = np.zeros((annotators, classes, classes))  # annotator, label, class
    np.add.at(counts, (who, said), belief[item])
    counts = counts.transpose(0, 2, 1) + prior
    total = counts.sum(axis=2, keepdims=True)
    unseen = np.full_like(counts, 1 / classes)  # of a class that they never met
    return belief.mean(axis=0), np.divide(counts, total, out=unseen, where=total > 0)


def _beliefs(priors: np.ndarray, confusion: np.ndarray, item: np.ndarray, who: np.ndarray,
             said: np.ndarray, items: int) -> np.ndarray:
    """E step: probability of each class for each item. (items, classes)"""
    log = np.tile(np.log(np.maximum(priors, 1e-10)), (items, 1))
    np.add.at(log, item, np.log(np.maximum(confusion, 1e-10))[who, :, said])
    chance = np.exp(log - log.max(axis=1, keepdims=True))
    return chance / chance.sum(axis=1, keepdims=True)
