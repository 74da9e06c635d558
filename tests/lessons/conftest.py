"""A course of made-up lessons in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fmcourse.lessons import catalogue
from fmcourse.lessons.catalogue import Lesson

HEADER = """# ---
# jupyter:
#   fmcourse:
#     title: {title}
#     claims: [{claims}]
#     minutes_cpu: 2
#     minutes_gpu: 0.5
# ---
"""


class Course:
    """Writes masters, and finds lessons in its folder."""

    def __init__(self, root: Path):
        self.root = root
        (root / catalogue.MASTERS).mkdir(parents=True)

    def write(self, name: str, *cells: str, title: str = "A lesson", claims: str = "K1") -> Lesson:
        """A master whose cells are code, or markdown where they start with a #."""
        text = HEADER.format(title=title, claims=claims)
        for cell in cells:
            prose = cell.startswith("#")
            body = "\n".join(f"# {line}" for line in cell.splitlines()) if prose else cell
            text += f"\n# %%{' [markdown]' if prose else ''}\n{body}\n"
        (self.root / catalogue.MASTERS / f"{name}.py").write_text(text, encoding="utf-8")
        return self.lesson(name)

    def lesson(self, name: str) -> Lesson:
        return catalogue.select([name], self.root)[0]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "course")


@pytest.fixture(scope="module")
def new_course(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Course]:
    """For tests that share one course, because running it takes seconds."""
    return lambda: Course(tmp_path_factory.mktemp("shared") / "course")
