"""How many labels a good start is worth: the label-efficiency ratio of two learning curves.

"90 % against 70 % at 64 labels" says little about cost; "the other needs ten times the labels" says
it in the currency that is paid. The ratio is the number of labels the control needs to reach a
score, divided by what the treatment needed for it. Between measured sizes both curves are
interpolated over log n, after isotonic regression: more labels cannot truly hurt, so a dip is
noise. Beyond them nothing is extrapolated: a control that never gets there needs *more than* its
largest size, and the result says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

from fmcourse.errors import DataError


@dataclass(frozen=True)
class LabelRatio:
    """Labels the control needs for each label of the treatment, at one score.

    Attributes:
        value: the ratio; if censored, what it is more than.
        censored: the control did not reach the score at any size measured.
        target: the score.
        treatment_labels, control_labels: labels needed; for a censored control, its largest size.
    """

    value: float
    censored: bool
    target: float
    treatment_labels: float
    control_labels: float

    def __str__(self) -> str:
        sign = "> " if self.censored else ""
        return f"the control needs {sign}{self.value:.3g}× the labels"


def label_efficiency(
    treatment: Mapping[int, float], control: Mapping[int, float], target: float | None = None
) -> LabelRatio:
    """How many times the treatment's labels the control needs to reach the same score.

    Args:
        treatment, control: score at each number of labels (several seeds: their mean).
        target: the score to reach; by default the highest one that both curves reach, so that the
            ratio is measured and not a bound.

    Raises:
        DataError: fewer than two sizes, a size below one, a score that is not finite, or a target
            that the treatment does not reach.

    >>> str(label_efficiency({10: 0.5, 100: 0.8}, {10: 0.2, 1000: 0.8}, target=0.8))
    'the control needs 10× the labels'
    >>> str(label_efficiency({8: 0.6, 64: 0.8}, {8: 0.1, 512: 0.5}, target=0.6))
    'the control needs > 64× the labels'
    """
    ours, theirs = _curve(treatment), _curve(control)
    if target is None:
        target = float(min(ours[1][-1], theirs[1][-1]))
    needed, available = _labels_for(target, *ours), _labels_for(target, *theirs)
    if needed is None:
        raise DataError(f"The treatment never scores {target:.3g}; its best is {ours[1][-1]:.3g}.",
                        where="evaluate.label_efficiency", fix="Choose a lower target.")
    censored = available is None
    labels = float(theirs[0][-1]) if censored else available
    return LabelRatio(labels / needed, censored, target, needed, labels)


def _curve(scores: Mapping[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Sizes in order, and scores that never fall. (sizes,), (sizes,)"""
    sizes = np.array(sorted(scores), dtype=float)
    values = np.array([scores[size] for size in sorted(scores)], dtype=float)
    if len(sizes) < 2 or sizes[0] < 1 or not np.isfinite(values).all():
        raise DataError("A learning curve needs finite scores at two sizes or more, from 1 up.",
                        where="evaluate.label_efficiency", fix=f"This one has {dict(scores)}.")
    return sizes, IsotonicRegression().fit_transform(np.log(sizes), values)


def _labels_for(target: float, sizes: np.ndarray, values: np.ndarray) -> float | None:
    """Labels at which a rising curve first reaches the target; None if it never does.

    A curve that starts above it needs its smallest size at most, which is what is returned.
    """
    reached = np.flatnonzero(values >= target - 1e-12)
    if not len(reached):
        return None
    first = int(reached[0])
    if first == 0:
        return float(sizes[0])
    low, high = np.log(sizes[first - 1]), np.log(sizes[first])
    share = (target - values[first - 1]) / (values[first] - values[first - 1])
    return float(np.exp(low + share * (high - low)))
