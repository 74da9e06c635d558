"""The terminal's words: in a log a line at start, per minute and end; a table that tells all."""

import io

import pytest
from rich.console import Console

from fmcourse.lessons import report
from fmcourse.lessons.execute import Failure, Outcome, Progress


@pytest.fixture
def lesson(course):
    return course.write("01_x", "1", title="Pre-training [live]", claims="K1, K2, K3")


def outcome(lesson, failure=None):
    records = ({"claim": "K1", "verdict": "shown"}, {"claim": "K2", "verdict": "inconclusive"})
    return Outcome(lesson, "cpu", 150.0, records, failure, lesson.notebook)


def log() -> Console:
    return Console(file=io.StringIO(), width=100)


def test_a_log_hears_of_start_minutes_picture_and_end(lesson, monkeypatch):
    console, progress = log(), Progress(lesson, "cpu", 0.0, 30, cell=7, note="loss 3.2")
    progress.picture = lesson.root / "site" / "pictures" / "01-1.png"
    monkeypatch.setattr(report, "HEARTBEAT", -1)
    with report.Line(lesson, "cpu", console) as line:
        line.watch(progress)
        line.watch(progress)
        line.done(outcome(lesson))
    said = console.file.getvalue()
    assert "Pre-training [live]  0:00 of about 2 min" in said
    assert said.count("first picture:") == 1
    assert "cell 7 of 30" in said
    assert "loss 3.2" in said
    assert "✓ 2:30" in said


def test_a_log_is_not_flooded(lesson):
    console = log()
    with report.Line(lesson, "smoke", console) as line:
        for _ in range(100):
            line.watch(Progress(lesson, "smoke", 0.0, 30))
    assert console.file.getvalue().count("\n") == 1


def test_a_terminal_line_is_rewritten_and_cut_to_its_width(lesson):
    console = Console(file=io.StringIO(), force_terminal=True, width=40)
    with report.Line(lesson, "cpu", console) as line:
        line.watch(Progress(lesson, "cpu", 0.0, 30, cell=7, note="a note far too long for it"))
    said = console.file.getvalue()
    assert "cell 7" in said
    assert "too long for it" not in said


def test_the_table_tells_minutes_claims_and_failures(lesson):
    console = log()
    console.print(report.table([outcome(lesson), outcome(lesson, Failure(3, "x", "E")),
                                outcome(lesson, Failure(0, "", "E"))]))
    said = console.file.getvalue()
    assert "Pre-training [live]" in said
    assert "2.5 of 2" in said
    assert "K2 (inconclusive), K3 (not judged)" in said
    assert "cell 3 failed" in said
    assert "start failed" in said
