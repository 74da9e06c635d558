"""Building: two notebooks of one text, stale ones found, work kept, nbgrader agreeing."""

import nbformat
import pytest

from fmcourse.classroom import build, masters
from fmcourse.classroom.masters import Copy
from fmcourse.errors import LessonError

from .conftest import TEXT


def notebooks(course):
    build.build(course.lesson)
    return [nbformat.read(course.root / folder / "01_one.ipynb", 4)
            for folder in (build.SOLUTIONS, build.EXERCISES)]


def test_the_exercises_are_the_solutions_without_answers(course):
    solutions, exercises = notebooks(course)
    assert "return 2 * x" in str(solutions)
    assert "Because." in str(solutions)
    for answer in ("return 2 * x", "Because.", "Two of a kind."):
        assert answer not in str(exercises)
    code = [cell.source for cell in exercises.cells if cell.cell_type == "code"]
    assert code[1].endswith("'''The double.'''\n    # YOUR CODE HERE\n"
                            "    raise NotImplementedError()")
    assert exercises.cells[-2].source == "**Your reasons.**\nYOUR ANSWER HERE"


def test_facts_are_written_for_people_and_for_nbgrader(course):
    _, exercises = notebooks(course)
    assert "| Double it | implement | 2 | 5 | K1 |" in exercises.cells[0].source
    assert "*Implement · difficulty 2 of 5 · about 5 minutes · K1*" in exercises.cells[2].source
    marks = [cell.metadata.nbgrader for cell in exercises.cells if "nbgrader" in cell.metadata]
    assert [(mark.grade_id, mark.solution, mark.grade, mark.get("points")) for mark in marks] == [
        ("given_1", False, False, None), ("twice", True, False, None),
        ("twice_check", False, True, 2), ("twice_reasons", True, True, 3)]


def test_building_twice_gives_the_same_bytes_and_a_change_is_found(course):
    build.build(course.lesson)
    before = [Copy(course.lesson, folder).notebook.read_bytes()
              for folder in (build.SOLUTIONS, build.EXERCISES)]
    build.build(course.lesson)
    assert before == [Copy(course.lesson, folder).notebook.read_bytes()
                      for folder in (build.SOLUTIONS, build.EXERCISES)]
    assert build.check(course.lesson) == []
    course.write(TEXT.replace("2 * x", "x + x"))
    stale, = build.check(course.lesson)  # the exercises do not show it
    assert stale.startswith("solutions/01_one.ipynb is not what 01_one.py makes")
    course.write(TEXT.replace("Words about it", "Other words"))
    assert len(build.check(course.lesson)) == 2


@pytest.mark.parametrize("lesson", masters.with_exercises(), ids=lambda lesson: lesson.number)
def test_prose_has_a_point_for_each_row_of_the_rubric_below_it(lesson):
    """As the learner reads it: of the notebook alone, by counting lines."""
    notebook = nbformat.read(Copy(lesson, build.EXERCISES).notebook, 4)
    prose = [place for place, cell in enumerate(notebook.cells)
             if cell.metadata.get("nbgrader", {}).get("grade_id", "").endswith("_reasons")]
    for place in prose:
        rows = [line for line in notebook.cells[place + 1].source.splitlines()
                if line.startswith("| ")][1:]
        assert "a point each" in notebook.cells[place + 1].source
        assert notebook.cells[place].metadata.nbgrader.points == len(rows) >= 3
    assert prose or lesson.number in ("01", "03", "04", "05", "06")


def test_a_copy_that_is_missing_is_found(course):
    build.build(course.lesson)
    Copy(course.lesson, build.EXERCISES).notebook.unlink()
    assert build.check(course.lesson) == [
        "exercises/01_one.ipynb has not been built: fmcourse class build"]


def test_what_a_learner_wrote_is_put_aside_before_a_notebook_is_replaced(course):
    _, exercises = notebooks(course)
    place = Copy(course.lesson, build.EXERCISES).notebook
    build.build(course.lesson)
    assert not (place.parent / "kept").exists()
    exercises.cells[3].source = "def twice(x):\n    return x + x"
    nbformat.write(exercises, place)
    build.build(course.lesson)
    kept, = (place.parent / "kept").iterdir()
    assert "return x + x" in kept.read_text()
    assert build.check(course.lesson) == []


def test_a_solution_that_does_not_end_is_refused(course):
    course.write(TEXT.replace("    ### END SOLUTION\n", ""))
    with pytest.raises(LessonError, match="does not end"):
        build.build(course.lesson)


def test_the_command_builds_and_checks(course, command, monkeypatch):
    monkeypatch.chdir(course.root)
    code, _, complaint = command("class", "build", "--check")
    assert code == 1
    assert "has not been built" in complaint
    assert command("class", "build")[0] == 0
    assert command("class", "build", "01", "--check")[0] == 0


def test_nbgrader_makes_the_same_exercises(course):
    """Its own steps, as `generate_assignment` runs them, once the commentary is taken out."""
    steps = pytest.importorskip("nbgrader.preprocessors")
    from nbconvert.preprocessors import TagRemovePreprocessor

    solutions, exercises = notebooks(course)
    for step in (TagRemovePreprocessor(remove_cell_tags={"commentary"}), steps.ClearSolutions(),
                 steps.CheckCellMetadata()):
        solutions, _ = step.preprocess(solutions, {"nbgrader": {}})
    for theirs, ours in zip(solutions.cells, exercises.cells, strict=True):
        assert theirs.source == ours.source
        assert theirs.metadata.get("nbgrader") == ours.metadata.get("nbgrader")
