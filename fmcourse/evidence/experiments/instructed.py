"""M1: tuned on ever more tasks, at equal tokens, does the base do tasks it was never tuned on?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from datasets import Dataset

from fmcourse import data, evaluate, models, train
from fmcourse.data import tasks
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import LanguageModel

UNSEEN, SEEN = "unseen families: right", "families of the set: right"
ROWS = 1_500  # different records of each family, or fewer where there are no more
TOKENS = 600_000


def unseen_families(
    seed: int, tokens: int = TOKENS, rungs: Sequence[int] = tasks.RUNGS, each: int = 30
) -> Outcome:
    """The base tuned on 1, 2, 4, 8 and 16 families, judged on 14 that none of them contains.

    The sets are nested and drawn by the seed; every arm reads as many tokens, so the control for
    "more tasks" is one task, read more often. Held-out texts, and a wording that no arm has read,
    are used throughout. The untuned base, given the same chat template, shows what tuning adds.

    Args:
        tokens: budget of each arm, prompts included.
        rungs: numbers of families.
        each: items of each held-out family.
    """
    base = models.with_chat(models.load("base"))
    unseen = data.task_records(list(tasks.HELD_OUT), each * len(tasks.HELD_OUT), seed, part="test")
    ladder, tables = tasks.ladder(seed, rungs), {}
    arms = {"base": {UNSEEN: evaluate.overall(right(base, unseen))}}
    for rung in rungs:
        run = tuned(base, ladder[rung], tokens, seed)
        table = right(run.model, unseen)
        seen = data.task_records(list(ladder[rung]), 4 * each, seed, part="test")
        name = f"{rung} families" if rung > 1 else "1 family"
        arms[name] = {UNSEEN: evaluate.overall(table),
                      SEEN: evaluate.overall(right(run.model, seen))}
        tables[name] = dict(zip(table["kind"], table["rate"], strict=True))
    return Outcome(arms, {"items": data.card(unseen).sha256, "base": base.sha256()},
                   {"families": {str(rung): list(ladder[rung]) for rung in rungs},
                    "by family": tables})


def tuned(base: LanguageModel, names: Sequence[str], tokens: int, seed: int) -> train.Run:
    """The base after tuning on these families, an equal share each."""
    records = data.task_records(list(names), ROWS * len(names), seed)
    recipe = train.InstructRecipe(tokens=tokens, seed=seed)
    return train.instruct(base, records, recipe, name=f"{len(names)} families")


def right(model: LanguageModel, items: Dataset) -> pd.DataFrame:
    """Share of items done right, by family."""
    return evaluate.instruction_rate(model, items, max_tokens=64)
