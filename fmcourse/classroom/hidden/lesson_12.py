"""Fresh cases of lesson 12."""

from __future__ import annotations

import math

import torch

from fmcourse.classroom.hidden import Case, Draw
from fmcourse.classroom.hidden.lesson_10 import _numbers


def _logits(draw: Draw) -> Case:
    """Two opinions about rows of which some tokens count."""
    rows, time, size = draw.randint(1, 3), draw.randint(3, 5), draw.randint(5, 9)
    numbers = _numbers(draw)
    student, teacher = 2 * torch.randn(2, rows, time, size, generator=numbers)
    mask = (torch.rand(rows, time, generator=numbers) < 0.5).float()
    mask[0, 0], mask[0, -1] = 0, 1
    return student, teacher, mask, draw.each([1.0, 1.5, 3.0])


def _opinions(draw: Draw) -> Case:
    """As they come, softened, or nearly certain."""
    size, numbers = draw.randint(6, 10), _numbers(draw)
    logits = 3 * torch.randn(draw.randint(1, 4), size, generator=numbers)
    kind = draw.each(["plain", "softened", "sure"])
    if kind == "sure":
        logits[:, draw.randrange(size)] += draw.randint(60, 80)
    return logits, draw.randint(2, 4), draw.uniform(1.5, 4) if kind == "softened" else 1.0


def _seed(draw: Draw) -> Case:
    return (draw.randrange(10**6),)


def _prices(draw: Draw) -> Case:
    """A student that is cheaper, dearer, or as dear; never at a whole number of requests."""
    if draw.turn % 8 == 7:
        price = round(draw.uniform(0.1, 1), 2)
        return draw.uniform(5, 300), draw.uniform(5, 300), price, price
    while True:
        once = [round(draw.uniform(5, 300), 2) for _ in range(2)]
        student = round(draw.uniform(0.1, 1), 2)
        teacher = round(student * draw.each([4.3, 1.6, 1.1, 0.7]), 3)
        requests = 1000 * sum(once) / (teacher - student)
        if abs(requests - round(requests)) > 0.01 and not math.isclose(teacher, student):
            return (*once, teacher, student)


FRESH = {"soft_loss": _logits, "likeliest_tokens": _opinions, "distil": _seed,
         "break_even": _prices}
