"""An end to what this process does with values that a stranger's program has made.

Python's alarm, which a loop of Python's obeys at once and a single call into C only when it
returns; what such a call could take is bounded by `values`, which knows how large a value is and
how its keys hash. The fallback: outside of the main thread, and where there is no such alarm
(Windows, where nothing is graded), the block has no end of its own.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator

AGAIN = 1.0  # seconds until the alarm rings again, should somebody have caught the first


class OverdueError(BaseException):
    """The time is up; no `except Exception` on the way takes it for a program's own error."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """A block that ends in so many seconds, with an `OverdueError` if it has to.

    >>> with within(60):
    ...     sum(range(10))
    45
    """
    if not hasattr(signal, "setitimer") or (
            threading.current_thread() is not threading.main_thread()):
        yield
        return
    running, began = True, time.monotonic()

    def ring(*_: object) -> None:
        if running:
            raise OverdueError

    former = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), AGAIN)
    try:
        try:
            yield
        finally:
            running = False
    finally:  # once more, for an alarm that rang in the line above
        running = False
        signal.signal(signal.SIGALRM, former)
        still = max(1e-3, left - (time.monotonic() - began)) if left else 0
        signal.setitimer(signal.ITIMER_REAL, still, interval)
