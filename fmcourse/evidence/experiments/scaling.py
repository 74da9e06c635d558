"""K4: loss against compute over four sizes, and what fine-tuning costs beside pre-training."""

from __future__ import annotations

from typing import Any

from datasets import Dataset

from fmcourse import data, evaluate, models, sources, train
from fmcourse.evidence.experiments.shared import Outcome, trained
from fmcourse.models import LanguageModel

BITS, FLOPS = "held-out bits per byte", "training FLOPs"
ERROR = "bits per byte away from the top rung"
LADDER = {"tiny": 75_000, "1m": 150_000, "2m": 300_000, "3m": 600_000}


def scaling(seed: int, ladder: dict[str, int] = LADDER) -> Outcome:
    """A rung is a size with a budget to match; the fine-tune is 200 real question–answer pairs."""
    base = models.load("base")
    corpus = data.general()["train"]
    rows, texts = data.tokens(corpus, base.tokenizer), data.held_out(seed)
    rungs = [rung(size, tokens, base, rows, texts, seed) for size, tokens in ladder.items()]
    flops, losses = [r["flops"] for r in rungs], [r["loss"] for r in rungs]
    law = evaluate.fit_power_law(flops, losses)
    below = evaluate.fit_power_law(flops[:-1], losses[:-1])  # has not seen the top rung
    guess = float(below.predict(flops[-1]))
    tuned = tune_on_answers(base, examples=200, seed=seed)
    arms = {
        "least compute": {BITS: rungs[0]["loss"]}, "most compute": {BITS: rungs[-1]["loss"]},
        "power law from the rungs below": {ERROR: abs(guess - losses[-1])},
        "no further gain": {ERROR: abs(losses[-2] - losses[-1])},
        "pre-training the base": {FLOPS: base.card["cost"]["flops"]},
        "fine-tuning on 200 examples": {FLOPS: tuned.cost.flops},
    }
    return Outcome(arms, {"general": data.card(corpus).sha256, "base": base.sha256()},
                   {"rungs": rungs, "exponent": law.b, "r2": law.r2,
                    "fine_tuning": tuned.card["cost"]})


def rung(
    size: str, tokens: int, like: LanguageModel, rows: data.TokenFile, texts: list[str], seed: int
) -> dict[str, Any]:
    """One point of the curve: size, tokens, FLOPs, seconds, held-out bits per byte."""
    run = trained(models.build(size, like.tokenizer, seed=seed), rows, tokens, seed, size)
    return {"group": size, "parameters": run.cost.parameters, "tokens": run.cost.tokens,
            "flops": run.cost.flops, "seconds": run.cost.seconds,
            "loss": evaluate.bits_per_byte(run.model, texts)}


def tune_on_answers(
    base: LanguageModel, examples: int, seed: int = 0, epochs: int = 3
) -> train.Run:
    """Fine-tune the base on real yes/no questions with their passages, to see what it costs."""
    rows = sources.load("boolq").shuffle(seed=seed)
    rows = rows.filter(lambda row: row["label"] is not None).select(range(examples))
    texts = [f"{row['passage']}\nQuestion: {row['question']}?\nAnswer: "
             f"{'yes' if row['label'] else 'no'}" for row in rows]
    pairs = data.with_card(
        Dataset.from_dict({"text": texts, "document": [str(i) for i in range(examples)],
                           "source": ["boolq"] * examples}),
        data.Card("question-answer pairs", {"boolq": sources.get("boolq").sha256}))
    return tune(base, pairs, seed, epochs)


def tune(model: LanguageModel, pairs: Dataset, seed: int = 0, epochs: int = 3) -> train.Run:
    """Fine-tune on questions with their answers, as texts (lesson 04 will mask the questions)."""
    file = data.tokens(pairs, model.tokenizer)
    recipe = train.PretrainRecipe(tokens=epochs * len(file), batch_tokens=2048,
                                  micro_batch_tokens=2048, learning_rate=3e-4, seed=seed)
    return train.pretrain(model, file, recipe, name="fine-tuning")
