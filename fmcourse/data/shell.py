"""One command line into its words, as a POSIX shell would, and nothing that a shell would do.

A reply of a model is to be judged, never run, so what would make a shell do more than start one
program with plain words is refused: operators, expansions, several lines. Trade-off: stricter than
a shell, which would also take `aws … | head`; words are literal, so `*` stays `*` as it does where
nothing matches. Nothing here runs anything.
"""

from __future__ import annotations

import re

from fmcourse.errors import DataError

LONGEST = 8_000  # characters; the shortest limit of a common shell is 8,191
_FENCED = re.compile(r"```[\w-]*\n(.*)\n\s*```", re.S)
_QUOTED = re.compile(r"`([^`\n]+)`")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_EXPANDS = r"[\w{(@*#?!$\-]"  # after a dollar sign
_PIECE = re.compile(rf"""
    (?P<space>(?:[ \t]|\\\n)++)
  | '(?P<single>[^']*+)'
  | "(?P<double>(?:[^"\\$`]|\\.|\$(?!{_EXPANDS}))*+)"
  | \\(?P<escaped>[^\n])
  | (?P<plain>(?:[^\s'"\\;&|<>()`$]|\$(?!{_EXPANDS}|['"]))++)
""", re.X | re.S)
_ESCAPE = re.compile(r'\\(["\\$`]|\n)')
_REFUSED = {"\n": "several lines", "'": "a quotation mark without its pair",
            '"': "a quotation mark without its pair, or an expansion inside quotes",
            "$": "an expansion ($)", "`": "a command substitution (`)",
            "\\": "a backslash at the end"}


def unwrapped(reply: str) -> str:
    """A reply without white space around it, one code fence or one pair of backticks.

    >>> unwrapped("```bash\\naws s3 ls\\n```\\n"), unwrapped("`aws s3 ls`")
    ('aws s3 ls', 'aws s3 ls')
    """
    reply = reply.strip()
    inside = _FENCED.fullmatch(reply) or _QUOTED.fullmatch(reply)
    return inside[1].strip() if inside else reply


def words(line: str) -> list[str]:
    """The words of a single simple command; a backslash before a line end continues the line.

    Source: POSIX.1-2017, Shell Command Language, 2.2 Quoting.

    Raises:
        DataError: it is too long, has control characters or quotes without a pair, or a shell
            would do something with it: run another command, redirect, expand.

    >>> words("aws s3 cp 'my file' s3://bucket/ --acl=\\"private\\"")
    ['aws', 's3', 'cp', 'my file', 's3://bucket/', '--acl=private']
    """
    if len(line) > LONGEST:
        raise DataError(f"It has {len(line):,} characters; {LONGEST:,} are enough.")
    if _CONTROL.search(line):
        raise DataError("It has control characters.")
    found: list[str] = []
    position, inside = 0, False
    while position < len(line):
        piece = _PIECE.match(line, position)
        if not piece:
            what = _REFUSED.get(line[position], f"a shell operator ({line[position]})")
            raise DataError(f"It has {what}.", where=f"character {position + 1}")
        if piece["space"] is not None:
            # A line may be continued in the middle of a word.
            inside = inside and not piece["space"].replace("\\\n", "")
        else:
            found = found if inside else [*found, ""]
            found[-1] += _text(piece)
            inside = True
        position = piece.end()
    return found


def _text(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return _ESCAPE.sub(lambda match: match[1].strip("\n"), piece["double"])
    return next(text for text in piece.group("single", "escaped", "plain") if text is not None)
