"""Simulated annotators: people who label as we tell them to err, so that the truth stays known.

THIS IS A SIMULATION. Real annotators cannot be had without a budget, and their mistakes cannot be
graded without a truth; what a simulation shows is what a method does about mistakes *of this kind*.
An annotator here is a confusion matrix, as Dawid and Skene (1979) model one, that moves: the
chance of the right label falls with the item's difficulty, with fatigue in a session and with drift
over the whole job, and the rest goes to any other class, or more often to a favourite one. Left
out: that real mistakes resemble each other (two people misread the same word), which makes real
majorities worse than these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fmcourse.errors import DataError


@dataclass(frozen=True)
class Annotator:
    """A simulated person.

    Attributes:
        name: in the tables.
        skill: chance of the right label for an easy item, rested and at the start.
        favourite, pull: a class that they name instead of what they would have said, and how often.
        spams: labels without reading: always the favourite, or any class if there is none.
        drift: skill lost from their first label to their last, for good.
        fatigue, session: skill lost from the first label of a session to its last, and labels in
            one; a break restores it.
    """

    name: str
    skill: float = 0.9
    favourite: int | None = None
    pull: float = 0.0
    spams: bool = False
    drift: float = 0.0
    fatigue: float = 0.0
    session: int = 50

    def __post_init__(self) -> None:
        shares = (self.skill, self.pull, self.drift, self.fatigue)
        if not all(0 <= share <= 1 for share in shares) or self.session < 1:
            raise DataError("Skill, pull, drift and fatigue are shares, and a session has labels.",
                            where=self.name, fix="Use numbers from 0 to 1, and a session above 0.")
        if self.pull and self.favourite is None:
            raise DataError("There is a pull, but nowhere to.", where=self.name,
                            fix="Name the favourite class.")

    def confusion(self, classes: int, difficulty: float = 0.0) -> np.ndarray:
        """Chance of each label for an item of each class, at the start. (class, label)

        >>> Annotator("Ada", skill=0.8).confusion(3).round(1).tolist()
        [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
        """
        zero = np.zeros(classes)
        return self.chances(np.arange(classes), classes, zero + difficulty, zero, zero)

    def chances(self, meant: np.ndarray, classes: int, difficulty: np.ndarray, done: np.ndarray,
                tired: np.ndarray) -> np.ndarray:
        """Chance of each label. (items, classes)

        Args:
            meant: the label that they hold to be right. (items,)
            classes: how many.
            difficulty: 0 (easy) to 1 (anybody would guess). (items,)
            done, tired: how much of the job, and of the session, is behind them, 0 to 1. (items,)

        Raises:
            DataError: the favourite is no class.
        """
        if self.favourite is not None and not 0 <= self.favourite < classes:
            raise DataError(f"Class {self.favourite} is not one of {classes}.", where=self.name,
                            fix=f"Name a favourite from 0 to {classes - 1}.")
        favourite = np.eye(classes)[self.favourite] if self.favourite is not None else None
        if self.spams:
            row = np.full(classes, 1 / classes) if favourite is None else favourite
            return np.tile(row, (len(meant), 1))
        least = min(self.skill, 1 / classes)  # nobody gets worse than guessing with time
        skill = np.maximum(self.skill - self.drift * done - self.fatigue * tired, least)
        right = 1 / classes + (skill - 1 / classes) * (1 - difficulty)
        wrong = (1 - right) / (classes - 1)
        found = np.repeat(wrong[:, None], classes, axis=1)
        found[np.arange(len(meant)), meant] = right
        return found if favourite is None else (1 - self.pull) * found + self.pull * favourite


def crew() -> tuple[Annotator, ...]:
    """Nine simulated annotators as a job may get them: five careful, four each with a fault."""
    return (*(Annotator(f"careful {i + 1}", skill=skill)
              for i, skill in enumerate((0.95, 0.92, 0.9, 0.88, 0.85))),
            Annotator("biased", skill=0.85, favourite=0, pull=0.35),
            Annotator("tiring", skill=0.9, fatigue=0.5),
            Annotator("drifting", skill=0.9, drift=0.6),
            Annotator("spammer", spams=True))


def annotate(meant: Sequence[int] | np.ndarray, annotators: Sequence[Annotator], classes: int, *,
             each: int | None = None, difficulty: Sequence[float] | None = None, seed: int = 0
             ) -> pd.DataFrame:
    """Have items labelled, by simulated annotators.

    Args:
        meant: the right label of each item (items,), or what each annotator holds to be right
            (annotators, items), as a guideline with open questions leaves it.
        annotators: who is there.
        classes: labels are 0 … classes - 1.
        each: how many annotators label an item, chosen so that all do about as many; default all.
        difficulty: of each item, 0 to 1; default all easy.
        seed: of who labels what and of their mistakes. An annotator's mistakes do not depend on
            the others.

    Returns:
        A row a label bought, in the order of buying: item (from 0), annotator, label, order (from
        0). Its length is the cost.

    Raises:
        DataError: the numbers don't fit together.
    """
    each = len(annotators) if each is None else each
    _check(meant, annotators, classes, each, difficulty)
    held = np.broadcast_to(meant, (len(annotators), np.shape(meant)[-1])).astype(int)
    items = held.shape[1]
    hard = np.zeros(items) if difficulty is None else np.asarray(difficulty, float)
    who = _dealt(items, len(annotators), each, seed)  # (items, each)
    label = np.empty((items, each), int)
    for k, annotator in enumerate(annotators):
        own, slot = np.nonzero(who == k)
        place = np.arange(len(own))
        chances = annotator.chances(
            held[k, own], classes, hard[own], place / max(1, len(own) - 1),
            place % annotator.session / max(1, annotator.session - 1))
        draw = np.random.default_rng([seed, k, 1]).random((len(own), 1))
        label[own, slot] = (draw > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    names = np.asarray([annotator.name for annotator in annotators], object)
    return pd.DataFrame({"item": np.repeat(np.arange(items), each), "annotator": names[who.ravel()],
                         "label": label.ravel(), "order": np.arange(items * each)})


def flipped(labels: Sequence[int] | np.ndarray, count: int, classes: int, seed: int = 0
            ) -> np.ndarray:
    """Labels of which so many, of any items, are changed to any other: noise without a rule.

    Raises:
        DataError: there are not so many labels.

    >>> (flipped([0, 1, 2, 0], 2, 3) != [0, 1, 2, 0]).sum().item()
    2
    """
    changed = np.array(labels, int)
    if not 0 <= count <= len(changed) or classes < 2:
        raise DataError(f"{count} of {len(changed)} labels cannot be changed.", where="flipped",
                        fix="Change some of those there are, with two classes at least.")
    draw = np.random.default_rng([seed, 4])
    rows = draw.permutation(len(changed))[:count]
    changed[rows] = (changed[rows] + draw.integers(1, classes, count)) % classes
    return changed


def _check(meant: object, annotators: Sequence[Annotator], classes: int, each: int,
           difficulty: Sequence[float] | None) -> None:
    labels = np.asarray(meant)
    fits = labels.ndim == 1 or (labels.ndim == 2 and len(labels) == len(annotators))
    if not fits or not labels.size or classes < 2 or labels.min() < 0 or labels.max() >= classes:
        raise DataError(f"These are no labels 0 … {classes - 1} of each item, for all annotators "
                        "or for each.", where="annotate",
                        fix="Give (items,) or (annotators, items).")
    if not 1 <= each <= len(annotators):
        raise DataError(f"{each} of {len(annotators)} annotators cannot label an item.",
                        where="annotate", fix="Ask for fewer labels, or hire more annotators.")
    if len({annotator.name for annotator in annotators}) < len(annotators):
        raise DataError("Two annotators have the same name.", where="annotate", fix="Rename one.")
    if difficulty is not None:
        hard = np.asarray(difficulty, float)
        if hard.shape != labels.shape[-1:] or not ((hard >= 0) & (hard <= 1)).all():
            raise DataError("Difficulty is a number from 0 to 1 of each item.", where="annotate",
                            fix="Give as many as there are items.")


def _dealt(items: int, annotators: int, each: int, seed: int) -> np.ndarray:
    """Who labels each item: always those who have done least, by lot among equals. (items, each)"""
    draw, load = np.random.default_rng([seed, 0]), np.zeros(annotators)
    who = np.empty((items, each), int)
    for i in range(items):
        who[i] = np.argsort(load + draw.random(annotators) / 2, kind="stable")[:each]
        load[who[i]] += 1
    return who
