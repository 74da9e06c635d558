"""M1 and M2: the base tuned on instructions, asked for what it was, and was not, tuned to do."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from datasets import Dataset

from fmcourse import data, evaluate, models, train
from fmcourse.data import tasks
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned
from fmcourse.models import LanguageModel

OVERLAP, EXACT = "unseen families: ROUGE-L of replies", "unseen families: exactly right"
SURPRISE, SEEN = "unseen families: bits per byte of right replies", "families of the set: right"
STRICT, LOOSE = "constraints kept, strictly", "constraints kept, loosely"
UNTAUGHT = "constraints kept, forms never taught"
ROWS = 1_200  # different records of each family
TOKENS = 300_000


def unseen_families(
    seed: int, tokens: int = TOKENS, rungs: Sequence[int] = tasks.RUNGS, each: int = 20
) -> Outcome:
    """The base tuned on 1, 2, 4, 8 and 16 families, judged on 14 that none of them contains.

    The sets are nested and drawn by the seed; every arm reads as many tokens, so the control for
    "more tasks" is one task, read more often. Held-out texts, and a wording that no arm has read,
    are used throughout. Replies are scored as Super-NaturalInstructions does (Wang et al. 2022,
    arXiv:2204.07705): ROUGE-L with the right reply. The untuned base, given the same chat template,
    shows what tuning adds.

    Args:
        tokens: budget of each arm, prompts included.
        rungs: numbers of families.
        each: items of each family.
    """
    base = models.with_chat(models.load("base"))
    unseen = data.task_records(list(tasks.HELD_OUT), each * len(tasks.HELD_OUT), seed, part="test")
    ladder, tables = tasks.ladder(seed, rungs), {}
    arms = {"base": _unseen(base, unseen)[0]}
    for rung in rungs:
        model = tuned(seed, rung, tokens).model
        seen = data.task_records(list(ladder[rung]), each * rung, seed, part="test")
        name = f"{rung} families" if rung > 1 else "1 family"
        scores, tables[name] = _unseen(model, unseen)
        arms[name] = {**scores, SEEN: evaluate.overall(right(model, seen))}
    return Outcome(arms, {"items": data.card(unseen).sha256, "base": base.sha256()},
                   {"families": {str(rung): list(ladder[rung]) for rung in rungs},
                    "ROUGE-L by family": tables})


def formats_kept(seed: int, tokens: int = TOKENS, rows: int = 6_000) -> Outcome:
    """Verifiable constraints: the base, tuned on requests that have them, and on ones that don't.

    The control reads the same texts and requests, without a constraint, and learns to reply with a
    sentence: what a habit of short, tidy replies earns is no obedience. The items are on other
    texts, in other words, and a third of the forms are in no training set.

    Args:
        tokens: budget of each arm, prompts included.
        rows: different conversations of each arm.
    """
    arms, tables, hashes = {}, {}, {}
    models_ = {"base": models.with_chat(models.load("base"))}
    for name, constrained in (("without constraints", False), ("with constraints", True)):
        records = data.constrained_records(rows, seed, constrained=constrained)
        models_[name], hashes[name] = instructed(records, tokens, seed, name).model, data.card(
            records).sha256
    items = evaluate.constraint_items()
    untaught = items.filter(lambda item: not item["trained"])
    for name, model in models_.items():
        table = evaluate.constraint_rate(model, items)
        strict, loose = table["strict"], table["loose"]
        arms[name] = {STRICT: float(strict.iloc[-1]), LOOSE: float(loose.iloc[-1]),
                      UNTAUGHT: evaluate.overall(right(model, untaught))}
        tables[name] = dict(zip(table["kind"], strict, strict=True))
    return Outcome(arms, {"base": models_["base"].sha256(), **hashes}, {"strict": tables})


def tuned(seed: int, rung: int, tokens: int = TOKENS) -> train.Run:
    """The base after tuning on so many families, an equal share each."""
    records = data.task_records(list(tasks.ladder(seed, [rung])[rung]), ROWS * rung, seed)
    return instructed(records, tokens, seed, f"{rung} families")


def instructed(records: Dataset, tokens: int, seed: int, name: str) -> train.Run:
    """The base tuned on these."""
    recipe = train.InstructRecipe(tokens=tokens, learning_rate=2e-3, seed=seed)
    return fine_tuned(models.load("base"), records, recipe, name)


def right(model: LanguageModel, items: Dataset) -> pd.DataFrame:
    """Share of items done exactly right, by family."""
    return evaluate.instruction_rate(model, items, max_tokens=64)


def _unseen(model: LanguageModel, items: Dataset) -> tuple[dict[str, float], dict[str, float]]:
    """Scores over all held-out families, and ROUGE-L of each."""
    table, judged = evaluate.instruction_rate(model, items, max_tokens=64, details=True)
    overlap = evaluate.rouge_l_scores(judged["reply"], items["answer"][:])["f1"]
    scores = {OVERLAP: float(overlap.mean()), EXACT: evaluate.overall(table),
              SURPRISE: evaluate.reply_bits_per_byte(model, items)}
    return scores, overlap.groupby(items["kind"][:]).mean().to_dict()
