"""H2: rankings train a reward model: how many, by whom, and how near to what noise allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from datasets import Dataset

from fmcourse import evaluate, store
from fmcourse.data.assistant import Annotator, ceiling
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import RewardModel

RIGHT, TRULY = "held-out choices foretold", "better reply found"
CARELESS = replace(feedback.ANNOTATOR, sharpness=3.0, slips=0.15)
GUESSING = Annotator(sharpness=0.0, slips=0.0)


def ranked(seed: int, tokens: int = feedback.TOKENS, pairs: int = feedback.PAIRS, held: int = 600,
           sizes: Sequence[int] = (128, 512)) -> Outcome:
    """Reward models of the same comparisons: all or a few of them, made with care or without.

    An assistant answers each prompt twice; a simulated annotator, who sees the rubric with noise,
    prefers one. Held-out prompts are different ones. "Held-out choices foretold" is agreement with
    what the careful annotator chose there, whose ceiling (the truth's own agreement) is known;
    "better reply found" is agreement with the rubric itself, which no annotator's noise touches.
    The controls: an annotator who guesses, and preferring the longer reply.

    Args:
        tokens: the assistant's tuning.
        pairs, held: prompts to compare answers to, and to judge by.
        sizes: comparisons of the smaller sets, each a part of the next.
    """
    start = feedback.assistant(seed, tokens)
    prompts, test = feedback.manners(pairs, seed), feedback.manners(held, seed, "test")
    careful = feedback.compared(start, prompts, seed)
    asked = feedback.compared(start, test, seed)
    found, everything = {}, len(careful)
    named = {f"{size:,} comparisons": careful.select(range(min(size, everything)))
             for size in sizes} | {"all comparisons": careful}
    others = {"careless annotator": CARELESS, "guessing annotator": GUESSING}
    named |= {name: feedback.compared(start, prompts, seed, who) for name, who in others.items()}
    for name, rows in named.items():
        found[name] = judged(feedback.judge(rows, seed), asked)
    arms = {name: {RIGHT: row["accuracy"], TRULY: row["truly"]} for name, row in found.items()}
    lengths = [np.array([len(text) for text in asked[side]]) for side in ("chosen", "rejected")]
    arms["the longer reply"] = scores(*lengths, asked)
    arms["ceiling"] = {RIGHT: ceiling(asked, feedback.ANNOTATOR), TRULY: 1.0}
    return Outcome(arms, {"comparisons": store.sha256_json(careful.to_list()),
                          "held out": store.sha256_json(asked.to_list())},
                   {"comparisons": {name: len(rows) for name, rows in named.items()},
                    "reports": found, "pairs": asked.select_columns(
                        ["prompt", "chosen", "rejected"]).select(range(4)).to_list()})


def judged(model: RewardModel, asked: Dataset) -> dict[str, float]:
    """All that is measured of a reward model on comparisons it has not learnt from."""
    sides = [model.raw(asked["prompt"][:], asked[side][:]) for side in ("chosen", "rejected")]
    return {**evaluate.preference_report(model, asked), "truly": scores(*sides, asked)[TRULY]}


def scores(chosen: np.ndarray, rejected: np.ndarray, asked: Dataset) -> dict[str, float]:
    """Agreement of some rewards with the choices, and with the rubric."""
    better, ties = np.array(asked["better"][:]), asked["tie"][:]
    swapped = better < 0  # where the annotator erred
    truly = np.where(swapped, rejected, chosen), np.where(swapped, chosen, rejected)
    return {RIGHT: evaluate.pairwise_accuracy(chosen, rejected, ties),
            TRULY: evaluate.pairwise_accuracy(*truly, ties)}
