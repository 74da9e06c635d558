"""What the exercise notebooks call: checks by the function's name, hints on demand."""

from dataclasses import replace

import pytest

from fmcourse import classroom
from fmcourse.classroom.check import Exercise, mark
from fmcourse.classroom.sheets import Sheet
from fmcourse.errors import ExerciseError

TWICE = Exercise("twice", lambda x: 2 * x, {"three": (3,)}, {"You squared it.": lambda x: x * x},
                 ("Look at the sign.", "Add it to itself."))


@pytest.fixture
def sheet() -> Sheet:
    return Sheet("01", (TWICE,))


def test_a_right_answer_is_said_to_be_right(sheet, capsys):
    def twice(x):
        return x + x

    sheet.check(twice)
    assert capsys.readouterr().out == "✓ `twice` is right.\n"


def test_a_wrong_answer_is_an_error_without_a_traceback_that_offers_a_hint(sheet):
    def twice(x):
        return x ** 2

    with pytest.raises(ExerciseError) as error:
        sheet.check(twice)
    assert error.value.what == "You squared it."
    assert 'sheet.hint("twice")' in error.value.fix
    assert error.value._render_traceback_() == [f"ExerciseError: {error.value}"]
    assert error.value.__suppress_context__


def test_a_failing_answer_is_told_what_to_do(sheet):
    def twice(x):
        return x.twice

    with pytest.raises(ExerciseError) as error:
        sheet.check(twice)
    assert "AttributeError" in error.value.what
    assert "return x.twice" in error.value.where
    assert "Mend it" in error.value.fix


def test_hints_come_one_at_a_time(sheet, capsys):
    sheet.hint("twice")
    assert capsys.readouterr().out == (
        'Hint 1 of 2: Look at the sign. More: sheet.hint("twice", 2)\n')
    sheet.hint("twice", 2)
    assert capsys.readouterr().out == "Hint 2 of 2: Add it to itself.\n"
    with pytest.raises(ExerciseError, match="no hint 3"):
        sheet.hint("twice", 3)


def test_an_unknown_name_is_met_with_the_nearest_one(sheet):
    with pytest.raises(ExerciseError, match="Did you mean twice"):
        sheet.hint("twise")
    with pytest.raises(ExerciseError, match="no exercise"):
        sheet.check(3)


@pytest.mark.parametrize("lesson", ["00", "99", "1", "../01", ""])
def test_a_lesson_without_exercises_says_so(lesson):
    with pytest.raises(ExerciseError, match="no exercises"):
        classroom.sheet(lesson)


def test_data_of_ones_own_is_told_from_the_sample(capsys):
    asks = Sheet("01", (replace(TWICE, sample=mark(([1, 2], "a"))),))
    asks.own("twice", [1, 2], "a")
    assert capsys.readouterr().out.startswith("✎ This is still the sample")
    asks.own("twice", [1, 3], "a")
    assert capsys.readouterr().out.startswith("✓ Data of your own")


def test_an_exercise_that_asks_for_no_data_says_so(sheet):
    with pytest.raises(ExerciseError, match="no data of your own"):
        sheet.own("twice", [1])


def test_a_sheet_can_be_opened_twice():
    assert classroom.sheet("01").lesson == classroom.sheet("01").lesson == "01"
