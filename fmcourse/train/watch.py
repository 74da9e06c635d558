"""What watches a training run: the progress line, checkpoints by the clock, looks at the model.

A look is a call of the learner's own function at given shares of the run, with the network as it
is at that moment; what it returns is kept with the run. A look may also end the training.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from fmcourse.models import Stored
from fmcourse.models.compat import TrainerCallback
from fmcourse.train.engine import Accountable
from fmcourse.train.progress import Progress

Observer = Callable[[Stored, float], dict[str, Any]]  # the model, the share of training done


def evenly(looks: int) -> list[float]:
    """Shares of training to look at, from before the first step to after the last.

    >>> evenly(3)
    [0.0, 0.5, 1.0]
    """
    return [look / (looks - 1) for look in range(looks)]


def both(own: Observer, observe: Observer | None) -> Observer:
    """What a stage looks at itself, and whatever the caller wants."""
    if observe is None:
        return own
    return lambda model, share: {**observe(model, share), **own(model, share)}


@contextlib.contextmanager
def plain(network: nn.Module) -> Iterator[None]:
    """Inside, the network runs uncompiled: looking at it must not compile it anew."""
    body = getattr(network, "model", network)  # GPT-2 calls it otherwise, and is not compiled
    compiled, body._compiled_call_impl = body._compiled_call_impl, None
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        body._compiled_call_impl = compiled
        network.train(was_training)


class Watch(TrainerCallback):
    """Shows progress, asks for checkpoints by the clock, and looks at the model on the way."""

    def __init__(
        self, model: Stored, engine: Accountable, line: Progress, minutes: float | None,
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
        stop = self._look(state, share)
        if stop or state.global_step >= state.max_steps:
            control.should_log, control.should_training_stop = True, True
            return  # no checkpoint: a run resumed from it would not look, and not stop, again
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

    def _look(self, state: Any, share: float) -> bool:
        stop = False
        while self.observe and self.pending and self.pending[0] <= share + 1e-9:
            due = self.pending.pop(0)
            paused = time.perf_counter()
            with plain(self.model.network), torch.inference_mode():
                seen = dict(self.observe(self.model, due))
            stop |= bool(seen.pop("stop", False))
            self.engine.started += time.perf_counter() - paused  # looking is not training
            state.log_history.append({
                "share": due, "step": state.global_step,
                "tokens": state.global_step * self.engine.tokens_per_step, **seen})
        return stop
