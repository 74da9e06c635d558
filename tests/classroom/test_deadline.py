"""An end in time: it comes, nothing swallows it, and what was set before goes on."""

import contextlib
import signal
import threading
import time

import pytest

from fmcourse.classroom.deadline import OverdueError, within


def test_a_block_that_goes_on_is_ended_though_it_catches_what_it_can():
    def goes_on():
        with within(0.1):
            while True:
                with contextlib.suppress(Exception):
                    time.sleep(0.01)

    began = time.monotonic()
    with pytest.raises(OverdueError):
        goes_on()
    assert time.monotonic() - began < 5


def test_an_alarm_that_was_set_before_still_rings():
    rung = []
    former = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with within(60):
            pass
        time.sleep(0.5)
        assert rung == [1]
        with within(60):
            pass
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    finally:
        signal.signal(signal.SIGALRM, former)


def test_in_another_thread_the_block_just_runs():
    done = []

    def work():
        with within(0.01):
            time.sleep(0.05)
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]
