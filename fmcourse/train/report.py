"""What a Trainer has done, as a `Run`: its curve, what was seen on the way, and the price."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from fmcourse import hardware
from fmcourse.models import Adapter, Stored, TrainedAdapter, mergeable, merged
from fmcourse.train.engine import Accountable
from fmcourse.train.progress import Progress
from fmcourse.train.recipe import Recipe
from fmcourse.train.run import Cost, Run, trainable_parameters

COLUMNS = ["step", "tokens", "loss", "learning_rate", "grad_norm", "seconds", "tokens_per_second"]


def report(
    model: Stored, engine: Accountable, recipe: Recipe, name: str, flops: float,
    line: Progress, environment: dict[str, Any], more: Sequence[str] = (),
) -> Run:
    """The run of a Trainer that has finished, or was stopped; ends its progress line.

    Args:
        flops: per token read.
        environment: hardware and versions.
        more: columns of the history that only this stage has.
    """
    entries = engine.state.log_history
    history = pd.DataFrame([e for e in entries if "loss" in e]).reindex(columns=[*COLUMNS, *more])
    observations = pd.DataFrame([e for e in entries if "share" in e])
    first = [name for name in ("share", "step", "tokens") if name in observations]
    observations = observations[first + sorted(set(observations) - set(first))]
    tail = max(1, math.ceil(len(history) / 20))
    seconds = float(history["seconds"].iloc[-1])
    tokens = engine.state.global_step * engine.tokens_per_step  # fewer than planned, if stopped
    metrics = {"loss": float(history["loss"].tail(tail).mean()),
               "tokens_per_second": tokens / seconds}
    line.close(f"{tokens:,} tokens in {seconds:.0f} s · {tokens / seconds:,.0f} tokens/s · "
               f"loss {metrics['loss']:.3f}")
    cost = Cost(tokens, flops * tokens, seconds, hardware.peak_memory_bytes(model.device.type),
                model.parameters, trainable_parameters(model))
    model.name = name
    return Run(name, model, recipe.as_dict(), history, metrics, cost,
               environment=environment, observations=observations)


def before_and_after(run: Run, names: Sequence[str]) -> dict[str, float]:
    """What was seen first and last: each name with _before and _after."""
    looks = run.observations
    return {f"{name}_{when}": float(look[name]) for name in names
            for when, look in (("before", looks.iloc[0]), ("after", looks.iloc[-1]))}


def detach(run: Run, adapter: Adapter, base: str) -> None:
    """Set the adapter aside where it is less than the model, and merge it where that can be.

    Args:
        base: SHA-256 of the model that was adapted.
    """
    if adapter.method != "full":
        run.adapter = TrainedAdapter.of(run.model, adapter, base)
    if mergeable(run.model):
        run.model = merged(run.model)
    for weights in run.model.network.parameters():
        weights.requires_grad_(weights.is_floating_point())
