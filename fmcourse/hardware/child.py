"""Do something in a process of its own, so that its memory is nobody else's.

A process on a CPU hardly ever gives memory back, and its peak is that of the hungriest thing it
has done. What is to be compared by memory therefore runs in fresh processes, one after another.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from fmcourse.errors import HardwareError
from fmcourse.hardware.measure import return_memory


def in_child(work: Callable[..., Any], *args: Any, exact: bool = False, **settings: Any) -> Any:
    """What a function of a module gives when it is called in a fresh process.

    Whatever the function raises is raised here, with its own traceback as the cause.

    Args:
        work: found again by its module and name; what it takes and gives is pickled between the
            two processes.
        exact: have glibc hand freed memory back at once, so that a peak is what was needed, and
            not also what the allocator keeps between blocks (5 to 35 % more). It is slower; where
            there is no glibc, it changes nothing.

    Raises:
        HardwareError: the process died.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=return_memory if exact else None) as pool:
        try:
            return pool.submit(work, *args, **settings).result()
        except BrokenProcessPool as error:
            raise HardwareError("The process died without a result.", where=work.__name__,
                                fix="It may have run out of memory: ask for less.") from error
