"""A world small enough to train in while a test waits: 120 texts, 384 tokens, 20,000 weights.

Functions, for child processes and benchmarks of the tests; and the fixtures `quiet_machine` (one
thread, float32, an empty home) for a folder's conftest to import.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
import torch
from datasets import Dataset

from fmcourse.data import Card, TokenFile, tokens, with_card
from fmcourse.models import LanguageModel, Shape, build, train_tokenizer

CONTEXT = 32
SHAPE = Shape(width=32, layers=2, inner=64, heads=2)
ANIMALS = ("fox", "heron", "badger", "otter", "owl", "hare", "toad", "wren", "mole", "stoat")
PLACES = ("river", "old mill", "orchard", "harbour", "stone bridge", "wood", "hill", "marsh",
          "lane", "ruined chapel", "meadow", "quarry")


def texts() -> list[str]:
    """120 short texts, ten animals in twelve places, all different."""
    return [
        f"The {animal} lives by the {place}. Every morning it looks at the water and the sky, "
        f"and in winter {number} children leave bread for the {animal} near the {place}."
        for number, (animal, place) in enumerate(product(ANIMALS, PLACES), 2)
    ]


def dataset() -> Dataset:
    """Texts, forty documents of three, two sources, with a card."""
    whole = texts()
    rows = {"text": whole, "document": [f"book {i // 3}" for i in range(len(whole))],
            "source": ["north" if i < 60 else "south" for i in range(len(whole))]}
    return with_card(Dataset.from_dict(rows),
                     Card("tiny", {"north": "0" * 64, "south": "1" * 64}, licence=("CC0-1.0",)))


@cache
def tokenizer():
    """384 tokens learnt from the texts."""
    return train_tokenizer(texts(), vocabulary=384, context=CONTEXT)


def model(objective: str = "causal", seed: int = 0, scale: float = 1.0) -> LanguageModel:
    """A random model; a `scale` above 1 makes its predictions far from uniform."""
    made = build(SHAPE, tokenizer(), objective, context=CONTEXT, seed=seed)
    with torch.no_grad():
        for parameter in made.network.parameters():
            if parameter.ndim > 1:
                parameter.mul_(scale)
    return made


def token_file() -> TokenFile:
    """The data set as tokens, about 7,000; made anew in an empty home."""
    return tokens(dataset(), tokenizer())


@pytest.fixture(autouse=True)
def quiet_machine(request, tmp_path, monkeypatch):
    """One thread, float32, no progress line, and a home of its own for each test.

    Tests of the real data share the real home: in an empty one each would fetch all anew.
    """
    torch.set_num_threads(1)
    if request.node.get_closest_marker("data") is None:
        monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FMCOURSE_DTYPE", "float32")
    monkeypatch.setenv("FMCOURSE_DEVICE", "cpu")
    monkeypatch.setenv("FMCOURSE_PROGRESS", "0")
