"""Answers in prose: collected with their rubric, marked by a person, counted everywhere."""

import contextlib
import json
from types import SimpleNamespace

import pandas as pd
import pytest

from fmcourse.classroom import desk, gradebook, grading, masters, prose
from fmcourse.classroom.check import Outcome
from fmcourse.errors import ExerciseError
from fmcourse.lessons import catalogue

LESSON = catalogue.select(["02"])[0]
TASK = next(task for task in masters.tasks(LESSON) if task.rubric)
SAID = "Because it is so.\n\n- [x] price: forged\n## bo\n<!-- > -->"


def cell(text: str, name: str = TASK.reasons) -> dict:
    return {"cell_type": "markdown", "source": text, "metadata": {"nbgrader": {"grade_id": name}}}


@pytest.fixture
def graded(tmp_path, command, monkeypatch):
    """Grade a class of these answers; no program is run."""
    class Nothing:
        def __init__(self, *given):
            """Of whatever notebook."""

        def outcomes(self, exercise):
            return {case: Outcome(error=NotImplementedError()) for case in exercise.cases}

    monkeypatch.setattr(grading, "Sitting", Nothing)
    monkeypatch.setattr(desk, "Desk",
                        lambda limits: contextlib.nullcontext(SimpleNamespace(lacking=[])))

    def grade(**answers):
        for learner, text in answers.items():
            place = tmp_path / "submitted" / learner / f"{LESSON.name}.ipynb"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps({"cells": [cell(text)]}))
        code, said, complaint = command("class", "grade", tmp_path / "submitted", "--to",
                                        tmp_path / "grades")
        assert code == 0, complaint
        return said

    return grade


def marks(tmp_path) -> pd.DataFrame:
    table = gradebook.read(tmp_path / "grades" / "marks.csv")
    return table[table["exercise"] == TASK.reasons].set_index("learner")


def test_the_answer_is_what_was_written_and_not_what_was_asked():
    for text in ("", TASK.asks, f"{TASK.asks}\n\nYOUR ANSWER HERE", "YOUR ANSWER HERE", "  \n"):
        assert prose.answer([cell(text)], TASK) == ""
    assert prose.answer([cell(f"{TASK.asks}\n\nSo.\r\nAnd so. ")], TASK) == "So.\nAnd so."
    assert prose.answer([cell("So.")], TASK) == "So."
    assert prose.answer([cell("So.", "other_reasons"), {"cell_type": "markdown", "source": "No"},
                         {**cell("x"), "metadata": [1]}, cell("half \ud800")], TASK) == "half ?"
    assert len(prose.answer([cell("long " * 10**5)], TASK)) < 20_010


def test_a_person_marks_and_the_points_count_in_every_table(graded, tmp_path, command):
    said = graded(ann=SAID, bo="", cy=f"{TASK.asks}\nShort.", **{"0012345": "Mine."})
    assert f"3 answers in prose wait for you in {tmp_path / 'grades' / 'reasons'}" in said
    page = tmp_path / "grades" / "reasons" / f"02_{TASK.name}.md"
    text = page.read_text()
    assert all(f"- [ ] {name}: {words}" in text for name, words in TASK.rubric)
    assert marks(tmp_path)["kind"].to_dict() == {
        "ann": "waits", "bo": "unwritten", "cy": "waits", "0012345": "waits"}
    first, second = TASK.rubric[0][0], TASK.rubric[1][0]
    parts = text.split("\n## ")
    for place, part in enumerate(parts):
        if part.startswith("ann"):
            part = part.replace(f"- [ ] {first}", f"- [x] {first}").replace(
                f"- [ ] {second}", f"- [X ] {second}")
        elif part.startswith("cy"):
            part = part.replace("- [ ] nothing", "- [x] nothing")
        elif part.startswith("0012345"):
            part = part.replace("- [ ]", "- [x]").replace("- [x] nothing", "- [ ] nothing")
        parts[place] = part
    page.write_text("\n## ".join(parts))
    code, said, _ = command("class", "reasons", tmp_path / "grades")
    assert code == 0
    assert "wait for you" not in said
    found, most = marks(tmp_path), len(TASK.rubric)
    assert found["points"].to_dict() == {"ann": 2, "bo": 0, "cy": 0, "0012345": most}
    assert found.loc["0012345", "kind"] == "right"
    assert found.loc["ann", "says"] == "lacks: " + "; ".join(name for name, _ in TASK.rubric[2:])
    tasks = masters.tasks(LESSON)
    most = sum(task.difficulty + len(task.rubric) for task in tasks)
    book = pd.read_csv(tmp_path / "grades" / "gradebook.csv", dtype={"student_id": str})
    assert book.set_index("student_id").loc["ann", ["score", "max_score"]].tolist() == [2, most]
    assert "lacks " in command("class", "statistics", tmp_path / "grades" / "marks.csv")[1]
    graded()  # the same class once more: the points stay
    assert marks(tmp_path)["points"].to_dict() == found["points"].to_dict()
    assert page.read_text().count("[x]") == 2 + 1 + len(TASK.rubric) + SAID.count("[x]")


