"""H3: reinforcement learning maximises the reward; without a price on divergence it hacks it."""

from __future__ import annotations

from typing import Any

from fmcourse import evaluate, store, train
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.feedback import KL, REWARD, UTILITY, WINS, Way
from fmcourse.evidence.experiments.shared import Outcome

AGAINST = "win rate against PPO"
START, PRICED, CHEAP, FREE = "start", "PPO", "PPO at a low price", "PPO without a price on KL"
PRICES = {PRICED: 0.25, CHEAP: 0.1, FREE: 0.0}  # β
RATE = 4e-4


def reinforced(seed: int, tokens: int = feedback.TOKENS, pairs: int = feedback.PAIRS,
               steps: int = 28, practice: int = 3_000, asked: int = 600, looked: int = 100
               ) -> Outcome:
    """PPO from the assistant, with a price on every nat of divergence, a low one, and for free.

    Rewards are in deviations of the start's own. The rubric, which neither the reward model nor the
    policy has seen, judges replies to new prompts: its utility, how often a reply is better than
    the start's to the same prompt (the start itself: one half), and how often it is better than
    that of PPO with a price. Where the reward is higher and the rubric's verdict is lower, the
    reward was hacked.

    Args:
        tokens, pairs: as in `ranked`, whose reward model of all comparisons this is.
        steps: of PPO.
        practice: prompts to learn on.
        asked, looked: prompts of the test, and how many of them at looks on the way.
    """
    way = Way.up_to(seed, tokens, pairs, practice, asked)
    said, kl = {START: way.before}, {START: 0.0}
    details: dict[str, Any] = {"prompts": way.test["prompt"][:6], "looks": {}, "steps": {}}
    for name, price in PRICES.items():
        recipe = train.PPORecipe(steps=steps, tokens=feedback.LONGEST, kl_coefficient=price,
                                 learning_rate=RATE, seed=seed)
        run = feedback.online_run(way, name, recipe, looked)
        said[name] = feedback.say(run.model, way.test, seed)
        kl[name] = feedback.divergence(run.model, way.start, way.test, seed)
        details["looks"][name] = run.observations[["share", REWARD, UTILITY, WINS]].to_dict("list")
        details["steps"][name] = run.history[["reward", "kl", "length"]].to_dict("list")
    rows = list(way.test)
    arms = {name: {**way.measured(found), KL: kl[name],
                   AGAINST: evaluate.win_rate(rows, found.replies, said[PRICED].replies)["rate"]}
            for name, found in said.items()}
    details["says"] = {name: found.replies[:6] for name, found in said.items()}
    details["win rates"] = {name: evaluate.win_rate(rows, said[name].replies, way.before.replies)
                            for name in PRICES}
    return Outcome(arms, {"prompts": store.sha256_json(way.test.to_list()),
                          "reward model": way.judge.sha256()}, details)
