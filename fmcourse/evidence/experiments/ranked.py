"""H2: rankings train a reward model: how many, by whom, and how near to what noise allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from datasets import Dataset

from fmcourse import evaluate, store, train
from fmcourse.data.assistant import RUDE, ceiling
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.shared import Outcome

RIGHT, TRULY = "held-out choices foretold", "better reply found"
ALIKE = "better reply found, of two alike in manners"
CARELESS = replace(feedback.ANNOTATOR, sharpness=3.0, slips=0.15)
ALL, TOP, MOST = "all comparisons", "ceiling", "85 % of the ceiling"


def ranked(seed: int, tokens: int = feedback.TOKENS, pairs: int = feedback.PAIRS, held: int = 1_200,
           sizes: Sequence[int] = (32, 256)) -> Outcome:
    """Reward models of the same comparisons: all or a few of them, made with care or without.

    An assistant answers each prompt twice; a simulated annotator, who sees the rubric with noise,
    prefers one. Held-out prompts are different ones. "Held-out choices foretold" is how often the
    careful annotator would choose as the reward model does, which for a simulated one is known
    without the noise of a single choice; the truth itself foretells the ceiling. "Better reply
    found" is agreement with the rubric. Every reward model reads as many pairs, fewer ones the more
    often. The controls: an annotator who guesses, and rules that need no training: by length, by
    manners (with nothing to say where both replies are rude or neither is), and by both.

    Args:
        tokens: the assistant's tuning.
        pairs, held: prompts to compare answers to, and to judge by.
        sizes: comparisons of the smaller sets, each a part of the next.
    """
    start = feedback.assistant(seed, tokens)
    prompts = feedback.questions(pairs, seed + feedback.COMPARED)
    careful, careless, guessed = feedback.compared(
        start, prompts, seed, (feedback.ANNOTATOR, CARELESS, feedback.GUESSING))
    [asked] = feedback.compared(start, feedback.questions(held, seed, "test"), seed)
    named = {ALL: careful, "careless annotator": careless, "guessing annotator": guessed} | {
        f"{size} comparisons": careful.select(range(min(size, len(careful)))) for size in sizes}
    lengths = [[len(reply) for reply in asked[side]] for side in ("chosen", "rejected")]
    recipe = train.RewardRecipe(pairs=pairs, seed=seed)
    arms, reports = {}, {}
    for name, rows in named.items():
        model = feedback.reward_run(start, rows, recipe).model
        rewards = [model.raw(asked["prompt"][:], asked[side][:]) for side in ("chosen", "rejected")]
        arms[name] = scores(*rewards, asked)
        reports[name] = evaluate.reward_report(*rewards, *lengths, asked["tie"][:])
    for name, rule in RULES.items():
        arms[name] = scores(*(np.array([rule(text) for text in asked[side]], float)
                              for side in ("chosen", "rejected")), asked)
    arms[TOP] = {RIGHT: ceiling(asked, feedback.ANNOTATOR), TRULY: 1.0, ALIKE: 1.0}
    arms[MOST] = {RIGHT: 0.85 * arms[TOP][RIGHT]}
    return Outcome(arms, {"comparisons": store.sha256_json(careful.to_list()),
                          "held out": store.sha256_json(asked.to_list())},
                   {"comparisons": {name: len(rows) for name, rows in named.items()},
                    "alike": float(alike(asked).mean()), "reports": reports,
                    "pairs": asked.select_columns(
                        ["prompt", "chosen", "rejected"]).select(range(4)).to_list()})


def kind(reply: str) -> bool:
    """Whether a reply does not begin as the rude hand does.

    >>> kind("That is a silly question. The answer is 7."), kind("The answer is 7.")
    (False, True)
    """
    return not reply.startswith(RUDE)


def alike(asked: Dataset) -> np.ndarray:
    """Pairs whose replies are both rude or both not, (pairs,) bool: manners cannot decide them."""
    return np.array([kind(a) == kind(b) for a, b in zip(asked["chosen"], asked["rejected"],
                                                        strict=True)])


def kind_then_short(reply: str) -> float:
    """A reward for not being rude, and, where manners are alike, for being short."""
    return 10_000 * kind(reply) - len(reply)


RULES = {"the longer reply": len, "the shorter reply": lambda reply: -len(reply),
         "the one that is not rude": kind, "not rude, then shorter": kind_then_short}


def scores(chosen: np.ndarray, rejected: np.ndarray, asked: Dataset) -> dict[str, float]:
    """What some rewards are worth: agreement with the annotator to be expected, and with the
    rubric. Equal rewards are right half of the time, and ties of the rubric are left out."""
    better, decided = np.array(asked["better"][:]), ~np.array(asked["tie"][:])
    prefers = np.sign((chosen - rejected) * better)  # 1 where the rubric's better reply has more
    truly, same = (prefers + 1) / 2, decided & alike(asked)
    right = feedback.ANNOTATOR.probability(prefers * np.abs(better))
    return {RIGHT: float(right[decided].mean()), TRULY: float(truly[decided].mean()),
            ALIKE: float(truly[same].mean())}
