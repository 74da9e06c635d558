"""nbgrader itself, end to end: it releases a sheet, and grades a solved and an unsolved copy.

The sheet has programs and prose: what a person is to mark counts in the maximum there and here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nbgrader", reason="only instructors need it: pip install fmcourse[classroom]")
ROOT = Path(__file__).parents[2]
SHEET = "02_continued_pretraining"
SETTINGS = """
from nbconvert.preprocessors import TagRemovePreprocessor
from nbgrader.converters import GenerateAssignment
c = get_config()
c.CourseDirectory.course_id = "fm"
c.GenerateAssignment.preprocessors = [TagRemovePreprocessor, *GenerateAssignment().preprocessors]
c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_cell_tags = {"commentary"}
c.Execute.iopub_timeout = c.Execute.timeout = 120
"""


def nbgrader(folder: Path, *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "nbgrader", *words], cwd=folder,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_nbgrader_releases_a_sheet_and_grades_it(tmp_path, monkeypatch):
    here = Path(sys.executable).parent  # nbgrader calls alembic by its name
    monkeypatch.setenv("PATH", f"{here}{os.pathsep}{os.environ['PATH']}")
    from nbgrader.api import Gradebook

    from fmcourse.classroom import masters
    from fmcourse.lessons import catalogue

    (tmp_path / "nbgrader_config.py").write_text(SETTINGS)
    for place, folder in (("source/01", "solutions"), ("submitted/solved/01", "solutions"),
                          ("submitted/unsolved/01", "exercises")):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(ROOT / folder / f"{SHEET}.ipynb", tmp_path / place)
    nbgrader(tmp_path, "generate_assignment", "01")
    released = (tmp_path / "release" / "01" / f"{SHEET}.ipynb").read_text()
    assert "BEGIN SOLUTION" not in released
    assert "**Why.**" not in released
    nbgrader(tmp_path, "autograde", "01")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", course_id="fm") as book:
        marks = {mark.student.id: (mark.score, mark.max_score)
                 for mark in book.assignment_submissions("01")}
        waits = {mark.student.id: mark.needs_manual_grade
                 for mark in book.assignment_submissions("01")}
    tasks = masters.tasks(catalogue.select([SHEET])[0])
    programs, prose = (sum(points) for points in zip(*(
        (task.difficulty, len(task.rubric)) for task in tasks), strict=True))
    assert prose
    assert marks == {"solved": (programs, programs + prose), "unsolved": (0, programs + prose)}
    assert waits["solved"]
