"""Every exercise, as learners meet it: unsolved it says so, solved it passes, mistaken it is told.

The notebooks' own cells are run here, in one namespace and without a kernel. `answers/` holds, for
each lesson, other right programs and edits of the solutions that make a known mistake.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import re
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from fmcourse.classroom import build, masters, sheet
from fmcourse.classroom.check import MISTAKE, UNWRITTEN, call, judge
from fmcourse.errors import ExerciseError
from fmcourse.evidence import claim
from fmcourse.lessons import catalogue

ROOT = Path(__file__).parents[2]
LESSONS = masters.with_exercises(root=ROOT)
SHEETS = {lesson.number: sheet(lesson.number) for lesson in LESSONS}
EXERCISES = [(number, name) for number, one in SHEETS.items() for name in one.exercises]
PATIENCE = 5  # seconds; the slowest needs a tenth of one
ALONE = {"predict", "design"}  # kinds whose answer is a value, so that programs do not matter

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
every_exercise = pytest.mark.parametrize(("number", "name"), EXERCISES,
                                         ids=[f"{number}-{name}" for number, name in EXERCISES])


def answers(number: str):
    return importlib.import_module(f"classroom.answers.lesson_{number}")


WRONG = [(number, name, wrong) for number in SHEETS
         for name, some in getattr(answers(number), "WRONG", {}).items() for wrong in some]


def cells(lesson: catalogue.Lesson, folder: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(ROOT / folder / f"{lesson.name}.ipynb", 4).cells
            if cell.cell_type == "code"]


def is_check(cell: nbformat.NotebookNode) -> bool:
    return cell.source.startswith(build.CHECK)


def setting(lesson: catalogue.Lesson) -> dict[str, object]:
    """What the cells of a solution's notebook define, without its checks and its experiments."""
    space: dict[str, object] = {"__name__": "sheet"}  # a worker's `__main__` has no file to look in
    code = cells(lesson, "solutions")
    for cell in (code[0], *(one for one in code if masters.is_solution(one))):
        exec(compile(cell.source, "<cell>", "exec"), space)
    return space


@every_lesson
def test_the_notebooks_are_what_their_text_makes(lesson):
    assert build.check(lesson) == []


def test_no_notebook_is_without_a_text():
    for folder in ("solutions", "exercises"):
        assert {path.stem for path in (ROOT / folder).glob("*.ipynb")} == {
            lesson.name for lesson in LESSONS}


@every_lesson
def test_a_sheet_has_four_to_seven_exercises_of_several_kinds_about_its_lessons_claims(lesson):
    tasks = masters.tasks(lesson)
    assert 4 <= len(tasks) <= 7
    assert len({task.kind for task in tasks}) >= 2
    assert {one for task in tasks for one in task.claims} <= set(lesson.claims)
    assert all(claim.claims()[one] for task in tasks for one in task.claims)


@every_lesson
def test_as_released_every_check_fails_with_a_helpful_message(lesson):
    space: dict[str, object] = {"__name__": "__main__"}
    checked = 0
    for cell in cells(lesson, "exercises"):
        assert build.GOES_ON in cell.metadata.tags
        if not is_check(cell):
            with contextlib.suppress(NotImplementedError), contextlib.redirect_stdout(
                    io.StringIO()):  # a cell may use what is not written yet
                exec(compile(cell.source, "<cell>", "exec"), space)
            continue
        with pytest.raises(ExerciseError) as error:
            exec(cell.source, space)
        assert "is not written yet" in error.value.what
        assert 'sheet.hint("' in error.value.fix
        checked += 1
    assert checked == len(SHEETS[lesson.number].exercises)


@every_lesson
def test_the_exercises_hold_nothing_of_the_solutions(lesson):
    text = "\n".join(cell.source for cell in nbformat.read(
        ROOT / "exercises" / f"{lesson.name}.ipynb", 4).cells)
    assert "BEGIN SOLUTION" not in text
    for cell in build.notebooks.assemble(masters.Copy(lesson, "solutions")).cells:
        if masters.COMMENTARY in cell.metadata.get("tags", []):
            assert cell.source not in text
        if masters.is_solution(cell):
            body = cell.source.split(masters.BEGIN)[1].split(masters.END)[0].strip()
            assert body not in text


@every_lesson
def test_the_solutions_run_from_top_to_bottom_and_every_check_passes(lesson, capsys):
    space: dict[str, object] = {"__name__": "__main__"}
    for cell in cells(lesson, "solutions"):
        exec(compile(cell.source, "<cell>", "exec"), space)
    assert capsys.readouterr().out.count("✓") == len(SHEETS[lesson.number].exercises)


