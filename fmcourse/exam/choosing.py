"""Which questions a mock exam asks: by lot, but neither without a task statement nor lopsided.

Drawn by lot alone, a task statement with few items is often missing, and one mock has thrice as
many orderings and matchings as another. So both are held to their shares of the bank, claims take
turns, and two items that are nearly the same are not asked together.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from fmcourse.exam.item import Item

ALIKE = 0.4  # of all words of two items; those of the bank that ask the same share more than this


def choose(bank: Sequence[Item], count: int, chance: random.Random) -> list[Item]:
    """So many items, by task statement and by type in proportion to the bank.

    Each task statement is asked about at least once where `count` allows it. Where types, turns of
    claims and near-doubles cannot all be heeded, task statements come first and near-doubles are
    avoided next.

    Args:
        bank: not fewer items than are wanted; their order makes no difference.
        count: how many.
        chance: decides between items that serve alike.
    """
    order = sorted(bank, key=lambda item: item.id)
    left = {item.id: item for item in chance.sample(order, len(order))}
    said = {item.id: words(item) for item in bank}
    tasks = apportioned(Counter(item.task for item in bank), count)
    types = apportioned(Counter(item.type for item in bank), count)
    room, asked, doubles = Counter(types), Counter(), set()
    chosen: list[Item] = []
    # The task with most items comes last: it has all types, and so can make up what is missing.
    for task in sorted(tasks, key=lambda name: (tasks[name], name)):
        for _ in range(tasks[task]):
            best = min((item for item in left.values() if item.task == task), key=lambda item: (
                item.id in doubles, room[item.type] <= 0, asked[item.claim],
                -room[item.type] / max(1, types[item.type])))
            del left[best.id]
            doubles |= {name for name in left if alike(said[name], said[best.id])}
            room[best.type] -= 1
            asked[best.claim] += 1
            chosen.append(best)
    return chosen


def apportioned(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """A whole number divided in proportion, by largest remainders; at least one for each.

    Args:
        sizes: name → how many there are.
        count: to be divided, at most as many as there are.

    >>> apportioned({"3.1": 15, "3.2": 4, "3.3": 281}, 60)
    {'3.1': 3, '3.2': 1, '3.3': 56}
    """
    exact = {name: count * size / sum(sizes.values()) for name, size in sizes.items()}
    least = 1 if count >= len(sizes) else 0
    given = {name: max(least, int(share)) for name, share in exact.items()}
    while (missing := count - sum(given.values())) != 0:
        by = 1 if missing > 0 else -1
        able = [name for name in sorted(sizes) if least <= given[name] + by <= sizes[name]]
        given[max(able, key=lambda name: by * (exact[name] - given[name]))] += by
    return given


def words(item: Item) -> frozenset[str]:
    """The longer words of a question and its options."""
    text = " ".join([item.stem, *item.options.values(), *item.prompts.values()])
    return frozenset(re.findall(r"[a-z]{4,}", text.lower()))


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two items say so much the same that asking both would count one answer twice."""
    return len(one & other) > ALIKE * len(one | other)