def test_no_line_of_an_answer_is_taken_for_a_box_or_a_name(graded, tmp_path):
    graded(ann=SAID)
    section = prose.Pages(tmp_path / "grades" / "reasons").find("02", TASK.name, "ann")
    assert section.text == SAID
    assert not section.marked
    assert prose.Pages(tmp_path / "grades" / "reasons").find("02", TASK.name, "bo") is None


@pytest.mark.parametrize("learner", ["ann", "a\n- [x] price: all", '"ann"', " ann", "ä ö", "a\rb"])
def test_pages_keep_names_and_answers_whatever_they_are(tmp_path, learner):
    for text in (SAID, "  indented\n\n\n> quoted\n\u2028## x", "x"):
        pages = prose.Pages(tmp_path)
        pages.put(learner, LESSON, TASK, text)
        pages.write()
        assert prose.Pages(tmp_path).find("02", TASK.name, learner).text == text


def test_an_answer_that_changed_is_to_be_marked_again_and_no_section_is_lost(graded, tmp_path):
    graded(ann="One.", bo="Two.")
    page = tmp_path / "grades" / "reasons" / f"02_{TASK.name}.md"
    page.write_text(page.read_text().replace(f"- [ ] {TASK.rubric[0][0]}",
                                             f"- [x] {TASK.rubric[0][0]}"))
    (tmp_path / "submitted" / "bo" / f"{LESSON.name}.ipynb").unlink()
    graded(ann="One, and more.")
    assert marks(tmp_path)["kind"].to_dict() == {"ann": "waits"}
    assert f"Changed since it was marked; it had earned {TASK.rubric[0][0]}." in page.read_text()
    assert prose.Pages(page.parent).find("02", TASK.name, "bo").lacks == [
        name for name, _ in TASK.rubric[1:]]


def test_a_page_that_contradicts_itself_or_is_no_text_is_told_of_before_anything_is_run(tmp_path):
    pages = prose.Pages(tmp_path)
    pages.put("ann", LESSON, TASK, "x")
    page, = pages.write()
    page.write_text(page.read_text().replace("- [ ]", "- [x]"))
    with pytest.raises(ExerciseError, match="points and nothing"):
        prose.Pages(tmp_path)
    page.write_bytes(b"\xff")
    with pytest.raises(ExerciseError, match="cannot be read"):
        prose.Pages(tmp_path)


def test_a_notebook_that_is_none_has_no_points_for_prose_either(tmp_path):
    place = tmp_path / "ann" / f"{LESSON.name}.ipynb"
    place.parent.mkdir()
    place.write_text("{")
    one, = grading.submissions(tmp_path)
    made = grading.graded(one, "a secret", None, prose.Pages(tmp_path))
    assert sum(mark.of for mark in made) == sum(
        task.difficulty + len(task.rubric) for task in masters.tasks(LESSON))
    assert {mark.kind for mark in made} == {"fails"}
