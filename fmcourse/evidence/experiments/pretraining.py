"""K1: what a model learns from predicting tokens, and that it needs the order of the words."""

from __future__ import annotations

from fmcourse import data, evaluate, models
from fmcourse.evidence.experiments.shared import Outcome, by_group, trained

BITS, PAIRS, FACTS = "held-out bits per byte", "grammar pairs right", "facts right"


def pretraining(seed: int, size: str = "3m", tokens: int = 600_000) -> Outcome:
    """Real text against the same words shuffled; and the shipped base against random weights."""
    base = models.load("base")
    corpus = data.general()["train"]
    texts = data.held_out(seed)
    arms, curves = {}, {}
    for arm, words in (("real text", corpus), ("shuffled words", data.shuffle_words(corpus, seed))):
        run = trained(models.build(size, base.tokenizer, seed=seed),
                      data.tokens(words, base.tokenizer), tokens, seed, arm)
        curves[arm] = run.history[["tokens", "loss"]].to_dict("list")
        arms[arm] = {BITS: evaluate.bits_per_byte(run.model, texts),
                     PAIRS: evaluate.overall(evaluate.score_pairs(run.model))}
    arms["random weights"] = {
        BITS: evaluate.bits_per_byte(models.build(size, base.tokenizer, seed=seed), texts)}
    for arm, model in (("base", base), ("untrained", models.untrained(base, seed))):
        arms[arm] = {f"base: {PAIRS}": by_group(evaluate.score_pairs(model)),
                     f"base: {FACTS}": by_group(evaluate.score_facts(model))}
    return Outcome(arms, {"general": data.card(corpus).sha256, "base": base.sha256()},
                   {"size": size, "tokens": tokens, "curves": curves})
