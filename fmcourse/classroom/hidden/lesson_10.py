"""Fresh cases of lesson 10."""

from __future__ import annotations

import torch
from torch import Tensor

from fmcourse.classroom.hidden import Case, Draw


def _numbers(draw: Draw) -> torch.Generator:
    return torch.Generator().manual_seed(draw.randrange(10**6))


def _lengths(draw: Draw, rows: int, time: int) -> Tensor:
    """A mask whose rows end at several places. (rows, time)"""
    sizes = torch.tensor([draw.randint(1, time - 1), time, *(
        draw.randint(1, time) for _ in range(rows - 2))])
    return (torch.arange(time) < sizes[:, None]).float()


def _pairs(draw: Draw) -> Case:
    """Clear ones, some far apart, some with ties."""
    count, numbers = draw.randint(3, 8), _numbers(draw)
    chosen, rejected = 2 * torch.randn(2, count, generator=numbers)
    ties = torch.zeros(count, dtype=torch.bool)
    kind = draw.each(["clear", "far", "ties"])
    if kind == "far":
        chosen[0] -= draw.randint(300, 900)
    if kind == "ties":
        ties[draw.sample(range(count), draw.randint(1, count - 1))] = True
    return chosen, rejected, ties


def _rollout(draw: Draw) -> Case:
    rows, time, numbers = draw.randint(2, 4), draw.randint(3, 7), _numbers(draw)
    mask = _lengths(draw, rows, time)
    rewards, values = torch.randn(2, rows, time, generator=numbers)
    return rewards * mask, values, mask, draw.uniform(0.7, 0.99), draw.uniform(0.3, 0.95)


def _scored(draw: Draw) -> Case:
    rows, time, numbers = draw.randint(2, 4), draw.randint(3, 7), _numbers(draw)
    now, then = -3 * torch.rand(2, rows, time, generator=numbers)
    return (torch.randn(rows, generator=numbers), now, then, _lengths(draw, rows, time),
            draw.uniform(0.05, 2))


def _rated(draw: Draw) -> Case:
    """Rewards and lengths that are sometimes equal."""
    count = draw.randint(6, 14)
    chosen, rejected = ([draw.randint(0, 5) / 2 for _ in range(count)] for _ in range(2))
    sizes = [[draw.choice([9, 12, 20, 25, 40]) for _ in range(count)] for _ in range(2)]
    return chosen, rejected, [50, 20, *sizes[0][2:]], [9, 20, *sizes[1][2:]]


def _choices(draw: Draw) -> Case:
    """Two who agree by more than chance, or less."""
    count, agreed = draw.randint(15, 40), draw.each([0.9, 0.75, 0.4])
    first = [draw.randrange(2) for _ in range(count)]
    apart = {*draw.sample(range(count), round((1 - agreed) * count))}
    return first, [1 - one if i in apart else one for i, one in enumerate(first)]


FRESH = {"preference_loss": _pairs, "advantages": _rollout, "token_rewards": _scored,
         "length_bias": _rated, "ceiling": _choices}
