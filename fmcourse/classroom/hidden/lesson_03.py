"""Fresh cases of lesson 03."""

from __future__ import annotations

import numpy as np
import torch

from fmcourse.classroom.hidden import Case, Draw


def _pooled(draw: Draw) -> Case:
    rows, time = draw.randint(2, 5), draw.randint(3, 9)
    numbers = torch.Generator().manual_seed(draw.randrange(10**6))
    mask = []
    for _ in range(rows):
        kept = draw.randint(1, time - 1)
        mask.append([place < kept for place in range(time)][::draw.choice([1, -1])])
    return torch.randn(rows, time, draw.randint(2, 6), generator=numbers), torch.tensor(mask)


def _standardised(draw: Draw) -> Case:
    numbers = np.random.default_rng(draw.randrange(10**6))
    width, still = draw.randint(2, 5), draw.choice([-2.0, 0.5, 1.0, 3.0])
    sets = []
    for rows in (draw.randint(200, 400), draw.randint(50, 100)):
        centre, spread = numbers.uniform(2, 9, width), numbers.uniform(0.2, 4, width)
        sets.append(np.column_stack([numbers.normal(centre, spread, (rows, width)),
                                     np.full(rows, still)]))
    return sets[0], sets[1]


def _curve(draw: Draw) -> Case:
    sizes = sorted(draw.sample([8, 16, 50, 120, 300, 900, 2500], draw.randint(3, 5)))
    scores = np.cumsum([draw.uniform(0.1, 0.3)] + [draw.uniform(0.05, 0.15) for _ in sizes[1:]])
    place = draw.randrange(len(sizes) - 1)
    target = scores[place] + draw.uniform(0.1, 0.9) * (scores[place + 1] - scores[place])
    target = draw.choice([target] * 4 + [scores[0] - 0.05, scores[-1] + 0.05, scores[-1]])
    curve = dict(zip(sizes, map(float, scores), strict=True))
    return {size: curve[size] for size in draw.sample(sizes, len(sizes))}, float(target)


FRESH = {"pooled": _pooled, "standardised": _standardised, "labels_needed": _curve,
         "fit_head": lambda draw: (draw.randrange(2, 10**6),)}
