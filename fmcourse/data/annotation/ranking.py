"""One person's ranking: of two replies the better one, saved choice by choice.

People favour a side, and don't always agree with themselves. So which reply stands left is drawn,
half of the pairs each way, and one pair in ten comes up again half a ranking later with its sides
swapped. The second choice tells how consistent the person is; it is never trained on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from datasets import Dataset, Features, Value

from fmcourse import store
from fmcourse.data.annotation.turns import Turns
from fmcourse.data.card import Card, cards_of, with_card
from fmcourse.errors import DataError, meant

LEFT, RIGHT, TIE = SIDES = ("left", "right", "tie")
REPLIES = ("first", "second")
AGAIN = 10  # one pair in so many comes up twice
_COLUMNS = Features(prompt=Value("string"), chosen=Value("string"), rejected=Value("string"),
                    tie=Value("bool"), pair=Value("int64"))


class Showing(NamedTuple):
    """A turn: which pair, whether its second reply stands left, and whether it was seen before."""

    pair: int
    swapped: bool
    repeated: bool


class Ranking(Turns):
    """Pairs of replies, and which of each one person has preferred so far.

    Args:
        pairs: each with `prompt`, `first` and `second`. Only `simulate` looks at `scores` (of the
            first and of the second reply) or `better` (how much better the first is).
        path: a JSONL file that keeps the choices, and is gone on with; None keeps nothing.
        seed: of the order of the pairs, of their sides, and of which come up again.

    Attributes:
        given: the sides chosen so far (left, right or tie), in the order of choosing.
        order: a `Showing` a turn.
        pairs: prompt, first and second reply of each.

    Raises:
        DataError: no pairs, or one that is no prompt with two different replies.
        StoreError: the file holds choices between other replies.

    >>> own = Ranking([{"prompt": "What is 2 + 2?", "first": "4", "second": "Fish."}])
    >>> own.choose("left" if own.shown[1] == "4" else "right")
    >>> own.preferences()[0]["chosen"], own.done
    ('4', True)
    """

    foreign = "This is no choice between these replies, in this order."

    def __init__(self, pairs: Dataset | Sequence[Mapping[str, Any]],
                 path: Path | str | None = None, seed: int = 0):
        rows = list(pairs)
        if not rows:
            raise DataError("There is nothing to rank.", where="ranking",
                            fix="Give pairs: prompt, first and second.")
        self.pairs = [_checked(row, place) for place, row in enumerate(rows)]
        self.rows, self.by = rows, "a person"
        self.card = (cards_of(pairs)[0] if isinstance(pairs, Dataset)
                     else Card("pairs of replies", {}))
        super().__init__(_turns(len(rows), seed), path)

    @property
    def shown(self) -> tuple[str, str, str]:
        """The prompt whose turn it is, and its replies, left and right; nothing at the end."""
        return ("", "", "") if self.done else self._shown(len(self.given))

    def choose(self, side: str) -> None:
        """Say which side is better: left, right or tie.

        Raises:
            DataError: there is no such side, or nothing left to rank.
            StoreError: it cannot be saved; nothing has changed then.
        """
        if self.done:
            raise DataError("Everything is ranked.", where="ranking",
                            fix="Undo, or look at the result.")
        if side not in SIDES:
            raise DataError(f"There is no side {side!r}.", where="ranking",
                            fix=meant(str(side), SIDES))
        self._keep([*self.given, side])

    def simulate(self, seed: int = 0, taste: Callable[[str, str], float] | None = None,
                 noise: float = 0.1) -> Ranking:
        """Another ranking like this one, by a SIMULATED annotator, from start to end; not saved.

        Args:
            seed: of the slips.
            taste: how good a reply is, from prompt and reply; by default the pairs' own `scores`
                or `better`. Equally good ones are a tie.
            noise: share of turns at which the worse reply is preferred; 0.5 guesses.

        Raises:
            DataError: there is nothing to tell by which reply is better, or no such share.
        """
        if not 0 <= noise <= 1:
            raise DataError(f"{noise} is no share of choices.", where="ranking",
                            fix="Use a noise from 0 to 1; 0.5 guesses.")
        better = self._better(taste)
        slips = np.random.default_rng([seed, 5]).random(len(self.order)) < noise
        made = copy.copy(self)
        made.path, made.simulated = None, True
        made.by = f"a SIMULATED annotator, noise {noise}, seed {seed}"
        made.given = []
        for turn, slip in zip(self.order, slips.tolist(), strict=True):
            left_is_better = (better[turn.pair] > 0) ^ turn.swapped ^ slip
            made.given.append(TIE if not better[turn.pair] else LEFT if left_is_better else RIGHT)
        return made

    def table(self) -> pd.DataFrame:
        """A row a choice, in order.

        Returns:
            Columns `pair` (from 0), `choice` (first, second or tie: the reply preferred), `left`
            (the reply that stood there), `side` (left, right or tie), `repeated`, `order`.
        """
        rows = [(turn.pair, self._preferred(turn, side), REPLIES[turn.swapped], side,
                 turn.repeated, place)
                for place, (turn, side) in enumerate(zip(self.order, self.given, strict=False))]
        made = pd.DataFrame(rows, columns=["pair", "choice", "left", "side", "repeated", "order"])
        return made.astype({"pair": int, "repeated": bool, "order": int})  # even without a row

    def preferences(self) -> Dataset:
        """The choices as records to train on, in the order of choosing; second ones are left out.

        Returns:
            Columns `prompt`, `chosen`, `rejected`, `tie` and `pair` (from 0). Of a tie, `chosen`
            is the reply that stood left.

        Raises:
            DataError: nothing is chosen yet.
        """
        rows = []
        for turn, side in enumerate(self.given):
            if not self.order[turn].repeated:
                prompt, *replies = self._shown(turn)
                chosen, rejected = replies[::-1] if side == RIGHT else replies
                rows.append({"prompt": prompt, "chosen": chosen, "rejected": rejected,
                             "tie": side == TIE, "pair": self.order[turn].pair})
        if not rows:
            raise DataError("Nothing is chosen yet.", where="ranking",
                            fix="Choose first, or use simulate().")
        return with_card(Dataset.from_list(rows, features=_COLUMNS), self.card.step(
            "ranked", len(rows), len(self.pairs) - len(rows), f"by {self.by}"))

    def consistency(self) -> tuple[int, int]:
        """Of the pairs that came up twice, how many were decided alike, and how many there are."""
        choices = self.table().set_index("pair")[["choice", "repeated"]]
        second = choices[choices["repeated"]]["choice"]
        first = choices[~choices["repeated"]]["choice"].reindex(second.index)
        return int((first == second).sum()), len(second)

    def _better(self, taste: Callable[[str, str], float] | None) -> np.ndarray:
        """How much better the first reply is than the second. (pairs,)"""
        try:
            if taste is not None:
                scores = [(taste(prompt, first), taste(prompt, second))
                          for prompt, first, second in self.pairs]
            elif all("scores" in row for row in self.rows):
                scores = [row["scores"] for row in self.rows]
            else:
                scores = [(row["better"], 0) for row in self.rows]
            found = np.asarray([float(first) - float(second) for first, second in scores])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("There is nothing to tell by which reply is better.", where="ranking",
                            fix="Give pairs with numbers, scores (of both) or better, or a taste "
                                "that returns one.") from error
        if not np.isfinite(found).all():
            raise DataError("How good a reply is must be a number.",
                            where=f"ranking: pair {int(np.argmin(np.isfinite(found)))}",
                            fix="Score it, or leave it out.")
        return found

    def _shown(self, turn: int) -> tuple[str, str, str]:
        showing = self.order[turn]
        prompt, *replies = self.pairs[showing.pair]
        return prompt, *(replies[::-1] if showing.swapped else replies)

    @staticmethod
    def _preferred(turn: Showing, side: str) -> str:
        return TIE if side == TIE else REPLIES[(side == RIGHT) ^ turn.swapped]

    def _line(self, turn: int, choice: str) -> dict[str, Any]:
        showing = self.order[turn]
        return {"pair": store.sha256_json(self.pairs[showing.pair])[:16],
                "left": REPLIES[showing.swapped], "repeated": showing.repeated,
                "side": choice, "choice": self._preferred(showing, choice)}

    def _choice(self, row: dict[str, Any]) -> str:
        return SIDES[SIDES.index(row["side"])]


def _checked(row: Mapping[str, Any], place: int) -> tuple[str, str, str]:
    """The prompt and replies of a pair, if a person can compare them."""
    where, names = f"ranking: pair {place}", ("prompt", *REPLIES)
    known = row if isinstance(row, Mapping) else {}
    missing = [name for name in names if not isinstance(known.get(name), str)]
    if missing:
        raise DataError(f"This pair has no text as {', '.join(missing)}.", where=where,
                        fix="Give prompt, first and second.")
    prompt, first, second = (row[name] for name in names)
    if first.strip() == second.strip():
        raise DataError("Both replies look the same: there is nothing to compare.", where=where,
                        fix="Leave this pair out, or sample at a higher temperature.")
    return prompt, first, second


def _turns(count: int, seed: int) -> list[Showing]:
    """All pairs in an order drawn; some of its first half again in its second."""
    draw, half = np.random.default_rng([seed, 6]), count // 2
    order = draw.permutation(count).tolist()
    swapped = (draw.permutation(count) % 2 == 1).tolist()
    again = set(draw.choice(half, count // AGAIN, replace=False).tolist())
    turns = []
    for place, pair in enumerate(order):
        turns.append(Showing(pair, swapped[place], False))
        if place - half in again:
            turns.append(Showing(order[place - half], not swapped[place - half], True))
    return turns
