"""The grader: the key is right, everything else is wrong, and each part is told why."""

import itertools

import pytest
from exam.items import TYPES, read
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.errors import ExamError
from fmcourse.exam import bank
from fmcourse.exam.grade import grade
from fmcourse.exam.item import CHOICE, MATCHING, ORDERING, RESPONSE


def verdicts(result):
    return [note.verdict for note in result.notes]


def whys(result, verdict):
    return [note.why for note in result.notes if note.verdict == verdict and note.why]


def possible(item):
    """Every answer that can be given."""
    names = sorted(item.options)
    if item.type == ORDERING:
        return itertools.permutations(names)
    if item.type == MATCHING:
        return itertools.product(names, repeat=len(item.prompts))
    counts = [1] if item.type == CHOICE else range(1, len(names) + 1)
    return itertools.chain(*(itertools.permutations(names, count) for count in counts))


@pytest.mark.parametrize("kind", TYPES)
def test_only_the_key_is_right_of_all_answers(kind):
    item = read(kind)
    unordered = kind in (CHOICE, RESPONSE)
    for answer in possible(item):
        same = set(answer) == set(item.key) if unordered else answer == item.key
        assert grade(item, answer).right is same


@given(st.sampled_from(bank.load()), st.randoms())
def test_a_right_answer_has_no_wrong_note_and_a_wrong_one_has_some(item, chance):
    answer = chance.choice(list(itertools.islice(possible(item), 3000)))
    result = grade(item, answer)
    assert result.right == (not {"wrong", "missed"} & set(verdicts(result)))


def test_every_distractor_is_explained_chosen_or_not():
    result = grade(read("multiple_response"), ("c", "b"))
    assert verdicts(result) == ["missed", "wrong", "right", "avoided", "avoided"]
    assert [bool(note.why) for note in result.notes] == [False, True, False, True, True]


def test_an_order_is_told_step_by_step():
    result = grade(read("ordering"), ("b", "a", "c"))
    assert [(note.text, note.verdict) for note in result.notes[:3]] == [
        ("Two", "right"), ("Three", "wrong"), ("Four", "wrong")]
    assert whys(result, "wrong") == []  # the usual mistake turns more round than this one


def test_a_usual_mistake_is_seen_inside_a_worse_one():
    item = read("ordering", wrong=[{"order": ["c", "b", "a"], "why": "Three before two."},
                                   {"order": ["b", "a", "c"], "why": "Four before three."}])
    assert whys(grade(item, ("c", "b", "a")), "wrong") == ["Three before two."]
    assert whys(grade(item, ("a", "c", "b")), "wrong") == ["Three before two.",
                                                           "Four before three."]
    assert whys(grade(item, item.key), "wrong") == []


def test_a_match_is_told_prompt_by_prompt():
    result = grade(read("matching"), ("d", "a", "c"))
    assert [(note.text, note.verdict) for note in result.notes] == [
        ("Two → Four", "wrong"), ("Three → Nine", "right"), ("Four → Sixteen", "right"),
        ("Two → Eight", "wrong"), ("Four → Eight", "avoided")]
    assert whys(result, "wrong") == ["That is its cube."]


@pytest.mark.parametrize("kind", TYPES)
def test_no_answer_is_wrong_and_still_explained(kind):
    result = grade(read(kind), ())
    assert not result.right
    assert "wrong" not in verdicts(result)
    assert len(whys(result, "avoided")) == len(result.item.wrong)


@pytest.mark.parametrize(("kind", "answer", "said"), [
    ("multiple_choice", ("z",), "no option 'z'"),
    ("multiple_choice", ("a", "b"), "where one is asked"),
    ("multiple_response", ("a", "a"), "twice"),
    ("ordering", ("a", "b"), "2 of 3 steps"),
    ("matching", ("a", "b"), "2 matches for 3 prompts"),
])
def test_what_is_no_answer_is_refused(kind, answer, said):
    with pytest.raises(ExamError, match=said):
        grade(read(kind), answer)
