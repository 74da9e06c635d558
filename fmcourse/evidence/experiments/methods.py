"""M6: every way to tune a part of a model, on the same commands, each at the rate that suits it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from fmcourse import data, evaluate, models, train
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.hardware.child import PeakAbove, in_child
from fmcourse.models import Adapter, compat

# Peak learning rates by method: first guesses. `benchmarks/adapters.py` tries four for each, with
# the same small budget, on validation items; run it and take its best before the ledger is made.
RATES = {"full": 1e-4, "last block": 1e-3, "bitfit": 1e-2, "lora": 2e-3, "rslora": 2e-3,
         "dora": 2e-3, "pissa": 1e-3, "qlora": 2e-3, "prompt": 3e-2, "prefix": 1e-2, "ia3": 3e-2}
SURPRISE, GENERAL = "bits per byte of unseen commands", "bits per byte of general text"
SHARE, PEAK = "share of weights trained", "peak memory, MB"
DETAILS = ("trained weights", "seconds", "file, MB", "optimiser, MB", "weights, MB")
RANK = 8


def methods(seed: int, tokens: int = 24_000, held: int = 96) -> Outcome:
    """SmolLM2 on AWS commands with a line of the manual, by each method of `models.METHODS`.

    Every arm runs in a process of its own, so that its peak of memory is its own.

    Args:
        tokens: training budget of each arm, prompts included.
        held: requests for unseen operations to be surprised by.
    """
    found = {method: in_child(arm, method, seed, tokens, held) for method in RATES}
    found["untuned"] = in_child(arm, None, seed, tokens, held)
    arms = {name: {key: value[key] for key in (SURPRISE, GENERAL, SHARE, PEAK) if key in value}
            for name, value in found.items()}
    return Outcome(arms, {"start": models.load("smollm2").sha256(), **hashes(seed)},
                   {name: {key: value[key] for key in DETAILS if key in value}
                    for name, value in found.items()})


def arm(method: str | None, seed: int, tokens: int, held: int, rate: float | None = None,
        part: str = "test_operations", start: str = "smollm2") -> dict[str, float]:
    """Tune by one method and measure; None measures the untuned model.

    Args:
        rate: peak learning rate; by default that of `RATES`.
        part: whose requests to be surprised by.
        start: a model's name.
    """
    compat.quiet()
    base, records = models.load(start), pairs(seed)
    unseen = data.sample(records[part], held, seed)
    if method is None:
        return {**_scores(base, unseen)}
    recipe = train.InstructRecipe(
        tokens=tokens, max_length=256, batch_tokens=512, micro_rows=1, seed=seed,
        learning_rate=rate or RATES[method], adapter=Adapter(method, rank=RANK))
    _warm_up(base, records["validation"], recipe)
    peak = PeakAbove(base.device.type)
    began = time.perf_counter()
    run = train.instruct(base, records["train"], recipe, show_progress=False)
    seconds, taken = time.perf_counter() - began, peak.bytes
    return {**_scores(run.model, unseen), SHARE: run.cost.trainable / base.parameters, PEAK:
            taken / 1e6, "trained weights": run.cost.trainable, "seconds": run.cost.seconds,
            "seconds in all": seconds, "file, MB": _file(run, recipe.adapter),
            "optimiser, MB": 8 * run.cost.trainable / 1e6,
            "weights, MB": _resting(base, recipe.adapter)}


def pairs(seed: int) -> dict[str, Any]:
    """Requests for commands with the likeliest line of the manual before them."""
    commands, manual = data.commands(seed), data.manual()
    return {part: data.with_manual(data.sample(commands[part], 600, seed), manual, count=1)
            for part in ("train", "validation", "test_operations")}


def hashes(seed: int) -> dict[str, str]:
    """SHA-256 of what was read."""
    return {part: data.card(records).sha256 for part, records in pairs(seed).items()}


def _scores(model: models.LanguageModel, unseen: Any) -> dict[str, float]:
    general = data.general()["test"]["text"][:12]
    return {SURPRISE: evaluate.reply_bits_per_byte(model, unseen),
            GENERAL: evaluate.bits_per_byte(model, general)}


def _warm_up(base: models.LanguageModel, records: Any, recipe: train.InstructRecipe) -> None:
    """One step on a tiny model: libraries and threads take their memory before it is measured."""
    small = models.build("tiny", base.tokenizer, context=256)
    few = train.InstructRecipe(tokens=300, max_length=256, batch_tokens=256, micro_rows=1)
    train.instruct(small, records.select(range(20)), few, show_progress=False)


def _file(run: train.Run, adapter: Adapter) -> float:
    """Megabytes of what has to be kept besides the base."""
    with tempfile.TemporaryDirectory() as folder:
        run.adapter.save(Path(folder) / "adapter")
        return sum(file.stat().st_size for file in Path(folder).rglob("*.*")) / 1e6


def _resting(base: models.LanguageModel, adapter: Adapter) -> float:
    """Megabytes of the weights while the method trains."""
    model = models.adapt(base, adapter)
    tensors = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes()
               for t in _everything(model.network)}
    return sum(tensors.values()) / 1e6


def _everything(network: torch.nn.Module) -> list[torch.Tensor]:
    """Weights, and in four bits the scales that belong to them."""
    found = [*network.parameters()]
    for weights in network.parameters():
        state = getattr(weights, "quant_state", None)
        while state is not None:
            found += [value for value in vars(state).values() if isinstance(value, torch.Tensor)]
            state = getattr(state, "state2", None)
    return found
