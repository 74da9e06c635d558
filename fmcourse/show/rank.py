"""Ranking in a notebook: of two replies the better one, and how far to trust oneself.

A button a choice, or a key: 1 or a, 2 or b, 0 or t for a tie; how that works is in
`fmcourse.show.turns`. Where nobody has ranked, `simulate` stands in, and says so.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from datasets import Dataset

from fmcourse import evaluate, store, user_data
from fmcourse.data.annotation.ranking import LEFT, RIGHT, TIE, Ranking
from fmcourse.show.tables import FAINT, Html, table
from fmcourse.show.turns import TurnBox

_BUTTONS = ((LEFT, "1 A is better", "The left or upper reply is better"),
            (RIGHT, "2 B is better", "The right or lower reply is better"),
            (TIE, "0 Tie", "Neither is better"))
_KEYS = {"1": LEFT, "a": LEFT, "left": LEFT, "2": RIGHT, "b": RIGHT, "right": RIGHT,
         "0": TIE, "t": TIE}
_SIDE = ("flex:1 1 16em;border:1px solid rgba(128,128,128,.45);border-radius:4px;"
         "padding:6px 10px;overflow-wrap:anywhere;line-height:1.4")


class RankBox(TurnBox):
    """A ranking to look at and to go on with, choice by choice; made by `show.rank`.

    `choose` takes left, right or tie, or a key. `table` has the columns pair, choice (the reply
    preferred: first, second or tie), left (the reply that stood there), side, repeated and order.
    """

    def __init__(self, ranking: Ranking):
        super().__init__(ranking, _BUTTONS, _KEYS, "1, 2, 0")

    def choose(self, choice: int | str) -> None:
        """Say which reply is better: left, right or tie, or as a key: 1, 2, 0, a, b or t.

        Raises:
            DataError: there is no such choice, or nothing left to rank.
            StoreError: it cannot be saved; nothing has changed then.
        """
        super().choose(self.keys.get(str(choice).lower(), choice))

    def preferences(self) -> Dataset:
        """The choices as `prompt`, `chosen`, `rejected`, `tie` and `pair`, as they were made.

        Second choices about a pair are left out; `select` takes the first of them to train on.

        Raises:
            DataError: nothing is chosen yet.
        """
        return self.sitting.preferences()

    def simulate(self, seed: int = 0, taste: Callable[[str, str], float] | None = None,
                 noise: float = 0.1) -> RankBox:
        """Another box like this one, ranked by a SIMULATED annotator; see `Ranking.simulate`."""
        return RankBox(self.sitting.simulate(seed, taste, noise))

    def measures(self) -> pd.DataFrame:
        """What the choices so far say about the one who chose.

        Returns:
            A row a measure: measure, count, n (out of so many), share, low, high (95 %); nan where
            there is nothing to count. Second choices about a pair count for the side, and for
            consistency, alone.
        """
        made = self.table()
        once, decided = made[~made["repeated"]], made[made["side"] != TIE]
        counts = {"pairs ranked": (len(once), len(self.sitting.pairs)),
                  "tie": (int((once["side"] == TIE).sum()), len(once)),
                  "left side preferred": (int((decided["side"] == LEFT).sum()), len(decided)),
                  "same choice with sides swapped": self.sitting.consistency()}
        rows = [(name, count, n, *_share(count, n)) for name, (count, n) in counts.items()]
        found = pd.DataFrame(rows, columns=["measure", "count", "n", "share", "low", "high"])
        found.loc[0, ["low", "high"]] = float("nan")  # nothing was drawn by chance there
        return found

    def progress(self) -> str:
        """Where the ranking stands, in words."""
        turn, turns = len(self.sitting.given), len(self.sitting.order)
        by = " (by a SIMULATED annotator, not by a person)" if self.sitting.simulated else ""
        if self.done:
            return f"{len(self.sitting.pairs)} pairs ranked{by}"
        return f"Choice {turn + 1} of {turns}: which reply is better?{by}"

    def result(self) -> Html:
        """The measures as a table to look at."""
        return table(self.measures(), dict.fromkeys(("share", "low", "high"), ".2f"),
                     caption=f"Ranking: {self.progress()}")

    def _turn_html(self) -> str:
        prompt, *replies = self.sitting.shown
        sides = "".join(
            f"<div role='group' aria-label='Reply {name}' style='{_SIDE}'>"
            f"<b>{name}</b> <span style='{FAINT}'>key {key}</span><br>{_text(reply)}</div>"
            for name, key, reply in zip("AB", "12", replies, strict=True))
        return (f"<div aria-live='polite'><p style='{FAINT}'>{self.progress()}</p>"
                "<blockquote aria-label='Prompt' style='line-height:1.4'>"
                f"{_text(prompt)}</blockquote>"
                f"<div style='display:flex;flex-wrap:wrap;gap:10px'>{sides}</div></div>")

    def _turn_text(self) -> str:
        prompt, first, second = (text if text.strip() else "(empty)" for text in self.sitting.shown)
        return f"{prompt}\n\n1 A: {first}\n\n2 B: {second}\n\n0 tie"


def _share(count: int, n: int) -> tuple[float, float, float]:
    return (count / n, *evaluate.wilson(count, n)) if n else (float("nan"),) * 3


def _text(text: str) -> str:
    """As written, and escaped: the spaces kept, and line breaks where a viewer drops the style."""
    if not text.strip():
        return f"<span style='{FAINT}'>(empty)</span>"
    lines = html.escape(text).replace("\n", "<br>")
    return f"<span style='white-space:pre-wrap'>{lines}</span>"


def rank(pairs: Dataset | Sequence[Mapping[str, Any]], *, path: Path | str | None = None,
         seed: int = 0) -> RankBox:
    """A box to rank pairs of replies in.

    Args:
        pairs: each with `prompt`, `first` and `second`, two different replies; `simulate` takes
            `scores` (of both) or `better` (how much better the first is) for the truth.
        path: a JSONL file that keeps the choices; by default one in `user_data.home()` that
            belongs to these pairs.
        seed: of the order, of the sides, and of the pair in ten that comes up again.

    Raises:
        DataError: no pairs, or one that is no prompt with two different replies.
        StoreError: the file holds choices between other replies.
    """
    ranking = Ranking(pairs, seed=seed)
    if path is None:
        key = store.sha256_json([ranking.pairs, seed])[:16]
        path = user_data.folder("rankings") / f"{key}.jsonl"
    return RankBox(Ranking(pairs, path, seed))
