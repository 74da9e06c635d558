"""Tiny random models over a real tokenizer: every measure must be right before training is."""

from __future__ import annotations

import pydoc_data.topics

import pytest
import torch
from torch.overrides import TorchFunctionMode

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


class WithoutFloat64(TorchFunctionMode):
    """Stands for Apple's GPU: a tensor may become float64 only once `.cpu()` brought it home."""

    TO_FLOAT64 = ("double", "to", "type")

    def __init__(self):
        super().__init__()
        self.home: list[torch.Tensor] = []  # kept, so that no other tensor gets their identity

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name == "cpu":
            self.home.append(result)
        elif (name in self.TO_FLOAT64 and getattr(result, "dtype", None) == torch.float64
              and not any(args[0] is tensor for tensor in self.home)):
            raise TypeError("This device has no float64.")
        return result


@pytest.fixture
def without_float64():
    """Everything not fetched by `.cpu()` is on a device that has no float64."""
    with WithoutFloat64() as device:
        with pytest.raises(TypeError, match="no float64"):
            torch.ones(1).double().cpu()
        yield device
