"""Fresh cases of lesson 09."""

from __future__ import annotations

import numpy as np

from fmcourse.classroom.hidden import Case, Draw


def _votes(draw: Draw) -> Case:
    numbers = np.random.default_rng(draw.randrange(10**6))
    classes, people = draw.randint(2, 4), draw.randint(2, 4)
    confusion = numbers.uniform(0.1, 1, (people, classes, classes)) + 2 * np.eye(classes)
    prior = numbers.uniform(0.1, 1, classes)
    count = draw.each([1, 2, 3, 1200, 5, 2, 4, 7])
    votes = [(draw.randrange(people), draw.randrange(classes)) for _ in range(count)]
    return (votes[:1] * 3000 if draw.turn % 8 == 5 else votes,
            confusion / confusion.sum(-1, keepdims=True), prior / prior.sum())


def _curve(draw: Draw) -> Case:
    """A noisy power law that falls, or one that rises, and a target within reach."""
    sizes = [draw.choice([20, 50, 80]) * 2**power for power in range(draw.randint(3, 6))]
    falls = draw.random() < 0.8
    power = draw.uniform(0.3, 0.7) if falls else -0.2
    errors = [2 * size ** -power * draw.uniform(0.93, 1.07) * (1 if falls else 0.05)
              for size in sizes]
    return sizes, errors, (errors[-1] if falls else errors[0]) * draw.uniform(0.5, 0.9)


def _kinds(draw: Draw) -> Case:
    kinds = draw.sample(["letter", "mail", "call", "form", "chat"], draw.randint(2, 4))
    collected = draw.choices(kinds, range(1, len(kinds) + 1), k=draw.randint(8, 20)) + kinds
    met = draw.choices(kinds[:draw.randint(1, len(kinds))], k=draw.randint(5, 40))
    return collected, met + ["fax"] * (draw.random() < 0.2)


def _table(draw: Draw) -> Case:
    accepted, member, groups = [], [], []
    for name in draw.sample(["physics", "history", "law", "arts", "music"], draw.randint(2, 4)):
        size, share = draw.randint(6, 16), draw.uniform(0.2, 0.8)
        accepted += [True, False, *(draw.random() < 0.5 for _ in range(size))]
        member += [draw.random() < share for _ in range(size + 2)]
        groups += [name] * (size + 2)
    for name in ("all", "none")[:draw.randrange(3)]:
        accepted += [name == "all"] * 5
        member += [draw.random() < 0.5 for _ in range(5)]
        groups += [name] * 5
    order = draw.sample(range(len(groups)), len(groups))
    return tuple([column[i] for i in order] for column in (accepted, member, groups))


FRESH = {"beliefs": _votes, "examples_needed": _curve, "importance": _kinds,
         "conditional_disparity": _table}
