"""What the labelling experiments share: real paragraphs to label, and two learners of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from fmcourse import data, models, train
from fmcourse.train.classify import regression

WORDS, HEAD = "bag of words", "features of the base"
PENALTY = train.ClassifyRecipe().penalty


@dataclass(frozen=True)
class Task:
    """Paragraphs of AWS documentation and the service of each; the areas are what is labelled.

    Attributes:
        texts, kinds: of training items, and their service.
        test_texts, test_kinds: of the test.
        found, test_found: what the base makes of each text. (texts, width)
        data: name → SHA-256.
    """

    texts: list[str]
    kinds: list[str]
    test_texts: list[str]
    test_kinds: list[str]
    found: torch.Tensor
    test_found: torch.Tensor
    data: dict[str, str]

    def predictions(self, rows: Sequence[int], labels: Sequence[int]) -> dict[str, np.ndarray]:
        """What both learners say of the test, taught on some items and their labels."""
        words = train.bag_of_words([self.texts[i] for i in rows], list(labels))
        head = Head(self.found[list(rows)], labels)
        return {WORDS: words.predict(self.test_texts), HEAD: head.predict(self.test_found)}

    def scores(self, rows: Sequence[int], labels: Sequence[int], truth: np.ndarray
               ) -> dict[str, float]:
        """Share of the test that each learner gets right, as `<learner>: right on the test`."""
        return {right(name): float(np.mean(said == truth))
                for name, said in self.predictions(rows, labels).items()}


class Head:
    """A linear head on features that are given: what `train.classify` calls frozen."""

    def __init__(self, found: torch.Tensor, labels: Sequence[int]):
        self.classes, numbers = np.unique(np.asarray(labels), return_inverse=True)
        self.linear = regression(found, numbers, PENALTY)

    def probabilities(self, found: torch.Tensor) -> np.ndarray:
        """Chance of each class that was taught. (texts, classes)"""
        with torch.no_grad():
            return self.linear(found).softmax(dim=1).numpy()

    def predict(self, found: torch.Tensor) -> np.ndarray:
        """The likeliest class. (texts,)"""
        return self.classes[self.probabilities(found).argmax(axis=1)]


def right(learner: str) -> str:
    """Name of the metric."""
    return f"{learner}: right on the test"


@cache
def task(seed: int, items: int, test: int) -> Task:
    """So many paragraphs to label, and a test of others; read by the base once."""
    parts, base = data.service_paragraphs(seed, train=items, test=test), models.load("base")
    texts = {part: rows["text"][:] for part, rows in parts.items()}
    found = {part: train.features(base, own) for part, own in texts.items()}
    return Task(texts["train"], parts["train"]["service"][:], texts["test"],
                parts["test"]["service"][:], found["train"], found["test"],
                {"labelled": data.card(parts["train"]).sha256,
                 "test": data.card(parts["test"]).sha256, "base": base.sha256()})
