"""Running lessons in real kernels: what is kept, what a failure leaves, how it stops."""

from __future__ import annotations

import os
import time

import nbformat
import psutil
import pytest
from rich.console import Console

from fmcourse import store
from fmcourse.errors import CourseError, LessonError
from fmcourse.lessons import build
from fmcourse.lessons import run as running
from fmcourse.lessons.execute import Outcome, execute
from fmcourse.lessons.site import Site, network_references

RECORDS = [
    {"claim": "K1", "metric": "a", "verdict": "shown", "effect": 2.0, "bound": 1.0},
    {"claim": "K1", "metric": "b", "verdict": "inconclusive", "effect": 0.9, "bound": 1.0},
    {"claim": "K1", "metric": "b", "verdict": "shown", "effect": 1.1, "bound": 1.0},
    {"claim": "K2", "metric": "a", "verdict": "shown", "effect": 2.0, "bound": 1.0},
    {"claim": "K2", "metric": "b", "verdict": "not shown", "effect": 0.0, "bound": 1.0},
]
GOOD = ("# Good", f"""import json, os, sys
records = {RECORDS}
json.dump(records, open(os.environ["FMCOURSE_CLAIMS"], "w"))
print(os.environ["FMCOURSE_SCALE"], os.getcwd())
print(os.path.expanduser("~/thing"), file=sys.stderr)""", """
from IPython.display import HTML, Image, display
handle = display(HTML("<div>begin</div>"), display_id=True)
handle.update(HTML("<progress value='0.5'></progress> <b>pretrain</b> loss 3.21"))
import time; time.sleep(1)
png = b"\\x89PNG\\r\\n\\x1a\\n and no picture"
display(Image(png, format="png"))
handle.update(HTML("<b>pretrain</b> done"))""")


@pytest.fixture(scope="module")
def good(new_course):
    """A lesson run at the cpu scale: its outcome, its site, and what the watcher saw."""
    made = new_course()
    lesson = made.write("01_good", *GOOD, claims="K1, K2, K3")
    pages, notes = Site(made.root / "site", [lesson]), []
    outcome = execute(lesson, "cpu", pages, lambda progress: notes.append(progress.note))
    return outcome, pages, notes


def test_a_good_lesson_replaces_its_notebook(good):
    outcome, _, _ = good
    assert outcome.failure is None
    assert outcome.notebook == outcome.lesson.notebook
    assert build.check(outcome.lesson) == []


def test_outputs_hold_the_scale_and_no_path_of_this_machine(good):
    notebook = nbformat.read(good[0].notebook, as_version=4)
    streams = {out.name: out.text for out in notebook.cells[1].outputs}
    assert streams == {"stdout": "cpu ./notebooks\n", "stderr": "~/thing\n"}
    assert str(good[0].lesson.root) not in good[0].notebook.read_text()
    assert "execution" not in notebook.cells[1].metadata


def test_a_claim_is_shown_when_all_its_measures_are(good):
    assert good[0].verdicts == {"K1": "shown", "K2": "not shown"}


def test_a_progress_display_reaches_the_watcher_and_its_last_state_the_notebook(good):
    outcome, _, notes = good
    assert "pretrain loss 3.21" in notes
    cell = nbformat.read(outcome.notebook, as_version=4).cells[2]
    assert "pretrain</b> done" in str(cell.outputs)
    assert "3.21" not in str(cell.outputs)


def test_pictures_and_pages_are_written(good):
    _, pages, _ = good
    assert (pages.folder / "pictures" / "01-1.png").read_bytes().startswith(b"\x89PNG")
    page = (pages.folder / "01_good.html").read_text()
    assert network_references(page) == []
    index = pages.index.read_text()
    assert "K1 shown" in index
    assert "pictures/01-1.png" in index


def test_other_scales_leave_the_committed_notebook_alone(course):
    lesson = course.write("01_x", "print('new')")
    lesson.notebook.write_text("committed")
    outcome = execute(lesson, "smoke", Site(course.root / "site", [lesson]))
    assert lesson.notebook.read_text() == "committed"
    assert outcome.notebook == store.home() / "executed" / "smoke" / "01_x.ipynb"


def test_failing_lessons_are_told_and_the_others_still_run(course, monkeypatch):
    monkeypatch.setattr(running, "fetch_missing", lambda console: None)
    failing = course.write("01_fails", "x = 1", "y = 1\nz = 2\nw = 3\nx / 0", title="Fails")
    failing.notebook.write_text("committed")
    course.write("02_dies", "import os\nos.system('echo last words >&2')\nos.kill(os.getpid(), 9)")
    course.write("03_works", "1 + 1")
    monkeypatch.chdir(course.root)
    console = Console(record=True, width=120, file=open(os.devnull, "w"))  # noqa: SIM115
    first, second, third = running.run((), "cpu", console)

    assert (first.failure.cell, first.failure.error) == (2, "ZeroDivisionError: division by zero")
    assert first.failure.source == "y = 1\nz = 2\nw = 3"
    assert failing.notebook.read_text() == "committed"
    assert "ZeroDivisionError" in first.notebook.read_text()
    assert second.failure.cell == 1
    assert "kernel died" in second.failure.error
    assert "last words" in second.failure.error
    assert third.failure is None

    said = console.export_text()
    assert "Lesson 01_fails stopped in code cell 2" in said
    assert "cell 2 failed" in said
    assert "K1 (not judged)" in said
    assert str(course.root / "site" / "index.html") in said
    assert "Stopped: ZeroDivisionError" in (course.root / "site" / "index.html").read_text()


def test_interrupting_kills_the_kernel_and_leaves_nothing(course):
    note = course.root / "pid"
    lesson = course.write("01_long", f"""import os, time
open({str(note)!r}, "w").write(str(os.getpid()))
time.sleep(600)""")

    def interrupt(progress):
        if note.exists() and note.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(lesson, "cpu", Site(course.root / "site", [lesson]), interrupt)
    deadline = time.monotonic() + 20
    while psutil.pid_exists(int(note.read_text())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(int(note.read_text()))
    assert not lesson.notebook.exists()


@pytest.mark.parametrize("content", ['{"claim": "K1"}', '[{"claim": "K1"}]', "[1]", "3"])
def test_claims_of_the_wrong_shape_are_an_error(course, content, tmp_path):
    from fmcourse.lessons.execute import _claims

    path = tmp_path / "claims.json"
    path.write_text(content)
    with pytest.raises(LessonError, match="claims are not a list"):
        _claims(path, course.write("01_x"))


def test_a_lesson_that_cannot_start_does_not_stop_the_run(course, monkeypatch):
    monkeypatch.setattr(running, "fetch_missing", lambda console: None)
    monkeypatch.setattr(running, "execute", _refuse)
    course.write("01_x")
    monkeypatch.chdir(course.root)
    console = Console(record=True, width=100, file=open(os.devnull, "w"))  # noqa: SIM115
    outcome, = running.run((), "smoke", console)
    assert isinstance(outcome, Outcome)
    assert outcome.failure.cell == 0
    assert "could not be run" in console.export_text()


def _refuse(*_: object) -> Outcome:
    raise CourseError("The disk is full.")


def test_a_wrong_scale_is_an_error(course, monkeypatch):
    monkeypatch.setenv("FMCOURSE_SCALE", "cpu")
    monkeypatch.chdir(course.root)
    course.write("01_x")
    with pytest.raises(CourseError, match="no scale called 'huge'"):
        running.run((), "huge")
