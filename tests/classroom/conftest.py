"""A course with one lesson and one sheet of exercises, in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from fmcourse.classroom import masters
from fmcourse.classroom.check import Exercise
from fmcourse.classroom.sheets import Sheet
from fmcourse.lessons import catalogue
from fmcourse.lessons.catalogue import Lesson

TWICE = Exercise("twice", lambda x: 2 * x, {"three": (3,)}, {"You squared it.": lambda x: x * x},
                 ("Look at the sign.", "Add it to itself."))
LESSON = """# ---
# jupyter:
#   fmcourse: {title: One, claims: [K1], minutes_cpu: 1, minutes_gpu: 1}
# ---

# %%
"""
TEXT = """# %% [markdown]
# # Exercises

# %%
import fmcourse as fm

# %% [markdown] exercise="twice" kind="implement" difficulty=2 minutes=5 claims=["K1"]
# ## Double it
# Words about it.

# %%
def twice(x: int) -> int:
    '''The double.'''
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %%
sheet.check(twice)

# %% [markdown] tags=["commentary"]
# **Why.** Because.

# %% [markdown]
# **Your reasons.**
# ### BEGIN SOLUTION
# Two of a kind.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | price | says what it costs |
# | control | compares with *nothing* |
# | stop | a number ends it |
"""


class Course:
    """Writes the text of the one sheet."""

    def __init__(self, root: Path):
        self.root = root
        for folder in (catalogue.MASTERS, masters.FOLDER):
            (root / folder).mkdir(parents=True)
        (root / catalogue.MASTERS / "01_one.py").write_text(LESSON)
        self.write(TEXT)

    @property
    def lesson(self) -> Lesson:
        return catalogue.select(["01"], self.root)[0]

    def write(self, text: str, name: str = "01_one") -> None:
        (self.root / masters.FOLDER / f"{name}.py").write_text(text)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr(masters, "sheet", lambda lesson: Sheet(lesson, (TWICE,)))
    return Course(tmp_path / "course")
