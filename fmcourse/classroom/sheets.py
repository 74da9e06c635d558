"""What an exercise notebook holds in its hand: checks and hints of one lesson's exercises.

`sheet.check(function)` finds the exercise by the function's name. An answer that is not right is
an `ExerciseError`: in Jupyter one sentence without a traceback, and for nbgrader a failed test. The
built notebooks tag these cells, so that *Run All* goes on to the next exercise.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from fmcourse import progress
from fmcourse.classroom.check import FAILS, UNWRITTEN, Exercise, judge, mark
from fmcourse.errors import ExerciseError, meant

LEVELS = (1, 2)


class Sheet:
    """The exercises of one lesson; made by `sheet`."""

    def __init__(self, lesson: str, exercises: tuple[Exercise, ...]):
        self.lesson = lesson
        self.exercises = {exercise.name: exercise for exercise in exercises}

    def check(self, answer: Callable[..., Any]) -> None:
        """Say that an answer is right; whether or not it is, the try is noted in the progress.

        Raises:
            ExerciseError: it is not, and what is known of why.
        """
        exercise = self.find(getattr(answer, "__name__", str(answer)))
        verdict = judge(exercise, answer)
        if verdict.kind != UNWRITTEN:
            progress.tried(self.lesson, exercise.name, verdict.kind)
        if not verdict.right:
            again = "Mend it, run its cell, then this one again." if verdict.kind == FAILS else ""
            raise ExerciseError(
                verdict.says, where=verdict.where,
                fix=f'{again} For a hint: sheet.hint("{exercise.name}")'.strip()) from None
        print(f"✓ {verdict.says}")

    def hint(self, name: str, level: int = 1) -> None:
        """Say what may help: `level` 1 is where to look, 2 nearly how to do it.

        Raises:
            ExerciseError: no such exercise or level.
        """
        hints = self.find(name).hints
        if level not in LEVELS:
            raise ExerciseError(f"There is no hint {level!r}.", where=name,
                                fix="1 is the lighter one, 2 the last.")
        more = f' More: sheet.hint("{name}", 2)' if level == 1 else ""
        print(f"Hint {level} of {len(hints)}: {hints[level - 1]}{more}")

    def own(self, name: str, *data: Any) -> None:
        """Say whether an investigation is about the learner's own data, or still about the sample.

        Args:
            name: of the exercise.
            data: lists, texts and numbers that the learner was asked to replace.

        Raises:
            ExerciseError: no such exercise, or one that asks for no data.
        """
        exercise = self.find(name)
        if not exercise.sample:
            raise ExerciseError(f"`{name}` asks for no data of your own.", where=name,
                                fix=f"sheet.check({name})")
        print("✎ This is still the sample, so what comes out is about us. Put your own in its "
              "place and run this cell again." if mark(data) == exercise.sample else
              "✓ Data of your own: what comes out is a finding.")

    def find(self, name: str) -> Exercise:
        """The exercise of that name.

        Raises:
            ExerciseError: this sheet has none.
        """
        if name not in self.exercises:
            raise ExerciseError(f"This sheet has no exercise '{name}'.",
                                where=f"exercises of lesson {self.lesson}",
                                fix=meant(name, self.exercises))
        return self.exercises[name]


def sheet(lesson: str) -> Sheet:
    """The exercises of a lesson, by its number.

    Raises:
        ExerciseError: the lesson has none.

    >>> sheet("01").lesson
    '01'
    """
    module = f"{__package__}.checks.lesson_{lesson}"
    if not lesson.isalnum() or importlib.util.find_spec(module) is None:
        raise ExerciseError(f"Lesson {lesson!r} has no exercises.", where="classroom.sheet",
                            fix='Its number in two digits, such as "01".')
    return Sheet(lesson, importlib.import_module(module).EXERCISES)
