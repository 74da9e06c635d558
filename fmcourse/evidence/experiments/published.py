"""K5: what a published model's pre-training buys over ours, on the same text."""

from __future__ import annotations

from functools import cache

import pandas as pd

from fmcourse import data, evaluate, models
from fmcourse.evidence.experiments.shared import Outcome

BITS, FACTS = "bits per byte, encyclopaedia", "facts right"


def published(seed: int, characters: int = 40_000) -> Outcome:
    """Untrained, base and SmolLM2 on encyclopaedia passages drawn by seed, and on facts.

    Not on scripture and drama: half of our base's reading was that, so there it is a specialist,
    and the question here is breadth (lesson 01 shows both).

    SmolLM2 has most likely read these passages (they are public and old); ours has not. The gap
    is therefore an upper bound of what scale buys, and the lesson says so. Facts are asked
    without chance, so SmolLM2, the slow one, answers them once.
    """
    base, large = models.load("base"), models.load("smollm2")
    texts = data.held_out(seed, characters, source="boolq-passages")
    arms = {}
    for arm, model in (("untrained", models.untrained(base, seed)), ("base", base),
                       ("SmolLM2", large)):
        facts = _facts_of_published() if model is large else evaluate.score_facts(model)
        arms[arm] = {BITS: evaluate.bits_per_byte(model, texts), FACTS: evaluate.overall(facts)}
    return Outcome(arms, {"general test": data.card(data.general()["test"]).sha256,
                          "base": base.sha256()}, {"characters": characters})


@cache
def _facts_of_published() -> pd.DataFrame:
    return evaluate.score_facts(models.load("smollm2"))
