"""The progress file: two programs at once, older and newer ones, and never in a lesson's way."""

import sqlite3
import subprocess
import sys
import warnings

import pytest

from fmcourse import progress
from fmcourse.classroom.check import MISTAKE, RIGHT, Exercise
from fmcourse.classroom.sheets import Sheet
from fmcourse.errors import CourseWarning, ExerciseError, StoreError

TWICE = Exercise("twice", lambda x: 2 * x, {"three": (3,)}, {"You squared it.": lambda x: x * x},
                 ("Look at the sign.", "Add it to itself."))


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path))


def rows(table: str) -> list[tuple]:
    with progress.opened() as database:
        return database.execute(f"select * from {table} order by id").fetchall()


def solve(body: str = "return x + x") -> None:
    made: dict = {}
    exec(f"def twice(x): {body}", made)
    Sheet("01", (TWICE,)).check(made["twice"])


def test_a_check_notes_what_it_said_and_a_stub_is_no_try(capsys):
    for body in ("return x * x", "raise NotImplementedError()"):
        with pytest.raises(ExerciseError):
            solve(body)
    solve()
    assert [row[3:] for row in rows("exercise_try")] == [("twice", MISTAKE), ("twice", RIGHT)]


@pytest.mark.parametrize("harm", ["read-only", "broken", "newer", "no folder"])
def test_a_check_passes_though_it_cannot_be_noted(harm, capsys, monkeypatch, tmp_path):
    file = progress.path()
    if harm == "broken":
        file.write_text("no database " * 100)
    elif harm == "newer":
        with sqlite3.connect(file) as other:
            other.execute(f"pragma user_version = {progress.VERSION + 1}")
    elif harm == "read-only":
        def locked(*_, **__):
            raise sqlite3.OperationalError("attempt to write a readonly database")

        monkeypatch.setattr(sqlite3, "connect", locked)
    else:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("FMCOURSE_DATA", str(tmp_path / "file" / "below"))
    before = file.read_bytes() if file.exists() else b""
    with pytest.warns(CourseWarning, match="not noted"):
        solve()
    assert capsys.readouterr().out == "✓ `twice` is right.\n"
    assert (file.read_bytes() if file.exists() else b"") == before


def test_a_file_of_a_newer_version_is_refused_and_left_alone():
    with sqlite3.connect(progress.path()) as other:
        other.execute("create table exam_answer (item text, mood text)")
        other.execute(f"pragma user_version = {progress.VERSION + 1}")
    with pytest.raises(StoreError, match="Update the course"), progress.opened():
        pass
    with sqlite3.connect(progress.path()) as other:
        assert other.execute("select name from sqlite_master").fetchall() == [("exam_answer",)]


def test_a_file_of_the_exam_alone_is_brought_up_to_date_and_keeps_its_answers():
    with sqlite3.connect(progress.path()) as old:
        old.execute("create table exam_answer (id integer primary key, item text not null, "
                    "at real not null, answer text not null, rating integer not null)")
        old.execute("insert into exam_answer values (7, 'K1-01', 5.5, 'a c', 3)")
    progress.begun("01", "cpu")
    assert rows("exam_answer") == [(7, "K1-01", 5.5, "a c", 3)]
    assert [(row[1], row[3]) for row in rows("lesson_begun")] == [("01", "cpu")]


def test_two_notebooks_may_note_at_once():
    script = ("from fmcourse import progress\n"
              "for i in range(20): progress.tried('01', f'e{i}', 'right')")
    both = [subprocess.Popen([sys.executable, "-W", "error", "-c", script]) for _ in range(2)]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    assert len(rows("exercise_try")) == 40


def test_what_a_block_wrote_before_it_failed_is_not_kept():
    def fail_half_way():
        with progress.opened() as database:
            progress.add(database, "lesson_begun", {"lesson": "01", "at": 1.0, "scale": "cpu"})
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert rows("lesson_begun") == []


def test_what_a_teacher_runs_for_others_is_not_noted(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        progress.tried("01", "twice", RIGHT)
    monkeypatch.delenv("NBGRADER_EXECUTION")
    assert rows("exercise_try") == []
