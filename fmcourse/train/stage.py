"""A stage and its folder: done once, resumed after a kill, never mixed with another one.

What is the same in every stage of training. A folder holds `plan.json` (what was asked for),
`checkpoints` while it runs, and the finished `Run`, whose `run.json` comes last. A stage asked for
again with the same plan is opened; with another plan it is refused; interrupted, it goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import Timeout
from torch import distributed

from fmcourse import store
from fmcourse.data import Card
from fmcourse.data.governance import admitted
from fmcourse.errors import StoreError
from fmcourse.train.run import Run


def stage(plan: dict[str, Any], folder: Path | str | None, make: Callable[[Path], Run],
          cards: Sequence[Card], name: str) -> Run:
    """Make a run, or open the finished one of the same plan.

    Args:
        plan: everything that decides the result, as plain values.
        folder: where to keep checkpoints and the finished run; None keeps nothing.
        make: trains, given a place for checkpoints (it looks there for the last whole one).
        cards: of the data sets it reads; where they are governed, the policy is asked first.
        name: of the run.

    Raises:
        PolicyError: the data may not be used for this.
        StoreError: the folder holds another plan's run, or one in progress.
    """
    folder = Path(folder) if folder is not None else None
    watched = admitted(cards, folder, name) if first_process() else contextlib.nullcontext()
    with watched as ended:
        run = _stage(plan, folder, make, cards)
        if ended and folder is not None:
            ended(store.sha256_file(folder / "run.json"))
    return run


def _stage(plan: dict[str, Any], folder: Path | None, make: Callable[[Path], Run],
           cards: Sequence[Card]) -> Run:
    plan = json.loads(json.dumps(plan))  # as it will be read: a tuple comes back as a list
    if folder is not None and (finished := _finished(folder, plan)):
        return finished
    with _workplace(folder) as work:
        if folder is not None and first_process() and (finished := _claim(folder, plan)):
            return finished
        run = make(work)
        run.reads = [about.plain() for about in cards]
        if folder is not None and first_process():
            run.save(folder)
    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()  # a process that asks for this run again must find it finished
    return run


def first_process() -> bool:
    """True but in the further processes of data-parallel training."""
    return os.environ.get("RANK", "0") == "0"


def processes() -> int:
    """Processes that train this model together, data-parallel."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextlib.contextmanager
def _workplace(folder: Path | None) -> Iterator[Path]:
    """Where checkpoints go: into the run's folder, held against other processes, or nowhere."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="fmcourse-", ignore_cleanup_errors=True) as work:
            yield Path(work)
        return
    if not first_process():  # the first one holds the lock for all
        yield folder / "checkpoints"
        return
    held = store.lock(folder)
    try:
        held.acquire(timeout=0)
    except Timeout as error:
        raise StoreError("Another process is training in this folder.", where=folder,
                         fix="Wait until it is done, or choose another folder.") from error
    try:
        yield folder / "checkpoints"
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    finally:
        held.release()


def _claim(folder: Path, plan: dict[str, Any]) -> Run | None:
    """Write the plan into a folder whose lock is held, unless it was written before.

    Everything is looked at again, for another process may have held the lock a moment ago; the
    run it finished since then is returned.
    """
    finished = _finished(folder, plan)
    if finished and processes() > 1:  # the others may have looked before, and would wait for us
        raise StoreError("Another process has just finished this run.", where=folder,
                         fix="Start again: the finished run will be opened.")
    if not (folder / "plan.json").exists():
        store.write_json(folder / "plan.json", plan)
    return finished


def _finished(folder: Path, plan: dict[str, Any]) -> Run | None:
    """The finished run of this plan, if there is one; a folder with another plan is refused.

    It writes nothing and needs no lock: `run.json` comes last and nothing changes after it, so
    any number of processes may open a finished run at once.
    """
    if not (folder / "plan.json").exists():
        return None
    written = store.read_json(folder / "plan.json")
    if written != plan:
        changed = [key for key in plan if written.get(key) != plan[key]]
        raise StoreError(f"This folder holds a run with another {' and '.join(changed)}.",
                         where=folder, fix="Choose another folder, or delete this one.")
    if not (folder / "run.json").exists():
        return None
    if first_process():
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # a kill may have left them
    return Run.load(folder)
