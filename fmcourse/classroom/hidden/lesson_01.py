"""Fresh cases of lesson 01."""

from __future__ import annotations

import numpy as np
import torch

from fmcourse.classroom.hidden import Case, Draw


def _pack(draw: Draw) -> Case:
    texts = [[draw.randint(10, 99) for _ in range(draw.randint(2, 12))]
             for _ in range(draw.randint(3, 6))]
    return texts, draw.randrange(10), draw.randint(2, 4)


def _numbers(draw: Draw, rows: int, time: int) -> torch.Tensor:
    """Which document each token of packed rows is of; every row has a boundary. (rows, time)"""
    made = []
    for _ in range(rows):
        ends = {draw.randrange(1, time)} | {
            place for place in range(1, time) if not draw.randrange(5)}
        made.append([sum(end <= place for end in ends) for place in range(time)])
    return torch.tensor(made)


def _labels(draw: Draw) -> Case:
    rows, time = draw.randint(1, 4), draw.randint(6, 12)
    tokens = torch.tensor([[draw.randint(1, 99) for _ in range(time)] for _ in range(rows)])
    return tokens, _numbers(draw, rows, time)


def _mask(draw: Draw) -> Case:
    return (_numbers(draw, draw.randint(1, 4), draw.randint(4, 10)),)


def _bits(draw: Draw) -> Case:
    texts = ["".join(draw.choices("abc é Łß—東", k=draw.randint(4, 30))) + "ü"
             for _ in range(draw.randint(2, 5))]
    nats = [np.array([draw.uniform(0.1, 9) for _ in range(draw.randint(1, 12))]) for _ in texts]
    return nats, texts


def _days(draw: Draw) -> Case:
    return (10 ** draw.uniform(8, 12), 10 ** draw.uniform(9, 13), 10 ** draw.uniform(13, 18),
            draw.uniform(0.05, 0.7))


FRESH = {"pack": _pack, "inputs_and_labels": _labels, "attention_mask": _mask,
         "bits_per_byte": _bits, "train_step": lambda draw: (draw.randrange(2, 10**6),),
         "training_days": _days}
