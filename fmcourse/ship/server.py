"""A model served on this machine as OpenAI's API has it, so that other people's clients can talk.

The server is `transformers serve` of the pinned version, in a process of its own; nothing of it is
ours but its start. It listens on loopback alone and asks for no password, and answers one request
at a time: made for trying a model out. For many users on a GPU there is vLLM, which opens the same
folder: `vllm serve FOLDER`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fmcourse import models, store
from fmcourse.errors import ModelError
from fmcourse.ship.portable import write_folder

HOST, PATIENCE = "127.0.0.1", 300  # seconds until a model must be loaded


@dataclass(frozen=True)
class Server:
    """A server that answers.

    Attributes:
        url: for a client's `base_url`.
        model: the name that a client gives.
        log: file with what the server says.
    """

    url: str
    model: str
    log: Path


@contextlib.contextmanager
def serving(what: str | Path, port: int | None = None) -> Iterator[Server]:
    """Inside, a model answers at `server.url`; after, it is stopped.

    Args:
        what: what `models.load` opens; one without a chat template gets the course's.
        port: on loopback; by default one that is free.

    Raises:
        ModelError: there is no such model, the extra is not installed, or the server does not
            start.

    Example::

        with ship.serving("my-model") as server:
            client = openai.OpenAI(base_url=server.url, api_key="none")
    """
    folder, port = ready(what), port or free_port()
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as work:
        log = Path(work, "server.log")
        with open(log, "wb") as file:
            process = subprocess.Popen(command(folder, port), stdout=file,
                                       stderr=subprocess.STDOUT, env=environment(work))
        try:
            _wait(process, port, log)
            yield Server(address(port), str(folder), log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def command(folder: Path, port: int) -> list[str]:
    """What starts the server."""
    return [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder),
            "--host", HOST, "--port", str(port)]


def environment(cache: Path | str) -> dict[str, str]:
    """This process's, without the hub: whoever asks for another model gets none.

    Args:
        cache: an empty folder; asked which models there are, the server looks into the hub's cache,
            and fails where there is none.
    """
    return {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)}


def ready(what: str | Path) -> Path:
    """A plain folder with a chat template: the one named, or one that is made of it and kept.

    Raises:
        ModelError: there is no such model.
    """
    folder = Path(what)
    if (folder / "config.json").is_file() and (folder / "chat_template.jinja").is_file():
        return folder.resolve()
    model = models.with_chat(models.merged(models.load(what)))
    kept = store.folder("served") / model.sha256()[:16]
    with store.lock(kept):
        if not kept.exists():
            with store.atomic_folder(kept) as draft:
                write_folder(model, draft, model.network.dtype)
    return kept


def address(port: int) -> str:
    """What a client of OpenAI's API calls its `base_url`.

    >>> address(8000)
    'http://127.0.0.1:8000/v1'
    """
    return f"http://{HOST}:{port}/v1"


def free_port() -> int:
    """A port of loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the server says that it is well."""
    for _ in range(10 * PATIENCE):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(
                f"http://{HOST}:{port}/health", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise ModelError(f"The server does not start: {said[-1] if said else 'it says nothing'}",
                     where=f"{HOST}:{port}", fix="Choose another port, or try: "
                                                 "transformers serve FOLDER")
