"""Checks that every format of records shares; a fault is named by the path to its value.

A check returns what it was given, or raises `RecordError` with what is wrong and what to do. It
sees parsed JSON and knows no file: `located` finds the place in the text once there is a fault,
so that good records, which are nearly all, cost one pass of the C parser.
"""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import Any

from fmcourse.data.strict_json import MisreadError, Path, places, quoted
from fmcourse.errors import DataError

SCHEMA = "bedrock-conversation-2024"
_ELSEWHERE = {  # what other collections call these keys
    "prompt": ("question", "instruction", "input", "query"),
    "completion": ("answer", "response", "output", "reply"),
    "messages": ("conversations", "conversation", "turns", "dialogue")}
# What chat templates write around turns: ChatML's and Llama 3's <|…|>, Gemma's, Mistral's.
_CONTROL = re.compile(r"<[|｜][^\s|｜<>]{1,64}[|｜]>|<(?:start|end)_of_turn>|\[/?INST\]")
_HALF = re.compile("[\ud800-\udfff]")
_TYPES = {str: "a string", dict: "an object", list: "a list", float: "a number",
          int: "a number", bool: "true or false", type(None): "null"}

Message = dict[str, str]


class RecordError(DataError):
    """One fault of a record: `path` leads to the value, or to its key if `at_key`."""

    def __init__(self, what: str, path: Path, fix: str, at_key: bool = False):
        super().__init__(what, where=shown(path) or "the record", fix=fix)
        self.path, self.at_key = path, at_key


def located(text: str, error: RecordError) -> MisreadError:
    """The same fault with its place in the text of the record."""
    offset = next(key_at if error.at_key else at for path, key_at, at in places(text)
                  if path == error.path)
    return MisreadError(error.what, offset, error.fix)


def check_keys(record: Any, path: Path, required: tuple[str, ...],
               optional: tuple[str, ...] | None = ()) -> None:
    """An object has the required keys, and no other than the optional ones (None: any)."""
    if not isinstance(record, dict):
        raise RecordError(f"This is {type_name(record)}, not an object.", path,
                          f"Write an object with {_listed(required)}.")
    if optional is not None:
        for key in record:
            if key not in required and key not in optional:
                raise RecordError(f"The key {quoted(key)} is unknown.", (*path, key),
                                  _instead(key, record, path, required, optional), at_key=True)
    for key in required:
        if key not in record:
            other = near(key, *record) if optional is None else None
            fix = f'Rename {quoted(other)} to "{key}".' if other else (
                f'Add "{key}"' + f': "{SCHEMA}"' * (key == "schemaVersion") + ".")
            raise RecordError(f'The key "{key}" is missing.', path, fix)


def _instead(key: str, record: dict[str, Any], path: Path, required: tuple[str, ...],
             optional: tuple[str, ...]) -> str:
    """What to do about an unknown key."""
    if key == "system" and not path:  # as Claude 3 had it
        return 'Make it the first message, with the role "system".'
    if any(str(key).lower() in _ELSEWHERE.get(name, ()) and name not in record
           for name in required):
        return renamed({key: None}) or ""
    meant = near(key, *(name for name in (*required, *optional) if name not in record))
    return f'Write "{meant}".' if meant else f"Remove it; there are {_listed(required)}."


def renamed(record: dict[str, Any]) -> str | None:
    """What to call the keys of a record that has the usual names of elsewhere."""
    meant = {name: key for name, others in _ELSEWHERE.items() for key in reversed(record)
             if str(key).lower() in others}
    named = " and ".join(f'"{key}" to "{name}"' for name, key in meant.items())
    return f"Rename {named}." if named else None


def check_list(value: Any, path: Path) -> list[Any]:
    """A list with something in it."""
    if not isinstance(value, list):
        raise RecordError(f"{_name(path)} is {type_name(value)}, not a list.", path,
                          "Write a list, with one object or more in it.")
    if not value:
        raise RecordError(f"{_name(path)} is empty.", path, "Fill it, or remove the record.")
    return value


def check_string(value: Any, path: Path) -> str:
    """A string with words in it, that UTF-8 can hold."""
    if not isinstance(value, str):
        raise RecordError(f"{_name(path)} is {type_name(value)}, not a string.", path,
                          'Write a string, in "double quotes".')
    if not value or value.isspace():
        raise RecordError(f'{_name(path)} is {"blank" if value else "empty"}.', path,
                          "Fill it, or remove the record.")
    return check_characters(value, path)


def check_characters(value: str, path: Path) -> str:
    """A string without NUL and without halves of characters, empty or not."""
    if "\0" in value:
        raise RecordError(f"{_name(path)} has a NUL in it.", path, "Remove it: \\u0000.")
    if not value.isascii() and (half := _HALF.search(value)):
        raise RecordError(f"{_name(path)} has half a character in it (a lone surrogate).", path,
                          f"Remove it, or complete the pair: \\u{ord(half[0]):04x}.")
    return value


def check_text(value: Any, path: Path) -> str:
    """A string to be put into a chat template, which therefore has no marks of turns in it."""
    check_string(value, path)
    if ("<" in value or "[" in value) and (token := _CONTROL.search(value)):  # "in" is faster
        raise RecordError(f"{_name(path)} has {quoted(token[0])} in it, with which a text could "
                          "pass for another's turn.", path, "Remove it, or spell it otherwise.")
    return value


def check_value(value: Any, path: Path) -> Any:
    """Any JSON value, of which every reader reads the same: no NaN, no half characters."""
    waiting = [(value, path)]  # not recursive, for JSON may be nested as deep as Python may call
    while waiting:
        inner, place = waiting.pop()
        if isinstance(inner, float) and not math.isfinite(inner):
            raise RecordError("This is no finite number.", place, "Write a number, or a string.")
        if isinstance(inner, str):
            check_characters(inner, place)
        elif isinstance(inner, dict):
            for key in inner:
                check_characters(key, (*place, key))
            waiting += [(item, (*place, key)) for key, item in inner.items()]
        elif isinstance(inner, list):
            waiting += [(item, (*place, i)) for i, item in enumerate(inner)]
    return value


def near(key: str, *names: str) -> str | None:
    """The name that a key was probably meant to be."""
    if key in names:  # difflib takes its time, and this is nearly always so
        return key
    lower = {name.lower(): name for name in names}
    found = get_close_matches(str(key)[:40].lower(), lower, 1, 0.75)
    return lower[found[0]] if found else None


def shown(path: Path) -> str:
    """
    >>> shown(("messages", 2, "role"))
    'messages[2].role'
    """
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def _name(path: Path) -> str:
    return quoted(str(path[-1]))


def type_name(value: Any) -> str:
    """What JSON calls a value's type, with its article."""
    return _TYPES.get(type(value), f"a {type(value).__name__}")


def either(names: tuple[str, ...]) -> str:
    """Names to choose from."""
    return " or ".join(f'"{name}"' for name in names)


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(f'"{name}"' for name in names)
