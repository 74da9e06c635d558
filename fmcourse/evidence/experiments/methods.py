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

# Peak learning rates by method: the best that `benchmarks/adapters.py` found for each, with the
# same small budget, on validation items; for the two of `CLOSE`, whose scores the claim holds
# against each other, with the whole budget, and LoRA's alpha with its rate.
RATES = {"full": 2e-4, "last block": 1e-3, "bitfit": 3e-3, "lora": 2e-3, "rslora": 3e-3,
         "dora": 5e-3, "pissa": 3e-4, "qlora": 5e-3, "prompt": 3e-2, "prefix": 3e-2, "ia3": 3e-2}
ALPHAS = {"lora": 48}  # where the best is not the default of twice the rank
SURPRISE, GENERAL = "bits per byte of unseen commands", "bits per byte of general text"
SHARE, PEAK = "share of weights trained", "peak memory, MB"
DETAILS = (GENERAL, "foretold peak, MB", "trained weights", "seconds", "file, MB", "optimiser, MB",
           "weights, MB")
CLOSE, EVERY = ("full", "lora"), 3  # arms that take more seeds to tell apart; seeds with every arm
RANK, LONGEST = 8, 256  # of LoRA and its kin; tokens of the longest row
FIRST = 2_000  # tokens by which the peak of memory is reached
RANKS = (1, 4, 16, 64)
TARGETS = {"queries and values": ("q_proj", "v_proj"), "all linear layers": "all-linear"}
BASE_RATE = 3e-3  # of LoRA on our own base, for every rank


def methods(seed: int, tokens: int = 24_000, held: int = 96,
            ranks: tuple[int, ...] = RANKS) -> Outcome:
    """SmolLM2 on AWS commands with a line of the manual, by each method of `models.METHODS`.

    Every arm runs in a process of its own, and the peak of its memory is that of another, which
    takes the first steps only. Seeds from `EVERY` on are there to tell the scores of `CLOSE` apart
    and measure nothing else.

    Args:
        tokens: training budget of each arm, prompts included.
        held: requests for unseen operations to be surprised by.
        ranks: of LoRA, tried on our own base, with each of `TARGETS`; in the details.
    """
    found = {method: in_child(arm, method, seed, tokens, held)
             for method in (RATES if seed < EVERY else CLOSE)}
    if seed < EVERY:
        for method, values in found.items():
            values[PEAK] = in_child(peak, method, seed, min(tokens, FIRST), exact=True)
    shape = models.load("smollm2").network.config
    for method, values in found.items():
        values["foretold peak, MB"] = train.memory(
            shape, Adapter(method, rank=RANK), sequence=LONGEST, attention="eager").peak / 1e6
    found["untuned"] = in_child(arm, None, seed, tokens, held)
    arms = {name: {key: value[key] for key in (SURPRISE, GENERAL, SHARE, PEAK) if key in value}
            for name, value in found.items()}
    read = {part: data.card(records).sha256 for part, records in pairs(seed).items()}
    return Outcome(arms, {"start": models.load("smollm2").sha256(), **read},
                   {"methods": {name: {key: value[key] for key in DETAILS if key in value}
                                for name, value in found.items()},
                    "ranks": in_child(by_rank, seed, tokens, held, ranks)
                    if seed < EVERY else []})


def arm(method: str | None, seed: int, tokens: int, held: int, rate: float | None = None,
        part: str = "test_operations", alpha: float | None = None) -> dict[str, float]:
    """Tune by one method and measure; None measures the untuned model.

    Args:
        rate, alpha: peak learning rate and LoRA's scale; by default those of `RATES` and `ALPHAS`.
        part: whose requests to be surprised by.
    """
    compat.quiet()
    base, records = models.load("smollm2"), pairs(seed)
    unseen = data.sample(records[part], held, seed)
    if method is None:
        return _scores(base, unseen)
    recipe = _recipe(method, seed, tokens, rate, alpha)
    run = train.instruct(base, records["train"], recipe, show_progress=False)
    with tempfile.TemporaryDirectory() as folder:  # what has to be kept besides the base
        (run.adapter or run.model).save(Path(folder) / "kept")
        kept = sum(file.stat().st_size for file in Path(folder).rglob("*.safetensors"))
    resting = models.stored_bytes(models.adapt(base, recipe.adapter))
    return {**_scores(run.model, unseen), SHARE: run.cost.trainable / base.parameters,
            "seconds": run.cost.seconds, "trained weights": run.cost.trainable,
            "file, MB": kept / 1e6, "optimiser, MB": 8 * run.cost.trainable / 1e6,
            "weights, MB": resting / 1e6}


def peak(method: str, seed: int, tokens: int) -> float:
    """Megabytes that training takes at most, the tuned copy of the model included.

    For a process that hands freed memory back at once; that is slow, so another one is timed.
    """
    compat.quiet()
    base, records = models.load("smollm2"), pairs(seed)
    base.sha256()  # reads the weights, which until then are only mapped
    small = models.build("tiny", base.tokenizer, context=LONGEST)  # libraries take theirs before
    train.instruct(small, records["validation"], _recipe("full", seed, 300), show_progress=False)
    before = hardware.memory_now(base.device.type)
    run = train.instruct(base, records["train"], _recipe(method, seed, tokens),
                         show_progress=False)
    return (run.cost.peak_memory_bytes - before) / 1e6


def _recipe(method: str, seed: int, tokens: int, rate: float | None = None,
            alpha: float | None = None) -> train.InstructRecipe:
    return train.InstructRecipe(
        tokens=tokens, max_length=LONGEST, batch_tokens=512, micro_rows=1, seed=seed,
        learning_rate=rate or RATES[method],
        adapter=Adapter(method, rank=RANK, alpha=alpha or ALPHAS.get(method)))


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
