"""The courseware around the notebooks: `start` for inside a lesson; build, run and publish from
outside. Nothing is imported before it is used, so that the command line answers at once.
"""

from __future__ import annotations

from typing import Any

__all__ = ["start"]


def __getattr__(name: str) -> Any:
    if name == "start":
        from fmcourse.lessons.course import start

        return start
    raise AttributeError(f"module 'fmcourse.lessons' has no attribute {name!r}")
