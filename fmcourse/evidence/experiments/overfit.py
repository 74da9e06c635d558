"""S2: the base tuned on 8 to 8,192 pairs, as many steps each, and each pair once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from datasets import Dataset

from fmcourse import data, evaluate, models, train
from fmcourse.evidence.experiments.shared import Outcome, fine_tuned
from fmcourse.train.instruct import VALIDATION

SIZES, TOKENS = (8, 32, 128, 512, 2048, 8192), 24_000
TRAINING, UNSEEN = "bits per byte of training replies", "bits per byte of unseen replies"
GAP, HEART = "gap of the two", "training replies known by heart"
STEPS, ONCE, STOPPED = "as many steps", "each pair once", "stopped early"
FEWEST, MOST = "fewest", "most"


def overfit(seed: int, sizes: Sequence[int] = SIZES, tokens: int = TOKENS, once: int = 512,
            held: int = 64, looks: int = 6) -> Outcome:
    """Learning what AWS operations do, from so many pairs: what is learnt, what only memorised.

    Every set is read for as many steps, so that a small one is read over and over, the largest in
    part; and sets up to `once` are also read one time each, which is as many epochs for all, and
    hardly a step for the smallest. The sets are nested. Judged on services that no pair is about.
    Other services still are looked at on the way: the best look says how many epochs a set bears,
    and the smallest is taught once more, to be stopped there.

    Args:
        sizes: pairs, smallest first; the largest is the control.
        tokens: budget of the arms of as many steps, prompts included.
        once: largest set that is also read one time.
        held: pairs that are looked at: of each training set at most, unseen, and for stopping.
        looks: at the unseen pairs for stopping, evenly from before training to its end.
    """
    base, pairs = models.load("base"), conversations("train")
    validation, unseen = (data.sample(conversations(part), held, seed)
                          for part in ("validation", "test"))
    recipe = train.InstructRecipe(tokens=tokens, batch_tokens=512, looks=looks, seed=seed)
    single = train.InstructRecipe(epochs=1, least_steps=1, batch_tokens=512, seed=seed)
    stopping, rows, paths = replace(recipe, patience=1), [], []

    def teach(size: int, regime: str, how: train.InstructRecipe) -> train.Run:
        few = data.sample(pairs, size, seed)
        run = fine_tuned(base, few, how, f"{size} pairs, {regime}",
                         None if regime == ONCE else validation)
        rows.append({"examples": size, "regime": regime, "epochs": run.metrics["epochs"],
                     **measured(run, few, unseen, held)})
        return run

    for size in sizes:
        looked = teach(size, STEPS, recipe).observations
        paths += [{"examples": size, "share": share, "bits": bits} for share, bits
                  in zip(looked["share"], looked[VALIDATION], strict=True)]
        if size <= once:
            teach(size, ONCE, single)
    teach(sizes[0], STOPPED, stopping)
    return Outcome(_arms(rows), {"pairs": data.card(pairs).sha256, "base": base.sha256()},
                   {"rows": rows, "looks": paths, "tokens": tokens,
                    "untuned": evaluate.reply_bits_per_byte(base, unseen)})


def conversations(part: str) -> Dataset:
    """What operations do, asked and answered: a part of the AWS corpus, by service."""
    pairs = data.operation_pairs(data.domain("aws")[part])
    said = [data.conversation(prompt, completion) for prompt, completion
            in zip(pairs["prompt"][:], pairs["completion"][:], strict=True)]
    return data.with_card(pairs.add_column("messages", said), data.card(pairs))


def measured(run: train.Run, training: Dataset, unseen: Dataset, held: int) -> dict[str, float]:
    """How well a run knows its own pairs, and pairs that it has not seen."""
    own = data.sample(training, held, 0)
    bits = {TRAINING: evaluate.reply_bits_per_byte(run.model, own),
            UNSEEN: evaluate.reply_bits_per_byte(run.model, unseen)}
    return {**bits, GAP: bits[UNSEEN] - bits[TRAINING],
            HEART: float(evaluate.recited(run.model, own).mean()),
            "unseen replies given": float(evaluate.recited(run.model, unseen).mean())}


def _arms(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The smallest and the largest set of each regime."""
    arms = {}
    for regime in (STEPS, ONCE, STOPPED):
        own = [row for row in rows if row["regime"] == regime]
        for name, row in ((MOST, own[-1]), (FEWEST, own[0])):
            arms[f"{name}, {regime}"] = {key: row[key] for key in (TRAINING, UNSEEN, GAP, HEART)}
    del arms[f"{MOST}, {STOPPED}"]  # only the smallest set is stopped
    return arms
