"""What an experiment returns, and its training runs: kept, so that none is done twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fmcourse import data, store, train
from fmcourse.models import LanguageModel


@dataclass(frozen=True)
class Outcome:
    """One seed's result.

    Attributes:
        arms: arm → metric → value.
        data: name → SHA-256 of what was read.
        details: curves and samples that a lesson draws, as plain values.
    """

    arms: dict[str, dict[str, float]]
    data: dict[str, str]
    details: dict[str, Any] = field(default_factory=dict)


def trained(
    model: LanguageModel, rows: data.TokenFile, tokens: int, seed: int, name: str, **changes: Any
) -> train.Run:
    """Pre-train with the course's default recipe, or open the same run if it was done before.

    Two experiments that need the same model share it: the run's folder is named by its start,
    its data and its recipe. An interrupted one goes on.
    """
    recipe = train.PretrainRecipe(**{"tokens": tokens, "batch_tokens": 4096,
                                     "micro_batch_tokens": 4096, "seed": seed, **changes})
    key = store.sha256_json([model.sha256(), rows.sha256, recipe.as_dict()])[:16]
    run = train.pretrain(model, rows, recipe, name=name, folder=store.folder("runs") / key)
    run.name = run.model.name = name
    return run