@every_lesson
def test_stubs_are_typed_and_their_examples_are_true(lesson):
    space = setting(lesson)
    for name in SHEETS[lesson.number].exercises:
        answer = space[name]
        assert answer.__doc__, name
        if not isinstance(answer, type):
            assert "return" in answer.__annotations__, name
        examples = doctest.DocTestFinder().find(answer, name, module=False, globs=space)
        assert any(one.examples for one in examples), name
        for one in examples:
            assert doctest.DocTestRunner().run(one).failed == 0


@every_exercise
def test_every_right_program_passes(number, name):
    lesson, = (one for one in LESSONS if one.number == number)
    kind, = (task.kind for task in masters.tasks(lesson) if task.name == name)
    others = answers(number).OTHERS.get(name, [])
    assert len(others) >= 2 or kind in ALONE  # besides the notebook's
    for other in [setting(lesson)[name], *others]:
        verdict = judge(SHEETS[number].exercises[name], other)
        assert verdict.right, (other, verdict)


@pytest.mark.parametrize(("number", "name", "wrong"), WRONG, ids=[
    f"{number}-{getattr(wrong, '__name__', name)}" for number, name, wrong in WRONG])
def test_a_wrong_program_that_looks_right_is_told_what_it_misses(number, name, wrong):
    """By name, if it is a mistake that many would make; at least by the case that differs."""
    verdict = judge(SHEETS[number].exercises[name], wrong)
    assert verdict.kind == MISTAKE or verdict.where, verdict
    assert not verdict.right


@every_exercise
def test_every_named_mistake_is_recognised(number, name):
    exercise = SHEETS[number].exercises[name]
    assert len(exercise.mistakes) + len(exercise.slips) >= 3
    for says, mistaken in exercise.mistakes.items():
        assert judge(exercise, mistaken).says == says
    for says, part in exercise.slips.items():
        slipped = replace(exercise, use=lambda answer, *inputs, part=part: exercise.use(
            exercise.right, *inputs) | (part if answer is str else {}))
        verdict = judge(slipped, str)
        assert (verdict.kind, verdict.says) == (MISTAKE, says)


@every_exercise
def test_a_solution_with_a_known_slip_of_the_pen_is_recognised(number, name):
    lesson, = (one for one in LESSONS if one.number == number)
    cell, = (one for one in cells(lesson, "solutions")
             if masters.is_solution(one) and re.search(rf"^(def|class) {name}\b", one.source, re.M))
    edits = answers(number).EDITS[name]
    assert edits
    for old, new, says in edits:
        assert old in cell.source
        space = setting(lesson)
        exec(compile(cell.source.replace(old, new), "<cell>", "exec"), space)
        verdict = judge(SHEETS[number].exercises[name], space[name])
        assert verdict.kind == MISTAKE, (old, new, verdict)
        assert verdict.says.startswith(says)


@every_exercise
def test_nonsense_is_met_with_a_clear_message(number, name):
    """A type, a shape or an exception that nobody foresaw: no traceback, no silence."""
    exercise = SHEETS[number].exercises[name]
    for nonsense in (lambda *inputs: None, lambda *inputs: 1 / 0, lambda: object(), object):
        verdict = judge(exercise, nonsense)
        assert not verdict.right
        assert verdict.kind != UNWRITTEN
        assert verdict.kind != MISTAKE or exercise.use is not call  # what it did *not* do is known
        assert len(verdict.says) > 20


@every_exercise
def test_a_check_takes_no_longer_than_a_learner_waits_gladly(number, name):
    """Its own seconds, on all shown cases and every named mistake: the worst that can happen."""
    exercise = SHEETS[number].exercises[name]
    began = time.process_time()
    judge(exercise, lambda *inputs: None)
    assert time.process_time() - began < PATIENCE


@every_lesson
def test_an_investigation_says_whether_its_data_is_still_the_sample(lesson, capsys):
    """Each that has a sample asks for it once, below its check, and tells it from other data."""
    sheet = SHEETS[lesson.number]
    asked = [name for cell in cells(lesson, "exercises")
             for name in re.findall(r'^sheet\.own\("(\w+)"', cell.source, re.M)]
    assert sorted(asked) == sorted(
        name for name, exercise in sheet.exercises.items() if exercise.sample)
    assert {task.name for task in masters.tasks(lesson) if task.kind == "investigate"} <= {*asked}
    for name in asked:
        cell, = (one for one in cells(lesson, "exercises") if f'sheet.own("{name}"' in one.source)
        given, call = re.split(r"^(?=sheet\.own)", cell.source, maxsplit=1, flags=re.M)
        space = {"sheet": sheet}
        exec(given + call.splitlines()[0], space)
        assert "still the sample" in capsys.readouterr().out
    if asked:
        sheet.own(asked[0], "something else")
        assert "Data of your own" in capsys.readouterr().out


@every_exercise
def test_hints_say_something_and_the_second_says_more(number, name):
    first, second = SHEETS[number].exercises[name].hints
    assert 20 < len(first) < 300
    assert 20 < len(second) < 400
    assert first != second
