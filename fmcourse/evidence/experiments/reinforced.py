"""H3: reinforcement learning maximises the reward; without a price on divergence it hacks it."""

from __future__ import annotations

from typing import Any

from fmcourse import evaluate, store, train
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.feedback import REWARD, UTILITY, WINS, Way
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import LanguageModel

KL = "KL from the start, nats a reply"
START, PRICED, FREE = "start", "PPO", "PPO without a price on KL"
PRICE = 0.05  # β
BATCH = {"prompts": 128, "minibatch": 64, "learning_rate": 1.5e-4}  # of 64, steps err more


def reinforced(seed: int, tokens: int = feedback.TOKENS, pairs: int = feedback.PAIRS,
               steps: int = 28, practice: int = 3_000, asked: int = 300, looked: int = 100
               ) -> Outcome:
    """PPO from the assistant, twice: with a price on every nat of divergence, and for free.

    Rewards are in deviations of the start's own. The rubric, which neither the reward model nor the
    policy has seen, judges replies to new prompts: its utility, and how often a reply is better
    than the start's to the same prompt (the start itself: one half). Where the reward goes on to
    rise and the rubric's verdict does not, the reward is being hacked.

    Args:
        tokens, pairs: as in `ranked`, whose reward model of all comparisons this is.
        steps: of PPO.
        practice: prompts to learn on.
        asked, looked: prompts of the test, and how many of them at looks on the way.
    """
    way = Way.up_to(seed, tokens, pairs, practice, asked)

    def look(model: LanguageModel, share: float) -> dict[str, Any]:
        few = way.test.select(range(looked))
        return way.measured(feedback.say(model, few, seed + 1), looked)

    arms = {START: {**way.measured(way.before), KL: 0.0}}
    details: dict[str, Any] = {"prompts": way.test["prompt"][:6], "looks": {}, "steps": {},
                               "says": {START: way.before.replies[:6]}, "win rates": {}}
    for name, price in {PRICED: PRICE, FREE: 0.0}.items():
        recipe = train.PPORecipe(steps=steps, tokens=feedback.LONGEST, kl_coefficient=price,
                                 seed=seed, **BATCH)
        run = feedback.aligned(way.start, way.practice, way.judge, name, recipe, observe=look)
        said = feedback.say(run.model, way.test, seed)
        arms[name] = {**way.measured(said), KL: float(run.metrics["kl"])}
        details["says"][name] = said.replies[:6]
        details["win rates"][name] = evaluate.win_rate(list(way.test), said.replies,
                                                       way.before.replies)
        details["looks"][name] = run.observations[["share", REWARD, UTILITY, WINS]].to_dict("list")
        details["steps"][name] = run.history[["reward", "kl", "length"]].to_dict("list")
    return Outcome(arms, {"prompts": store.sha256_json(way.test.to_list()),
                          "reward model": way.judge.sha256()}, details)
