"""Tiny random models over a real tokenizer: every measure must be right before training is."""

from __future__ import annotations

import pydoc_data.topics

import pytest
import torch

from fmcourse.models import LanguageModel, build, train_tokenizer


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def prose() -> list[str]:
    """Python's own reference manual: real text that is always there."""
    return [text for _, text in sorted(pydoc_data.topics.topics.items())]


@pytest.fixture(scope="session")
def tokenizer(prose):
    return train_tokenizer(prose[:30], vocabulary=512, context=256)


def _awake(model: LanguageModel, scale: float = 4.0) -> LanguageModel:
    """Larger weights, so that predictions differ from uniform and from each other."""
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.dim() > 1:
                parameter.mul_(scale)
    return model


@pytest.fixture(scope="session")
def causal(tokenizer) -> LanguageModel:
    return _awake(build("tiny", tokenizer, context=256, seed=1))


@pytest.fixture(scope="session")
def masked(tokenizer) -> LanguageModel:
    return _awake(build("tiny", tokenizer, objective="masked", context=256, seed=1))


@pytest.fixture(scope="session")
def texts(prose) -> list[str]:
    """Documents of one character, some words and several windows, and one not in English."""
    return ["a", "The cat sat on the mat.", prose[3][:900], "Überraschung: 3 × 4 = 12 …",
            prose[5][:400], prose[40][:1500]]
