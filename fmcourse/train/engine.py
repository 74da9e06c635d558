"""The training loop: transformers' Trainer, taught to count tokens and to survive a kill.

Loops, accumulation, clipping, mixed precision, data-parallel processes and experiment trackers are
the Trainer's; a loop of our own would have to earn each of them again. Added here: the row order is
ours (so a resumed run sees the same rows), a checkpoint counts only once its marker is written, and
every log line says tokens and seconds. `Accountable` holds what any Trainer of transformers or TRL
can take on, `InOrder` the order of rows too; `Engine` is the one for our own objectives.
"""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path
from typing import Any

from safetensors.torch import load_model
from torch import nn
from torch.utils.data import SequentialSampler

from fmcourse import store
from fmcourse.errors import ModelError
from fmcourse.models.compat import Trainer

COMPLETE = "complete.json"


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in a folder; half-written ones are deleted."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        if (path / COMPLETE).is_file():
            whole.append((store.read_json(path / COMPLETE)["step"], path))
        else:
            shutil.rmtree(path, ignore_errors=True)  # another process may be deleting it too
    return max(whole)[1] if whole else None


class Accountable:
    """Mixed into a Trainer: tokens and seconds in every log line, a marker on whole checkpoints."""

    tokens_per_step: int = 0
    started: float = 0.0
    earlier_seconds: float = 0.0  # spent before a resume

    def keep_logs(self, folder: Path) -> None:
        """Where TensorBoard writes; by default it is among the checkpoints, which go at the end."""
        for callback in self.callback_handler.callbacks:
            if getattr(callback, "logging_dir", "") is None:
                callback.logging_dir = str(folder)

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

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            store.write_json(folder / COMPLETE, {"step": self.state.global_step})


class InOrder(Accountable):
    """Mixed into a Trainer whose rows come in the order of the run already."""

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: a run's card is `run.json`."""


class Engine(InOrder, Trainer):
    """A Trainer for objectives (`train.objectives`) over rows of `data.packed_rows`."""

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, **_: Any
    ) -> Any:
        """The objective's own loss: a mean, so accumulated batches are averaged."""
        outputs = model(**inputs)
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.accelerator.unwrap_model(self.model).network.save_pretrained(output_dir)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        network = self.accelerator.unwrap_model(model or self.model).network
        load_model(network, Path(resume_from_checkpoint) / "model.safetensors")
