"""Judge a learner's answer: right, a mistake we know by name, or the first case that differs.

An exercise holds cases (inputs), a right answer and mistaken ones. Everything is run, never
compared as text, so any right program passes. A mistake is recognised when the learner's answer
agrees with the mistaken one on *every* case, so cases are chosen to tell the mistakes apart. What
the right value would have been is never said: finding out is the exercise.

The price of running: an answer that never ends never gets a verdict; interrupt the kernel.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import random
import sysconfig
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fmcourse.classroom.compare import TOLERANCE, described, difference

RIGHT, MISTAKE, DIFFERS, FAILS, UNWRITTEN = "right", "mistake", "differs", "fails", "unwritten"
OURS = Path(__file__).parents[1]
LIBRARIES = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")]


def call(answer: Callable[..., Any], *inputs: Any) -> Any:
    """The usual way to use an answer: as a function of a case's inputs."""
    return answer(*inputs)


@dataclass(frozen=True)
class Exercise:
    """What is known about an exercise besides its text.

    Attributes:
        name: of the function or class that the learner writes.
        right: an answer that is right, if possible a library's.
        cases: inputs, by a few words that tell the learner what the case is.
        mistakes: mistaken answers, by the sentence that says what is mistaken.
        hints: two, the second says more.
        slips: for answers that give a dictionary: mistaken parts of one, by what is mistaken.
        use: how to get an outcome of an answer and inputs; by default it is called with them.
        tolerance: relative, of real numbers.
        sample: the mark (`mark`) of the data that the sheet puts where a learner's own belongs.
    """

    name: str
    right: Callable[..., Any]
    cases: Mapping[str, tuple[Any, ...]]
    mistakes: Mapping[str, Callable[..., Any]]
    hints: tuple[str, str]
    slips: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    use: Callable[..., Any] = call
    tolerance: float = TOLERANCE
    sample: str = ""


def mark(data: tuple[Any, ...]) -> str:
    """A short mark of plain data, by which it is known again.

    >>> mark(([1, 2], "a")) == mark(([1, 2], "a")) != mark(([1, 3], "a"))
    True
    """
    return hashlib.sha256(repr(data).encode()).hexdigest()[:12]


def chosen(name: str, right: Mapping[str, Any], hints: tuple[str, str],
           slips: Mapping[str, Mapping[str, Any]], tolerance: float = TOLERANCE) -> Exercise:
    """An exercise without inputs, whose answer is a word or a number for each of some keys.

    Args:
        name, hints, slips, tolerance: as in `Exercise`.
        right: the words or numbers.

    >>> ways = chosen("ways", {"tone": "prompt"}, ("", ""), {"It is dear.": {"tone": "tune"}})
    >>> judge(ways, lambda: {"tone": "tune"}).says
    'It is dear.'
    """
    return Exercise(name, lambda: dict(right), {"": ()}, {}, hints, slips, tolerance=tolerance)


@dataclass(frozen=True)
class Verdict:
    """What came of a check: its kind (one of those above), a sentence, and the case it is about."""

    kind: str
    says: str
    where: str | None = None

    @property
    def right(self) -> bool:
        """Whether the exercise is solved."""
        return self.kind == RIGHT


@dataclass(frozen=True)
class Outcome:
    """What came of an answer to a case: a value or an error, and places of inputs it wrote into."""

    value: Any = None
    error: Exception | None = None
    changed: tuple[int, ...] = ()


Run = Callable[[Exercise], dict[str, Outcome]]


def judge(exercise: Exercise, answer: Callable[..., Any], run: Run | None = None) -> Verdict:
    """Run an answer on every case and say what is to be said of it.

    Args:
        exercise, answer: what was asked, and the learner's function or class.
        run: gives the outcomes of all cases where the answer itself is in another process
            (`classroom.grading`); by default the answer is run here.

    >>> double = Exercise("double", lambda x: 2 * x, {"two": (2,), "three": (3,)},
    ...                   {"You squared it.": lambda x: x * x}, ("", ""))
    >>> judge(double, lambda x: x ** 2).says
    'You squared it.'
    >>> judge(double, lambda x: x + x).right
    True
    """
    wanted = _run(exercise, exercise.right)
    got = run(exercise) if run else _run(exercise, answer)
    try:
        return _verdict(exercise, answer, got, wanted)
    except Exception as error:  # of what it gives, such as a dictionary of its own kind
        return Verdict(FAILS, f"What `{exercise.name}` gives cannot be compared: "
                              f"{type(error).__name__}: {error}")


