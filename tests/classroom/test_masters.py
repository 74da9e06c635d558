"""Reading a sheet's text: what an exercise is, and what is said where one is not whole."""

import pytest

from fmcourse.classroom import masters
from fmcourse.errors import LessonError

from .conftest import TEXT


def test_an_exercise_is_read_with_its_facts(course):
    task, = masters.tasks(course.lesson)
    assert task == masters.Task("twice", "Double it", "implement", 2, 5, ("K1",), (
        ("price", "says what it costs"), ("control", "compares with *nothing*"),
        ("stop", "a number ends it")), "**Your reasons.**")
    assert task.reasons == "twice_reasons"


@pytest.mark.parametrize(("old", "new", "said"), [
    (" minutes=5", "", "does not say its minutes"),
    ("difficulty=2", "difficulty=6", "kind or difficulty is unknown"),
    ('kind="implement"', 'kind="riddle"', "kind or difficulty is unknown"),
    ("## Double it", "Double it", "opens with its title"),
    ("def twice", "def double", "needs one cell that defines twice"),
    ("    ### BEGIN SOLUTION\n", "", "needs one cell that defines twice"),
    ("sheet.check(twice)", "sheet.check(double)", "not directly below"),
    ("sheet.check(twice)\n", "print()\n\n# %%\nsheet.check(twice)\n", "not directly below"),
    (' tags=["commentary"]', "", "has no commentary"),
    ("**Rubric**", "**A table**", "The rubric is not"),
    ("# %% [markdown]\n# **Rubric**", "# %% [markdown]\n# Read.\n\n# %% [markdown]\n# **Rubric**",
     "The rubric is not"),
    ("# | stop | a number ends it |", "# | price | a number ends it |", "The rubric is not"),
    ("# | stop | a number ends it |", "# | stop | a number | ends it |", "The rubric is not"),
    ("# **Your reasons.**\n# ### BEGIN SOLUTION\n# Two of a kind.\n# ### END SOLUTION\n",
     "# Words.\n", "The rubric is not"),
    ('exercise="twice"', 'exercise="thrice"', "but not in both: thrice, twice"),
])
def test_an_exercise_that_is_not_whole_is_refused(course, old, new, said):
    assert old in TEXT
    course.write(TEXT.replace(old, new))
    with pytest.raises(LessonError, match=said):
        masters.tasks(course.lesson)


def test_lessons_without_a_sheet_are_passed_over_unless_asked_for(course):
    assert [one.number for one in masters.with_exercises(root=course.root)] == ["01"]
    (course.root / masters.FOLDER / "01_one.py").unlink()
    assert masters.with_exercises(root=course.root) == []
    with pytest.raises(LessonError, match="has no exercises"):
        masters.with_exercises(["01"], course.root)


def test_a_sheet_without_a_lesson_is_refused(course):
    course.write(TEXT, "02_two")
    with pytest.raises(LessonError, match="No lesson is called 02_two"):
        masters.with_exercises(root=course.root)
