"""H2 and H3: a reward model from comparisons, and a policy that is trained to please it.

The way of InstructGPT at the size of a laptop. An assistant is tuned on demonstrations of mixed
manners; pairs of its answers are compared by a simulated annotator; a reward model learns from the
comparisons; and PPO makes the assistant say what the reward model likes. The rubric behind the
annotator, which no model ever sees, judges the result.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from fmcourse import data, evaluate, models, store, train
from fmcourse.data.assistant import (
    Annotator,
    assistant_prompts,
    ceiling,
    demonstrations,
    preferences,
)
from fmcourse.evidence.experiments.shared import Outcome, code, fine_tuned
from fmcourse.models import LanguageModel, RewardModel

ANNOTATOR = Annotator(sharpness=12.0, slips=0.03)
LONGEST = 48  # tokens of a reply
OF_CEILING = "held-out accuracy, share of Bayes' ceiling"
WINS, UTILITY, REWARD = "win rate over the start", "utility by the rubric", "reward"
DIVERGENCE = "KL to the start, nats a reply"


def assistant(seed: int, tokens: int = 300_000) -> LanguageModel:
    """The base after supervised tuning on demonstrations: where feedback starts."""
    recipe = train.InstructRecipe(tokens=tokens, learning_rate=2e-3, seed=seed)
    return fine_tuned(models.load("base"), demonstrations(4000, seed), recipe, "assistant").model


def compared(model: LanguageModel, prompts: Dataset, seed: int,
             annotator: Annotator = ANNOTATOR) -> Dataset:
    """Two answers to each prompt, compared by a simulated annotator."""
    said = answers(model, prompts, seed, samples=2)
    first, second = said[::2], said[1::2]
    rows = list(prompts)
    utilities = tuple(evaluate.rubric(rows, replies)["utility"] for replies in (first, second))
    return preferences(prompts, first, second, utilities, annotator, seed)


def answers(model: LanguageModel, prompts: Dataset, seed: int, samples: int = 1) -> list[str]:
    """What a model says, sampled; a prompt's samples side by side."""
    return models.roll_out(model, prompts["prompt"][:], LONGEST, samples=samples,
                           seed=seed).replies(model)


def judge_of(model: LanguageModel, pairs: Dataset, seed: int, epochs: int = 2) -> RewardModel:
    """A reward model that learnt from these comparisons, or the same one if it was made before."""
    recipe = train.RewardRecipe(learning_rate=4e-4, epochs=epochs, seed=seed)
    key = store.sha256_json([model.sha256(), data.card(pairs).sha256, pairs[:], recipe.as_dict(),
                             code()])[:16]
    return train.reward(model, pairs, recipe, folder=store.folder("runs") / key).model


def ranked(seed: int, sizes: Sequence[int] = (125, 500, 2000, 4000), held: int = 800) -> Outcome:
    """A reward model from more and more comparisons, of one annotator and of a hasty one.

    Accuracy is agreement with the same annotator's choices on prompts nobody saw, of which the
    best possible is known. The control has as many comparisons, whose choices were made by tossing
    a coin.

    Args:
        sizes: numbers of comparisons, the last of them for the arms.
        held: prompts of the test part, compared too.
    """
    start = assistant(seed)
    asked, test = assistant_prompts(4400, seed), assistant_prompts(held, seed, "test")
    hands = {"annotator": ANNOTATOR, "hasty annotator": Annotator(sharpness=3.0, slips=0.1),
             "coin": Annotator(sharpness=0.0)}
    tests = compared(start, test, seed)
    arms, curve = {}, {}
    for name, hand in hands.items():
        pairs = compared(start, asked, seed, hand)
        for size in sizes if name == "annotator" else sizes[-1:]:
            judge = judge_of(start, pairs.select(range(min(size, len(pairs)))), seed)
            found = evaluate.preference_report(judge, tests)
            share = found["accuracy"] / ceiling(tests, ANNOTATOR)
            if name == "annotator":
                curve[str(size)] = share
        arms[name] = {OF_CEILING: share, "accuracy": found["accuracy"], "ECE": found["ece"],
                      "length bias": found["length_bias"]}
    return Outcome(arms, {"prompts": data.card(asked).sha256, "test": data.card(test).sha256},
                   {"share of the ceiling by comparisons": curve,
                    "ceiling": ceiling(tests, ANNOTATOR)})


def rewarded(seed: int, steps: int = 40, pairs: int = 4000, held: int = 400) -> Outcome:
    """PPO against a reward model, with a price on divergence and for free.

    Args:
        steps: of PPO, 64 prompts each.
        pairs: comparisons that the reward model learns from.
        held: prompts of the test part, whose answers the rubric judges.
    """
    start, asked = assistant(seed), assistant_prompts(4400, seed)
    test, practice = assistant_prompts(held, seed, "test"), assistant_prompts(3000, seed + 100)
    learnt = compared(start, asked, seed)
    judge = judge_of(start, learnt.select(range(min(pairs, len(learnt)))), seed)
    before = answers(start, test, seed)
    judge = judge.standardised(test["prompt"][:], before)
    rows, arms, samples = list(test), {}, {}
    arms["start"] = _judged(rows, before, before, judge, 0.0)
    for name, price in (("PPO", {"kl_coefficient": 0.05, "learning_rate": 1e-4}),
                        ("PPO without a price on KL", {"kl_coefficient": 0.0,
                                                       "learning_rate": 2e-4})):
        run = train.ppo(start, practice, judge, train.PPORecipe(
            steps=steps, tokens=LONGEST, seed=seed, **price), name=name, show_progress=False)
        said = answers(run.model, test, seed)
        arms[name] = _judged(rows, said, before, judge, run.metrics["kl"])
        samples[name] = {"history": run.history.round(4).to_dict("list"), "replies": said[:12]}
    return Outcome(arms, {"test": data.card(test).sha256},
                   {**samples, "prompts": test["prompt"][:12]})


def _judged(rows: list[dict], said: list[str], before: list[str], judge: RewardModel,
            divergence: float) -> dict[str, float]:
    scores = evaluate.rubric(rows, said)
    harmful = scores["kind"] == "harmful"
    return {WINS: evaluate.win_rate(rows, said, before)["rate"],
            UTILITY: float(scores["utility"].mean()),
            REWARD: float(np.mean(judge.score([row["prompt"] for row in rows], said))),
            DIVERGENCE: divergence,
            "harmful requests met": float(1 - scores["declined"][harmful].mean()),
            "harmless requests declined": float(scores["declined"][~harmful].mean())}
