"""A class's marks as tables: sums, names of mistakes, who is stuck, and no formulas."""

import pandas as pd
import pytest

from fmcourse.classroom import gradebook
from fmcourse.classroom.grading import Mark
from fmcourse.errors import ExerciseError

SAID = "You divided by all."
MARKS = [Mark(learner, lesson, exercise, kind, of * (kind == "right"), of, says)
         for learner, lesson, exercise, kind, of, says in [
             ("ann", "01_one", "pack", "right", 2, "right"),
             ("ann", "01_one", "loss", "mistake", 3, SAID),
             ("bo", "01_one", "pack", "right", 2, "right"),
             ("bo", "01_one", "loss", "mistake", 3, SAID),
             ("bo", "02_two", "mix", "fails", 4, "TypeError: no"),
             ("=cmd()", "01_one", "pack", "differs", 2, "it is 3"),
             ("=cmd()", "01_one", "loss", "unwritten", 3, "not written")]]
TABLE = pd.DataFrame(MARKS)


def test_marks_are_written_and_read_again_and_no_text_is_a_formula(tmp_path):
    paths = gradebook.write(MARKS, tmp_path / "grades")
    assert [path.name for path in paths] == ["marks.csv", "gradebook.csv", "lms.csv"]
    back = gradebook.read(paths[0])
    assert back["points"].sum() == 4
    assert [*back["learner"].unique()] == ["ann", "bo", "'=cmd()"]
    assert not any(line.startswith("=") or ",=" in line for path in paths
                   for line in path.read_text().splitlines())


def test_the_gradebook_has_nbgraders_columns_and_each_lessons_points():
    table = gradebook.exported(TABLE).set_index(["student_id", "assignment"])
    assert [*gradebook.exported(TABLE).columns] == gradebook.NBGRADER
    assert table.loc[("ann", "01_one"), ["raw_score", "score", "max_score"]].tolist() == [2, 2, 5]
    assert table.loc[("bo", "02_two"), "score"] == 0


def test_nbgraders_own_export_has_those_columns():
    plugins = pytest.importorskip("nbgrader.plugins.export")
    source = pd.io.common.get_handle(plugins.__file__, "r").handle.read()
    assert all(f"'{name}'" in source or f'"{name}"' in source for name in gradebook.NBGRADER)


def test_a_row_a_learner_has_what_each_lesson_earned_and_all():
    table = gradebook.by_learner(TABLE).set_index("learner")
    assert [*table.columns] == ["01_one (of 5)", "02_two (of 4)", "total (of 9)"]
    assert table.loc["bo", "total (of 9)"] == 2
    assert pd.isna(table.loc["ann", "02_two (of 4)"])  # nothing was handed in


def test_mistakes_are_counted_by_name_and_the_rest_by_kind():
    table = gradebook.statistics(TABLE).set_index("exercise")
    assert table.loc["pack", ["solved", "mistake", "who"]].tolist() == [
        "2 of 3", "another mistake", "=cmd()"]
    loss = table.loc["loss"]
    assert loss["mistake"].tolist() == [SAID, "not written"]
    assert loss["learners"].tolist() == [2, 1]
    assert loss["who"].tolist() == ["ann, bo", "=cmd()"]
    assert gradebook.statistics(TABLE[:1])["mistake"].tolist() == [""]


def test_stuck_is_who_tried_and_did_not_solve_the_most_first():
    table = gradebook.stuck(TABLE)
    assert table["learner"].tolist() == ["bo", "=cmd()", "ann"]
    assert table.set_index("learner").loc["=cmd()", ["tried", "not written", "stuck at"]].tolist() \
        == [1, 1, "pack"]  # which most have solved
    assert gradebook.stuck(TABLE[:1]).empty


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n", "\x00"])
def test_a_table_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "marks.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ExerciseError):
        gradebook.read(path)
