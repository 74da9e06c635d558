"""The classroom: exercises whose checks know the usual mistakes by name.

`fm.classroom.sheet("01")` is what an exercise notebook starts with; `fmcourse class build` makes
exercise and solution notebooks from one text, `fmcourse class grade` marks a class's.
`fm.classroom.progress()` is where a learner stands. Nothing is imported before it is used.
"""

from __future__ import annotations

from typing import Any

__all__ = ["progress", "sheet"]


def __getattr__(name: str) -> Any:
    if name == "sheet":
        from fmcourse.classroom.sheets import sheet

        return sheet
    if name == "progress":
        from fmcourse.classroom.standing_box import progress

        return progress
    raise AttributeError(f"module 'fmcourse.classroom' has no attribute {name!r}")
