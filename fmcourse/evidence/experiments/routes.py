"""H5: today's routes from one start: best of n, PPO, DPO, GRPO; and rewards that are checked."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from datasets import Dataset

from fmcourse import data, evaluate, models, store, train
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.feedback import HELPFUL, REWARD, UTILITY, WINS, Way
from fmcourse.evidence.experiments.instructed import instructed
from fmcourse.evidence.experiments.reinforced import KL, PRICED, PRICES, RATE, START
from fmcourse.evidence.experiments.shared import Outcome, run_folder
from fmcourse.models import LanguageModel
from fmcourse.train.completions import in_chunks, read_completions

SECONDS, USABLE, TAKEN = "seconds", "commands that would do it", "commands taken by the AWS CLI"
BEST, DPO, GRPO, CHECKED = "best of 8", "DPO", "GRPO", "GRPO, right answers checked"
COMMANDS, GRADED, RANDOM = "tuned on commands", "GRPO, graded by the AWS CLI", "GRPO, random reward"
COMMAND = 64  # tokens of a command
RATES = {DPO: 5e-5, GRPO: 2e-4, GRADED: 1e-4}


def routes(seed: int, tokens: int = feedback.TOKENS, pairs: int = feedback.PAIRS, steps: int = 28,
           practice: int = 3_000, asked: int = 600, looked: int = 100, commands: int = 150_000,
           graded: int = 30, requests: int = 120) -> Outcome:
    """From one assistant, its comparisons, its reward model and the same questions: every route.

    Best of 8 trains nothing: the reward model picks among eight replies. DPO reads the comparisons
    themselves. PPO and GRPO sample as many replies. "GRPO, right answers checked" has a program for
    a reward, which knows the answer and nothing of manners; what the AWS CLI's parser and models
    say of a command is such a reward, too: Bedrock's reinforcement fine-tuning. Its control is
    the same training with a reward that means nothing.

    Args:
        tokens, pairs, steps, practice, asked, looked: as in `reinforced`, whose PPO this is.
        commands, graded, requests: budget of tuning on commands, steps of GRPO from there, and
            requests for unseen operations to be judged by.
    """
    way = Way.up_to(seed, tokens, pairs, practice, asked)
    runs = {PRICED: feedback.aligned(way, PRICED, train.PPORecipe(
                steps=steps, tokens=feedback.LONGEST, kl_coefficient=PRICES[PRICED],
                learning_rate=RATE, seed=seed), looked),
            GRPO: feedback.aligned(way, GRPO, grpo_recipe(steps, seed), looked),
            CHECKED: checked(way, steps, seed), DPO: preferred(way, seed)}
    arms = {START: {**way.measured(way.before), KL: 0.0, SECONDS: 0.0}}
    says = {START: way.before.replies[:6]}
    for name, run in runs.items():
        said = feedback.say(run.model, way.test, seed)
        says[name] = said.replies[:6]
        arms[name] = {**way.measured(said), KL: divergence(run.model, way, seed),
                      SECONDS: run.cost.seconds}
    began = time.perf_counter()
    picked = best_of(way, 8, seed)
    took = time.perf_counter() - began  # each time it is asked
    arms[BEST] = {**way.measured(picked), KL: math.log(8) - 7 / 8, SECONDS: took}
    says[BEST] = picked.replies[:6]
    told = by_command(seed, commands, graded, requests)
    return Outcome(arms | told, {"prompts": store.sha256_json(way.test.to_list()),
                                 "comparisons": store.sha256_json(way.choices.to_list()),
                                 "commands": data.card(data.commands(seed)["train"]).sha256},
                   {"prompts": way.test["prompt"][:6], "says": says, "measures": [
                       REWARD, UTILITY, HELPFUL, WINS, KL, SECONDS], "arms": arms})


def grpo_recipe(steps: int, seed: int) -> train.GRPORecipe:
    """As many replies a step as PPO samples."""
    return train.GRPORecipe(steps=steps, prompts=8, samples=8, tokens=feedback.LONGEST, seed=seed,
                            learning_rate=RATES[GRPO], unended=1.0)


def preferred(way: Way, seed: int) -> train.Run:
    """DPO on the very comparisons that the reward model was made of."""
    recipe = train.PreferenceRecipe(learning_rate=RATES[DPO], seed=seed)
    return train.prefer(way.start, way.choices, recipe, name=DPO, folder=run_folder(
        "preferences", way.start.sha256(), store.sha256_json(way.choices.to_list()),
        recipe.as_dict()))


def checked(way: Way, steps: int, seed: int) -> train.Run:
    """GRPO with a reward of 1 where the right answer is given."""
    recipe = grpo_recipe(steps, seed)
    return train.grpo(way.start, way.practice, right_answer, recipe, name=CHECKED,
                      folder=run_folder("checked", way.start.sha256(),
                                        store.sha256_json(way.practice.to_list()),
                                        recipe.as_dict()))


def right_answer(rows: Sequence[Mapping[str, Any]], replies: Sequence[str]) -> list[float]:
    """1 for the right answer, in whatever manner."""
    return evaluate.rubric(rows, replies)["helpful"].tolist()


def best_of(way: Way, n: int, seed: int) -> feedback.Said:
    """Of n replies to each prompt of the test the one that the reward model likes best."""
    said = feedback.say(way.start, way.test, seed + 2, samples=n)
    asked = [prompt for prompt in way.test["prompt"] for _ in range(n)]
    scores = way.judge.score(asked, said.replies).reshape(-1, n)
    chosen = np.arange(len(scores)) * n + scores.argmax(1)
    return feedback.Said([said.replies[i] for i in chosen], [said.ended[i] for i in chosen])


def divergence(policy: LanguageModel, way: Way, seed: int) -> float:
    """KL from the start, nats a reply, by sampling one reply to each prompt of the test."""
    made = models.roll_out(policy, way.test["prompt"][:], feedback.LONGEST, seed=seed + 3)
    total = float(made.log_probs.sum())
    start = models.with_chat(way.start)
    for _, read in in_chunks(partial(read_completions, start), made):
        total -= float(read.log_probs.sum())
    return total / len(made)


def by_command(seed: int, tokens: int, steps: int, requests: int) -> dict[str, dict[str, float]]:
    """The base tuned on commands; and GRPO from there, graded by the CLI or at random."""
    parts, manual = data.commands(seed), data.manual()
    told = data.with_manual(parts["train"], manual, 1)
    start = instructed(told, tokens, seed, COMMANDS).model
    held = data.with_manual(data.sample(parts["test_operations"], requests, seed), manual, 1)
    found = {COMMANDS: start}
    for name, reward in {GRADED: command_grade, RANDOM: at_random}.items():
        found[name] = commanded(start, told, reward, steps, seed, name)
    return {name: graded_by_cli(model, held, seed) for name, model in found.items()}


def commanded(start: LanguageModel, told: Dataset, reward: Callable[..., list[float]], steps: int,
              seed: int, name: str) -> LanguageModel:
    """GRPO on requests for commands."""
    recipe = train.GRPORecipe(steps=steps, prompts=8, samples=8, tokens=COMMAND, seed=seed,
                              learning_rate=RATES[GRADED])
    return train.grpo(start, told, reward, recipe, name=name, folder=run_folder(
        name, start.sha256(), data.card(told).sha256, recipe.as_dict())).model


def command_grade(rows: Sequence[Mapping[str, Any]], replies: Sequence[str]) -> list[float]:
    """A third each for a command that the CLI takes, for parameters that fit and for the right
    operation: a verifiable reward."""
    grades = [evaluate.grade_command(reply, row["completion"])
              for row, reply in zip(rows, replies, strict=True)]
    return [(grade.parsed + grade.valid + grade.operation) / 3 for grade in grades]


def at_random(rows: Sequence[Mapping[str, Any]], replies: Sequence[str]) -> list[float]:
    """A number from 0 to 1 that hangs on the reply and means nothing."""
    return [int(hashlib.sha256(reply.encode()).hexdigest()[:8], 16) / 16**8 for reply in replies]


def graded_by_cli(model: LanguageModel, held: Dataset, seed: int) -> dict[str, float]:
    """Sampled commands, as the CLI and the API's models judge them."""
    said = models.roll_out(models.with_chat(model), held["prompt"][:], COMMAND, seed=seed)
    table = evaluate.grade_commands(said.replies(model), held["completion"][:])
    rates = table.set_index("measure")["rate"]
    return {USABLE: float(rates["usable"]), TAKEN: float(rates["parsed"])}
