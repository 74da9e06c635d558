"""Where a learner stands, from the progress file alone."""

import pytest
from exam.test_review import BANK, RIGHT, WRONG, say

from fmcourse import classroom, progress
from fmcourse.classroom import standing
from fmcourse.exam import bank
from fmcourse.lessons import catalogue


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path))


def row(number):
    return standing.lesson_rows(catalogue.select([number]))[0]


def test_someone_who_has_done_nothing_sees_what_there_is_to_do():
    lesson = catalogue.select(["01"])[0]
    names = standing.exercises(lesson)
    assert sorted(names) == sorted(classroom.sheet("01").exercises)
    assert list(row("01").values()) == [
        "01 Pre-training", "–", "–", f"0 of {len(lesson.claims)}", f"0 of {len(names)}", "0"]
    assert row("00")["claims shown"] == row("00")["exercises passed"] == "–"
    assert "Your progress" in str(classroom.progress())
    assert "exam" not in str(classroom.progress())


def test_a_claim_is_shown_when_the_latest_run_that_judges_shows_all_its_measures():
    claim = catalogue.select(["01"])[0].claims[0]

    def say_of(**verdicts):
        for metric, verdict in verdicts.items():
            progress.claimed("01", "cpu", claim, metric, verdict)
        return row("01")["claims shown"][0]

    assert say_of(bits="shown", order="inconclusive") == "0"
    assert say_of(order="shown") == "1"
    assert say_of(bits="not judged") == "1"  # a later run at the smoke scale says nothing
    assert say_of(bits="not shown") == "0"


def test_an_exercise_is_passed_once_and_every_try_counts():
    name = standing.exercises(catalogue.select(["01"])[0])[0]
    for verdict in ("mistake", "right", "differs"):
        progress.tried("01", name, verdict)
    progress.tried("01", "an exercise that is gone", "right")
    progress.begun("01", "smoke")
    progress.begun("01", "cpu")
    found = row("01")
    assert found["exercises passed"].startswith("1 of")
    assert found["tries"] == "3"
    assert found["scale"] == "cpu"


def test_the_exam_is_told_by_claim_weakest_first(monkeypatch):
    monkeypatch.setattr(bank, "load", lambda: BANK)
    say(BANK[0], WRONG)
    say(BANK[0], RIGHT)
    say(BANK[1], RIGHT)
    say(BANK[5], WRONG)
    assert [(one["claim"], one["right"], one["share"]) for one in standing.exam_rows()] == [
        ("K2", "0 of 1", "0%"), ("K1", "2 of 2", "100%")]
    shown = classroom.progress()
    assert "The exam, latest answers" in str(shown)
    assert shown._repr_html_().count("<table") == 2
