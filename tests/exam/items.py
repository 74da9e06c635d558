"""Raw items to break, one of each type."""

import copy
from datetime import date
from typing import Any

from fmcourse.exam.item import Item
from fmcourse.exam.reading import read_item

COMMON = {"task": "3.3", "claims": ["K1"], "difficulty": 1, "why": "Because it is so.",
          "sources": ["https://example.org/page"], "verified": date(2026, 11, 1)}
RAW: dict[str, dict[str, Any]] = {
    "multiple_choice": {
        "id": "K1-01", "stem": "Which number is prime?",
        "options": {"a": "Four", "b": "Five", "c": "Six", "d": "Eight"}, "key": "b",
        "wrong": {"a": "Twice two.", "c": "Twice three.", "d": "Twice four."}},
    "multiple_response": {
        "id": "K1-02", "stem": "Which numbers are even?",
        "options": {"a": "Four", "b": "Five", "c": "Six", "d": "Seven", "e": "Nine"},
        "key": ["a", "c"], "wrong": {"b": "It is odd.", "d": "Odd.", "e": "Thrice three."}},
    "ordering": {
        "id": "K1-03", "stem": "Put the numbers in order, the least first.",
        "options": {"a": "Four", "b": "Two", "c": "Three"}, "key": ["b", "c", "a"],
        "wrong": [{"order": ["a", "c", "b"], "why": "The greatest first."}]},
    "matching": {
        "id": "K1-04", "stem": "Match each number with its square.",
        "prompts": {"p": "Two", "q": "Three", "r": "Four"},
        "options": {"a": "Nine", "b": "Four", "c": "Sixteen", "d": "Eight"},
        "key": {"p": "b", "q": "a", "r": "c"},
        "wrong": {"p": {"d": "That is its cube."}, "r": {"d": "That is its double."}}},
}
TYPES = tuple(RAW)


def raw(kind: str = "multiple_choice", **changed: Any) -> dict[str, Any]:
    """An item as YAML gives it; `changed` fields are replaced, those that are None left out."""
    made = copy.deepcopy({**COMMON, **RAW[kind], "type": kind}) | changed
    return {field: value for field, value in made.items() if value is not None}


def read(kind: str = "multiple_choice", **changed: Any) -> Item:
    """An item of that type, checked."""
    return read_item(raw(kind, **changed), "K1.yaml:3", ("K1", "K2", "M4"))
