"""Comparing values: what is forgiven, and what is said of the rest without giving it away."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from fmcourse.classroom.compare import described, difference

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text() | some.floats(allow_nan=True),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(
        some.text() | some.tuples(some.integers()), inner, max_size=3),
    max_leaves=8)


@given(VALUES)
def test_every_value_agrees_with_itself(value):
    assert difference(value, value) is None


@given(some.floats(-1e6, 1e6), some.floats(-1e6, 1e6))
def test_numbers_agree_exactly_when_they_are_close(one, other):
    assert (difference(one, other) is None) == math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6)


@pytest.mark.parametrize("carrier", [
    float, np.float32, np.float64, torch.tensor, lambda x: np.array(x), lambda x: torch.tensor(
        x, requires_grad=True)])
def test_what_carries_a_number_is_forgiven(carrier):
    assert difference(carrier(2.5), 2.5) is None


@pytest.mark.parametrize(("got", "wanted", "said"), [
    (None, 1.0, "None (is there a `return`?)"),
    ("2", 2, "it is a text, where a number is wanted"),
    (torch.zeros(3, 2), torch.zeros(2, 3), "its shape is (3, 2), where (2, 3) is wanted"),
    (torch.tensor([1.0, 2.0]), torch.tensor([1, 2]), "real numbers (float32)"),
    (torch.tensor([1.0, 5.0, 5.0]), torch.tensor([1.0, 2.0, 3.0]),
     "2 of its 3 numbers differ, the first at [1], where it has 5"),
    ([1, 2], torch.tensor([1, 2]), "it is a list, where a tensor is wanted"),
    ([1, 2], np.array([1, 2]), "it is a list, where a NumPy array is wanted"),
    ({"x": torch.ones(2)}, {"x": [1]}, "it has 2 items, where 1 are wanted"),
    ("x", {"x": [1]}, "it is a text, where a dictionary is wanted"),
    (torch.ones(2), 1.0, "it is a tensor, where a number is wanted"),
    (np.ones(2), 1.0, "it is a NumPy array, where a number is wanted"),
    (10**400, 2.0, "it is 10 to the power of 400 or so, which is too high"),
    (-10**400, 2, "it is -10 to the power of 400 or so, which is too low"),
    ([10**400], np.array([1.0]), "it is a list, where a NumPy array is wanted"),
    (np.array([10**400]), np.array([1.0]), "where it has 10 to the power of 400 or so"),
    ([1, 2], [1, 2, 3], "it has 2 items, where 3 are wanted"),
    ({"a": 1}, {"a": 1, "b": 2}, "it lacks 'b'"),
    ({"a": [1, 3]}, {"a": [1, 2]}, "at ['a'][1] it is 3, which is too high"),
    ({"x"}, {"y"}, "1 missing and too many: 'x'"),
    (True, False, "it is True"),
    (math.nan, 1.0, "it is nan"),
])
def test_what_is_said_of_a_difference(got, wanted, said):
    assert said in difference(got, wanted)


@given(some.integers(0, 10**9), some.integers(10**12, 10**13))
def test_the_wanted_value_is_not_given_away(got, wanted):
    assert str(wanted) not in difference(got, wanted)
    assert str(wanted) not in difference([got], [wanted])
    assert str(wanted) not in difference(torch.tensor([got]), torch.tensor([wanted]))


def endless():
    xs = []
    xs.append(xs)
    return xs


def deep():
    xs = []
    for _ in range(10_000):
        xs = [xs]
    return xs


@pytest.mark.parametrize("make", [endless, deep, lambda: {"x": endless()}])
@pytest.mark.parametrize("wanted", [3, [[1]], "x", {"x": [1]}, torch.ones(2)])
def test_a_value_that_holds_itself_differs_in_a_sentence(make, wanted):
    assert "without an end" in difference(make(), wanted)


class Spiteful:
    def __eq__(self, other):
        raise ZeroDivisionError("no")

    __hash__ = None


class Ours(Spiteful):
    pass


def test_a_value_that_cannot_be_compared_differs_in_a_sentence():
    assert difference(Ours(), Spiteful()) == "it cannot be compared: ZeroDivisionError: no"
    assert "of type Spiteful" in difference(Spiteful(), 3)


def test_numbers_that_python_does_not_write_are_told_of():
    long = 10**5000
    assert difference(long, math.nan) == "it is 10 to the power of 5000 or so"
    assert difference({long: 1}, {1: 1}) == "it lacks 1"
    assert difference({1: 1, long: 1}, {1: 1}).startswith("it should not have ")


def test_whole_numbers_beyond_all_real_ones_are_compared():
    assert difference(10**400, 10**400) is None
    assert difference(10**400, 10**400 + 1)


def test_counts_are_exact():
    assert difference(100_001, 100_000)
    assert difference(100_000.0, 100_000) is None


def test_nan_agrees_with_nan_only():
    assert difference(math.nan, math.nan) is None
    assert difference(torch.tensor([math.nan]), torch.tensor([math.nan])) is None
    assert difference(math.nan, 0.0)


def test_half_precision_can_be_compared():
    assert difference(torch.ones(2, dtype=torch.bfloat16), torch.ones(2)) is None


def test_a_long_value_is_described_in_a_line():
    assert len(described(list(range(10_000)))) < 100
    assert described(torch.tensor([[1, 2]])) == "int64 tensor of shape (1, 2): [[1, 2]]"


@pytest.mark.parametrize("values", [[True, False], [1, 2], [1.5, 2.25]])
def test_short_tensors_and_arrays_are_shown(values):
    assert described(torch.tensor(values)).endswith(str(values))
    assert described(np.array(values)).endswith(str(values))
