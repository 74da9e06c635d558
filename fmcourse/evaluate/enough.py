"""How much data is enough: a learning curve that flattens, and the examples for most of its height.

A score that rises with the number of examples tends towards a plateau as a power of it (Cortes et
al. 1993, "Learning curves: asymptotic values and rate of convergence"; Hestness et al. 2017,
arXiv:1712.00409): score = plateau − a · n^−b. Fitted, it says how many examples a share of the
plateau takes, and what more of them would bring, beyond what was measured if need be.

Trade-off: three numbers from five or six sizes. So the fit is bounded (a score has a ceiling, an
exponent a range) and robust (one bad seed pulls less than its square), every answer comes with a
bootstrapped interval, and one beyond the sizes measured says that it is a guess. A score that jumps
from nothing to all between two sizes is no power law; its R² is low, and `label_efficiency`, which
interpolates, is the tool for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fmcourse.errors import DataError

_EXPONENTS = (0.05, 3.0)  # flatter cannot be told from a straight line, steeper from a step
_BAD = 0.1  # of the curve's height: a residual from which on it pulls less than its square
_GRID, _ZOOMS, _REWEIGHTED = 33, 4, 25  # exponents tried, times the best is looked at more closely


@dataclass(frozen=True)
class Plateau:
    """The curve score = plateau − a · n^−b; with a below 0 it falls, as bits per byte do.

    Attributes:
        plateau: the score of endless examples, in the score's unit.
        a: what a single example is short of it.
        b: how fast the rest shrinks.
        r2: share of the scores' variance that is explained; 1 is perfect.
        most: largest number of examples measured.
    """

    plateau: float
    a: float
    b: float
    r2: float
    most: float

    def predict(self, examples: float | Sequence[float] | np.ndarray) -> np.ndarray:
        """The score after so many examples, same shape."""
        return self.plateau - self.a * np.asarray(examples, dtype=float) ** -self.b

    def examples_for(self, share: float = 0.9) -> float:
        """Examples at which the score is within 1 − share of the plateau; at least one.

        For 0.9, a rising score has reached 90 % of its plateau, a falling one is 10 % above its
        own. Infinite where the plateau is 0, or too far away for a number. A flat curve is there
        with its first example.

        Raises:
            DataError: the share is not between 0 and 1.

        >>> Plateau(plateau=0.8, a=0.8, b=0.5, r2=1, most=512).examples_for(0.9)
        100.0
        """
        if not 0 < share < 1:
            raise DataError(f"{share:g} of a plateau is no question.", where="examples_for",
                            fix="A share between 0 and 1, such as 0.9.")
        short = (1 - share) * abs(self.plateau)
        if short == 0:
            return math.inf
        if self.a == 0:
            return 1.0
        power = math.log(abs(self.a) / short) / self.b
        return max(1.0, round(math.exp(power), 9)) if power < 700 else math.inf

    def __str__(self) -> str:
        needed = self.examples_for()
        said = f"{needed:.0f}" if needed <= self.most else f"more than {self.most:.0f}"
        return (f"plateau {self.plateau:.3g}, 90 % of it with {said} examples "
                f"(R² = {self.r2:.2f})")


def fit_plateau(examples: Sequence[float], scores: Sequence[float],
                limit: float | None = None, falls: bool = False) -> Plateau:
    """Fit a learning curve's plateau, by least squares that bad points pull little (soft L1).

    Args:
        examples: how many, from 1 up; the same number may come several times, for seeds. (n,)
        scores: what was reached with them. (n,)
        limit: what no plateau passes: 1 for a share of right answers, 0 for bits per byte.
        falls: lower scores are better, as bits per byte are. A curve that goes the other way than
            it should is fitted by a level, and R² says how badly.

    Raises:
        DataError: other than one score for each, values that are not finite, examples below one,
            or fewer than four different numbers of them.

    >>> sizes = [8, 32, 128, 512, 2048]
    >>> curve = fit_plateau(sizes, [0.9 - 1.2 * n**-0.5 for n in sizes], limit=1)
    >>> round(curve.plateau, 3), round(curve.b, 3), round(curve.examples_for(0.9))
    (0.9, 0.5, 178)
    """
    n, y = _checked(examples, scores)
    return _fits(n, y[None], falls, limit)[0]


def plateau_interval(
    examples: Sequence[float], scores: Sequence[float], share: float = 0.9,
    limit: float | None = None, falls: bool = False, resamples: int = 500, seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of `fit_plateau(…).examples_for(share)`, by a bootstrap of residuals.

    What the fit leaves over is drawn anew for each point and fitted again; it is widened first for
    the three numbers that the fit has already adapted to it. The sizes stay as they are, so this
    holds for one curve as well as for several seeds of it. The upper end may be infinite.

    Args:
        examples, scores, limit, falls: as in `fit_plateau`.
        resamples: fits.
        seed: of the draws.
    """
    fitted = fit_plateau(examples, scores, limit, falls)
    n, y = _checked(examples, scores)
    left = (y - fitted.predict(n)) * math.sqrt(len(n) / max(1, len(n) - 3))
    drawn = np.random.default_rng(seed).choice(left, (resamples, len(n)))
    found = [curve.examples_for(share)
             for curve in _fits(n, fitted.predict(n) + drawn, falls, limit)]
    low, high = np.quantile(found, (0.025, 0.975), method="nearest")
    return float(low), float(high)


