"""What every stage does around its Trainer: make the machine ready, watch, go on after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fmcourse import hardware, store
from fmcourse.models import Stored, compat
from fmcourse.train.engine import Accountable, last_checkpoint
from fmcourse.train.progress import Progress, progress
from fmcourse.train.watch import Observer, Watch


@dataclass(frozen=True)
class Surroundings:
    """Where and how a Trainer runs, whatever it trains.

    Attributes:
        name: shown in progress, and of the logs.
        work: folder for checkpoints.
        minutes: between checkpoints; None makes none.
        observe, observe_at: see `pretrain`.
        report_to: experiment trackers of transformers.
        show_progress: a line while it runs.
    """

    name: str
    work: Path
    minutes: float | None
    observe: Observer | None = None
    observe_at: Sequence[float] = ()
    report_to: Sequence[str] = ()
    show_progress: bool = True

    def logs(self) -> Path:
        """Where trackers write: beside the checkpoints, which go at the end, or in the home."""
        if self.minutes is not None:
            return self.work.parent / "logs"
        stamp = f"{datetime.now():%Y%m%d-%H%M%S}"
        return store.home() / "logs" / f"{self.name.replace('/', '-')}-{stamp}"


def ready(model: Stored) -> hardware.Hardware:
    """Make machine and network ready to train; returns the machine."""
    compat.quiet()
    machine = hardware.detect()
    hardware.fit_threads()
    hardware.keep_memory()
    hardware.reset_peak_memory(machine.device)
    network = model.network.to(machine.device).train()
    compat.attention(network, "eager" if machine.device == "cpu" else "sdpa")
    return machine


def run(engine: Accountable, model: Stored, around: Surroundings) -> Progress:
    """Train, from the last whole checkpoint if there is one; returns the open progress line."""
    for callback in (compat.PrinterCallback, compat.ProgressCallback):
        engine.remove_callback(callback)
    line = progress(around.name, around.show_progress and engine.is_world_process_zero())
    engine.add_callback(Watch(model, engine, line, around.minutes, around.observe,
                              around.observe_at))
    engine.keep_logs(around.logs())
    checkpoint = last_checkpoint(around.work) if around.minutes is not None else None
    engine.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return line
