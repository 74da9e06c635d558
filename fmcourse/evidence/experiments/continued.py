"""K9: more of the same objective on a domain's text, what is forgotten, and what replay saves."""

from __future__ import annotations

from fmcourse import data, evaluate, models
from fmcourse.evidence.experiments.shared import Outcome, read_on

DOMAIN, GENERAL = "held-out domain bits per byte", "held-out general bits per byte"
PAIRS = "grammar pairs right"
SHARES = (0.0, 0.05, 0.1, 0.25, 0.5)


def continued(seed: int, tokens: int = 300_000, shares: tuple[float, ...] = SHARES) -> Outcome:
    """The base goes on with AWS documentation, at several shares of replay, or with general text.

    Judged on services that were held out whole (Bedrock, SageMaker, Lambda, DynamoDB), and on
    held-out general text. The control reads as many tokens, of what it has always read.
    """
    base, aws, general = models.load("base"), data.domain("aws"), data.general()
    texts = {GENERAL: data.held_out(seed, 60_000),
             DOMAIN: data.excerpt(aws["test"], 40_000, seed)}
    grammar = evaluate.minimal_pairs(240)

    def measures(model: models.LanguageModel) -> dict[str, float]:
        return {**evaluate.bits_per_byte(model, texts),
                PAIRS: evaluate.overall(evaluate.score_pairs(model, grammar))}

    arms = {"base": measures(base)}
    for share in shares:
        name = f"replay {share:.0%}"
        arms[name] = measures(read_on(base, aws, tokens, seed, name, share).model)
    more = read_on(base, general, tokens, seed, "general text", general=general)
    arms["general text"] = measures(more.model)
    return Outcome(arms, {"aws": data.card(aws["train"]).sha256, "base": base.sha256(),
                          "general": data.card(general["train"]).sha256}, {"tokens": tokens})
