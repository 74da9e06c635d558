"""An item is read as it is written, and each thing that is wrong with one is refused by name."""

import pytest
import yaml
from exam.items import TYPES, raw, read
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.errors import ExamError
from fmcourse.exam.item import Cell, Mistake
from fmcourse.exam.reading import read_file, read_item

CLAIMS = ("K1", "K2", "M4")


def test_answers_are_tuples_whatever_the_type():
    assert {kind: read(kind).key for kind in TYPES} == {
        "multiple_choice": ("b",), "multiple_response": ("a", "c"),
        "ordering": ("b", "c", "a"), "matching": ("b", "a", "c")}


def test_mistakes_are_explained_by_answer():
    assert read().wrong[0] == Mistake(("a",), "Twice two.")
    assert read("ordering").wrong == (Mistake(("a", "c", "b"), "The greatest first."),)
    assert read("matching").wrong[1] == Mistake(("r", "d"), "That is its double.")


def test_what_may_be_left_out():
    plain = read()
    assert (plain.shown, plain.exam_says, plain.scenario, plain.beyond) == (
        None, None, False, False)
    full = read(stem="A clerk counts. Which number is prime, and odd?", constraint="and odd",
                shown="01 The control", exam_says="One.", today="Another, as of May 2026.",
                beyond=True)
    assert full.scenario
    assert full.beyond
    assert full.shown == Cell("01", "The control")
    assert not plain.beyond
    assert read(beyond=True).label == "K1-01 · beyond the exam"
    for value in (1, "true"):
        with pytest.raises(ExamError, match="not true or false"):
            read(beyond=value)


BROKEN = [
    ({"colour": "red"}, "no field 'colour'"),
    ({"why": None}, "'why' is missing"),
    ({"stem": 7}, "quotes"),
    ({"difficulty": True}, "a whole number"),
    ({"stem": " "}, "empty"),
    ({"why": "Because option b is."}, "by its letter"),
    ({"why": "Because option a is."}, "by its letter"),
    ({"why": "Not answer C"}, "by its letter"),
    ({"options": {"a": "Four", "b": "Five", "c": "Six", "d": "All of the above"}}, "all or none"),
    ({"options": {"a": "Four", "b": 5, "c": "Six", "d": "Eight"}}, "is not text, but 5"),
    ({"type": "essay"}, "no type"),
    ({"task": "2.3"}, "no task"),
    ({"claims": []}, "empty"),
    ({"claims": ["K1", "K1"]}, "twice"),
    ({"claims": ["K99"]}, "no claim 'K99'"),
    ({"id": "K2-01"}, "K1-07"),
    ({"id": "K1-1"}, "two digits"),
    ({"difficulty": 4}, "no difficulty"),
    ({"verified": yaml.safe_load("2026-11-01 10:00:00")}, "a date such as"),
    ({"verified": "soon"}, "a date such as"),
    ({"today": "Now."}, "go together"),
    ({"today": "Now.", "exam_says": "Then."}, "when that was"),
    ({"beyond": "yes"}, "true or false"),
    ({"beyond": 1}, "true or false"),
    ({"sources": []}, "web address"),
    ({"sources": ["page 7"]}, "web address"),
    ({"constraint": "and odd"}, "last sentence"),
    ({"constraint": "prime"}, "before its last sentence"),
    ({"shown": "The control"}, "a lesson and a heading"),
    ({"prompts": {"p": "One"}}, "Only matching"),
    ({"options": {"a": "Four", "b": "Five", "c": "Six"}}, "with 3 options"),
    ({"options": {"a": "Four", "b": "Five", "c": "Six", "z": "Eight"}}, "no id"),
    ({"options": {"a": "Four", "b": "Five", "c": "Six", "d": "four."}}, "say the same"),
    ({"key": "e"}, "'e' is not among"),
    ({"key": ["b"]}, "is one option"),
    ({"wrong": {"a": "Twice two.", "c": "Twice three."}}, "each distractor"),
    ({"wrong": {"a": "No.", "b": "No.", "c": "No.", "d": "No."}}, "each distractor"),
]
BROKEN_BY_TYPE = [
    ("multiple_response", {"key": "a"}, "a list"),
    ("multiple_response", {"key": ["a"]}, "fewer than two"),
    ("multiple_response", {"key": ["a", "b", "c", "d", "e"]}, "or all of them"),
    ("multiple_response", {"key": ["a", "a", "c"]}, "an option twice"),
    ("ordering", {"key": ["b", "c"]}, "order of all options"),
    ("ordering", {"wrong": []}, "usual wrong orders"),
    ("ordering", {"wrong": [{"order": ["a", "c", "b"]}]}, "'order' and 'why'"),
    ("ordering", {"wrong": [{"order": ["b", "c", "a"], "why": "?"}]}, "is the key"),
    ("ordering", {"wrong": [{"order": ["a", "c", "b"], "why": "?"}] * 2}, "there twice"),
    ("matching", {"prompts": None}, "with 0 prompts"),
    ("matching", {"key": {"p": "b", "q": "a"}}, "each prompt an option"),
    ("matching", {"key": {"p": "b", "q": "a", "r": "e"}}, "'e' is not among"),
    ("matching", {"wrong": ["p"]}, "prompt by prompt"),
    ("matching", {"wrong": {"p": {"d": "?"}}}, "at least two"),
    ("matching", {"wrong": {"p": {"a": "?", "c": "?"}}}, "matches nothing: d"),
    ("matching", {"wrong": {"p": {"b": "?", "d": "?"}}}, "is the key's"),
]


