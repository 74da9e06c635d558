"""What an experiment returns, and its training runs: kept, so that none is done twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from datasets import Dataset

from fmcourse import data, models, store, train
from fmcourse.models import LanguageModel
from fmcourse.train.continued import Parts


@dataclass(frozen=True)
class Outcome:
    """One seed's result.

    Attributes:
        arms: arm → metric → value, or a list of values, one an item, for fixed models.
        data: name → SHA-256 of what was read.
        details: curves and samples that a lesson draws, as plain values.
    """

    arms: dict[str, dict[str, Any]]
    data: dict[str, str]
    details: dict[str, Any] = field(default_factory=dict)


@cache
def code() -> str:
    """SHA-256 of the library below the experiments, and of this module."""
    here = Path(__file__)
    rooms = [here.parents[2] / name
             for name in ("hardware", "sources", "data", "models", "train", "evaluate")]
    files = [here, *(path for room in rooms for kind in ("*.py", "*.toml")
                     for path in sorted(room.rglob(kind)))]
    return store.sha256_json([[path.name, store.sha256_file(path)] for path in files])


def run_folder(*parts: Any) -> Path:
    """Where the run that these parts make up is kept: its start, data, recipe, and the code."""
    return store.folder("runs") / store.sha256_json([*parts, code()])[:16]


def by_group(table: pd.DataFrame) -> list[float]:
    """The share of each group in a table of `evaluate`, without its last row, the total."""
    return table.iloc[:-1, 2].tolist()


def trained(
    model: LanguageModel, rows: data.TokenFile, tokens: int, seed: int, name: str, **changes: Any
) -> train.Run:
    """Pre-train with the course's default recipe, or open the same run if it was done before.

    Two experiments that need the same model share it: the run's folder is named by its start,
    its data, its recipe and the code that trains. An interrupted one goes on.
    """
    recipe = train.PretrainRecipe(**{"tokens": tokens, "batch_tokens": 4096,
                                     "micro_batch_tokens": 4096, "seed": seed, **changes})
    run = train.pretrain(model, rows, recipe, name=name, folder=run_folder(
        model.sha256(), rows.sha256, recipe.as_dict()))
    run.name = run.model.name = name
    return run


def read_on(
    model: LanguageModel, parts: Parts, tokens: int, seed: int, name: str,
    replay: float = 0.0, general: Parts | None = None, **changes: Any
) -> train.Run:
    """Go on pre-training on other text, or open the same run if it was done before.

    Args:
        parts, general: as in `train.continued`; `general` is replayed, and read to see what is
            forgotten.
        replay: share of the rows.
        changes: of the recipe.
    """
    recipe = train.ContinuedRecipe(**{
        "tokens": tokens, "batch_tokens": 4096, "micro_batch_tokens": 4096, "seed": seed,
        "replay_fraction": replay, "eval_characters": 20_000, "looks": 3, **changes})
    origins = [[data.card(half["train"]).sha256, data.card(half["validation"]).sha256]
               for half in (parts, general) if half is not None]
    run = train.continued(model, parts, recipe, general=general, name=name, folder=run_folder(
        model.sha256(), origins, recipe.as_dict()))
    run.name = run.model.name = name
    return run


def fine_tuned(
    model: LanguageModel, records: Dataset, recipe: train.InstructRecipe, name: str,
    validation: Dataset | None = None,
) -> train.Run:
    """Tune on conversations, or open the same run if it was done before.

    Args:
        validation: as in `train.instruct`: looked at on the way, for early stopping.
    """
    held = data.card(validation).sha256 if validation is not None else None
    run = train.instruct(model, records, recipe, name=name, validation=validation,
                         folder=run_folder(model.sha256(), data.card(records).sha256, held,
                                           recipe.as_dict()))
    run.name = run.model.name = name
    return run


def domain_base(seed: int, tokens: int = 300_000) -> LanguageModel:
    """The base after continued pre-training on AWS documentation, a tenth of it replay."""
    return read_on(models.load("base"), data.domain("aws"), tokens, seed, "domain base", 0.1).model
