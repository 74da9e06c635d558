"""M6: every way to tune a part of a model, on the same commands, each at the rate that suits it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from datasets import Dataset

from fmcourse import data, evaluate, hardware, models, train
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.hardware.child import in_child
from fmcourse.models import Adapter, compat

# Peak learning rates by method: first guesses. `benchmarks/adapters.py` tries four for each, with
# the same small budget, on validation items; run it and take its best before the ledger is made.
RATES = {"full": 1e-4, "last block": 1e-3, "bitfit": 1e-2, "lora": 2e-3, "rslora": 2e-3,
         "dora": 2e-3, "pissa": 1e-3, "qlora": 2e-3, "prompt": 3e-2, "prefix": 1e-2, "ia3": 3e-2}
SURPRISE, GENERAL = "bits per byte of unseen commands", "bits per byte of general text"
SHARE, PEAK = "share of weights trained", "peak memory, MB"
DETAILS = ("trained weights", "seconds", "file, MB", "optimiser, MB", "weights, MB")
RANK = 8
RANKS = (1, 4, 16, 64)
TARGETS = {"queries and values": ("q_proj", "v_proj"), "all linear layers": "all-linear"}
BASE_RATE = 3e-3  # of LoRA on our own base, for every rank


def methods(seed: int, tokens: int = 24_000, held: int = 96,
            ranks: tuple[int, ...] = RANKS) -> Outcome:
    """SmolLM2 on AWS commands with a line of the manual, by each method of `models.METHODS`.

    Every arm runs in a process of its own, so that its peak of memory is its own.

    Args:
        tokens: training budget of each arm, prompts included.
        held: requests for unseen operations to be surprised by.
        ranks: of LoRA, tried on our own base, with each of `TARGETS`; in the details.
    """
    found = {method: in_child(arm, method, seed, tokens, held) for method in RATES}
    found["untuned"] = in_child(arm, None, seed, tokens, held)
    arms = {name: {key: value[key] for key in (SURPRISE, GENERAL, SHARE, PEAK) if key in value}
            for name, value in found.items()}
    read = {part: data.card(records).sha256 for part, records in pairs(seed).items()}
    return Outcome(arms, {"start": models.load("smollm2").sha256(), **read},
                   {"methods": {name: {key: value[key] for key in DETAILS if key in value}
                                for name, value in found.items()},
                    "ranks": in_child(by_rank, seed, tokens, held, ranks)})


def arm(method: str | None, seed: int, tokens: int, held: int, rate: float | None = None,
        part: str = "test_operations") -> dict[str, float]:
    """Tune by one method and measure; None measures the untuned model.

    Args:
        rate: peak learning rate; by default that of `RATES`.
        part: whose requests to be surprised by.
    """
    compat.quiet()
    base, records = models.load("smollm2"), pairs(seed)
    unseen = data.sample(records[part], held, seed)
    if method is None:
        return _scores(base, unseen)
    recipe = train.InstructRecipe(
        tokens=tokens, max_length=256, batch_tokens=512, micro_rows=1, seed=seed,
        learning_rate=rate or RATES[method], adapter=Adapter(method, rank=RANK))
    _warm_up(base, records["validation"])
    before = hardware.memory_now(base.device.type)
    run = train.instruct(base, records["train"], recipe, show_progress=False)
    with tempfile.TemporaryDirectory() as folder:  # what has to be kept besides the base
        (run.adapter or run.model).save(Path(folder) / "kept")
        kept = sum(file.stat().st_size for file in Path(folder).rglob("*.safetensors"))
    resting = models.adapt(base, recipe.adapter).network.get_memory_footprint()
    return {**_scores(run.model, unseen), SHARE: run.cost.trainable / base.parameters,
            PEAK: (run.cost.peak_memory_bytes - before) / 1e6, "seconds": run.cost.seconds,
            "trained weights": run.cost.trainable, "file, MB": kept / 1e6,
            "optimiser, MB": 8 * run.cost.trainable / 1e6, "weights, MB": resting / 1e6}


def by_rank(seed: int, tokens: int, held: int, ranks: tuple[int, ...]) -> list[dict[str, Any]]:
    """How surprised our own base is after LoRA of each rank, on few and on many layers."""
    compat.quiet()
    base, records = models.load("base"), pairs(seed)
    unseen, found = data.sample(records["test_operations"], held, seed), []
    for name, targets in TARGETS.items():
        for rank in ranks:
            recipe = train.InstructRecipe(
                tokens=tokens, learning_rate=BASE_RATE, seed=seed,
                adapter=Adapter(rank=rank, targets=targets))
            run = train.instruct(base, records["train"], recipe, show_progress=False)
            found.append({"rank": rank, "targets": name, "trained weights": run.cost.trainable,
                          SURPRISE: evaluate.reply_bits_per_byte(run.model, unseen)})
    return found


@cache
def pairs(seed: int) -> dict[str, Dataset]:
    """Requests for commands with the likeliest line of the manual before them."""
    commands, manual = data.commands(seed), data.manual()
    return {part: data.with_manual(data.sample(commands[part], 600, seed), manual, count=1)
            for part in ("train", "validation", "test_operations")}


def _scores(model: models.LanguageModel, unseen: Dataset) -> dict[str, float]:
    general, dtype = data.general()["test"]["text"][:12], hardware.detect().dtype
    return {SURPRISE: evaluate.reply_bits_per_byte(model, unseen, dtype=dtype),
            GENERAL: evaluate.bits_per_byte(model, general, dtype=dtype)}


def _warm_up(base: models.LanguageModel, records: Dataset) -> None:
    """One step on a tiny model: libraries and threads take their memory before it is measured."""
    small = models.build("tiny", base.tokenizer, context=256)
    few = train.InstructRecipe(tokens=300, max_length=256, batch_tokens=256, micro_rows=1)
    train.instruct(small, records.select(range(20)), few, show_progress=False)