def _verdict(exercise: Exercise, answer: Callable[..., Any], got: dict[str, Outcome],
             wanted: dict[str, Outcome]) -> Verdict:
    if any(_unwritten(outcome.error) for outcome in got.values()):
        return Verdict(UNWRITTEN, f"`{exercise.name}` is not written yet: put your lines in the "
                                  "place of `raise NotImplementedError()`.")
    wrong = [case for case in wanted if _apart(exercise, got[case], wanted[case])]
    if not wrong:
        return _tidy(exercise, answer, got)
    for says, mistaken in exercise.mistakes.items():
        made = _run(exercise, mistaken)
        if all(_apart(exercise, got[case], made[case]) is None for case in got):
            return Verdict(MISTAKE, says)
    for says, part in exercise.slips.items():
        if any(_holds(exercise, outcome.value, part) for outcome in got.values()):
            return Verdict(MISTAKE, says)
    return _first(exercise, answer, wrong[0], got[wrong[0]], wanted[wrong[0]])


def _unwritten(error: Exception | None) -> bool:
    """Whether that is the stub's; PyTorch has errors of this kind too, and they say what is up."""
    return isinstance(error, NotImplementedError) and not error.args


def _run(exercise: Exercise, answer: Callable[..., Any]) -> dict[str, Outcome]:
    return {case: outcome(exercise.use, answer, inputs) for case, inputs in exercise.cases.items()}


def outcome(use: Callable[..., Any], answer: Callable[..., Any],
            inputs: tuple[Any, ...]) -> Outcome:
    """What comes of one case, on inputs of its own and with random numbers from one seed.

    >>> outcome(call, lambda x: 1 / x, (0,)).error
    ZeroDivisionError('division by zero')
    """
    given = copy.deepcopy(inputs)
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        try:
            value = use(answer, *given)
        except Exception as error:  # whatever a learner's program does
            return Outcome(error=error)
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
    changed = [place for place, (now, before) in enumerate(zip(given, inputs, strict=True))
               if isinstance(before, (list, dict, set, torch.Tensor, np.ndarray))
               and difference(now, before, 0)]
    return Outcome(value, changed=tuple(changed))


def _apart(exercise: Exercise, one: Outcome, other: Outcome) -> str | None:
    """How two outcomes differ; the same kind of exception is the same outcome."""
    if one.error or other.error:
        same = one.error and other.error and isinstance(one.error, type(other.error))
        return None if same else "one of them fails"
    return difference(one.value, other.value, exercise.tolerance)


def _holds(exercise: Exercise, value: Any, part: Mapping[str, Any]) -> bool:
    """Whether a value is a dictionary with these items."""
    return isinstance(value, Mapping) and all(
        key in value and difference(value[key], item, exercise.tolerance) is None
        for key, item in part.items())


def _tidy(exercise: Exercise, answer: Callable[..., Any], got: dict[str, Outcome]) -> Verdict:
    """Right, unless the answer wrote into what it was given."""
    for case, outcome in got.items():
        if outcome.changed:
            name = _names(answer, exercise.cases[case])[outcome.changed[0]]
            return Verdict(DIFFERS, f"The values are right, but `{exercise.name}` changed its "
                                    f"argument `{name}`, which the caller may still need. Work "
                                    "on a copy.", _where(exercise, answer, case))
    return Verdict(RIGHT, f"`{exercise.name}` is right on all {len(got)} cases."
                   if len(got) > 1 else f"`{exercise.name}` is right.")


def _first(exercise: Exercise, answer: Callable[..., Any], case: str, got: Outcome,
           wanted: Outcome) -> Verdict:
    """The verdict about the first case that is wrong in a way nobody foresaw."""
    where = _where(exercise, answer, case)
    if got.error:
        return Verdict(FAILS, f"{type(got.error).__name__}: {got.error}",
                       "; ".join(part for part in (_line(got.error), where) if part))
    if wanted.error:
        return Verdict(DIFFERS, f"`{exercise.name}` accepts what it should refuse with "
                                f"{type(wanted.error).__name__}.", where)
    apart = _apart(exercise, got, wanted)
    return Verdict(DIFFERS, f"Look at what `{exercise.name}` gives: {apart}.", where)


def _where(exercise: Exercise, answer: Callable[..., Any], case: str) -> str | None:
    """The case in words, with its inputs where an answer is called with them."""
    inputs = exercise.cases[case]
    if exercise.use is not call or not inputs:
        return f"case '{case}'" if case else None
    shown = ", ".join(f"{name} = {described(value)}" for name, value in zip(
        _names(answer, inputs), inputs, strict=True))
    return f"case '{case}': {shown}"


def _names(answer: Callable[..., Any], inputs: tuple[Any, ...]) -> list[str]:
    """What the answer calls its arguments."""
    try:
        names = list(inspect.signature(answer).parameters)
    except (TypeError, ValueError):
        names = []
    return [names[i] if i < len(names) else f"argument {i + 1}" for i in range(len(inputs))]


def _line(error: Exception) -> str | None:
    """The line of the learner's that was running: the last one that is nobody's library."""
    steps = [step for step in traceback.extract_tb(error.__traceback__)
             if not any(Path(step.filename).is_relative_to(folder)
                        for folder in (OURS, *LIBRARIES))]
    if not steps:
        return None
    last = steps[-1]
    return f"line {last.lineno} of your cell, `{last.line}`" if last.line else (
        f"line {last.lineno} of your cell")