@pytest.mark.parametrize(("kind", "changed", "said"),
                         [("multiple_choice", *one) for one in BROKEN] + BROKEN_BY_TYPE)
def test_what_is_wrong_is_named_with_its_place(kind, changed, said):
    with pytest.raises(ExamError) as caught:
        read(kind, **changed)
    assert said in str(caught.value)
    assert "K1.yaml:3 (K1-" in caught.value.where or "id" in changed
    assert caught.value.fix


@pytest.mark.parametrize("why", [
    "The answer a model gives is free.", "A prompt a person wrote.", "Options are free.",
    "Each response the model makes.", "Of all answers, none is shorter."])
def test_what_only_looks_like_a_letter_or_catch_all_is_read(why):
    assert read(why=why).why == why


@settings(max_examples=400, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from("abpq"), inner, max_size=3), max_leaves=6),
       st.sampled_from(TYPES), st.sampled_from(["options", "key", "wrong", "prompts", "claims",
                                                "sources", "shown", "id", "type"]))
def test_any_value_is_read_or_refused_in_our_words(value, kind, field):
    try:
        said = read_item(raw(kind) | {field: value}, "K1.yaml:3", CLAIMS).id
    except ExamError as error:
        said = error.fix
    assert said


@pytest.mark.parametrize(("text", "said"), [
    ("- id: K1-01\n  id: K1-02\n", "K1.yaml:2:3"),
    ("- stem: what: now\n", "not valid YAML"),
    ("stem: what\n", "is a list"),
    ("", "is a list"),
    ("- !!python/object:os.system {}\n", "not valid YAML"),
    ("- [{a: b}: c]\n", "one word"),
    ("- verified: 2026-02-31\n", "day is out of range"),
])
def test_yaml_that_is_none_or_runs_something_is_refused(tmp_path, text, said):
    file = tmp_path / "K1.yaml"
    file.write_text(text)
    with pytest.raises(ExamError, match=said):
        read_file(file)


def test_an_item_knows_its_line(tmp_path):
    file = tmp_path / "K1.yaml"
    file.write_text("# about\n- id: K1-01\n- id: K1-02\n")
    assert [place for place, _ in read_file(file)] == ["K1.yaml:2", "K1.yaml:3"]