def _checked(examples: Sequence[float], scores: Sequence[float]
             ) -> tuple[np.ndarray, np.ndarray]:
    n, y = np.asarray(examples, dtype=float).ravel(), np.asarray(scores, dtype=float).ravel()
    if len(n) != len(y) or not (np.isfinite(n).all() and np.isfinite(y).all()):
        raise DataError(f"{len(n)} numbers of examples and {len(y)} scores, all finite, are "
                        "needed to fit a curve.", where="fit_plateau",
                        fix="Give one score for each number of examples.")
    if len(np.unique(n)) < 4 or n.min() < 1:
        raise DataError("A plateau needs four different numbers of examples, from 1 up.",
                        where="fit_plateau", fix=f"These are {sorted(set(n.tolist()))}.")
    return n, y


def _fits(n: np.ndarray, scores: np.ndarray, falls: bool, limit: float | None) -> list[Plateau]:
    """Fit each row of scores (curves, n): search the exponent, the rest follows from it."""
    sign = -1.0 if falls else 1.0
    rising = sign * scores
    height = np.maximum(np.ptp(rising, axis=1), 1e-12)  # (curves,)
    top = rising.max(axis=1) + 10 * height
    if limit is not None:
        top = np.minimum(top, sign * limit)
    unit = float(np.exp(np.log(n).mean()))  # so that a is about as large as the scores
    low, high = (np.full(len(scores), math.log(end)) for end in _EXPONENTS)
    for _ in range(_ZOOMS):
        tried = np.linspace(low, high, _GRID, axis=1)  # (curves, grid), logarithms
        power = (n / unit) ** -np.exp(tried)[..., None]  # (curves, grid, n)
        plateau, a, cost = _robust(power, rising[:, None], height[:, None, None], top[:, None])
        best = cost.argmin(axis=1)
        low, at, high = (np.take_along_axis(tried, np.clip(best + step, 0, _GRID - 1)[:, None], 1)
                         [:, 0] for step in (-1, 0, 1))
    rows = np.arange(len(scores))
    return [_plateau(n, row, sign * p, sign * s * unit**b, b) for row, p, s, b in zip(
        scores, plateau[rows, best], a[rows, best], np.exp(at), strict=True)]


def _robust(power: np.ndarray, y: np.ndarray, height: np.ndarray, top: np.ndarray
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best plateau ≤ top and a ≥ 0 for y = plateau − a · power, and the soft-L1 cost they leave.

    By reweighting: each round is a weighted least-squares line, in closed form, for all curves and
    exponents at once. Shapes (curves, grid, n) in, three times (curves, grid) out.
    """
    weight = np.ones(np.broadcast_shapes(power.shape, y.shape))
    for _ in range(_REWEIGHTED):
        total = weight.sum(-1)
        x_mean, y_mean = ((weight * part).sum(-1) / total for part in (power, y))
        around = power - x_mean[..., None]
        slope = (weight * around * y).sum(-1) / np.maximum((weight * around**2).sum(-1), 1e-300)
        a = np.maximum(-slope, 0)
        plateau = y_mean + a * x_mean
        over = plateau > top  # then it is top, and the line only turns
        turned = (weight * power * (top[..., None] - y)).sum(-1) / (weight * power**2).sum(-1)
        a = np.where(over, np.maximum(turned, 0), a)
        plateau = np.minimum(plateau, top)
        left = (plateau[..., None] - a[..., None] * power - y) / (_BAD * height)
        weight = 1 / np.sqrt(1 + left**2)
    return plateau, a, (1 / weight - 1).sum(-1)


def _plateau(n: np.ndarray, y: np.ndarray, plateau: float, a: float, b: float) -> Plateau:
    left, total = plateau - a * n**-b - y, float(((y - y.mean()) ** 2).sum())
    r2 = 1 - float((left**2).sum()) / total if total > 0 else 1.0
    return Plateau(float(plateau), float(a), float(b), r2, float(n.max()))
