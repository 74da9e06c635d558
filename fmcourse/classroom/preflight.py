"""`fmcourse class preflight`: is this seat ready for a class, with nobody there to help?

The doctor's examination, and stricter: in a class, versions that differ and data that is not there
yet cost everybody's time. Then the parts together: a notebook kernel starts, a small training
learns, JupyterLab answers a browser's request. It ends with one line of JSON, to collect from all
seats.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from fmcourse import __version__
from fmcourse.doctor import holdings, installation, machine
from fmcourse.doctor.finding import OK, PROBLEM, WARN, Finding, guarded, pip, python, setting

WHAT = "fmcourse preflight"
KERNEL_SECONDS, SERVER_SECONDS = 120, 120
TRAINING_TOKENS = 32_768
HOST = "127.0.0.1"


def pinned() -> Iterator[Finding]:
    """The tested versions, and no others."""
    for finding in installation.packages():
        yield replace(finding, status=PROBLEM) if finding.status == WARN else finding


def data() -> Iterator[Finding]:
    """Every source fetched, with the right hash."""
    from fmcourse import sources
    from fmcourse.sources import fetching

    yield from holdings.cached()
    absent = [source.name for source in sources.registry().values()
              if source.kind != "package" and not fetching.place(source).exists()]
    if absent:
        yield Finding("sources", PROBLEM, f"Not fetched yet: {', '.join(absent)}.",
                      "fmcourse fetch  (without a network, first: "
                      f"{setting('FMCOURSE_WHEELHOUSE', 'BUNDLE/data')})")


def kernel() -> Iterator[Finding]:
    """A notebook kernel that starts, and has the course."""
    from jupyter_client.manager import start_new_kernel

    started, said = time.monotonic(), []
    try:
        manager, client = start_new_kernel(startup_timeout=KERNEL_SECONDS,
                                           stderr=subprocess.DEVNULL)
    except RuntimeError as error:
        yield Finding("kernel", PROBLEM, f"The notebook kernel does not start: {error}.",
                      python("-m ipykernel install --sys-prefix --name python3"))
        return
    try:
        reply = client.execute_interactive(
            "import fmcourse; print(fmcourse.__version__)", timeout=KERNEL_SECONDS,
            output_hook=lambda message: said.append(message["content"].get("text", "")))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] == "ok" and "".join(said).strip() == __version__:
        yield Finding("kernel", OK, "A notebook kernel starts and has the course "
                      f"({time.monotonic() - started:.0f} s).")
    else:
        yield Finding("kernel", PROBLEM, "The notebook kernel runs, but has another version of "
                      "the course, or none.", pip("install -e ."))


def training() -> Iterator[Finding]:
    """A million weights that learn a little text: the whole way from words to a lower loss."""
    from datasets import Dataset

    from fmcourse import data as records
    from fmcourse import evidence, models, train

    started = time.monotonic()
    texts = [claim.statement for claim in evidence.claims().values()]
    tokenizer = models.load("base").tokenizer
    tokens = records.tokens(records.with_card(
        Dataset.from_dict({"text": texts}),
        records.Card("the course's claims", {"fmcourse": ""}, licence=("Apache-2.0",))), tokenizer)
    recipe = train.PretrainRecipe(tokens=TRAINING_TOKENS, context=64, batch_tokens=2048,
                                  micro_batch_tokens=2048)
    run = train.pretrain(models.build("1m", tokenizer), tokens, recipe, show_progress=False)
    losses = run.history["loss"].dropna()
    first, last = float(losses.iloc[0]), float(losses.iloc[-1])
    took = time.monotonic() - started
    if last < 0.9 * first:
        yield Finding("training", OK, f"A small model learns: loss {first:.1f} to {last:.1f} in "
                      f"{took:.0f} s.")
    else:
        yield Finding("training", PROBLEM, f"A small model does not learn: loss {first:.2f} to "
                      f"{last:.2f}.", setting("FMCOURSE_DEVICE", "cpu"))


def browser() -> Iterator[Finding]:
    """JupyterLab answers on a port of this machine, as a browser would ask."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as place:
        log = Path(place, "log")
        with log.open("wb") as told:
            server = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                 f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
                 f"--ServerApp.ip={HOST}", f"--ServerApp.root_dir={place}"],
                stdout=told, stderr=told)
        try:
            answered = _answers(f"http://{HOST}:{port}/login", server)
        finally:
            server.terminate()
            server.wait()
        last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""])[-1]
    if not answered:
        yield Finding("browser", PROBLEM, f"JupyterLab does not answer on port {port} of this "
                      f"machine: {last}", f"{pip('install --force-reinstall jupyterlab')}  (or let "
                      f"the firewall pass connections of this machine to {HOST})")
    elif _proxied():
        yield Finding("browser", WARN, "JupyterLab answers, but a proxy is set for this machine's "
                      "own address too; a browser may then not reach it.",
                      setting("NO_PROXY", f"localhost,{HOST}"))
    else:
        yield Finding("browser", OK, "JupyterLab answers on a port of this machine.")


def _answers(address: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server answers before it ends or the time is over; proxies are not asked."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with direct.open(address, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    return False


def _proxied() -> bool:
    return bool(urllib.request.getproxies().get("http")) and not (
        urllib.request.proxy_bypass(HOST))


TOPICS: dict[str, Callable[[], Iterable[Finding]]] = {
    "python": installation.python, "packages": pinned, "device": machine.device,
    "arithmetic": machine.arithmetic, "threads": machine.threads, "memory": machine.memory,
    "disk": machine.disk, "encoding": installation.encoding, "sources": data,
    "models": holdings.models, "notebook": installation.notebook, "kernel": kernel,
    "training": training, "browser": browser,
}


def examine(topics: dict[str, Callable[[], Iterable[Finding]]] | None = None
            ) -> Iterator[Finding]:
    """Findings as they come, topic by topic; what breaks one becomes a finding of it."""
    return chain.from_iterable(guarded(topic, look) for topic, look in (topics or TOPICS).items())


def line(finding: Finding) -> str:
    """A finding and its fix in one line.

    >>> line(Finding("disk", PROBLEM, "Full.", "fmcourse clean"))
    'problem  disk        Full.  Fix: fmcourse clean'
    """
    fix = f"  Fix: {finding.fix}" if finding.fix else ""
    return " ".join(f"{finding.status:8} {finding.topic:11} {finding.what}{fix}".splitlines())


def summary(findings: Iterable[Finding], seconds: float, seat: str | None = None) -> str:
    """One line of JSON about a seat.

    Args:
        seat: its name; by default this machine's.
    """
    found = list(findings)
    named = {status: sorted({one.topic for one in found if one.status == status})
             for status in (PROBLEM, WARN)}
    return json.dumps({
        "what": WHAT, "seat": seat or platform.node(), "ready": not named[PROBLEM],
        "problems": named[PROBLEM], "warnings": named[WARN], "course": __version__,
        "python": platform.python_version(), "system": platform.system(),
        "cores": os.cpu_count(), "seconds": round(seconds)})
