"""K3: what the base knows, and that it does not do as it is told."""

from __future__ import annotations

from functools import cache

from fmcourse import evaluate, models
from fmcourse.evidence.experiments.shared import Outcome, by_group

RATE, FACTS = "instructions followed", "facts right"


def base_model(seed: int) -> Outcome:
    """Instructions and facts: untrained, base, and a published model tuned on instructions.

    All but the untrained models are fixed and answer greedily, so they are compared item by item.
    The published model is another one, larger and longer trained; lesson 04 tunes this very base
    and measures it again on the same prompts.
    """
    base = models.load("base")
    blank = models.untrained(base, seed)
    arms = {"untrained": {RATE: _followed(blank), FACTS: by_group(evaluate.score_facts(blank))},
            "base": {RATE: _followed(base), FACTS: by_group(evaluate.score_facts(base))},
            "SmolLM2-Instruct": {RATE: followed_by_published()}}
    return Outcome(arms, {"base": base.sha256()})


def _followed(model: models.LanguageModel) -> list[float]:
    """1 for each instruction of the whole set that the model follows, otherwise 0."""
    _, judged = evaluate.instruction_rate(model, details=True)
    return judged["followed"].astype(float).tolist()


@cache
def followed_by_published() -> list[float]:
    """The same of SmolLM2, tuned on instructions by its publisher."""
    return _followed(models.load("smollm2"))
