"""Say how a value differs from the one that is wanted, without giving that one away.

Two right programs may differ in what carries a number (a float, a NumPy scalar, a tensor without
axes) and in its last digits; neither is a mistake, so both are forgiven. Shape and kind of number
(real, whole, true or false) are not: the next line of a program would stumble over them.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import torch

FEW = 12  # numbers that still fit into a line
TOLERANCE = 1e-4  # relative, and absolute for numbers below one
KINDS = {"b": "true or false", "i": "whole numbers", "u": "whole numbers", "f": "real numbers",
         "c": "complex numbers", "U": "texts", "O": "objects"}
SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 70
SHORT.maxlist = SHORT.maxtuple = SHORT.maxset = 8
SHORT.maxdict = 6


class OfTensor(np.ndarray):
    """An array that was a tensor, so that it can be called one."""


def plain(value: Any) -> Any:
    """The value without its carrier: tensors as arrays, scalars as numbers, tuples as lists.

    >>> plain(torch.tensor(2.0)), plain((1, np.float64(2)))
    (2.0, [1, 2.0])
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype == torch.bfloat16 else value).numpy().view(OfTensor)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    if isinstance(value, Mapping):
        return {plain(key) if getattr(key, "ndim", 1) == 0 else key: plain(item)
                for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def difference(got: Any, wanted: Any, tolerance: float = TOLERANCE) -> str | None:
    """How `got` differs from `wanted`, as the end of a sentence about it; None if they agree.

    Whatever a program gives, this is a sentence: a value that cannot be compared differs.

    >>> difference([1, 2.5], [1, 2.0])
    'at [1] it is 2.5, which is too high'
    >>> difference(torch.tensor([0.5]), np.array([0.5])) is None
    True
    """
    try:
        found = _difference(plain(got), plain(wanted), tolerance, "")
    except RecursionError:
        found = "it holds values within values without an end, perhaps itself"
    except Exception as error:  # a learner's class may do anything when it is compared
        found = f"it cannot be compared: {type(error).__name__}: {error}"
    return None if found is None else " ".join(found.split())


def described(value: Any) -> str:
    """A value in a line: short, with shape and type where it is a tensor.

    >>> described(torch.ones(20, 30))
    'float32 tensor of shape (20, 30)'
    >>> described(torch.tensor([1, 2]))
    'int64 tensor of shape (2,): [1, 2]'
    """
    if isinstance(value, (torch.Tensor, np.ndarray)):
        name = "tensor" if isinstance(value, torch.Tensor) else "array"
        shape = ", ".join(map(str, value.shape)) + ("," if value.ndim == 1 else "")
        line = f"{str(value.dtype).removeprefix('torch.')} {name} of shape ({shape})"
        if not value.ndim or not 0 < math.prod(value.shape) <= FEW:
            return line
        numbers = plain(value)
        real = numbers.dtype.kind == "f"
        return f"{line}: {(numbers.round(4) if real else numbers).tolist()}"
    try:
        return SHORT.repr(value)
    except (ValueError, RecursionError):  # a number that is too long to be written, for one
        return f"a value of type {type(value).__name__}"


def _difference(got: Any, wanted: Any, tolerance: float, place: str) -> str | None:
    at = f"at {place} " if place else ""
    if isinstance(wanted, np.ndarray):
        return _of_arrays(got, wanted, tolerance, at)
    if isinstance(got, np.ndarray) and isinstance(wanted, list):
        got = got.tolist()
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        return _of_mappings(got, wanted, tolerance, place)
    if isinstance(wanted, list) and isinstance(got, list):
        return _of_lists(got, wanted, tolerance, place)
    if _is_number(wanted) and _is_number(got):
        return _of_numbers(got, wanted, tolerance, at)
    if isinstance(wanted, Set) and isinstance(got, Set):
        return _of_sets(got, wanted, at)
    if type(got) is not type(wanted) and not isinstance(got, type(wanted)):
        return f"{at}it is {_kind(got)}, where {_kind(wanted)} is wanted"
    return None if got == wanted else f"{at}it is {described(got)}, which is another one"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _of_numbers(got: float, wanted: float, tolerance: float, at: str) -> str | None:
    if isinstance(wanted, bool) or isinstance(got, bool):
        return None if got == wanted else f"{at}it is {got}"
    if isinstance(wanted, int):
        tolerance = 0  # a count is right or wrong
    if _close(got, wanted, tolerance) or (_is_nan(got) and _is_nan(wanted)):
        return None
    way = "" if _is_nan(got) or _is_nan(wanted) else (
        f", which is too {'high' if got > wanted else 'low'}")
    return f"{at}it is {_short(got)}{way}"


def _close(got: float, wanted: float, tolerance: float) -> bool:
    try:
        return math.isclose(got, wanted, rel_tol=tolerance, abs_tol=tolerance * 1e-2)
    except OverflowError:  # a whole number beyond all real ones
        return got == wanted


def _is_nan(number: float) -> bool:
    return number != number


def _of_arrays(got: Any, wanted: np.ndarray, tolerance: float, at: str) -> str | None:
    if not isinstance(got, np.ndarray):
        return f"{at}it is {_kind(got)}, where {_kind(wanted)} is wanted"
    if got.shape != wanted.shape:
        return f"{at}its shape is {got.shape}, where {wanted.shape} is wanted"
    real = got.dtype.kind == wanted.dtype.kind == "f"
    same = (np.isclose(got, wanted, rtol=tolerance, atol=tolerance * 1e-2, equal_nan=True) if real
            else got == wanted)
    if same.all():
        kinds = [KINDS.get(one.dtype.kind, str(one.dtype)) for one in (got, wanted)]
        return None if kinds[0] == kinds[1] else (
            f"{at}its numbers are {kinds[0]} ({got.dtype}), where {kinds[1]} "
            f"({wanted.dtype}) are wanted")
    first = tuple(int(axis) for axis in np.argwhere(~same)[0])
    return (f"{at}{int((~same).sum())} of its {same.size} numbers differ, the first at "
            f"{list(first)}, where it has {_short(got[first])}")


def _short(number: Any) -> str:
    """A number in a few digits; what else an array may hold, in a few letters."""
    if isinstance(number, (int, float, np.integer, np.floating)):
        try:
            real = isinstance(number, (float, np.floating)) or abs(number) >= 10**15
            return f"{number:.6g}" if real else str(number)
        except OverflowError:
            return f"{'-' * (number < 0)}10 to the power of {int(math.log10(abs(number)))} or so"
    return described(number)


def _of_lists(got: list, wanted: list, tolerance: float, place: str) -> str | None:
    if len(got) != len(wanted):
        return (f"{f'at {place} ' if place else ''}it has {len(got)} items, where {len(wanted)} "
                "are wanted")
    found = (_difference(one, other, tolerance, f"{place}[{i}]")
             for i, (one, other) in enumerate(zip(got, wanted, strict=True)))
    return next((one for one in found if one), None)


def _of_mappings(got: Mapping, wanted: Mapping, tolerance: float, place: str) -> str | None:
    at = f"at {place} " if place else ""
    for problem, keys in (("lacks", wanted.keys() - got.keys()),
                          ("should not have", got.keys() - wanted.keys())):
        if keys:
            return f"{at}it {problem} {', '.join(sorted(map(described, keys)))}"
    found = (_difference(got[key], wanted[key], tolerance, f"{place}[{key!r}]") for key in wanted)
    return next((one for one in found if one), None)


def _of_sets(got: Set, wanted: Set, at: str) -> str | None:
    extra = sorted(map(described, got - wanted))
    missing = len(wanted - got)
    if not extra and not missing:
        return None
    said = [f"{missing} missing"] * bool(missing) + [f"too many: {', '.join(extra[:3])}"] * bool(
        extra)
    return f"{at}it has {len(got)} elements, {' and '.join(said)}"


def _kind(value: Any) -> str:
    if value is None:
        return "None (is there a `return`?)"
    if isinstance(value, OfTensor):
        return "a tensor"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if _is_number(value):
        return "a number"
    names = {str: "a text", list: "a list", dict: "a dictionary", set: "a set"}
    if isinstance(value, Sequence | Mapping | Set) or type(value) in names:
        return names.get(type(value), f"a {type(value).__name__}")
    return f"of type {type(value).__name__}"
