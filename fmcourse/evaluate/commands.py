"""Does a reply do in AWS what was asked? Judged by the AWS CLI's own parser, never run.

A verifiable reward: no judge with opinions, no reference that has to be matched word for word. Six
questions: does the reply name the right service, and the right operation of it; would the CLI take
it; do its parameters fit the API's model; is it the right operation with fitting parameters; is it
the expected command in all but order, quoting and spacing. The first two look at the names alone,
so that a right command with a wrong option is not worth as little as a poem; a shell must take the
reply as one command for any of them. How a reply is read, and why nothing of it can run, is in
`fmcourse.data.aws_cli`.

Trade-off: `exact` asks for the example's own values and options, so a good answer in other words
fails it; `operation` and `valid` together say whether a command is sensible, not whether it is
wanted. Values that an API forbids without its model saying so pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from fmcourse.data.aws_cli import Call, read
from fmcourse.data.shell import unwrapped, words
from fmcourse.errors import DataError
from fmcourse.evaluate.intervals import share_table

MEASURES = ("service", "operation", "parsed", "valid", "usable", "exact")


@dataclass(frozen=True)
class Grade:
    """What holds of a reply.

    Attributes:
        service: it names the expected service.
        operation: it names the expected operation of that service, whatever the options.
        parsed: the AWS CLI's parser takes it as one call, with known options.
        valid: parsed, and its parameters fit the API model of what it calls, right or wrong.
        exact: the expected command, whatever the order of options, the quoting and the spacing.
        reason: why it is not exact: what the parser, else the API model, else the comparison has
            against it; '' when it is.
    """

    service: bool = False
    operation: bool = False
    parsed: bool = False
    valid: bool = False
    exact: bool = False
    reason: str = ""

    @property
    def usable(self) -> bool:
        """The right operation, called with parameters that fit."""
        return self.operation and self.valid


def grade_command(reply: str, expected: str) -> Grade:
    """Grade a reply against the expected command; nothing is run, opened or looked up.

    White space around a reply is ignored, and so is one code fence or pair of backticks around all
    of it; anything else beside the command makes it no command.

    Raises:
        DataError: the expected command is none.

    >>> grade_command("`aws s3api list-buckets --max-items 5`", "aws s3api list-buckets")
    Grade(service=True, operation=True, parsed=True, valid=True, exact=False, \
reason='Other options or values.')
    >>> grade_command("aws s3 ls; rm -rf /", "aws s3 ls").reason
    'It has a shell operator (;).'
    """
    wanted = _expected(expected)
    try:
        call = read(reply)
    except DataError as error:
        return Grade(*_named(reply, wanted), reason=error.what)
    service, operation = call.service == wanted.service, call.operation == wanted.operation
    operation = operation and service
    exact = operation and call.options == wanted.options
    reason = "" if exact else "Other options or values."
    if call.problem:
        reason = call.problem
    if not operation:
        reason = f"It calls {call.service} {call.operation}."
    return Grade(service, operation, True, not call.problem, exact, reason)


def _named(reply: str, wanted: Call) -> tuple[bool, bool]:
    """Whether a reply that is no call names the service, and the operation too."""
    try:
        found = words(unwrapped(reply))
    except DataError:
        return False, False
    names = ["aws", wanted.service, *wanted.operation.split()]
    return found[:2] == names[:2], found[:len(names)] == names


def grade_commands(replies: Sequence[str], expected: Sequence[str]) -> pd.DataFrame:
    """The shares of replies of which each of `MEASURES` holds.

    Args:
        replies, expected: as many of one as of the other.

    Returns:
        A row a measure: `measure`, `n`, `rate`, `low` and `high` (95 % Wilson interval), as
        fractions of all replies.

    Raises:
        DataError: no replies, another number of expected commands, or one that is none.

    >>> grade_commands(["aws s3 ls", "no"], ["aws s3 ls", "aws s3 ls"])["rate"].tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    if len(replies) != len(expected) or not len(replies):
        raise DataError(f"There are {len(replies)} replies for {len(expected)} commands.",
                        where="evaluate.grade_commands", fix="Give one reply to each.")
    grades = [grade_command(reply, wanted)
              for reply, wanted in zip(replies, expected, strict=True)]
    tables = [share_table([measure] * len(grades),
                          [float(getattr(grade, measure)) for grade in grades], "measure", "rate")
              for measure in MEASURES]
    return pd.concat([table[:1] for table in tables], ignore_index=True)


@lru_cache(maxsize=8192)
def _expected(command: str) -> Call:
    try:
        return read(command)
    except DataError as error:
        raise DataError(f"The expected command is none: {error.what}", where=command,
                        fix="Use the column completion of data.commands().") from error
