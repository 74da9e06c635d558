"""JSON read strictly, with the place of a fault.

Python's parser takes the last of two equal keys and forgets where values stood. Training data wants
the first refused and the second told: "line 7, column 12". So a text is parsed as always, in C, and
only when something is wrong scanned a second time for the place. That the text is then known to be
JSON keeps the scanner small.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fmcourse.errors import DataError

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s"{}\[\],:]+')


class MisreadError(DataError):
    """A text that cannot be used; `offset` is the place of the fault, in characters from 0."""

    def __init__(self, what: str, offset: int, fix: str | None):
        super().__init__(what, where=f"character {offset + 1}", fix=fix)
        self.offset = offset


class _RepeatedKey(Exception):  # noqa: N818 - a signal, never seen outside
    pass


def parse(text: str) -> Any:
    """The value of a JSON text; all its numbers are floats.

    Raises:
        MisreadError: it is not JSON, is nested too deeply, or an object has a key twice.

    >>> parse('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    fmcourse.data.strict_json.MisreadError: The key "a" is there twice.
      where: character 10
      what to do: Remove one of the two.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MisreadError(f"This is not JSON: {_plain(error.msg)}.", error.pos,
                           "Correct it, or write the file with a JSON library.") from error
    except RecursionError as error:
        raise MisreadError("This is nested too deeply.", 0, "Flatten it.") from error
    except _RepeatedKey as error:
        key, offset = _repeated(text)
        raise MisreadError(f"The key {quoted(key)} is there twice.", offset,
                           "Remove one of the two.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise _RepeatedKey
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=float)


def places(text: str) -> Iterator[tuple[Path, int, int]]:
    """Path, offset of the key and offset of the value, for each value of a valid JSON text.

    An element of a list has no key; the offset of its value stands for it. That the text is valid
    is what makes so small a scanner enough, of any depth.

    >>> list(places('{"a": [1]}'))
    [((), 0, 0), (('a',), 1, 6), (('a', 0), 7, 7)]
    """
    path: list[str | int] = []
    inside = [""]  # the brackets that are open
    key_at, is_key = None, False
    for token in _TOKEN.finditer(text):
        mark, at = token[0], token.start()
        if mark in "]}":
            inside.pop()
            path.pop()
        elif mark == ",":
            is_key = inside[-1] == "{"
            if not is_key:
                path[-1] += 1
        elif mark == ":":
            is_key = False
        elif is_key:
            path[-1], key_at = json.loads(mark), at
        else:
            yield tuple(path), at if key_at is None else key_at, at
            key_at = None
            if mark in "[{":
                inside.append(mark)
                path.append(0)
                is_key = mark == "{"


def _repeated(text: str) -> tuple[str, int]:
    """The first key that an object has a second time, and where."""
    seen: set[Path] = set()
    for path, key_at, _ in places(text):
        if path in seen:
            return str(path[-1]), key_at
        seen.add(path)
    raise AssertionError("the parser found a repeated key, the scanner none")


def _plain(message: str) -> str:
    """The parser's message without what is said elsewhere.

    >>> _plain("Invalid control character at")
    'invalid control character'
    """
    return (message[:1].lower() + message[1:]).removesuffix(" at").removesuffix(" starting")


def quoted(name: str) -> str:
    """What a record says, made safe to print: cut, with odd characters written out.

    >>> quoted("promt"), quoted("\\ud800")
    ('"promt"', '"\\\\ud800"')
    """
    shown = json.dumps(name, ensure_ascii=False)
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
