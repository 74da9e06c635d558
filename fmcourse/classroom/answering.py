"""The process that runs a submission, confined: it computes answers and judges nothing.

Started by `classroom.desk` as `python -m fmcourse.classroom.answering FD`. It imports the
libraries once and then forks for each submission, which costs milliseconds; a fork is confined
before it sees a line of the learner's. It is sent cells, then inputs, one at a time, and sends back
what the answer gives. No right answer, no other input and no verdict is ever here: whatever the
learner's program patches, reads or prints, its mark is given elsewhere. The price: a system that
can fork, Linux or macOS.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import signal
import socket
import struct
import sys
import types
from collections.abc import Callable
from typing import Any

from fmcourse.classroom import confine, values
from fmcourse.classroom.check import call, outcome

LENGTH = struct.Struct("!I")
LIBRARIES = ("sklearn.metrics", "sklearn.preprocessing", "torch", "numpy", "fmcourse.evaluate.bits")
MAGIC = re.compile(r"^(\s*)[%!].*$", re.M)  # IPython's


def send(channel: socket.socket, message: bytes) -> None:
    """Send a message, its length first."""
    channel.sendall(LENGTH.pack(len(message)) + message)


def receive(channel: socket.socket, most: int) -> bytes:
    """The next message.

    Raises:
        EOFError: there will be none.
        values.MalformedError: it is longer than `most` bytes.
    """
    size, = LENGTH.unpack(_bytes(channel, LENGTH.size))
    if size > most:
        raise values.MalformedError(f"an answer of {size:,} bytes; at most {most:,} are taken")
    return _bytes(channel, size)


def _bytes(channel: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = channel.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


class Silent:
    """What a sheet is here: its checks and hints say nothing, since they know the answers."""

    def check(self, answer: object) -> None:
        """Nothing."""

    def hint(self, name: str, level: int = 1) -> None:
        """Nothing."""

    def own(self, name: str, *data: object) -> None:
        """Nothing."""


def run_cell(source: str, space: dict[str, Any]) -> dict[str, Any] | None:
    """Run a notebook's cell; returns what it raised, if anything.

    >>> run_cell("x = 1 / 0", {})["types"][0]
    'ZeroDivisionError'
    """
    try:
        try:
            code = compile(source, "<cell>", "exec")
        except SyntaxError:  # perhaps only to Python, and not to IPython
            code = compile(MAGIC.sub(r"\1pass", source), "<cell>", "exec")
        exec(code, space)
    except BaseException as error:  # a cell that exits is a cell that failed
        return values.described_error(error)
    return None


def answered(name: str, use: str, inputs: tuple[Any, ...],
             space: dict[str, Any]) -> dict[str, Any]:
    """What an answer gives for one case.

    Args:
        name: of the learner's function or class.
        use: of a function in `classroom.uses`, or '' to call the answer.
        inputs: of the case.
        space: what the cells have defined.

    Returns:
        "value" or "error", and "changed", the places of inputs that were written into; nothing if
        there is no such answer.
    """
    if name not in space:
        return {}
    way = getattr(importlib.import_module("fmcourse.classroom.uses"), use) if use else call
    try:
        got = outcome(way, space[name], inputs)
    except BaseException as error:  # sys.exit() and its like
        return {"error": values.described_error(error), "changed": []}
    if got.error:
        return {"error": values.described_error(got.error), "changed": []}
    return {"value": got.value, "changed": [*got.changed]}


def serve(channel: socket.socket) -> None:
    """Confine this process, then do as the grader asks, until it hangs up."""
    limits = confine.Limits(**values.unpack(receive(channel, 1 << 20)))
    module = types.ModuleType("submission")
    sys.modules["submission"] = module
    send(channel, values.pack(confine.confine(limits, confine.readable())))
    while True:
        request = values.unpack(receive(channel, 1 << 30))
        if "cell" in request:
            reply: Any = run_cell(request["cell"], module.__dict__)
        else:
            reply = answered(request["name"], request["use"], request["inputs"], module.__dict__)
        try:
            message = values.pack(reply)
        except BaseException as error:  # a list that holds itself, a number too long to be written
            message = values.pack({"error": values.described_error(error), "changed": []})
        send(channel, message)


def _begin(channel: socket.socket) -> None:
    """The forked process: alone with its channel, in a session of its own."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    kept = channel.fileno()
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.closerange(3, kept)
    os.closerange(kept + 1, 4096)
    with contextlib.suppress(EOFError, OSError):
        serve(channel)


def main(control: socket.socket) -> None:
    """Fork on demand and end forks on demand, until the grader hangs up."""
    import torch

    import fmcourse.classroom

    for name in LIBRARIES:
        importlib.import_module(name)
    torch.set_num_threads(1)
    fmcourse.classroom.sheet = lambda lesson: Silent()
    control.send(b"!")
    running = 0
    while True:
        order, held, *_ = socket.recv_fds(control, 1, 1)
        if not order:
            return
        if order == b"f":
            running = _fork(lambda held=held: _begin(socket.socket(fileno=held[0])), control)
            os.close(held[0])
        else:
            control.send(struct.pack("!i", _end(running)))


def _fork(begin: Callable[[], None], control: socket.socket) -> int:
    running = os.fork()
    if running:
        return running
    try:
        control.close()
        begin()
    finally:
        os._exit(0)


def _end(running: int) -> int:
    """Kill a fork and all of its session; returns how it had ended, as `os.waitpid` says it."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(running, signal.SIGKILL)
    return os.waitpid(running, 0)[1]


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
