"""Run a lesson top to bottom in a fresh kernel, watch it, and keep what came of it.

nbclient drives the kernel in a worker thread, so that this thread can draw the progress line and
answer Ctrl-C at once (nbclient's own signal handler would report a dead kernel instead). A lesson
that fails is an outcome, not an exception: the others still run. Only a whole success at the cpu
scale replaces the committed notebook; everything else goes to a scratch folder.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from fmcourse import store
from fmcourse.errors import CourseError, LessonError
from fmcourse.lessons import build, site
from fmcourse.lessons.catalogue import Lesson
from fmcourse.lessons.tidy import tidy

SHOWN = "shown"
TICK = 0.25  # seconds between two looks at a running lesson
QUIET = {
    "TQDM_DISABLE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "TRL_EXPERIMENTAL_SILENCE": "1", "HF_HUB_OFFLINE": "1",
}


@dataclass(frozen=True)
class Failure:
    """Why a lesson stopped: the code cell (from 1), its first lines and the error's message."""

    cell: int
    source: str
    error: str


@dataclass(frozen=True)
class Outcome:
    """What came of running a lesson: seconds, what it said about its claims, where it stopped.

    `claims` are what the lesson's own assertions wrote: claim, metric, verdict, effect, bound.
    """

    lesson: Lesson
    scale: str
    seconds: float
    claims: tuple[dict[str, Any], ...]
    failure: Failure | None
    notebook: Path

    @property
    def verdicts(self) -> dict[str, str]:
        """Claim -> 'shown' when all its measures were, else the first other verdict."""
        found: dict[str, str] = {}
        for record in self.claims:
            if found.get(record["claim"], SHOWN) == SHOWN:
                found[record["claim"]] = record["verdict"]
        return found


@dataclass
class Progress:
    """Where a running lesson is; `note` is the last line a progress display of its own showed."""

    lesson: Lesson
    scale: str
    started: float
    cells: int
    cell: int = 0
    note: str = ""
    picture: Path | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the kernel was asked for."""
        return time.monotonic() - self.started


class _ThisPython(AsyncKernelManager):
    """A kernel of the running interpreter, whichever kernels the user has registered."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


class _Client(NotebookClient):
    """nbclient that reports where it is, and can be stopped from another thread."""

    def __init__(self, notebook: NotebookNode, progress: Progress, pictures: site.Pictures):
        super().__init__(
            notebook, kernel_manager_class=_ThisPython, timeout=None, startup_timeout=180,
            coalesce_streams=True, record_timing=False,
            on_cell_execute=self._begins, on_cell_executed=self._ends,
            resources={"metadata": {"path": str(progress.lesson.notebook.parent)}},
        )
        self.progress, self.pictures, self.stopped = progress, pictures, False

    def _begins(self, cell: NotebookNode, cell_index: int) -> None:
        if self.stopped:
            raise DeadKernelError("Stopped")
        self.progress.cell, self.progress.note = self.progress.cell + 1, ""

    def _ends(self, cell: NotebookNode, **_: Any) -> None:
        saved = self.pictures.save(cell)
        self.progress.picture = self.progress.picture or saved

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """nbclient's hook for each message; a display that is rewritten is a progress line."""
        if msg["msg_type"] == "update_display_data":
            shown = msg["content"]["data"].get("text/html", "")
            self.progress.note = " ".join(re.sub("<[^>]*>", " ", shown).split())
        return super().process_message(msg, cell, cell_index)

    def stop(self) -> None:
        """Kill the kernel and whatever it started."""
        self.stopped = True
        pid = getattr(getattr(self.km, "provisioner", None), "pid", None)
        if pid and psutil.pid_exists(pid):
            kernel = psutil.Process(pid)
            for process in [*kernel.children(recursive=True), kernel]:
                process.kill()


