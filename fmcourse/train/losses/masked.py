"""Means over the tokens that count, and what every loss refuses.

A batch of completions is a rectangle with padding in it. Padding is left out by selection, never
by multiplying with zero: 0 × NaN is NaN, in the value and in the gradient. So what stands at a
padded position never matters. Over nothing, a mean is 0.
"""

from __future__ import annotations

from torch import Tensor

from fmcourse.errors import CourseError, DataError, meant


def masked_mean(values: Tensor, mask: Tensor, dim: int | None = None) -> Tensor:
    """The mean of what counts: `Σ m·x / Σ m`, and 0 where nothing does.

    Args:
        values, mask: the same shape, such as (batch, time); a mask is bool, or 0 and 1.
        dim: to average over; -1 gives one mean per completion, None a single one.

    >>> import torch
    >>> values, mask = torch.tensor([[1.0, 3.0], [5.0, torch.nan]]), torch.tensor([[1, 1], [1, 0]])
    >>> masked_mean(values, mask), masked_mean(values, mask, dim=-1)
    (tensor(3.), tensor([2., 5.]))
    """
    check_shapes(values=values, mask=mask)
    mask = mask.bool()
    return keep(values, mask).sum(dim) / mask.sum(dim).clamp(min=1)


def whiten(values: Tensor, mask: Tensor, shift_mean: bool = True) -> Tensor:
    """Rewards or advantages with variance 1: `(x − mean) / √(variance + 1e-8)`.

    The variance is the unbiased one (n − 1), over all tokens that count. As in the code of Ziegler
    et al. 2019 (arXiv:1909.08593), advantages are whitened whole, and rewards without shifting
    their mean: which of them are good must not change.

    Args:
        values, mask: (batch, time).
        shift_mean: take the mean away; otherwise it is put back, unscaled.

    Returns:
        (batch, time), 0 where nothing counts; equal values become 0 (or stay as they are), not NaN.

    Raises:
        DataError: a value that counts is not finite.

    >>> import torch
    >>> whiten(torch.tensor([[1.0, 2.0, 3.0, 9.0]]), torch.tensor([[1, 1, 1, 0]]))
    tensor([[-1.,  0.,  1.,  0.]])
    """
    check_shapes(values=values, mask=mask)
    mask = mask.bool()
    check_finite("value", values, mask)
    values = keep(values, mask)
    first = values[mask][:1].sum()  # subtracted first: equal values then become 0 without rounding
    mean = masked_mean(values - first, mask)
    centred = values - first - mean
    variance = keep(centred.square(), mask).sum() / (mask.sum() - 1).clamp(min=1)
    white = centred * (variance + 1e-8).rsqrt()
    return keep(white if shift_mean else white + first + mean, mask)


def keep(values: Tensor, mask: Tensor) -> Tensor:
    """The values that count and 0 elsewhere, whatever is there; `mask` is bool."""
    return values.masked_fill(~mask, 0)


def check_shapes(**tensors: Tensor) -> None:
    """Refuse tensors of different shapes: PyTorch would stretch (4,) and (4, 1) to (4, 4).

    Raises:
        DataError: naming each with its shape.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if len(set(shapes.values())) > 1:
        raise DataError("These tensors belong together and have different shapes.",
                        where=", ".join(f"{name} {shape}" for name, shape in shapes.items()),
                        fix="Give them one shape; squeeze(-1) takes a last 1 away.")


def check_finite(name: str, values: Tensor, mask: Tensor | None = None) -> None:
    """Refuse NaN and infinity where it counts.

    Raises:
        DataError: with the first one's position.
    """
    wrong = ~values.isfinite()
    if mask is not None:
        wrong &= mask
    if wrong.any():
        place = tuple(wrong.nonzero()[0].tolist())
        raise DataError(f"A {name} is {values[place].item()}.",
                        where=f"{name} [{', '.join(map(str, place))}]",
                        fix="Each must be a finite number: look at what it was made from.")


def check_choice(name: str, choice: str, known: tuple[str, ...]) -> None:
    """Refuse a word that is not among those known.

    Raises:
        CourseError: with the nearest one.
    """
    if choice not in known:
        raise CourseError(f"There is no {name} {choice!r}.", where=name, fix=meant(choice, known))
