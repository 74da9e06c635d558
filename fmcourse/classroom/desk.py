"""The grader's end of the process that runs a submission: send cells and inputs, take values.

A `Desk` is one such process, made ready once for a whole class; a `Sitting` is one notebook. A
cell that ends the process, or never ends, is left out and the rest is run anew; an answer that does
costs its own exercise and no other. Nothing that comes back is believed to be more than a value.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from fmcourse.classroom import answering, confine, deadline, uses, values
from fmcourse.classroom.check import Exercise, Outcome, call, outcome
from fmcourse.errors import ExerciseError

READY = 600  # seconds that importing the libraries may take
SLACK = 5  # seconds for ending a process whose time is up


class EndedError(Exception):
    """The process is gone, or was ended, and why."""


class NoAnswerError(Exception):
    """No value came for a case, and no other case need be tried."""


class Desk:
    """A process that forks for each submission; use it in a `with` block.

    Args:
        limits: of what a submission may use.

    Raises:
        ExerciseError: this system cannot fork, or Python does not start.
    """

    def __init__(self, limits: confine.Limits | None = None):
        if not hasattr(os, "fork"):
            raise ExerciseError("Grading needs a system that can fork.", where=sys.platform,
                                fix="Linux or macOS; on Windows, WSL.")
        self.limits, self.lacking = limits or confine.Limits(), list[str]()
        self._folder = tempfile.TemporaryDirectory(prefix="fmcourse-grading-")
        self._control, theirs = socket.socketpair()
        self._channel: socket.socket | None = None
        kept = {"PYTHONPATH": str(confine.PACKAGE.parent), "PATH": os.defpath, "LANG": "C.UTF-8",
                "HOME": self._folder.name, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
                "FMCOURSE_SCALE": "smoke", "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg"}
        ready = b""
        with theirs, tempfile.TemporaryFile() as said:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", answering.__name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], env=kept, cwd=self._folder.name,
                stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            theirs.close()
            self._control.settimeout(READY)
            with contextlib.suppress(TimeoutError):
                ready = self._control.recv(1)
            if not ready:
                self._process.kill()
                self._process.wait()
                said.seek(0)
                raise ExerciseError("The process that runs submissions did not start.",
                                    where=said.read()[-500:].decode(errors="replace"),
                                    fix="fmcourse doctor")

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()
        self._control.close()
        self._process.kill()  # it holds nothing, and Python takes its time to end
        self._process.wait()
        self._folder.cleanup()

    def begin(self) -> None:
        """A fresh fork, confined, before any cell."""
        self.clear()
        self._channel, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"f"], [theirs.fileno()])
            theirs.close()
        try:
            answering.send(self._channel, values.pack(asdict(self.limits)))
            self.lacking = self._read(time.monotonic() + READY)
        except (EOFError, OSError):
            raise ExerciseError("A submission's process could not be confined.",
                                where=self.clear(), fix="fmcourse doctor") from None

    def ask(self, request: dict[str, Any], until: float) -> Any:
        """What the fork replies to a request before a moment of `time.monotonic`.

        Raises:
            EndedError: it was too late, or it is gone.
        """
        try:
            if self._channel is None:
                self.begin()
            self._channel.settimeout(max(0.01, until - time.monotonic()))
            answering.send(self._channel, values.pack(request))
            return self._read(until)
        except TimeoutError:
            self.clear()
            raise EndedError("it had not ended when its time was up") from None
        except deadline.OverdueError:
            self.clear()
            raise EndedError("what it gave could not be read before its time was up") from None
        except values.MalformedError as error:
            self.clear()
            raise EndedError(f"what it gave cannot be read: {error}") from None
        except (EOFError, OSError):
            raise EndedError(f"it ended the process ({self.clear()})") from None

    def clear(self) -> str:
        """End the fork, if there is one; returns how it had ended."""
        if self._channel is None:
            return ""
        self._channel.close()
        self._channel = None
        self._control.send(b"k")
        status, = struct.unpack("!i", self._control.recv(4))
        if os.WIFSIGNALED(status):
            return signal.Signals(os.WTERMSIG(status)).name
        return f"exit code {os.waitstatus_to_exitcode(status)}"

    def _read(self, until: float) -> Any:
        """A message, however slowly it comes and however long it takes to read."""
        channel = _Timed(self._channel, until)
        message = answering.receive(channel, self.limits.message)
        with deadline.within(until - time.monotonic()):
            return values.unpack(message)


class _Timed:
    """A socket of which all reading together has an end."""

    def __init__(self, channel: socket.socket, until: float):
        self._channel, self._until = channel, until

    def recv(self, count: int) -> bytes:
        """As a socket's."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._channel.settimeout(left)
        return self._channel.recv(count)


