"""A verifiable reward, for H5: commands for the AWS CLI, graded by the CLI's own parser."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from datasets import Dataset

from fmcourse import data, evaluate, models, store, train
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.shared import fine_tuned, run_folder
from fmcourse.models import Adapter, LanguageModel
from fmcourse.train.judging import Reward

SAMPLED, LIKELIEST = "grade of a command", "grade of the likeliest command"
TUNED, GRADED, RANDOM = "tuned on commands", "GRPO, commands graded", "GRPO on commands, random"
SHORT, LONGEST = 400, 64  # characters of a conversation that is read whole; tokens of a command
PRICE = 0.1  # β of GRPO; at its default 0.02 a policy was 18 nats away after nine steps
RANK = 16  # of the LoRA by which SmolLM2 is tuned, and then trained by GRPO
TUNING = {
    "base": train.InstructRecipe(tokens=400_000, learning_rate=2e-3),
    "smollm2": train.InstructRecipe(tokens=40_000, learning_rate=1e-3, batch_tokens=512,
                                    micro_rows=2, max_length=256, adapter=Adapter(rank=RANK))}
ONLINE = {
    "base": train.GRPORecipe(steps=32, prompts=8, samples=8, tokens=LONGEST, learning_rate=1e-4,
                             beta=PRICE),
    "smollm2": train.GRPORecipe(steps=16, prompts=4, samples=8, tokens=LONGEST, learning_rate=5e-4,
                                beta=PRICE, epochs=1, minibatch=8)}
ASKED = {"base": 300, "smollm2": 120}  # requests of the test
REWARDS = {"base": (GRADED, RANDOM), "smollm2": (GRADED,)}


def commanded(start: str, seed: int, share: float = 1.0) -> dict[str, dict[str, float]]:
    """A model tuned on commands, then rewarded for what the CLI makes of its own; ours at random,
    too, for a control.

    The test is of operations that training never shows. A policy that has merely become surer of
    itself writes better commands when they are sampled, and no better likeliest ones; both are
    graded.

    Args:
        start: 'base' or 'smollm2'.
        share: of tokens, steps and requests; less than 1 for a trial that judges nothing.

    Returns:
        Arm → metric → value.
    """
    told, asked = requests(seed, "train"), requests(seed, "test_operations")
    tuning, online = (replace(recipe, seed=seed) for recipe in (TUNING[start], ONLINE[start]))
    tuning = replace(tuning, tokens=round(share * tuning.tokens))
    online = replace(online, steps=max(1, round(share * online.steps)))
    test = data.sample(asked, max(4, round(share * ASKED[start])), seed)
    clerk = fine_tuned(models.load(start), told, tuning, TUNED).model
    policy = models.adapt(clerk, Adapter(rank=RANK)) if tuning.adapter else clerk
    rewards = {GRADED: command_grade, RANDOM: at_random}
    found = {TUNED: clerk} | {name: grpo_run(policy, told, rewards[name], online, name).model
                              for name in REWARDS[start]}
    return {name: graded(model, clerk, test, seed) for name, model in found.items()}


@cache
def requests(seed: int, part: str) -> Dataset:
    """Short requests for commands, each with the likeliest line of the manual before it."""
    return data.with_manual(data.commands(seed)[part], data.manual(), count=1).filter(
        lambda row: len(row["text"]) < SHORT)


def graded(policy: LanguageModel, start: LanguageModel, test: Dataset, seed: int
           ) -> dict[str, float]:
    """What the CLI makes of a policy's commands, and how far it is from its start."""
    found = {}
    for name, temperature in {SAMPLED: 1.0, LIKELIEST: 0.01}.items():
        made = models.roll_out(models.with_chat(policy), test["prompt"][:], LONGEST, seed=seed,
                               temperature=temperature)
        found[name] = sum(command_grade(list(test), made.replies(policy))) / len(test)
    return found | {feedback.KL: feedback.divergence(policy, start, test, seed)}


def grpo_run(start: LanguageModel, prompts: Dataset, reward: Reward, recipe: train.GRPORecipe,
             name: str) -> train.Run:
    """GRPO with a program for a reward, or the same run opened if it was done before."""
    run = train.grpo(start, prompts, reward, recipe, name=name, folder=run_folder(
        name, start.sha256(), store.sha256_json(prompts.to_list()), recipe.as_dict()))
    run.name = run.model.name = name
    return run


def command_grade(rows: Sequence[Mapping[str, Any]], replies: Sequence[str]) -> list[float]:
    """A quarter each for the right service, for the right operation of it, for a command that the
    CLI takes and for parameters that fit: a verifiable reward."""
    grades = [evaluate.grade_command(reply, row["completion"])
              for row, reply in zip(rows, replies, strict=True)]
    return [(grade.service + grade.operation + grade.parsed + grade.valid) / 4 for grade in grades]


def at_random(rows: Sequence[Mapping[str, Any]], replies: Sequence[str]) -> list[float]:
    """A number from 0 to 1 that hangs on the reply and means nothing."""
    return [int(hashlib.sha256(reply.encode()).hexdigest()[:8], 16) / 16**8 for reply in replies]
