"""K3: what pre-training leaves: knowledge, and no assistant."""

from __future__ import annotations

from functools import cache

from fmcourse import data, evaluate, models
from fmcourse.data import tasks
from fmcourse.evidence.experiments.instructed import TOKENS, right, tuned
from fmcourse.evidence.experiments.shared import Outcome, by_group

RATE, FACTS, DONE = "instructions followed", "facts right", "tasks done"
FAMILIES = 16


def base_model(seed: int, tokens: int = TOKENS, each: int = 20) -> Outcome:
    """Instructions and facts: untrained, base, and a published model tuned on instructions.

    These answer greedily and are compared item by item; all but the untrained are fixed. The
    published model is another one, larger and longer trained. So this very base is also tuned on
    sixteen families of tasks (M1) and asked the same as before: held-out texts of these families,
    and the instructions, which are of none. Untuned it is asked with and without the chat template,
    and the better score counts.

    Args:
        tokens: budget of the tuning, prompts included.
        each: items of each family.
    """
    base = models.load("base")
    blank, able = models.untrained(base, seed), models.with_chat(base)
    assistant = tuned(seed, FAMILIES, tokens).model
    asked = data.task_records(list(tasks.ladder(seed)[FAMILIES]), each * FAMILIES, seed,
                              part="test")
    done = [evaluate.overall(right(model, asked)) for model in (base, able)]
    arms = {"untrained": {RATE: _followed(blank), FACTS: by_group(evaluate.score_facts(blank))},
            "base": {RATE: max(_followed(base), _followed(able), key=sum),
                     FACTS: by_group(evaluate.score_facts(base)), DONE: max(done)},
            "SmolLM2-Instruct": {RATE: followed_by_published()},
            "tuned": {RATE: _followed(assistant), DONE: evaluate.overall(right(assistant, asked))}}
    return Outcome(arms, {"base": base.sha256()})


@cache
def followed_by_published() -> list[float]:
    """Whether SmolLM2-Instruct follows each instruction."""
    return _followed(models.load("smollm2"))


def _followed(model: models.LanguageModel) -> list[float]:
    _, judged = evaluate.instruction_rate(model, details=True)
    return [float(done) for done in judged["followed"]]
