"""K3: what the base knows, and that it does not do as it is told."""

from __future__ import annotations

from fmcourse import evaluate, models
from fmcourse.evidence.experiments.shared import Outcome

RATE, FACTS = "instructions followed", "facts right"


def base_model(seed: int, items: int = 26) -> Outcome:
    """Instructions and facts: untrained, base, and a published model tuned on instructions.

    A seed draws which instructions are asked. The published model is another one, larger and
    longer trained; lesson 04 tunes this very base and measures it again on the same prompts.
    """
    base, instructed = models.load("base"), models.load("smollm2")
    blank = models.untrained(base, seed)
    prompts = evaluate.instructions().shuffle(seed=seed).select(range(items))
    arms = {arm: {RATE: evaluate.overall(evaluate.instruction_rate(model, prompts))}
            for arm, model in (("untrained", blank), ("base", base),
                               ("SmolLM2-Instruct", instructed))}
    for arm, model in (("untrained", blank), ("base", base)):
        arms[arm][FACTS] = evaluate.overall(evaluate.score_facts(model))
    return Outcome(arms, {"base": base.sha256()}, {"items": items})
