"""The training loop: transformers' Trainer, taught to count tokens and to survive a kill.

Loops, accumulation, clipping, mixed precision, data-parallel processes and experiment trackers are
the Trainer's; a loop of our own would have to earn each of them again. Added here: the row order is
ours (so a resumed run sees the same rows), a checkpoint counts only once its marker is written, and
every log line says tokens and seconds.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model
from torch import nn
from torch.utils.data import SequentialSampler

from fmcourse import store
from fmcourse.errors import ModelError
from fmcourse.models.compat import Trainer, TrainerCallback
from fmcourse.models.language_model import LanguageModel
from fmcourse.train.progress import Progress

COMPLETE = "complete.json"
Observer = Callable[[LanguageModel, float], dict[str, Any]]  # the model, the share of training done


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in a folder; half-written ones are deleted."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        if (path / COMPLETE).is_file():
            whole.append((store.read_json(path / COMPLETE)["step"], path))
        else:
            shutil.rmtree(path, ignore_errors=True)  # another process may be deleting it too
    return max(whole)[1] if whole else None


@contextlib.contextmanager
def plain(network: nn.Module) -> Iterator[None]:
    """Inside, the network runs uncompiled: looking at it must not compile it anew."""
    body = network.model
    compiled, body._compiled_call_impl = body._compiled_call_impl, None
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        body._compiled_call_impl = compiled
        network.train(was_training)


class Engine(Trainer):
    """A Trainer for objectives (`train.objectives`) over `data.PackedRows`."""

    tokens_per_step: int = 0
    started: float = 0.0
    earlier_seconds: float = 0.0  # spent before a resume

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def keep_logs(self, folder: Path) -> None:
        """Where TensorBoard writes; by default it is among the checkpoints, which go at the end."""
        for callback in self.callback_handler.callbacks:
            if getattr(callback, "logging_dir", "") is None:
                callback.logging_dir = str(folder)

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, **_: Any
    ) -> Any:
        """The objective's own loss: a mean, so accumulated batches are averaged."""
        outputs = model(**inputs)
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Every line gets its tokens and seconds before it goes to history and trackers.

        Raises:
            ModelError: the loss is no number any more.
        """
        seconds = self.earlier_seconds + time.perf_counter() - self.started
        step = self.state.global_step
        before = next((e for e in reversed(self.state.log_history) if "seconds" in e), {})
        logs = {**logs, "tokens": step * self.tokens_per_step, "seconds": seconds}
        if "loss" in logs:
            if not math.isfinite(logs["loss"]):
                raise ModelError("Training diverged: the loss is not a number any more.",
                                 where=f"step {step}", fix="Lower the learning rate.")
            passed = seconds - before.get("seconds", 0.0)
            done = (step - before.get("step", 0)) * self.tokens_per_step
            logs["tokens_per_second"] = done / max(passed, 1e-9)
        super().log(logs, start_time)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.accelerator.unwrap_model(self.model).network.save_pretrained(output_dir)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        network = self.accelerator.unwrap_model(model or self.model).network
        load_model(network, Path(resume_from_checkpoint) / "model.safetensors")

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            store.write_json(folder / COMPLETE, {"step": self.state.global_step})


class Watch(TrainerCallback):
    """Shows progress, asks for checkpoints by the clock, and looks at the model on the way."""

    def __init__(
        self, model: LanguageModel, engine: Engine, line: Progress, minutes: float | None,
        observe: Observer | None, observe_at: Sequence[float],
    ):
        self.model, self.engine, self.line, self.minutes = model, engine, line, minutes
        self.observe, self.pending = observe, sorted(observe_at)
        self.saved, self.loss = time.perf_counter(), float("nan")

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock; after a resume, go on from the seconds already on record."""
        seen = [entry["seconds"] for entry in state.log_history if "seconds" in entry]
        self.engine.earlier_seconds = seen[-1] if seen else 0.0
        self.engine.started = time.perf_counter()
        done = state.global_step / state.max_steps
        looked = [e["share"] for e in state.log_history if "share" in e]
        self.pending = [share for share in self.pending if share not in looked]
        self._look(state, done)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After each optimiser step."""
        share = state.global_step / state.max_steps
        passed = time.perf_counter() - self.engine.started
        seconds = self.engine.earlier_seconds + passed
        speed = state.global_step * self.engine.tokens_per_step / max(seconds, 1e-9)
        left = seconds / share * (1 - share) / 60
        self.line.update(share, f"{speed:,.0f} tokens/s · loss {self.loss:.3f} · "
                                f"{left:.1f} min left")
        self._look(state, share)
        if state.global_step >= state.max_steps:
            control.should_log = True
        # only at a step that is logged anyway: a run's history must not depend on the clock
        if self.minutes is not None and state.global_step % state.logging_steps == 0:
            control.should_save = self._due()
            self.saved = time.perf_counter() if control.should_save else self.saved

    def _due(self) -> bool:
        """Whether it is time for a checkpoint; data-parallel processes decide together."""
        late = time.perf_counter() - self.saved > 60 * self.minutes
        accelerator = self.engine.accelerator
        return bool(accelerator.reduce(torch.tensor(float(late), device=accelerator.device)) > 0)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Remember the loss for the progress line."""
        self.loss = (logs or {}).get("loss", self.loss)

    def _look(self, state: Any, share: float) -> None:
        while self.observe and self.pending and self.pending[0] <= share + 1e-9:
            due = self.pending.pop(0)
            paused = time.perf_counter()
            with plain(self.model.network), torch.inference_mode():
                seen = self.observe(self.model, due)
            self.engine.started += time.perf_counter() - paused  # looking is not training
            state.log_history.append({
                "share": due, "step": state.global_step,
                "tokens": state.global_step * self.engine.tokens_per_step, **seen})
