"""M1 and M2: the base tuned on instructions, asked for what it was, and was not, tuned to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import pandas as pd
from datasets import Dataset

from fmcourse import data, evaluate, models, train
from fmcourse.data import tasks
from fmcourse.evaluate.instructions import instruction_prompts
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
    arXiv:2204.07705): ROUGE-L with the right reply. The untuned base is asked in the chat template
    and in plain text, and the better score of the two counts.

    Args:
        tokens: budget of each arm, prompts included.
        rungs: numbers of families.
        each: items of each family.
    """
    base = models.load("base")
    unseen = data.task_records(list(tasks.HELD_OUT), each * len(tasks.HELD_OUT), seed, part="test")
    ladder, tables = tasks.ladder(seed, rungs), {}
    arms = {"base": _untuned(base, unseen)}
    for rung in rungs:
        model = tuned(seed, rung, tokens).model
        seen = data.task_records(list(ladder[rung]), each * rung, seed, part="test")
        name = f"{rung} families" if rung > 1 else "1 family"
        scores, tables[name] = _unseen(model, unseen)
        arms[name] = {**scores, SEEN: evaluate.overall(right(model, seen))}
    return Outcome(arms, {"items": data.card(unseen).sha256, "base": base.sha256()},
                   {"families": {str(rung): list(ladder[rung]) for rung in rungs},
                    "ROUGE-L by family": tables,
                    EXACT: {name: scores[EXACT] for name, scores in arms.items()}})


def formats_kept(seed: int, tokens: int = TOKENS, rows: int = 6_000) -> Outcome:
    """Verifiable constraints: the base, tuned on requests that have them, and on two controls.

    Both controls read the same texts and requests. One has no constraints and learns to reply with
    a sentence: what a habit of short, tidy replies earns is no obedience. The other has the same
    replies in every form, each beside another's constraint: nor is a repertoire of forms. Items are
    on other texts, in other words, and some of their forms are in no training set.

    Args:
        tokens: budget of each arm, prompts included.
        rows: different conversations of each arm.
    """
    items, hashes = evaluate.constraint_items(), {"base": models.load("base").sha256()}
    tables = {"base": _constraints_of_base()}
    for kind, name in (("none", "without constraints"), ("swapped", "constraints swapped"),
                       ("kept", "with constraints")):
        records = data.constrained_records(rows, seed, constraints=kind)
        model, hashes[name] = instructed(records, tokens, seed, name).model, data.card(
            records).sha256
        tables[name] = evaluate.constraint_rate(model, items)
    taught = {kind for kind, is_taught in zip(items["kind"], items["trained"], strict=True)
              if is_taught}
    arms = {name: {STRICT: _overall(table), LOOSE: float(table["loose"].iloc[-1]),
                   UNTAUGHT: _mean(table[:-1][~table[:-1]["kind"].isin(taught)])}
            for name, table in tables.items()}
    return Outcome(arms, hashes, {
        "strict": {name: dict(zip(table["kind"], table["strict"], strict=True))
                   for name, table in tables.items()},
        UNTAUGHT: {name: scores[UNTAUGHT] for name, scores in arms.items()}})


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


def _untuned(base: LanguageModel, items: Dataset) -> dict[str, float]:
    """The base's best scores: it never read the template's tokens, which is not to count."""
    chat, plain = _unseen(models.with_chat(base), items)[0], _unseen(base, items)[0]
    prompts, answers = instruction_prompts(base, items, "plain"), items["answer"][:]
    nats = -sum(evaluate.sequence_log_likelihood(base, prompts, [f" {said}" for said in answers]))
    in_plain = nats / math.log(2) / sum(len(said.encode()) for said in answers)
    return {OVERLAP: max(chat[OVERLAP], plain[OVERLAP]), EXACT: max(chat[EXACT], plain[EXACT]),
            SURPRISE: min(chat[SURPRISE], in_plain)}


@cache
def _constraints_of_base() -> pd.DataFrame:
    """Of the base, asked both ways, the better table; it is the same for every seed."""
    base = models.load("base")
    return max(map(evaluate.constraint_rate, (base, models.with_chat(base))), key=_overall)


def _overall(table: pd.DataFrame) -> float:
    return float(table["strict"].iloc[-1])


def _mean(table: pd.DataFrame) -> float:
    """The strict rate over the items of these kinds."""
    return float((table["strict"] * table["n"]).sum() / table["n"].sum())
