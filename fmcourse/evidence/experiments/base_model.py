"""K3: what the base knows, and that it does not do as it is told."""

from __future__ import annotations

from functools import cache

from fmcourse import data, evaluate, models
from fmcourse.data import tasks
from fmcourse.evidence.experiments.instructed import TOKENS, right, tuned
from fmcourse.evidence.experiments.shared import Outcome, by_group

RATE, FACTS, DONE = "instructions followed", "facts right", "tasks done"
FAMILIES = 16


def base_model(seed: int, tokens: int = TOKENS) -> Outcome:
    """Instructions and facts: untrained, base, and a published model tuned on instructions.

    All but the untrained models are fixed and answer greedily, so they are compared item by item.
    The published model is another one, larger and longer trained. So this very base is also tuned
    on sixteen families of tasks (M1), and asked the same before and after: held-out texts of these.
    """
    base = models.load("base")
    blank, able = models.untrained(base, seed), models.with_chat(base)
    asked = data.task_records(list(tasks.ladder(seed)[FAMILIES]), 20 * FAMILIES, seed, part="test")
    arms = {"untrained": {RATE: _followed(blank), FACTS: by_group(evaluate.score_facts(blank))},
            "base": {RATE: _followed(base), FACTS: by_group(evaluate.score_facts(base))},
            "SmolLM2-Instruct": {RATE: followed_by_published()},
            "tuned": {DONE: evaluate.overall(right(tuned(seed, FAMILIES, tokens).model, asked))}}
    arms["base"][DONE] = evaluate.overall(right(able, asked))
    return Outcome(arms, {"base": base.sha256()})


def _followed(model: models.LanguageModel) -> list[float]:
    """1 for each instruction of the whole set that the model follows, otherwise 0."""
    _, judged = evaluate.instruction_rate(model, details=True)
    return judged["followed"].astype(float).tolist()


@cache
def followed_by_published() -> list[float]:
    """The same of SmolLM2, tuned on instructions by its publisher."""
    return _followed(models.load("smollm2"))
