"""H5: today's routes from one start: best of n, PPO, DPO, GRPO; and a reward that is checked."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fmcourse import data, evaluate, store, train
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.commanded import PRICE, at_random, commanded, grpo_run
from fmcourse.evidence.experiments.feedback import KL, Way
from fmcourse.evidence.experiments.reinforced import PRICED, PRICES, RATE, START
from fmcourse.evidence.experiments.shared import Outcome

TRAINING, REPLYING = "seconds of training", "seconds for a hundred replies"
BEST, DPO, GRPO = "best of 8", "DPO", "GRPO"
CHECKED, AIMLESS = "GRPO, right answers checked", "GRPO, random reward"
RATES = {DPO: 5e-5, GRPO: 2e-4}
LARGE = "SmolLM2, "  # before the names of its arms
EVERY = 3  # seeds with SmolLM2, which takes as long as all the rest


def routes(seed: int, tokens: int = 300_000, pairs: int = 1_500, steps: int = 16,
           practice: int = 1_500, asked: int = 400, looked: int = 40,
           commands: float = 1.0) -> Outcome:
    """From one assistant, its comparisons, its reward model and the same questions: every route.

    Best of 8 trains no policy: the reward model picks among eight replies, each time it is asked;
    its divergence is a bound, log 8 − 7/8 nats (Beirami et al. 2024, arXiv:2401.01879). DPO reads
    the comparisons themselves. PPO and GRPO sample as many replies; their prices on divergence are
    not the same measure, so compare them by the divergence they end at. "Right answers checked" has
    a program for a reward, which knows the answer and nothing of manners (Bedrock: reinforcement
    fine-tuning); its control is a reward that means nothing. Where such a program can tell better
    from worse, and not only right from wrong, is shown by commands; see `commanded`.

    Args:
        tokens, pairs, steps, practice, asked, looked: as in `reinforced`, half as large or so, for
            there are more routes.
        commands: the share of `commanded`.
    """
    way = Way.up_to(seed, tokens, pairs, practice, asked)
    ppo = train.PPORecipe(steps=steps, tokens=feedback.LONGEST, kl_coefficient=PRICES[PRICED],
                          learning_rate=RATE, seed=seed)
    grpo = train.GRPORecipe(steps=steps, prompts=8, samples=8, tokens=feedback.LONGEST, seed=seed,
                            learning_rate=RATES[GRPO], beta=PRICE, unended=1.0)
    dpo = train.PreferenceRecipe(learning_rate=RATES[DPO], seed=seed)
    runs = {PRICED: feedback.online_run(way, PRICED, ppo, looked),
            GRPO: feedback.online_run(way, GRPO, grpo, looked),
            CHECKED: grpo_run(way.start, way.practice, right_answer, grpo, CHECKED),
            AIMLESS: grpo_run(way.start, way.practice, at_random, grpo, AIMLESS),
            DPO: feedback.preference_run(way.start, way.choices, dpo, DPO)}
    judging = {BEST, PRICED, GRPO}  # those that need the reward model
    arms, says = {}, {}
    for name, model in {START: way.start, **{name: run.model for name, run in runs.items()},
                        BEST: None}.items():
        began = time.perf_counter()
        said = feedback.say(model, way.test, seed) if model else feedback.best_of(
            way.judge, way.test, feedback.say(way.start, way.test, seed + 2, samples=8), [8])[0]
        took = time.perf_counter() - began
        training = runs[name].cost.seconds if name in runs else 0.0
        arms[name] = {**way.measured(said), REPLYING: 100 * took / asked,
                      TRAINING: training + (way.seconds if name in judging else 0.0),
                      KL: (math.log(8) - 7 / 8 if model is None else
                           feedback.divergence(model, way.start, way.test, seed))}
        says[name] = said.replies[:6]
    on_commands = commanded("base", seed, commands)
    if seed < EVERY:
        on_commands |= {f"{LARGE}{name}": arm
                        for name, arm in commanded("smollm2", seed, commands).items()}
    return Outcome(arms | on_commands,
                   {"prompts": store.sha256_json(way.test.to_list()),
                    "comparisons": store.sha256_json(way.choices.to_list()),
                    "commands": data.card(data.commands(seed)["test_operations"]).sha256},
                   {"prompts": way.test["prompt"][:6], "says": says, "arms": arms})


def right_answer(rows: Sequence[Mapping[str, Any]], replies: Sequence[str]) -> list[float]:
    """1 for the right answer, in whatever manner."""
    return evaluate.rubric(rows, replies)["helpful"].tolist()
