"""M7: what it takes to tune a large model, foretold; and the foretelling held against peaks."""

from __future__ import annotations

import gc
from typing import Any

import torch

from fmcourse import hardware, models, store
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.hardware.child import in_child
from fmcourse.models import Adapter, LanguageModel, compat
from fmcourse.models.adapters import inject
from fmcourse.train.dry_run import Step, memory, shape

BILLIONS, WEIGHTS = "gigabytes to tune 7 billion weights", "megabytes of weights"
AGREEMENT = "worst agreement with a measured peak"  # of the smaller with the larger, at most 1
LARGE = {"sequence": 2048, "batch": 1, "frozen": "bfloat16", "checkpointing": True}
USUAL = {"sequence": 512, "batch": 1, "frozen": "float32", "compute": "bfloat16",
         "attention": "eager", "checkpointing": False}
CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (  # model, method, what differs from USUAL
    ("base", "full", {"batch": 8}),
    ("smollm2", "full", {}), ("smollm2", "full", {"checkpointing": True}),
    ("smollm2", "last block", {}), ("smollm2", "lora", {}), ("smollm2", "lora", {"batch": 4}),
    ("smollm2", "lora", {"compute": "float32", "attention": "sdpa"}),
    ("smollm2", "lora", {"frozen": "bfloat16", "checkpointing": True, "batch": 4}),
    ("smollm2", "dora", {}), ("smollm2", "prompt", {}), ("smollm2", "qlora", {}),
    ("1b", "lora", {"frozen": "bfloat16", "sequence": 256}),
)
TABLE = ("1b", "3b", "8b", "13b", "70b", "405b")


def affordable(seed: int, cases: Any = CASES, table: tuple[str, ...] = TABLE) -> Outcome:
    """Foretold and measured memory of a step of training.

    Nothing is drawn; further seeds show how steady the measured peaks are.

    Args:
        cases: to be measured, each in a process of its own.
        table: sizes whose memory by method goes into the details.
    """
    rows = [case(*one) for one in cases]
    arms = {
        "full": {BILLIONS: memory("7b", **LARGE).peak / 1e9,
                 WEIGHTS: models.stored_bytes(models.load("smollm2")) / 1e6},
        "qlora": {BILLIONS: memory("7b", Adapter("qlora"), **LARGE).peak / 1e9,
                  WEIGHTS: in_child(stored, "smollm2") / 1e6},
        "lora": {BILLIONS: memory("7b", Adapter(), **LARGE).peak / 1e9},
        "dry run": {AGREEMENT: _worst(rows, "foretold")},
        "weights alone": {AGREEMENT: _worst(rows, "weights")},
        "measured": {AGREEMENT: _worst(rows, "measured")},
    }
    sizes = [{"model": size, "method": method, **vars(memory(size, Adapter(method), **LARGE))}
             for size in table for method in ("full", "lora", "qlora")]
    return Outcome(arms, {"cases": store.sha256_json([list(map(str, one)) for one in cases])},
                   {"cases": rows, "table": sizes})


def case(model: str, method: str, changes: dict[str, Any]) -> dict[str, Any]:
    """One case, foretold and measured, in bytes."""
    setting = {**USUAL, **changes}
    config = shape(model)
    told = memory(config, Adapter(method), **setting)
    measured = in_child(peak, config, method, exact=True, **setting)
    return {"model": model, "method": method, **changes, "foretold": told.peak,
            "measured": measured, "weights": told.weights}


def peak(config: Any, method: str, frozen: str, **setting: Any) -> int:
    """Bytes that two steps of training take at most, weights included."""
    compat.quiet()
    torch.set_num_threads(1)  # every further thread has a stack and buffers of its own
    _steps(_network(compat.with_layers(config, 1), method, frozen), setting)  # loads libraries
    gc.collect()
    before = hardware.memory_now()
    network = _network(config, method, frozen)
    gc.collect()
    hardware.reset_peak_memory()
    _steps(network, setting)
    return hardware.peak_memory_bytes() - before


def stored(name: str) -> int:
    """Bytes of a model's weights in four bits, embeddings and norms in sixteen."""
    compat.quiet()
    return models.stored_bytes(models.quantized(models.load(name), "bfloat16"))


def _network(config: Any, method: str, frozen: str) -> torch.nn.Module:
    network, adapter = compat.LlamaForCausalLM(config), Adapter(method)
    if method == "qlora":
        network = models.quantized(LanguageModel(network, None, "a shape")).network
    network = inject(network, adapter).train()
    for weights in network.parameters():
        if not weights.requires_grad and weights.dtype == torch.float32:
            weights.data = weights.data.to(getattr(torch, frozen))
    return network


def _steps(network: torch.nn.Module, setting: dict[str, Any]) -> None:
    step = Step(network, **setting)
    for _ in range(2):
        step.forward()
        step.backward()
        step.update()
        step.optimizer.zero_grad()


def _worst(rows: list[dict[str, Any]], told: str) -> float:
    """How far the worst prediction is from its measurement, as a share of the larger of the two."""
    return min(min(row[told], row["measured"]) / max(row[told], row["measured"]) for row in rows)
