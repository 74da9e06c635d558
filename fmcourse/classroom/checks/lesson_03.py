"""Lesson 03, transfer learning: features, a frozen body, costs, and what a start is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional

from fmcourse.classroom.check import Exercise, chosen
from fmcourse.classroom.uses import fitted

_random = np.random.default_rng(0)


def _states(rows: int, time: int, width: int) -> Tensor:
    return torch.tensor(_random.normal(size=(rows, time, width)), dtype=torch.float32)


POOLED = Exercise(
    "pooled", lambda states, mask: (states * mask[..., None]).sum(1) / mask.sum(1)[:, None],
    {"the second text is short": (_states(2, 4, 3), torch.tensor([[1, 1, 1, 1],
                                                                  [1, 1, 0, 0]]).bool()),
     "padded in front": (_states(1, 3, 2), torch.tensor([[False, True, True]]))},
    {"You averaged over all places, padding included: a short text looks like its padding.":
        lambda states, mask: states.mean(1),
     "You left padding out of the sum but not out of the count: short texts get small features.":
        lambda states, mask: (states * mask[..., None]).sum(1) / states.shape[1],
     "You took the last place. In a short text that is padding.":
        lambda states, mask: states[:, -1],
     "You took the first place alone. In a causal model it has seen nothing but itself.":
        lambda states, mask: states[:, 0],
     "You added up: a long text then has larger features than a short one. Divide by its tokens.":
        lambda states, mask: (states * mask[..., None]).sum(1),
     "You averaged over the width. Wanted is one list of features a text: average over time.":
        lambda states, mask: states.mean(2)},
    ("Padding must count neither in the sum nor in the number it is divided by.",
     "Give the mask a last axis, so that it can be multiplied with the states; then sum over "
     "time. The number to divide by is the mask's own sum, which needs an axis, too."))

_TRAIN = np.column_stack([_random.normal(5, 3, 300), _random.normal(-1, 0.2, 300), np.ones(300)])
_TEST = np.column_stack([_random.normal(8, 5, 100), _random.normal(0, 0.2, 100), np.ones(100)])


def _scaled(of_train: Callable, of_test: Callable | None = None) -> Callable:
    def scale(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = of_train(train, test)
        return first(train), (of_test(train, test) if of_test else first)(test)
    return scale


def _by(rows: np.ndarray, power: float = 1.0, centre: bool = True, freedom: int = 0) -> Callable:
    spread = rows.std(0, ddof=freedom)
    spread[spread == 0] = 1
    return lambda other: (other - (rows.mean(0) if centre else 0)) / spread ** power


def _unguarded(train: np.ndarray, test: np.ndarray) -> Callable:
    def scale(rows: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return (rows - train.mean(0)) / train.std(0)
    return scale


SCALED = Exercise(
    "standardised", _scaled(lambda train, test: StandardScaler().fit(train).transform),
    {"two features that vary and one that does not": (_TRAIN, _TEST)},
    {"You scaled the test by its own mean and spread. One text at a time, it would have none; and "
     "how the test differs from training is just what you want to see.":
        _scaled(lambda train, test: _by(train), lambda train, test: _by(test)),
     "You took mean and spread of both together: the test has leaked into training.":
        _scaled(lambda train, test: _by(np.concatenate([train, test]))),
     "You divided by the variance. The standard deviation is its root.":
        _scaled(lambda train, test: _by(train, power=2)),
     "You divided and did not subtract the mean.":
        _scaled(lambda train, test: _by(train, centre=False)),
     "A feature that never varies has a spread of 0, and you divide by it: its values are nan now.":
        _scaled(_unguarded),
     "Your spread divides by n - 1. Here training shall have a standard deviation of 1 as the "
     "example has it: the root of the *mean* squared distance.": _scaled(
         lambda train, test: _by(train, freedom=1)),
     "You subtracted the mean and did not divide by the spread.":
        _scaled(lambda train, test: _by(train, power=0))},
    ("Everything that is learnt is learnt from the training set, mean and spread too.",
     "Two rows of numbers from the training set alone, each over axis 0. Where the second is "
     "0, put a number that does no harm. Then the same two for both sets."))


def _fit(batch_statistics: bool = False) -> Callable:
    def fit(body: nn.Module, head: nn.Module, inputs: Tensor, labels: Tensor,
            steps: int) -> float:
        body.train(batch_statistics)
        optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
        for _ in range(steps):
            with torch.no_grad():
                features = body(inputs)
            loss = functional.cross_entropy(head(features), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()
    return fit


HEAD = Exercise(
    "fit_head", _fit(), {"a small network": (0,), "another": (1,)}, {},
    ("There are two ways in which a layer can change: by its optimiser, and by merely being used. "
     "And one in which it answers differently each time.",
     "Look at what the optimiser is given, and in which mode the body is. In which mode do "
     "batch statistics stay as they are, and dropout lets everything through?"),
    slips={"The body's weights have moved: it is not frozen. Who is in the optimiser?":
           {"weights of the body": "changed"},
           "The body's weights are frozen, but its batch statistics have moved, merely because "
           "texts went through it in training mode.": {"statistics of the body": "changed"},
           "The head has not moved either, so nothing was learnt. Who is in the optimiser?":
           {"weights of the head": "as before"}},
    use=fitted, tolerance=1e-3)

PREDICTED = chosen(
    "predicted_ratios", {"full": 30, "anew": 10},
    ("Count in forward passes through the body. What does the way back cost, in the same coin?",
     "The way back costs two forward passes, so a training step costs three. Features of a frozen "
     "body are the same in every epoch, so they are needed once."),
    slips={"Full: those are ten forward passes. Each is followed by the way back, which costs two "
           "more.": {"full": 10},
           "Full: that is one epoch. There are ten of them.": {"full": 3},
           "Full: you counted the way back alone. The way forwards comes before it.": {"full": 20},
           "Anew: ten epochs, a forward pass in each. Nothing goes back through a frozen body.":
           {"anew": 30},
           "Anew: computed afresh in every epoch they cost a forward pass in every epoch.":
           {"anew": 1}},
    tolerance=0.1)


def _needed(scale: Callable[[float], float], back: Callable[[float], float],
            never: Callable[[list[int]], float | None] = lambda sizes: None) -> Callable:
    def labels(curve: Mapping[int, float], target: float) -> float | None:
        sizes = sorted(curve)
        if curve[sizes[-1]] < target:
            return never(sizes)
        if curve[sizes[0]] >= target:
            return float(sizes[0])
        return back(float(np.interp(target, [curve[n] for n in sizes],
                                    [scale(n) for n in sizes])))
    return labels


def _at_measured(curve: Mapping[int, float], target: float) -> float | None:
    return next((float(n) for n in sorted(curve) if curve[n] >= target), None)


CURVE = {8: 0.20, 64: 0.50, 512: 0.80}
LABELS = Exercise(
    "labels_needed", _needed(math.log, math.exp),
    {"between two sizes": (CURVE, 0.65), "near the lower one": (CURVE, 0.55),
     "at the smallest size": (CURVE, 0.15), "not in order": ({512: 0.9, 32: 0.3, 128: 0.5}, 0.7),
     "the last score itself": (CURVE, 0.80), "never reached": (CURVE, 0.85)},
    {"You interpolated over the number of labels. Curves like these are straight over its "
     "*logarithm*: each doubling brings about as much as the one before.":
        _needed(float, float),
     "You gave the next size that was measured. Interpolate between the two around the target.":
        _at_measured,
     "The last score is reached by the last size: only above it nothing is known.":
        lambda curve, target: None if max(curve.values()) <= target else _needed(
            math.log, math.exp)(curve, target),
     "Where the score is never reached you gave the largest size. Nothing is known there: None.":
        _needed(math.log, math.exp, lambda sizes: float(sizes[-1]))},
    ("Find the two measured sizes around the target. How far between them is it, on a scale where "
     "8, 64 and 512 are equally far apart?",
     "How far between the two scores is the target, as a share? Go the same share of the way "
     "between the *logarithms* of the two sizes, and come back by exp. Settle the two ends "
     "before that: enough at once, and never."))

EXERCISES = (POOLED, SCALED, HEAD, PREDICTED, LABELS)
