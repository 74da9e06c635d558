"""What is shown can be typed, and what is typed is what was meant."""

import itertools
import re

import pytest
from exam.items import TYPES, read
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.errors import ExamError
from fmcourse.exam import bank
from fmcourse.exam.view import view


@given(st.sampled_from(bank.load()), st.integers(0, 10**6))
def test_the_key_as_typed_is_read_as_the_key(item, seed):
    shown = view(item, seed)
    assert set(shown.read(shown.typed(item.key))) == set(item.key)
    assert sorted(shown.options.values()) == sorted(item.options.values())


@pytest.mark.parametrize("kind", TYPES)
def test_an_example_has_the_form_of_an_answer_and_says_nothing_of_the_key(kind):
    for item in (one for one in bank.load() if one.type == kind):
        shown = {view(item, seed).example: view(item, seed) for seed in range(30)}
        (example, one), = shown.items()  # the same whatever the key's letters
        assert not set(example) & set(one.options)
        key = one.typed(item.key)
        assert re.sub("[A-Z]", "-", example) == re.sub("[A-Z]", "-", key)
        with pytest.raises(ExamError, match="There is no"):
            one.read(example)


@given(st.sampled_from(TYPES), st.text(max_size=8))
def test_whatever_is_typed_is_an_answer_or_is_refused_with_an_example(kind, typed):
    shown = view(read(kind), seed=1)
    try:
        fix = " ".join(shown.read(typed))
    except ExamError as error:
        fix = error.fix
    assert fix


def test_the_order_depends_on_seed_and_item_and_nothing_else():
    item = read("multiple_response")
    assert view(item, 7) == view(item, 7)
    assert len({view(item, seed).order for seed in range(50)}) > 10


def test_an_ordering_is_never_shown_solved():
    item = read("ordering")
    assert {view(item, seed).order for seed in range(200)} == (
        set(itertools.permutations("abc")) - {item.key})


@pytest.mark.parametrize("typed", ["1A 2B 3C", "3C,1A;2B", "abc", "A B C", "1a2b3c", "1-A 2-B 3-C"])
def test_a_matching_may_be_typed_in_several_ways(typed):
    shown = view(read("matching"), seed=3)
    assert shown.typed(shown.read(typed)) == "1A 2B 3C"


@pytest.mark.parametrize(("kind", "typed", "said"), [
    ("multiple_choice", "", "letters"),
    ("multiple_choice", "?", "letters"),
    ("multiple_choice", "E", "no E here"),
    ("multiple_choice", "AB", "2 given, 1 asked"),
    ("multiple_response", "A", "1 given, 2 asked"),
    ("multiple_response", "AA", "twice"),
    ("ordering", "AAB", "twice"),
    ("ordering", "AB", "2 given, 3 asked"),
    ("matching", "1A 2B", "Each number"),
    ("matching", "1A 1B 3C", "Each number"),
    ("matching", "12 3", "Each number"),
])
def test_what_is_no_answer_is_said_with_an_example(kind, typed, said):
    shown = view(read(kind), seed=3)
    with pytest.raises(ExamError, match=said) as caught:
        shown.read(typed)
    assert f"Type such as: {shown.example}" in caught.value.fix
