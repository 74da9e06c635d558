"""What the labelling experiments share: real paragraphs to label, and two learners of labels.

The learners are a bag of words, the best there is for this task, and a linear head on what the
course's base makes of a text. The annotators are simulated (see `data.annotation.annotators`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata

from fmcourse import data, models, train
from fmcourse.train.classify import regression

WORDS, HEAD = "bag of words", "features of the base"
LEARNERS = (WORDS, HEAD)
LABELS, PRICE = "labels that are right", "cost of a right label"
PENALTY = train.ClassifyRecipe().penalty


class Head:
    """A linear head on features that are given: what `train.classify` calls frozen."""

    def __init__(self, found: Sequence[torch.Tensor], labels: Sequence[int]):
        self.classes, numbers = np.unique(np.asarray(labels), return_inverse=True)
        self.linear = regression(torch.stack(list(found)), numbers, PENALTY)

    def predict_proba(self, found: Sequence[torch.Tensor]) -> np.ndarray:
        """Chance of each class that was taught. (texts, classes)"""
        with torch.no_grad():
            return self.linear(torch.stack(list(found))).softmax(dim=1).numpy()

    def predict(self, found: Sequence[torch.Tensor]) -> np.ndarray:
        """The likeliest class. (texts,)"""
        return self.classes[self.predict_proba(found).argmax(axis=1)]


TEACH = {WORDS: train.bag_of_words, HEAD: Head}


@dataclass(frozen=True)
class Task:
    """Paragraphs of AWS documentation and the service of each; the areas are what is labelled.

    Attributes:
        kinds, test_kinds: service of each training and test item.
        shown, test_shown: learner → what it sees of each item: the text, or its features.
        data: name → SHA-256.
    """

    kinds: list[str]
    test_kinds: list[str]
    shown: dict[str, Sequence]
    test_shown: dict[str, Sequence]
    data: dict[str, str]

    def taught(self, learner: str, rows: Sequence[int], labels: Sequence[int]
               ) -> Any:
        """A learner of some items and their labels."""
        return TEACH[learner]([self.shown[learner][i] for i in rows], list(labels))

    def predictions(self, rows: Sequence[int], labels: Sequence[int]) -> dict[str, np.ndarray]:
        """What each learner says of the test, taught on some items and their labels."""
        return {learner: self.taught(learner, rows, labels).predict(self.test_shown[learner])
                for learner in LEARNERS}

    def scores(self, rows: Sequence[int], labels: Sequence[int], truth: np.ndarray
               ) -> dict[str, float]:
        """Share of the test that each learner gets right."""
        return {right(learner): float(np.mean(said == truth))
                for learner, said in self.predictions(rows, labels).items()}

    def difficulty(self, truth: np.ndarray, seed: int) -> np.ndarray:
        """How hard each item is to label, 0 to 1: most are easy (Beta(1, 4), mean 0.2).

        Which are the hard ones follows the base: what a head on it, taught on other items, doubts
        most is taken to be hard for people too. That is an assumption.
        """
        thought = data.out_of_fold(list(self.shown[HEAD]), truth.tolist(), Head, seed=seed)
        doubt = 1 - thought[np.arange(len(truth)), truth]
        return 1 - (1 - (rankdata(doubt) - 0.5) / len(truth)) ** (1 / 4)


def right(learner: str) -> str:
    """Name of the metric."""
    return f"{learner}: right on the test"


@cache
def task(seed: int, items: int, test: int) -> Task:
    """So many paragraphs to label, and a test of others; read by the base once."""
    parts, base = data.service_paragraphs(seed, train=items, test=test), models.load("base")
    shown = {part: {WORDS: rows["text"][:], HEAD: train.features(base, rows["text"][:])}
             for part, rows in parts.items()}
    return Task(parts["train"]["service"][:], parts["test"]["service"][:], shown["train"],
                shown["test"], {"labelled": data.card(parts["train"]).sha256,
                                "test": data.card(parts["test"]).sha256, "base": base.sha256()})
