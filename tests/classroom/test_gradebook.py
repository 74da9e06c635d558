"""A class's marks as tables: sums, names of mistakes, who is stuck, and no formulas."""

import pandas as pd
import pytest

from fmcourse.classroom import gradebook
from fmcourse.classroom.grading import Mark
from fmcourse.errors import ExerciseError, StoreError

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
PROSE = [Mark("0012345", "02_two", "mix_reasons", kind, points, 4, says)
         for kind, points, says in [("partly", 2, "lacks: price; stop"),
                                    ("partly", 3, "lacks: stop"), ("waits", 0, "A person"),
                                    ("right", 4, "all points")]]
TABLE = pd.DataFrame(MARKS)


def test_marks_are_written_and_read_again_and_no_text_is_a_formula(tmp_path):
    paths = gradebook.write(MARKS, tmp_path / "grades")
    assert [path.name for path in paths] == ["marks.csv", "gradebook.csv", "lms.csv"]
    back = gradebook.read(paths[0])
    assert back["points"].sum() == 4
    assert [*back["learner"].unique()] == ["ann", "bo", "=cmd()"]
    assert not any(line.startswith("=") or ",=" in line for path in paths
                   for line in path.read_text().splitlines())


def test_names_of_digits_and_odd_letters_are_read_as_they_were_written(tmp_path, command):
    odd = [Mark(name, "01_one", "pack", "mistake", 0, 2, says) for name, says in [
        ("0012345", SAID), ("12", "'quoted"), ("NA", "'=1"), ("'x", "a\nb"), ("1e5", "-1")]]
    paths = gradebook.write(odd, tmp_path)
    assert gradebook.marks(gradebook.read(paths[0])) == odd
    found = gradebook.statistics(gradebook.read(paths[0])).set_index("mistake")
    assert found.loc[SAID, "who"] == "0012345"
    code, said, _ = command("class", "statistics", paths[0])
    assert code == 0
    assert "0012345" in said
    assert all("0012345" in path.read_text() for path in paths)


def test_half_a_letter_in_a_message_stops_no_table(tmp_path):
    path, *_ = gradebook.write([Mark("ann", "01_one", "pack", "fails", 0, 2, "\ud800")], tmp_path)
    assert gradebook.read(path)["says"].tolist() == ["\\ud800"]


def test_points_of_prose_count_and_what_answers_lack_is_told():
    table = pd.DataFrame([*MARKS, *PROSE])
    assert gradebook.exported(table).set_index(["student_id", "assignment"]).loc[
        ("0012345", "02_two"), ["score", "max_score"]].tolist() == [9, 16]
    found = gradebook.statistics(table).set_index("exercise").loc["mix_reasons"]
    assert found["mistake"].tolist() == ["lacks stop", "lacks price", "not marked yet"]
    assert found["learners"].tolist() == [2, 1, 1]
    assert found["solved"].unique().tolist() == ["1 of 4"]
    assert "0012345" not in gradebook.stuck(table)["learner"].tolist()


def test_a_folder_that_cannot_be_is_told_of(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "grades"):
        with pytest.raises(StoreError, match="cannot be made"):
            gradebook.write(MARKS, folder)
    (tmp_path / "grades" / "marks.csv").mkdir(parents=True)
    with pytest.raises(ExerciseError, match="cannot be written"):
        gradebook.write(MARKS, tmp_path / "grades")


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


@pytest.mark.parametrize("text", [
    None, "", "a,b\n1,2\n", "\x00", ",".join(gradebook.COLUMNS) + "\na,b,c,right,two,2,x,False\n"])
def test_a_table_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "marks.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ExerciseError):
        gradebook.read(path)


def test_tables_of_an_earlier_grading_are_replaced_and_others_are_not(tmp_path):
    gradebook.write(MARKS, tmp_path)
    gradebook.write(MARKS, tmp_path)
    for name in (gradebook.MARKS, gradebook.GRADEBOOK, gradebook.LMS):
        before = (tmp_path / name).read_bytes()
        (tmp_path / name).write_text("name,grade\nAda,1\n")
        with pytest.raises(ExerciseError, match="another one"):
            gradebook.write(MARKS, tmp_path)
        assert (tmp_path / name).read_text() == "name,grade\nAda,1\n"
        (tmp_path / name).write_bytes(before)
