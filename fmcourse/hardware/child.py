"""Do something in a process of its own, so that its memory is nobody else's.

A process on a CPU hardly ever gives memory back, and its peak is that of the hungriest thing it
has done. What is to be compared by memory therefore runs in fresh processes, one after another.
"""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any
from unittest import mock

import psutil

from fmcourse.errors import CourseError, HardwareError
from fmcourse.hardware.measure import peak_memory_bytes, reset_peak_memory

EXACT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def in_child(work: Callable[..., Any], *args: Any, exact: bool = False, **settings: Any) -> Any:
    """What a function of a module gives when it is called in a fresh process.

    Args:
        work: found again by its module and name; what it takes and gives is pickled between the
            two processes.
        exact: have glibc hand freed memory back at once, so that a peak is what was needed, and
            not also what the allocator keeps between blocks (5 to 25 % more). It is slower.

    Raises:
        CourseError: as the function raised it; anything else as a `HardwareError` with its text.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, work, args, settings))
    with mock.patch.dict(os.environ, EXACT if exact else {}):
        process.start()
    theirs.close()
    try:
        kind, value = ours.recv()
    except EOFError:
        process.join()
        raise HardwareError(f"The process ended without a result (code {process.exitcode}).",
                            where=work.__name__,
                            fix="It may have run out of memory: ask for less.") from None
    finally:
        process.join()
    if kind == "error":
        raise value
    return value


def _child(answer: Connection, work: Callable[..., Any], args: Any, settings: Any) -> None:
    try:
        answer.send(("value", work(*args, **settings)))
    except CourseError as error:
        answer.send(("error", type(error)(error.what, error.where, error.fix)))
    except Exception:
        answer.send(("error", HardwareError(traceback.format_exc(), where=work.__name__)))


class PeakAbove:
    """The most memory that is taken between two moments, above what was taken at the first.

    Attributes:
        before: bytes taken when it was made; 0 on CUDA, where only tensors are counted.
    """

    def __init__(self, device: str = "cpu"):
        self.device = device
        self.before = 0 if device == "cuda" else psutil.Process().memory_info().rss
        self.restart()

    def restart(self) -> None:
        """Forget the peak so far, and not what was taken at the beginning."""
        reset_peak_memory(self.device)

    @property
    def bytes(self) -> int:
        """The most since then, or since `restart`."""
        return peak_memory_bytes(self.device) - self.before
