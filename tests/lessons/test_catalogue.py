"""The catalogue: every way to name a lesson, and every way to get its header wrong."""

import pytest

from fmcourse.errors import LessonError
from fmcourse.lessons import catalogue


def test_a_header_becomes_a_lesson(course):
    lesson = course.write("01_pretraining", title="Pre-training", claims="K1, K2")
    assert (lesson.number, lesson.title, lesson.claims) == ("01", "Pre-training", ("K1", "K2"))
    assert lesson.notebook == course.root / "notebooks" / "01_pretraining.ipynb"
    assert [lesson.minutes(scale) for scale in ("smoke", "cpu", "gpu")] == [None, 2, 0.5]


@pytest.mark.parametrize(("words", "names"), [
    ([], ["00_start_here", "01_pretraining"]),
    (["1"], ["01_pretraining"]),
    (["01,00"], ["00_start_here", "01_pretraining"]),
    (["01 01"], ["01_pretraining"]),
    (["pretraining"], ["01_pretraining"]),
    (["notebooks/01_pretraining.ipynb"], ["01_pretraining"]),
])
def test_lessons_are_named_in_many_ways_and_come_in_order(course, words, names):
    course.write("01_pretraining")
    course.write("00_start_here")
    assert [lesson.name for lesson in catalogue.select(words, course.root)] == names


def test_an_unknown_lesson_is_answered_with_what_there_is(course):
    course.write("01_pretraining")
    with pytest.raises(LessonError, match="no lesson 'pretrainig'") as caught:
        catalogue.select(["pretrainig"], course.root)
    assert "01_pretraining" in str(caught.value)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("#     title: A lesson\n", "", "title is missing"),
    ("minutes_cpu: 2", "minutes_cpu: two", "minutes_cpu is missing or of the wrong kind"),
    ("claims: [K1]", "claims: K1", "claims is missing or of the wrong kind"),
    ("minutes_gpu: 0.5", "minutes_gpu: 0.5\n#     level: 3", "unknown keys: level"),
    ("title: A lesson", "title: A: lesson", "not valid YAML"),
    ("fmcourse:", "course:", "does not describe the lesson"),
    ("# ---\n", "", "does not describe the lesson"),
])
def test_a_wrong_header_is_named_with_its_file(course, old, new, message):
    path = course.write("01_pretraining").master
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(LessonError, match=message) as caught:
        catalogue.lessons(course.root)
    assert "01_pretraining.py:" in str(caught.value)


def test_a_wrong_header_is_named_with_its_line(course):
    path = course.write("01_pretraining").master
    path.write_text(path.read_text().replace("title: A lesson", "title: [A"))
    with pytest.raises(LessonError) as caught:
        catalogue.lessons(course.root)
    assert "01_pretraining.py:5" in str(caught.value)


@pytest.mark.parametrize(("name", "message"), [
    ("pretraining", "NN_name.py"), ("00_again", "Two lessons have the number 00"),
])
def test_a_wrong_file_name_is_an_error(course, name, message):
    course.write("00_start_here")
    other = course.root / catalogue.MASTERS / f"{name}.py"
    other.write_text(course.lesson("00").master.read_text())
    with pytest.raises(LessonError, match=message):
        catalogue.lessons(course.root)


def test_no_lessons_at_all(course):
    with pytest.raises(LessonError, match="no lessons"):
        catalogue.lessons(course.root)


def test_the_course_is_found_from_within(course):
    assert catalogue.root(course.root / "notebooks" / "src") == course.root
