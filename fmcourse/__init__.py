"""fmcourse: take one language model through its whole life, and measure every step.

`import fmcourse as fm` is cheap: a room is loaded when it is first entered (`fm.train`), so that
the command line and the first notebook cell answer at once.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

from fmcourse.errors import CourseError

__version__ = "0.1.0"
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it misses a kernel, and says so, always
_ROOMS = ("hardware", "scale", "store", "sources", "data", "models", "train", "evaluate", "show",
          "evidence", "lessons", "classroom")
__all__ = [*_ROOMS, "CourseError", "start"]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"fmcourse.{name}")
    if name == "start":
        return importlib.import_module("fmcourse.lessons.course").start
    raise AttributeError(f"module 'fmcourse' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