class Sitting:
    """One notebook's cells, run at a desk, and its answers asked for.

    Args:
        desk: where.
        cells: the sources of the notebook's code cells.
    """

    def __init__(self, desk: Desk, cells: Sequence[str]):
        self._desk, self._cells = desk, cells
        self._failed: dict[int, str] = {}  # what became of a cell
        self._left_out: set[int] = set()  # those that ended the process
        self._until = time.monotonic() + desk.limits.total
        self._running = False

    def outcomes(self, exercise: Exercise) -> dict[str, Outcome]:
        """What the notebook's answer gives for every case of an exercise."""
        ended: Exception | None = None
        try:
            self._run_cells()
        except EndedError as error:
            ended = NoAnswerError(str(error))
        until = min(self._until, time.monotonic() + self._desk.limits.seconds)
        found = {}
        for case, inputs in exercise.cases.items():
            found[case] = Outcome(error=ended) if ended else self._outcome(exercise, inputs, until)
            if isinstance(found[case].error, NoAnswerError):
                ended = found[case].error
        return found

    def _run_cells(self) -> None:
        """Have a process in which all cells were run but those that end it."""
        while not self._running:
            self._desk.begin()
            self._running = True
            for place, source in enumerate(self._cells):
                if place not in self._left_out:
                    self._run_cell(place, source)
                if not self._running:
                    break

    def _run_cell(self, place: int, source: str) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise EndedError(f"the notebook's cells took more than {self._desk.limits.total:g} s")
        until = time.monotonic() + min(left, self._desk.limits.seconds)
        try:
            error = self._desk.ask({"cell": source}, until)
            self._failed.pop(place, None)
            if error:
                self._failed[place] = _said(values.raised(error))
        except (EndedError, values.MalformedError) as error:
            self._failed[place] = str(error)
            self._left_out.add(place)
            self._running = False

    def _outcome(self, exercise: Exercise, inputs: tuple[Any, ...], until: float) -> Outcome:
        """One case: beside the answer where it handles living things, else from here."""
        if exercise.use.__module__ == uses.__name__:
            return self._asked(exercise.name, exercise.use.__name__, inputs, until)
        if exercise.use is call:
            return self._asked(exercise.name, "", inputs, until)
        try:
            with deadline.within(until + SLACK - time.monotonic()):
                return outcome(exercise.use, self._remote(exercise.name, until), inputs)
        except deadline.OverdueError:
            return Outcome(error=NoAnswerError("what it gave could not be used in time"))

    def _remote(self, name: str, until: float) -> Callable[..., Any]:
        """The answer as a function of this process."""
        def answer(*inputs: Any) -> Any:
            got = self._asked(name, "", inputs, until)
            if got.error:
                raise got.error
            return got.value
        return answer

    def _asked(self, name: str, use: str, inputs: tuple[Any, ...], until: float) -> Outcome:
        try:
            reply = self._desk.ask({"name": name, "use": use, "inputs": inputs}, until)
            if not isinstance(reply, dict):
                raise values.MalformedError(f"a {type(reply).__name__}")
            if not reply:
                return Outcome(error=self._missing(name))
            if "error" in reply:
                return Outcome(error=values.raised(reply["error"]))
            changed = tuple(place for place in reply["changed"]
                            if isinstance(place, int) and place in range(len(inputs)))
            return Outcome(reply["value"], changed=changed)
        except EndedError as error:
            self._running = False
            return Outcome(error=NoAnswerError(str(error)))
        except (values.MalformedError, KeyError, TypeError) as error:
            return Outcome(error=NoAnswerError(f"what it gave cannot be read: {error}"))

    def _missing(self, name: str) -> Exception:
        """Why a name is not defined: its cell failed, or nobody wrote it."""
        for place, said in self._failed.items():
            if re.search(rf"^\s*(def|class) {name}\b", self._cells[place], re.M):
                return NoAnswerError(f"`{name}` is not defined; of its cell: {said}")
        return NotImplementedError()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
