"""Values through a pipe: what goes in comes out, and whatever else comes in is refused."""

import base64
import json
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from fmcourse.classroom import values
from fmcourse.classroom.compare import difference
from fmcourse.classroom.values import MalformedError, described_error, pack, raised, unpack
from fmcourse.errors import DataError

TEXT = some.text(max_size=5)
KEYS = TEXT | some.integers() | some.tuples(some.integers(), TEXT)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | TEXT | some.binary(max_size=5) | some.floats(
        allow_nan=False) | some.sets(KEYS, max_size=2),
    lambda inner: some.lists(inner, max_size=3) | some.tuples(inner, inner) | some.dictionaries(
        KEYS, inner, max_size=2), max_leaves=6)
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | TEXT,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(
        some.sampled_from(["tensor", "array", "bytes", "tuple", "set", "other", "dict", "x"]),
        inner, max_size=1), max_leaves=8)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    assert unpack(pack(value)) == value


@pytest.mark.parametrize("value", [
    torch.randn(2, 0, 3), torch.tensor(2.5), torch.tensor([[True, False]]),
    np.arange(6).reshape(2, 3), np.array(["a", "bcd"]), np.float64("nan"),
    torch.ones(3, dtype=torch.bfloat16).float()])
def test_tensors_and_arrays_keep_type_shape_and_numbers(value):
    back = unpack(pack(value))
    assert difference(back, value, 0) is None
    assert isinstance(back, type(value)) or np.isscalar(value)
    assert getattr(back, "dtype", None) == getattr(value, "dtype", None) or np.isscalar(value)


@given(JSON)
@settings(max_examples=300)
def test_whatever_a_hostile_process_sends_is_a_value_or_refused(sent):
    try:
        value = unpack(json.dumps(sent).encode())
    except MalformedError:
        return
    for wanted in ([1.0], torch.ones(2)):  # nothing is taken for right that has not its numbers
        if difference(value, wanted) is None:
            assert np.asarray(value).ravel().tolist() == pytest.approx(np.asarray(wanted).tolist())


FAR = b", ".join(b"%d" % (i * (2**61 - 1)) for i in range(99))  # all of one hash


@pytest.mark.parametrize("message", [
    b"", b"\xff", b"[" * 100_000, b'{"tensor": ["<f4", [-1], ""]}', b'{"set": [[]]}',
    b'{"array": ["|O", [1], "AAAAAAAAAAA="]}', b'{"array": ["<f4", [9], "AAAAAA=="]}',
    b'{"array": ["<f4", [1' + b",1" * 99 + b'], "AAAAAA=="]}', b'{"set": [' + FAR + b"]}",
    b'{"array": ["<f4", [' + b"9" * 4000 + b'], "AAAAAA=="]}',
    b'{"dict": [' + b", ".join(b"[%d, 1]" % (i * (2**61 - 1)) for i in range(99)) + b"]}",
    b"[" + b"[]," * 999_999 + b"[]]", b"[" * 70 + b"]" * 70,
    b'{"pickle": "gASVAAAA"}', b'{"tuple": [1], "set": [2]}', b"9" * 5000])
def test_bytes_that_are_no_value_are_refused(message):
    with pytest.raises(MalformedError):
        unpack(message)


def test_a_message_that_would_take_minutes_to_read_takes_none(monkeypatch):
    """163,000 numbers of one hash fit into a message; a set of 16,000 of them took 12 s."""
    far = [i * (2**61 - 1) for i in range(50_000)]
    for value in ({"set": far}, {"dict": [[number, 0] for number in far]},
                  {"dict": [[{"tensor": ["<i8", [], _eight(i)]}, 0] for i in range(1, 10_000)]}):
        began = time.process_time()
        with pytest.raises(MalformedError, match="same hash"):
            unpack(json.dumps(value).encode())
        assert time.process_time() - began < 5
    monkeypatch.setattr(values, "ALIKE", 10_000)  # so that the guard is what refuses
    assert len(unpack(b'{"set": [' + FAR + b"]}")) == 99


def _eight(times: int) -> str:
    """The same numbers as tensors without axes, as far as eight bytes hold them."""
    return base64.b64encode((times % 4 * (2**61 - 1)).to_bytes(8, "little")).decode()


def test_keys_that_are_tensors_without_axes_are_numbers():
    assert unpack(pack({torch.tensor(3): 1})) == {3: 1}


def test_what_cannot_be_compared_arrives_by_its_types_name():
    class Same:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert "of type Same" in difference(unpack(pack(Same())), 3)
    assert "of type function" in difference(unpack(pack(len.__class__ and (lambda: 0))), 3)


@pytest.mark.parametrize(("error", "kind"), [
    (DataError("empty"), DataError), (KeyError("x"), KeyError), (NotImplementedError(),
                                                                NotImplementedError),
    (json.JSONDecodeError("no", "x", 0), ValueError), (UnicodeDecodeError("a", b"", 0, 1, "b"),
                                                      ValueError), (SystemExit(1), RuntimeError),
    (type("Own", (TypeError,), {})("mine"), TypeError)])
def test_an_exception_comes_back_as_the_nearest_kind_that_both_know(error, kind):
    back = raised(unpack(pack(described_error(error))))
    assert type(back) is kind
    assert bool(back.args) == bool(error.args)


@pytest.mark.parametrize("sent", [None, 3, {}, {"types": [], "says": "", "empty": 0}, "types"])
def test_what_describes_no_exception_is_refused(sent):
    with pytest.raises(MalformedError):
        raised(sent)
