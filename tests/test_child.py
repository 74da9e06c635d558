"""Work in a process of its own: what it gives, what it raises, and what it leaves behind."""

import os
import platform
import signal

import numpy as np
import psutil
import pytest

from fmcourse import hardware
from fmcourse.errors import DataError, HardwareError
from fmcourse.hardware.child import in_child


def answer(number, extra=0):
    return os.getpid(), number + extra


def refuse():
    raise DataError("A sentence.", where="here", fix="Do that.")


def fail():
    return {}["missing"]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def kept_after_freeing():
    """Megabytes still resident after blocks were freed, in a process that would rather keep them,
    as training does."""
    hardware.keep_memory()
    before = psutil.Process().memory_info().rss
    blocks = [np.ones(125_000) for _ in range(200)]  # of 1 MB
    del blocks
    return (psutil.Process().memory_info().rss - before) / 1e6


def test_it_gives_what_the_function_gives_from_another_process():
    process, number = in_child(answer, 3, extra=4)
    assert number == 7
    assert process != os.getpid()


def test_an_error_arrives_as_it_was_raised():
    with pytest.raises(DataError) as found:
        in_child(refuse)
    assert (found.value.what, found.value.where, found.value.fix) == (
        "A sentence.", "here", "Do that.")
    with pytest.raises(KeyError, match="missing") as other:
        in_child(fail)
    assert "in fail" in str(other.value.__cause__)  # the other process's traceback


def test_a_dead_process_is_an_error_and_no_wait():
    with pytest.raises(HardwareError, match="died"):
        in_child(die)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_exact_hands_freed_memory_back():
    assert in_child(kept_after_freeing, exact=True) < 20
    assert in_child(kept_after_freeing) > 150
