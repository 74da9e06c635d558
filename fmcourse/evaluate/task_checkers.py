"""Checks of form that the instruction collection adds to `fmcourse.evaluate.checkers`.

Where form is what was asked for (brackets, bullets, capital letters), form is what counts: only
white space is forgiven, around the reply and wherever the answer has some. As there, the reply is
read whole, and whatever stands beside the right answer makes it wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

_LINES = {"bullets": r"[-*•] *(.+)", "numbers": r"{n}[.)] *(.+)"}


def exactly(reply: str, instruction: str, text: str) -> bool:
    """The reply is this text, character for character.

    >>> exactly(" [a stone] ", "", "[a stone]"), exactly("a stone", "", "[a stone]")
    (True, False)
    """
    return _spaced(reply) == _spaced(text) != ""


def repeated(reply: str, instruction: str, text: str, times: int) -> bool:
    """The reply is this text so many times, apart by spaces, commas, full stops or line ends.

    >>> repeated("a stone, a stone", "", "a stone", 2), repeated("a stone", "", "a stone", 2)
    (True, False)
    """
    between = r"(?:[.,;]\s*|\s+)"
    pattern = between.join([re.escape(_spaced(text))] * times)
    return re.fullmatch(pattern + r"\.?", _spaced(reply)) is not None


def listed(reply: str, instruction: str, items: Sequence[str], marks: str) -> bool:
    """The reply is these items in this order, marked by commas, bullets or numbers.

    >>> listed("- tea\\n- salt", "", ["tea", "salt"], "bullets")
    True
    """
    if marks == "commas":
        found = re.split(r"\s*,\s*(?:and\s+)?", reply.strip().removesuffix("."))
    else:
        lines = [line.strip() for line in reply.strip().splitlines() if line.strip()]
        matches = [re.fullmatch(_LINES[marks].format(n=n), line) for n, line in enumerate(lines, 1)]
        found = [match[1].removesuffix(".") if match else "" for match in matches]
    return [thing.casefold() for thing in found] == [item.casefold() for item in items]


def json_list(reply: str, instruction: str, items: Sequence[str]) -> bool:
    """The reply is a JSON array of exactly these strings, in this order; a code fence may hold it.

    >>> json_list('["tea", "salt"]', "", ["tea", "salt"])
    True
    """
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", reply.strip(), re.DOTALL)
    try:
        return json.loads(fenced[1] if fenced else reply) == list(items)
    except (ValueError, RecursionError):
        return False


TASK_CHECKERS: dict[str, Callable[..., bool]] = {
    check.__name__: check for check in (exactly, repeated, listed, json_list)
}


def _spaced(text: str) -> str:
    """With single spaces between words and none around."""
    return " ".join(text.split())
