"""Checks of form: right replies pass in every fair spelling, near misses don't."""

import pytest

from fmcourse.evaluate.checkers import CHECKERS, check
from fmcourse.evaluate.task_checkers import TASK_CHECKERS

WORDS = ["tea", "salt", "rye"]


@pytest.mark.parametrize(("name", "reply", "parameters"), [
    ("exactly", " [a  stone]\n", {"text": "[a stone]"}),
    ("exactly", '"a stone"', {"text": '"a stone"'}),
    ("repeated", "a stone a stone", {"text": "a stone", "times": 2}),
    ("repeated", "a stone, a stone,\na stone.", {"text": "a stone", "times": 3}),
    ("repeated", "a stone. a stone.", {"text": "a stone", "times": 2}),
    ("repeated", "a+ a+", {"text": "a+", "times": 2}),
    ("listed", "Tea, salt and, rye.", {"items": ["tea", "salt and", "rye"], "marks": "commas"}),
    ("listed", "tea, salt, and rye", {"items": WORDS, "marks": "commas"}),
    ("listed", "- tea\n* salt\n\n• rye.", {"items": WORDS, "marks": "bullets"}),
    ("listed", " 1. tea\n2) salt\n3.rye", {"items": WORDS, "marks": "numbers"}),
    ("json_list", '```json\n["tea", "salt", "rye"]\n```', {"items": WORDS}),
    ("json_list", '[ "tea","salt",\n"rye" ]', {"items": WORDS}),
])
def test_what_passes(name, reply, parameters):
    assert check(name, reply, "", parameters)


@pytest.mark.parametrize(("name", "reply", "parameters"), [
    ("exactly", "a stone", {"text": "[a stone]"}),
    ("exactly", "[a stone].", {"text": "[a stone]"}),
    ("exactly", '"A STONE"', {"text": "A STONE"}),
    ("exactly", "a stone", {"text": "A STONE"}),
    ("exactly", "", {"text": ""}),
    ("repeated", "a stone", {"text": "a stone", "times": 2}),
    ("repeated", "a stone a stone a stone", {"text": "a stone", "times": 2}),
    ("repeated", "a stonea stone", {"text": "a stone", "times": 2}),
    ("repeated", "aa aa", {"text": "a+", "times": 2}),
    ("listed", "salt, tea, rye", {"items": WORDS, "marks": "commas"}),
    ("listed", "tea, salt", {"items": WORDS, "marks": "commas"}),
    ("listed", "tea, salt, rye, oats", {"items": WORDS, "marks": "commas"}),
    ("listed", "tea salt rye", {"items": WORDS, "marks": "commas"}),
    ("listed", "tea, salt, rye", {"items": WORDS, "marks": "bullets"}),
    ("listed", "Here:\n- tea\n- salt\n- rye", {"items": WORDS, "marks": "bullets"}),
    ("listed", "- tea\n- salt\n- rye", {"items": WORDS, "marks": "numbers"}),
    ("listed", "1. tea\n1. salt\n1. rye", {"items": WORDS, "marks": "numbers"}),
    ("json_list", "tea, salt, rye", {"items": WORDS}),
    ("json_list", '["tea", "salt", "rye"] Done.', {"items": WORDS}),
    ("json_list", '{"tea": "salt"}', {"items": WORDS}),
    ("json_list", "[" * 100_000, {"items": WORDS}),
])
def test_what_fails(name, reply, parameters):
    assert not check(name, reply, "", parameters)


@pytest.mark.parametrize("reply", ["", " \n ", "the the the", "tea"])
@pytest.mark.parametrize(("name", "parameters"), [
    ("exactly", {"text": "[a stone]"}), ("repeated", {"text": "a stone", "times": 2}),
    ("listed", {"items": WORDS, "marks": "commas"}),
    ("listed", {"items": WORDS, "marks": "bullets"}),
    ("listed", {"items": WORDS, "marks": "numbers"}), ("json_list", {"items": WORDS}),
])
def test_nothing_is_earned_for_nothing(name, parameters, reply):
    assert not check(name, reply, "", parameters)


def test_the_names_are_their_own():
    assert not set(CHECKERS) & set(TASK_CHECKERS)
