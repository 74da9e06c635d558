"""Values as bytes and back, between a grader and a process that it does not trust.

JSON and nothing else: reading it runs no code, whatever was sent, which pickle cannot promise.
Carriers that matter are kept apart (a tuple from a list, a tensor from an array); what no check can
compare, such as a function, arrives as an object of that type's name and equals nothing.
"""

from __future__ import annotations

import base64
import builtins
import gc
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

import numpy as np
import torch

from fmcourse import errors

KINDS = "biufU"  # of arrays: true or false, whole, real, texts
DEEPEST = 60  # brackets within brackets of a message
MOST = 200_000  # values in a message; an array or tensor is one
ALIKE = 8  # keys of one hash: a few may meet by chance, many would make each look-up a long search
AXES, LONGEST_AXIS = 32, 2**40


class MalformedError(ValueError):
    """Bytes that no honest process sends."""


def pack(value: Any) -> bytes:
    """A value as bytes.

    >>> pack({"loss": (1, 2.5)})
    b'{"dict": [["loss", {"tuple": [1, 2.5]}]]}'
    """
    return json.dumps(_packed(value)).encode()


def unpack(message: bytes) -> Any:
    """The value again.

    Raises:
        MalformedError: these bytes are not of `pack`.

    >>> unpack(pack([(1, 2.5), {3}, b"key", torch.tensor([True])]))
    [(1, 2.5), {3}, b'key', tensor([True])]
    """
    try:
        parsed = _parsed(message)
        _check_size(parsed)
        return _unpacked(parsed)
    except Exception as error:  # there is no end to what a hostile process may send
        raise MalformedError(f"{type(error).__name__}: {error}") from None


def described_error(error: BaseException) -> dict[str, Any]:
    """An exception as a value: its types' names, the nearest first, and what it says."""
    return {"types": [kind.__name__ for kind in type(error).__mro__], "says": str(error)[:500],
            "empty": not error.args}


def raised(described: Any) -> Exception:
    """An exception of the nearest type that is Python's or the course's.

    >>> raised(described_error(json.JSONDecodeError("no value", "x", 0)))
    ValueError('no value: line 1 column 1 (char 0)')

    Raises:
        MalformedError: this describes none.
    """
    try:
        types, says, empty = described["types"], str(described["says"])[:500], described["empty"]
        for name in map(str, types):
            kind = getattr(builtins, name, getattr(errors, name, None))
            if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(
                    kind, UnicodeError):  # which wants more than a text
                return kind() if empty else kind(says)
        return RuntimeError(f"{str(types[0])[:50]}: {says}".rstrip(": "))
    except (KeyError, TypeError, IndexError) as error:
        raise MalformedError(f"no exception: {error}") from None


def _packed(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return _array("tensor", (value.float() if value.dtype == torch.bfloat16 else value).numpy())
    if isinstance(value, np.ndarray) and value.dtype.kind in KINDS:
        return _array("array", value)
    if isinstance(value, np.generic):
        value = value.item()
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"dict": [[_packed(key), _packed(item)] for key, item in value.items()]}
    for name, kind in (("tuple", tuple), ("set", Set)):
        if isinstance(value, kind):
            return {name: [_packed(item) for item in value]}
    if isinstance(value, list):
        return [_packed(item) for item in value]
    return value if value is None else {"other": type(value).__name__}


def _array(name: str, value: np.ndarray) -> dict[str, list[Any]]:
    held = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
    return {name: [value.dtype.str, [*value.shape], held]}


def _parsed(message: bytes) -> Any:
    """Its JSON, which has no cycles: collecting while millions of lists are made took 20 times as
    long as making them."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return json.loads(message)
    finally:
        if collects:
            gc.enable()


def _check_size(parsed: Any) -> None:
    """Refuse parsed JSON that is too deep or has too many values, before anything is made of it."""
    layer, values = [parsed], 0
    for _ in range(DEEPEST):
        values += len(layer)
        if values > MOST:
            raise ValueError(f"more than {MOST:,} values")
        layer = [item for one in layer if isinstance(one, (list, dict))
                 for item in (one if isinstance(one, list) else one.values())]
        if not layer:
            return
    raise ValueError("values within values without an end")


def _unpacked(packed: Any) -> Any:
    """The value of parsed JSON."""
    if isinstance(packed, list):
        return [_unpacked(item) for item in packed]
    if not isinstance(packed, dict):
        return packed
    (name, held), = packed.items()
    if name == "dict":
        keys = _keys(key for key, _ in held)
        return dict(zip(keys, (_unpacked(item) for _, item in held), strict=True))
    if name == "set":
        return set(_keys(held))
    if name == "tuple":
        return tuple(_unpacked(item) for item in held)
    return UNPACK[name](held)


def _keys(packed: Iterable[Any]) -> list[Any]:
    """Values that are to be looked up by their hashes, which therefore must tell them apart."""
    keys = [_unpacked(key) for key in packed]
    keys = [key.item() if isinstance(key, torch.Tensor) else key for key in keys]
    if keys and max(Counter(map(hash, keys)).values()) > ALIKE:
        raise ValueError("keys that have the same hash")
    return keys


def _to_array(held: list[Any]) -> np.ndarray:
    if len(held[1]) > AXES:
        raise ValueError(f"an array of {len(held[1])} axes")
    dtype, shape = np.dtype(str(held[0])), [int(size) for size in held[1]]
    if dtype.kind not in KINDS or dtype.itemsize == 0 or not all(
            0 <= size <= LONGEST_AXIS for size in shape):
        raise ValueError(f"an array of {dtype} that is none")
    values = np.frombuffer(base64.b64decode(held[2]), dtype)
    if math.prod(shape) != values.size:
        raise ValueError(f"{values.size} numbers for another shape")
    return values.reshape(shape).copy()


def _to_other(name: str) -> Any:
    return type(name[:50] if name.isidentifier() else "object", (), {})()


UNPACK: dict[str, Callable[[Any], Any]] = {
    "tensor": lambda held: torch.from_numpy(_to_array(held)), "array": _to_array,
    "bytes": base64.b64decode, "other": _to_other}
