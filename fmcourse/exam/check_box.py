"""The few questions at a lesson's end: a box to answer them, and a page of them where none can.

A lesson is also read where nothing runs (on the web, in the HTML copy, in print); there all of its
questions stand with their answers to unfold.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from fmcourse.exam import markup
from fmcourse.exam.item import Item
from fmcourse.exam.practice_box import Keep, PracticeBox
from fmcourse.exam.question_box import as_text
from fmcourse.exam.view import view


class CheckBox(PracticeBox):
    """Certain items, one by one; made by `room.check`.

    Args:
        items: to be asked, in order.
        seed: of the order of options.
        keep: as in `PracticeBox`.
    """

    def __init__(self, items: Sequence[Item], seed: int, keep: Keep | None):
        self.items = items
        super().__init__(lambda results: items[len(results):], seed, keep)

    def _repr_html_(self) -> str:
        """All questions, whatever was answered, with their answers folded."""
        views = [view(item, self.seed) for item in self.items]
        return "".join(markup.question(shown, shown.item.label) + markup.folded(shown)
                       for shown in views)

    def __repr__(self) -> str:
        return "\n\n".join(as_text(view(item, self.seed), item.label) for item in self.items)


def varied(items: Sequence[Item], count: int, seed: int) -> list[Item]:
    """So many of the items, of as many claims and types as there are.

    Which ones, hangs on the seed and on each item's id, so that an item more in the bank seldom
    changes the choice.
    """
    left = sorted(items, key=lambda item: random.Random(f"{seed} {item.id}").random())
    chosen: list[Item] = []
    while left and len(chosen) < count:
        best = min(left, key=lambda item: sum(
            (item.claim == other.claim) + (item.type == other.type) for other in chosen))
        left.remove(best)
        chosen.append(best)
    return chosen
