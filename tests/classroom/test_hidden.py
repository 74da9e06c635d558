"""Fresh cases: every right program agrees on them, no mistaken one does, a secret makes them."""

import importlib
import warnings
from dataclasses import replace

import pytest

from fmcourse.classroom import hidden
from fmcourse.classroom.check import judge, outcome
from fmcourse.classroom.compare import difference
from fmcourse.errors import ExerciseError

from .test_exercises import EXERCISES, LESSONS, SHEETS, WRONG, answers, setting

WITH_INPUTS = [(number, name) for number, name in EXERCISES
               if SHEETS[number].exercises[name].cases.keys() != {""}]
every_exercise = pytest.mark.parametrize(("number", "name"), WITH_INPUTS,
                                         ids=[f"{number}-{name}" for number, name in WITH_INPUTS])
SOLVED: dict[str, dict[str, object]] = {}


def fresh(number, name):
    """The exercise with fresh cases only, and without names for what is wrong on them."""
    made = hidden.cases(number, name, "a secret of the tests")
    assert len(made) == hidden.COUNT
    return replace(SHEETS[number].exercises[name], cases=made, mistakes={}, slips={})


def solution(number, name):
    if number not in SOLVED:
        SOLVED[number] = setting(next(one for one in LESSONS if one.number == number))
    return SOLVED[number][name]


def test_all_exercises_with_inputs_have_fresh_cases_and_no_others_do():
    for number, one in SHEETS.items():
        made = importlib.import_module(f"fmcourse.classroom.hidden.lesson_{number}").FRESH
        assert set(made) == {name for lesson, name in WITH_INPUTS if lesson == number}
        assert set(made) <= set(one.exercises)


@every_exercise
def test_every_right_program_is_right_on_fresh_cases(number, name):
    exercise = fresh(number, name)
    for right in [solution(number, name), *answers(number).OTHERS.get(name, [])]:
        verdict = judge(exercise, right)
        assert verdict.right, (right, verdict)


@every_exercise
def test_no_known_mistake_passes_fresh_cases_alone(number, name):
    exercise = fresh(number, name)
    for says, mistaken in SHEETS[number].exercises[name].mistakes.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a mean of nothing, in a program that is mistaken
            assert not judge(exercise, mistaken).right, says


@pytest.mark.parametrize(("number", "name", "wrong"), WRONG, ids=[
    f"{number}-{getattr(wrong, '__name__', name)}" for number, name, wrong in WRONG])
def test_no_wrong_program_that_looks_right_passes_fresh_cases_alone(number, name, wrong):
    assert not judge(fresh(number, name), wrong).right


@every_exercise
def test_an_answer_that_knows_the_shown_cases_by_heart_fails_fresh_ones(number, name):
    shown = SHEETS[number].exercises[name]
    known = [(inputs, outcome(shown.use, shown.right, inputs)) for inputs in shown.cases.values()]

    def by_heart(answer, *inputs):
        got = next((got for one, got in known if difference(inputs, one, 0) is None), None)
        if got is None or got.error:
            raise got.error if got else ExerciseError("never seen")
        return got.value

    use = shown.use
    learnt = replace(shown, use=lambda answer, *inputs: (
        by_heart if answer is by_heart else use)(answer, *inputs))
    assert judge(learnt, by_heart).right
    assert not judge(replace(learnt, cases=fresh(number, name).cases), by_heart).right


def test_a_secret_makes_the_cases_and_another_makes_others():
    one, again, other = (hidden.cases("01", "training_days", words)
                         for words in ("one secret", "one secret", "other secret"))
    assert one == again
    assert not {*one.values()} & {*other.values()}


def test_an_exercise_of_choices_or_an_unknown_one_has_none():
    assert hidden.cases("01", "predicted_losses", "a secret") == {}
    assert hidden.cases("99", "none", "a secret") == {}
