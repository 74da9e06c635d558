"""K5: what a published model's pre-training buys over ours, on the same text."""

from __future__ import annotations

from functools import cache

from fmcourse import data, evaluate, models
from fmcourse.evidence.experiments.shared import Outcome, by_group

BITS, FACTS = "bits per byte, encyclopaedia", "facts right"


def published(seed: int, characters: int = 40_000) -> Outcome:
    """Untrained, base and SmolLM2 on the same encyclopaedia passages, and on facts.

    Not on scripture and drama: half of our base's reading was that, so there it is a specialist,
    and the question here is breadth (lesson 01 shows both).

    SmolLM2 has most likely read these passages (they are public and old); ours has not. The gap
    is therefore an upper bound of what scale buys, and the lesson says so. Nothing here is left
    to chance but the untrained weights, so models are compared passage by passage.
    """
    base = models.load("base")
    arms = {"untrained": _measures(models.untrained(base, seed), characters),
            "base": _measures(base, characters), "SmolLM2": _measures_of_published(characters)}
    return Outcome(arms, {"general test": data.card(data.general()["test"]).sha256,
                          "base": base.sha256()}, {"characters": characters})


def _measures(model: models.LanguageModel, characters: int) -> dict[str, list[float]]:
    passages = data.held_out(0, characters, source="boolq-passages")
    bits = evaluate.bits_per_byte(model, {str(i): [text] for i, text in enumerate(passages)})
    return {BITS: list(bits.values()), FACTS: by_group(evaluate.score_facts(model))}


@cache
def _measures_of_published(characters: int) -> dict[str, list[float]]:
    return _measures(models.load("smollm2"), characters)