def execute(lesson: Lesson, scale: str, pages: site.Site,
            watch: Callable[[Progress], None] = lambda progress: None) -> Outcome:
    """Run one lesson and write its notebook, its HTML copy and its pictures.

    Args:
        scale: 'smoke', 'cpu' or 'gpu'; the lesson's process gets it as FMCOURSE_SCALE.
        pages: where the HTML copy goes.
        watch: called about four times a second while the lesson runs.

    Raises:
        LessonError: the master is missing or no kernel can be started.
        KeyboardInterrupt: as it arrives; the kernel is gone by then.
    """
    notebook = build.assemble(lesson)
    code = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
    progress = Progress(lesson, scale, time.monotonic(), len(code))
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as scratch:
        claims, log = Path(scratch, "claims.json"), Path(scratch, "kernel.log")
        client = _Client(notebook, progress, pages.pictures(lesson))
        settings = {**os.environ, **QUIET, "FMCOURSE_SCALE": scale,
                    "FMCOURSE_CLAIMS": str(claims), "IPYTHONDIR": scratch}
        with log.open("wb") as stderr:
            error = _drive(client, progress, watch, env=settings, stdout=stderr, stderr=stderr)
        failure = _failure(error, code, progress, log) if error else None
        records = _claims(claims, lesson)
    outcome = Outcome(lesson, scale, progress.seconds, records, failure,
                      _destination(lesson, scale, failure))
    _keep(outcome, notebook, pages)
    return outcome


def _drive(client: _Client, progress: Progress, watch: Callable[[Progress], None],
           **launch: Any) -> BaseException | None:
    """Run the client in a thread; give back what stopped it, if anything did."""
    with ThreadPoolExecutor(1) as pool:
        running: Future[Any] = pool.submit(client.execute, **launch)
        try:
            while not wait([running], timeout=TICK).done:
                watch(progress)
            watch(progress)
        except BaseException:
            client.stop()
            raise
        return running.exception()


def _failure(error: BaseException, code: list[NotebookNode], progress: Progress,
             log: Path) -> Failure:
    if progress.cell == 0:
        raise LessonError(f"No kernel could be started: {error}.", where=progress.lesson.name,
                          fix="fmcourse doctor") from error
    cell = code[progress.cell - 1]
    if isinstance(error, CellExecutionError):
        said = error.evalue if error.ename.endswith("Error") and "\n" in error.evalue else (
            f"{error.ename}: {error.evalue}")
    elif isinstance(error, DeadKernelError):
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        said = " ".join(["The kernel died, often for want of memory.", *last])
        cell.outputs.append(nbformat.v4.new_output(
            "error", ename="DeadKernelError", evalue=said, traceback=[said]))
    else:
        raise error
    return Failure(progress.cell, "\n".join(cell.source.strip().splitlines()[:3]), said.strip())


def _claims(path: Path, lesson: Lesson) -> tuple[dict[str, Any], ...]:
    """What the lesson's assertions wrote; the last word on a measure of a claim counts."""
    records = store.read_json(path) if path.exists() else []
    try:
        latest = {(record["claim"], record.get("metric")): record for record in records
                  if record["verdict"]}
        return tuple(latest.values())
    except (TypeError, KeyError, AttributeError) as error:
        raise LessonError("The lesson's claims are not a list of {claim, verdict, effect, bound}.",
                          where=lesson.name, fix="Let course.claim write them.") from error


def _destination(lesson: Lesson, scale: str, failure: Failure | None) -> Path:
    if scale == "cpu" and failure is None:
        return lesson.notebook
    return store.folder("executed", scale) / lesson.notebook.name


def _keep(outcome: Outcome, notebook: NotebookNode, pages: site.Site) -> None:
    tidy(notebook, outcome.lesson.root)
    build.stamp(notebook, outcome.scale)
    try:
        nbformat.validate(notebook)
        if outcome.notebook == outcome.lesson.notebook:
            build.keep_edited(outcome.lesson)
        store.atomic_write(outcome.notebook, nbformat.writes(notebook) + "\n")
        pages.page(outcome.lesson, notebook, outcome)
    except OSError as error:
        raise CourseError(f"The lesson ran, but could not be written: {error.strerror}.",
                          where=error.filename, fix="Free some space, then run it again.",
                          ) from error
