"""What a Trainer has done, as a `Run`: its curve, what was seen on the way, and the price."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from fmcourse import hardware
from fmcourse.models import Stored
from fmcourse.train.engine import Accountable
from fmcourse.train.progress import Progress
from fmcourse.train.recipe import Recipe
from fmcourse.train.run import Cost, Run, trainable_parameters

COLUMNS = ["step", "tokens", "loss", "learning_rate", "grad_norm", "seconds", "tokens_per_second"]


def report(
    model: Stored, engine: Accountable, recipe: Recipe, name: str, flops: float,
    line: Progress, environment: dict[str, Any],
) -> Run:
    """The run of a Trainer that has finished, or was stopped; ends its progress line.

    Args:
        flops: per token read.
        environment: hardware and versions.
    """
    entries = engine.state.log_history
    history = pd.DataFrame([e for e in entries if "loss" in e]).reindex(columns=COLUMNS)
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
