"""Fresh cases of lesson 06."""

from __future__ import annotations

import torch

from fmcourse.classroom.checks.lesson_06 import LEVELS
from fmcourse.classroom.hidden import Case, Draw


def _layer(draw: Draw) -> Case:
    return (draw.randint(3, 9), draw.randint(3, 9), draw.randint(2, 3), draw.uniform(4, 20))


def _shapes(draw: Draw) -> Case:
    return ([(draw.randint(2, 40) * 64, draw.randint(2, 40) * 64)
             for _ in range(draw.randint(2, 8))], draw.choice([2, 4, 8, 16, 64]))


def _weights(draw: Draw) -> Case:
    block = draw.choice([4, 8, 16])
    numbers = torch.Generator().manual_seed(draw.randrange(10**6))
    weights = torch.randn(draw.randint(2, 5), 16, generator=numbers)
    return weights * torch.rand(len(weights), 1, generator=numbers) * 3, LEVELS, block


def _memory(draw: Draw) -> Case:
    return (10 ** draw.uniform(8, 11), draw.choice([4, 8, 16, 32]), 10 ** draw.uniform(6, 8))


FRESH = {"LoRA": _layer, "lora_parameters": _shapes, "four_bits": _weights,
         "start": lambda draw: (draw.randrange(2, 10**6),), "training_gigabytes": _memory}
