"""Power laws: how a quantity falls with model size, data or compute, and how surely.

Kaplan et al. (2020, arXiv:2001.08361) found that loss falls as a power of compute over many orders
of magnitude; Hoffmann et al. (2022, arXiv:2203.15556) added the floor that no amount of compute
removes. Both forms are fitted here by least squares on *relative* errors, in closed form or with
a one-dimensional search, so the result needs no starting guess and is the same on every machine.
The trade-off: no confidence interval. A handful of small models over two decades of compute gives
an exponent to look at, not one to extrapolate from; the floor especially is weakly determined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fmcourse.errors import DataError

_STEEPEST = 4.0  # exponents beyond this describe a cliff, not a scaling law
_FLATTEST = 1e-3


@dataclass(frozen=True)
class PowerLaw:
    """The curve y = c + a · x^(−b).

    Attributes:
        a: scale, in y's unit at x = 1.
        b: exponent; positive when y falls as x grows.
        c: floor in y's unit; 0 when none was fitted.
        r2: share of the variance of log y explained (1 is perfect; log, because the errors
            that count are relative ones).
    """

    a: float
    b: float
    c: float
    r2: float

    def predict(self, x: float | Sequence[float] | np.ndarray) -> np.ndarray:
        """y at each x, same shape as x."""
        return self.c + self.a * np.asarray(x, dtype=float) ** -self.b

    def __str__(self) -> str:
        floor = f"{self.c:.3g} + " if self.c else ""
        return f"y = {floor}{self.a:.3g} · x^{-self.b:+.3f} (R² = {self.r2:.3f})"


def fit_power_law(x: Sequence[float], y: Sequence[float], floor: bool = False) -> PowerLaw:
    """Fit y = a · x^(−b), or y = c + a · x^(−b) with `floor=True`.

    Without a floor this is a straight line through (log x, log y). With one, a and c ≥ 0 follow
    linearly from b (weighted by 1/y², so that errors are relative) and b is found by search.

    Args:
        x: sizes or compute, positive, any unit. (n,)
        y: losses, positive. (n,) Pairs with a value that is not finite are left out.
        floor: also fit the irreducible part c.

    Returns:
        The fitted law. If y grows with x, b is negative, or with a floor a is 0 (a flat line).

    Raises:
        DataError: lengths differ, values ≤ 0, or too few different x (3; 4 with a floor).

    >>> law = fit_power_law([1e3, 1e4, 1e5], [8.0, 4.0, 2.0])
    >>> round(law.b, 3), round(law.r2, 3), round(float(law.predict(1e6)), 3)
    (0.301, 1.0, 1.0)
    """
    xs, ys = _checked(x, y, need=4 if floor else 3)
    # Working in units of the geometric mean keeps x^-b near 1 even for 1e20 FLOP.
    unit = float(np.exp(np.log(xs).mean()))
    if floor:
        a, b, c = _with_floor(xs / unit, ys)
    else:
        slope, intercept = np.polyfit(np.log(xs / unit), np.log(ys), 1)
        a, b, c = float(np.exp(intercept)), float(-slope), 0.0
    return PowerLaw(a * unit**b, b, c, _r2(ys, c + a * (xs / unit) ** -b))


def frontier(x: Sequence[float], y: Sequence[float]) -> np.ndarray:
    """Which points are the best seen so far: no other has both less (or equal) x and lower y.

    Loss-against-compute curves of several model sizes cross; a scaling law describes their lower
    envelope, not every half-trained checkpoint above it. Returns a boolean mask. (n,)

    >>> frontier([1, 2, 3, 4], [5.0, 4.0, 4.5, 3.0]).tolist()
    [True, True, False, True]
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    order = np.lexsort((ys, xs))
    sorted_y = np.where(np.isfinite(ys[order]), ys[order], np.inf)
    before = np.concatenate(([np.inf], np.minimum.accumulate(sorted_y)[:-1]))
    mask = np.zeros(len(xs), dtype=bool)
    mask[order] = sorted_y < before
    return mask


def _checked(x: Sequence[float], y: Sequence[float], need: int) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = np.asarray(x, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
    if len(xs) != len(ys):
        raise DataError(f"A fit needs pairs, but there are {len(xs)} x and {len(ys)} y values.",
                        where="fit_power_law", fix="Give one y for every x.")
    keep = np.isfinite(xs) & np.isfinite(ys)
    xs, ys = xs[keep], ys[keep]
    if (xs <= 0).any() or (ys <= 0).any():
        raise DataError("A power law is defined for positive values only.", where="fit_power_law",
                        fix="Drop the points at zero, such as step 0, before fitting.")
    if len(np.unique(xs)) < need:
        raise DataError(f"{len(np.unique(xs))} different sizes are too few to fit a power law.",
                        where="fit_power_law", fix=f"Measure at {need} or more different sizes.")
    return xs, ys


def _linear_part(x: np.ndarray, y: np.ndarray, b: float) -> tuple[float, float, float]:
    """Best a ≥ 0 and c ≥ 0 for a given b, and the sum of squared relative errors they leave."""
    basis = np.stack([x**-b, np.ones_like(x)], axis=1) / y[:, None]  # (n, 2)
    (a, c), *_ = np.linalg.lstsq(basis, np.ones_like(y), rcond=None)
    if a < 0:  # y rises with x: no fall to describe, only a level
        a, c = 0.0, basis[:, 1].sum() / (basis[:, 1] ** 2).sum()
    elif c < 0:
        a, c = basis[:, 0].sum() / (basis[:, 0] ** 2).sum(), 0.0
    error = float(((basis @ np.array([a, c]) - 1) ** 2).sum())
    return float(a), float(c), error


def _with_floor(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Search the exponent on a log grid, then narrow the grid around the best until it is exact."""
    low, high = np.log(_FLATTEST), np.log(_STEEPEST)
    for _ in range(12):
        grid = np.exp(np.linspace(low, high, 41))
        best = int(np.argmin([_linear_part(x, y, b)[2] for b in grid]))
        low, high = np.log(grid[max(best - 1, 0)]), np.log(grid[min(best + 1, 40)])
    a, c, _ = _linear_part(x, y, grid[best])
    return a, float(grid[best]), c


def _r2(y: np.ndarray, predicted: np.ndarray) -> float:
    total = ((np.log(y) - np.log(y).mean()) ** 2).sum()
    if total == 0:  # a flat line explained perfectly
        return 1.0
    return float(1 - ((np.log(y) - np.log(np.maximum(predicted, 1e-300))) ** 2).sum() / total)
