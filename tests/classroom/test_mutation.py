"""What the cases are worth: the worked solutions with one thing changed, and who notices.

All mutants of all programs are run, which takes seconds. Those that pass shown and hidden cases
are listed here, each with the reason why it is as right; any other survivor is a case that lacks.
`python tests/classroom/test_mutation.py` prints the table.
"""

import re
import warnings
from dataclasses import replace
from functools import cache

import pytest
from classroom import mutation
from classroom.test_exercises import ALONE, LESSONS, SHEETS, cells, setting

from fmcourse.classroom import hidden, masters
from fmcourse.classroom.check import judge

KILLED = 0.95  # of all mutants; the rest are those below
TINY, SAME = "a change below the tolerance", "the same for every input that is allowed"
AS_RIGHT = {
    "training_days": {"86400 → 86401": TINY, "86400 → 86399": TINY},
    "standardised": {"1.0 → 2.0": "what a still feature is in the test is not said"},
    "labels_needed": {">= → >": SAME},  # at the smallest size the interpolation gives it as well
    "same_call": {"3 → 2": SAME, "[3:] without its lower end": SAME},
    "rouge_l": {"1 → 2": SAME},
    "LoRA": {"/ → *": "how large the random numbers are is free"},
    "start": {"/ → *": "how large the random numbers are is free"},
    "training_gigabytes": {"1000000000.0 → 1000000001.0": TINY, "1000000000.0 → 999999999.0": TINY},
    "to_retrain": {"<= → <": SAME},
    "examples_needed": {">= → >": "a slope of exactly 0 is a matter of rounding"},
    "length_bias": {"> → >=": SAME},
    "right_answer": {"without .strip": "whether a blank before the full stop matters is not said"},
    "most_harm": {"0.0 → -1.0": SAME, "50 → 51": TINY, "50 → 49": TINY, "> → >=": SAME},
    "import_faults": {"0 → -1": SAME},
}
PROGRAMS = [(lesson.number, task.name) for lesson in LESSONS for task in masters.tasks(lesson)
            if task.kind not in ALONE]


@cache
def solved(number: str) -> dict[str, object]:
    """What the solutions of a lesson define."""
    return setting(next(one for one in LESSONS if one.number == number))


@cache
def survivors(number: str, name: str) -> tuple[list[str], int]:
    """The mutants of an exercise's solution that pass its shown and hidden cases; and of how many.

    Raises:
        AssertionError: the solution itself does not pass.
    """
    lesson, = (one for one in LESSONS if one.number == number)
    space = solved(number)
    cell, = (one for one in cells(lesson, "solutions") if masters.is_solution(one)
             and re.search(rf"^(def|class) {name}\b", one.source, re.M))
    exercise = replace(SHEETS[number].exercises[name], mistakes={}, slips={})
    fresh = replace(exercise, cases=hidden.cases(number, name, "a secret of the tests"))
    assert judge(exercise, space[name]).right
    made = mutation.mutants(cell.source, name)
    left = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they divide by nothing, and the like
        for says, source in made.items():
            mutant = mutation.runs(source, space)[name]
            if judge(exercise, mutant).right and judge(fresh, mutant).right:
                left.append(says)
    return left, len(made)


@pytest.mark.parametrize(("number", "name"), PROGRAMS, ids=[f"{n}-{name}" for n, name in PROGRAMS])
def test_every_mutant_that_is_wrong_is_noticed(number, name):
    left, count = survivors(number, name)
    assert count
    known = AS_RIGHT.get(name, {})
    changes = [re.sub(r"^line \d+: | \(again\)", "", says) for says in left]
    assert {*changes} == {*known}, left
    assert len(left) <= 4


def test_those_that_are_let_through_are_few():
    counts = [survivors(number, name) for number, name in PROGRAMS]
    assert 1 - sum(len(left) for left, _ in counts) / sum(made for _, made in counts) >= KILLED


def test_a_program_without_cases_that_tell_lets_mutants_through():
    """The measure itself: with one case of one number, `<` for `<=` is not noticed."""
    made = mutation.mutants("def few(n):\n    return n < 3", "few")
    left = [says for says, source in made.items() if mutation.runs(source, {})["few"](1)]
    assert left == ["line 2: < → <=", "line 2: 3 → 4", "line 2: 3 → 2"]


if __name__ == "__main__":
    for program in PROGRAMS:
        found, of = survivors(*program)
        print(f"{'-'.join(program)}: {of - len(found)} of {of} noticed", *found, sep="\n    ")
