"""What the tests of online learning share: a tuned tiny model, prompts, rewards, a small recipe."""

from __future__ import annotations

from functools import cache

import tiny
import torch
from datasets import Dataset

from fmcourse.models import LanguageModel, build, with_chat

SMALL = {"steps": 20, "tokens": 8, "minibatch": 32, "looks": 2, "learning_rate": 5e-3}
LETTERS = "aeiou"


@cache
def _policy() -> LanguageModel:
    made = with_chat(build(tiny.SHAPE, tiny.tokenizer(), context=96, seed=0))
    made.network.generation_config.eos_token_id += list(range(20, 384, 40))  # it ends now and then
    return made


def policy() -> LanguageModel:
    """A random model that knows how to end."""
    return _policy().copy()


def prompts(count: int = 8) -> Dataset:
    """Questions, and a number with each."""
    asked = [f"Where does the {tiny.ANIMALS[i % 10]} live?" for i in range(count)]
    return Dataset.from_dict({"prompt": asked, "number": [*range(count)]})


def vowels(rows, replies) -> list[float]:
    """The share of vowels."""
    return [sum(letter in LETTERS for letter in said) / max(1, len(said)) for said in replies]


def noise(rows, replies) -> list[float]:
    """A number that has nothing to do with the meaning, and is the same for the same replies."""
    return [hash_of(said + str(row["number"])) for row, said in zip(rows, replies, strict=True)]


def hash_of(text: str) -> float:
    """From 0 to 1."""
    from fmcourse import store

    return int(store.sha256_text(text)[:8], 16) / 2**32


def weights(model) -> torch.Tensor:
    """All of them, flat."""
    return torch.cat([p.detach().flatten() for p in model.network.parameters()])


def score(run, reward) -> float:
    """The mean reward of what a run's model says, sampled anew."""
    from fmcourse.models import roll_out

    asked = [*prompts()]
    made = roll_out(run.model, [row["prompt"] for row in asked], 8, samples=32, seed=77)
    each = [row for row in asked for _ in range(32)]
    found = reward(each, made.replies(run.model))
    return sum(found) / len(found)
