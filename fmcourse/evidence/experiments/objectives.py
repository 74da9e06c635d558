"""K2: the causal and the masked objective, on the same text, at the same size and budget."""

from __future__ import annotations

from fmcourse import data, evaluate, models
from fmcourse.evidence.experiments.shared import Outcome, trained

NEXT, HIDDEN = "causal: next token right", "masked: hidden token right"
BLANK = "masked: lone blank right"


def objectives(seed: int, size: str = "1m", tokens: int = 800_000) -> Outcome:
    """Accuracy of guesses against the most frequent token, and with the right side covered.

    On the Bible alone: a masked model is graded on a third of its tokens only, and in a minute on
    the whole corpus it learns hardly more than word frequencies.
    """
    tokenizer, corpus = models.load("base").tokenizer, data.general()
    reading = data.only(corpus["train"], "web-bible")
    rows, texts = data.tokens(reading, tokenizer), data.only(corpus["test"], "web-bible")["text"][:]
    runs = {
        objective: trained(models.build(size, tokenizer, objective, seed=seed), rows, tokens, seed,
                           objective, batch_tokens=2048, micro_batch_tokens=2048,
                           learning_rate=5e-3)
        for objective in ("causal", "masked")}
    guess = evaluate.favourite_accuracy(rows, texts, tokenizer)
    masked = runs["masked"].model
    arms = {
        "causal": {NEXT: evaluate.next_token_accuracy(runs["causal"].model, texts)},
        "unigram": {NEXT: guess, HIDDEN: guess},
        "masked, both sides": {HIDDEN: evaluate.masked_accuracy(masked, texts, seed)},
        "both sides seen": {BLANK: evaluate.one_blank_accuracy(masked, texts, True, seed)},
        "left side only": {BLANK: evaluate.one_blank_accuracy(masked, texts, False, seed)},
    }
    curves = {name: run.history[["tokens", "loss"]].to_dict("list") for name, run in runs.items()}
    return Outcome(arms, {"web-bible train": data.card(reading).sha256},
                   {"size": size, "tokens": tokens, "curves": curves})
