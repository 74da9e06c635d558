"""The way of human feedback once, at a seed no ledger has: what each step gains, and its seconds.

    python benchmarks/feedback.py [seed]

An assistant is tuned on demonstrations of mixed manners; two of its answers to each prompt are
compared by a simulated annotator; a reward model learns from the comparisons; PPO makes the
assistant say what the reward model likes, with a price on divergence and for free. The rubric
behind the annotator, which no model sees, judges. The settings of H2 and H3 come from here.
Writes benchmarks/results/feedback.json.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from datasets import Dataset

from fmcourse import evaluate, hardware, models, store, train
from fmcourse.data.assistant import (
    Annotator,
    assistant_prompts,
    ceiling,
    demonstrations,
    preferences,
)
from fmcourse.evidence.ledger import versions
from fmcourse.models import LanguageModel

RESULTS = Path(__file__).with_name("results") / "feedback.json"
ANNOTATOR = Annotator(sharpness=12.0, slips=0.03)
SHARES = {"task": 0.3, "ordinary": 0.35, "lookalike": 0.35}  # harm is another question
LONGEST = 48  # tokens of a reply
PRICES = {"PPO": 0.05, "PPO without a price on KL": 0.0}


def answers(model: LanguageModel, prompts: Dataset, seed: int, samples: int = 1) -> list[str]:
    """What a model says, sampled; a prompt's samples side by side."""
    return models.roll_out(model, prompts["prompt"][:], LONGEST, samples=samples,
                           seed=seed).replies(model)


def compared(model: LanguageModel, prompts: Dataset, seed: int) -> Dataset:
    """Two answers to each prompt, compared by the annotator."""
    said, rows = answers(model, prompts, seed, samples=2), list(prompts)
    first, second = (evaluate.rubric(rows, said[side::2])["utility"] for side in (0, 1))
    return preferences(prompts, said[::2], said[1::2], (first, second), ANNOTATOR, seed)


def main(seed: int = 10) -> None:
    """All steps, each with its seconds."""
    seconds, last = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        seconds[name], last = time.perf_counter() - last, time.perf_counter()

    recipe = train.InstructRecipe(tokens=300_000, learning_rate=2e-3, seed=seed)
    start = train.instruct(models.load("base"), demonstrations(3800, seed, shares=SHARES), recipe,
                           name="assistant", show_progress=False).model
    lap("supervised tuning")
    pairs = compared(start, assistant_prompts(2200, seed, shares=SHARES), seed)
    held = compared(start, assistant_prompts(600, seed, "test", SHARES), seed)
    lap("comparisons")
    judge = train.reward(models.load("base"), pairs, train.RewardRecipe(seed=seed),
                         show_progress=False).model
    found = evaluate.preference_report(judge, held)
    lap("reward model")
    test = assistant_prompts(300, seed, "test", SHARES)
    practice = assistant_prompts(3000, seed + 100, shares=SHARES)
    rows, before = list(test), answers(start, test, seed)
    apart = practice.select(range(300))
    judge = judge.standardised(apart["prompt"][:], answers(start, apart, seed))
    arms = {"start": {"utility": float(evaluate.rubric(rows, before)["utility"].mean()),
                      "reward": float(judge.score(test["prompt"][:], before).mean())}}
    for name, price in PRICES.items():
        run = train.ppo(start, practice, judge, train.PPORecipe(
            steps=36, tokens=LONGEST, learning_rate=2e-4, kl_coefficient=price, seed=seed),
            name=name, show_progress=False)
        said = answers(run.model, test, seed)
        arms[name] = {
            "utility": float(evaluate.rubric(rows, said)["utility"].mean()),
            "reward": float(judge.score(test["prompt"][:], said).mean()),
            "KL, nats a reply": run.metrics["kl"],
            "win rate": evaluate.win_rate(rows, said, before),
            "says": dict(zip(test["prompt"][:4], said[:4], strict=True))}
        lap(name)
        print(name, arms[name], flush=True)
    store.write_json(RESULTS, {
        "seed": seed, "reward model": {**found, "ceiling": ceiling(held, ANNOTATOR),
                                       "pairs": len(pairs)},
        "arms": arms, "seconds": seconds, "versions": versions(),
        "hardware": hardware.detect().as_record()})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
