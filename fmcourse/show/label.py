"""Labelling in a notebook: each text twice, and how far one agrees with oneself.

A button a class, or its number as a key; how that works is in `fmcourse.show.turns`. Where nobody
has labelled, `simulate` stands in, and says so.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fmcourse import evaluate, store, user_data
from fmcourse.data.annotation.sitting import READINGS, Sitting
from fmcourse.errors import DataError
from fmcourse.show.tables import FAINT, Html, table
from fmcourse.show.turns import TurnBox


class LabelBox(TurnBox):
    """A sitting to look at and to go on with, label by label; made by `show.label`.

    `choose` takes a class by its number from 0 or its name, `table` has the columns item,
    annotator (which reading), label (from 0) and order.
    """

    def __init__(self, sitting: Sitting):
        named = list(enumerate(sitting.classes, 1))
        super().__init__(sitting, [(key - 1, f"{key} {name}", f"Label it {name}")
                                   for key, name in named],
                         {str(key): key - 1 for key, _ in named}, f"1 to {len(named)}")

    def simulate(self, seed: int = 0, skill: float = 0.8) -> LabelBox:
        """Another box like this one, labelled by a simulated annotator, and never saved.

        Raises:
            DataError: the truth was not given, and there is nothing to simulate from.
        """
        return LabelBox(self.sitting.simulate(seed, skill))

    def manifest(self, path: Path | str) -> Path:
        """Write the labels as a Ground Truth manifest: of each text, the latest."""
        return self.sitting.manifest(path)

    def agreement(self) -> pd.DataFrame:
        """How far the two readings agree, on the texts read twice so far.

        Returns:
            A row a measure: measure, n (texts), value, low, high (95 %). Kappa is nan if only one
            class was ever used. With the truth given, also how many labels are right.

        Raises:
            DataError: no text has been read twice.
        """
        both = evaluate.ratings(self.table()).reindex(columns=READINGS).dropna().astype(int)
        if not len(both):
            raise DataError("No text has been read twice yet.", where="LabelBox.agreement",
                            fix="Go on to the second reading, or use simulate().")
        first, second = (both[name].tolist() for name in READINGS)
        n, same = len(both), evaluate.percent_agreement(first, second)
        rows = [("same label twice", n, same, *evaluate.wilson(same * n, n)),
                ("Cohen's kappa", n, evaluate.cohen_kappa(first, second),
                 *evaluate.cohen_interval(first, second))]
        if self.sitting.truth is not None:
            truth = np.asarray(self.sitting.truth)[both.index]
            for name, own in zip(READINGS, (first, second), strict=True):
                right = int((truth == own).sum())
                rows.append((f"right, {name}", n, right / n, *evaluate.wilson(right, n)))
        return pd.DataFrame(rows, columns=["measure", "n", "value", "low", "high"])

    def progress(self) -> str:
        """Where the labelling stands, in words."""
        turn, count = len(self.sitting.given), len(self.sitting.texts)
        by = " (by a SIMULATED annotator, not by a person)" if self.sitting.simulated else ""
        if self.done:
            return f"{count} texts labelled twice{by}"
        reading = self.sitting.reading(turn).capitalize()
        return f"{reading}, text {turn % count + 1} of {count}{by}"

    def result(self) -> Html:
        """The agreement as a table to look at."""
        return table(self.agreement(), dict.fromkeys(("value", "low", "high"), ".2f"),
                     caption=f"Agreement with oneself: {self.progress()}")

    def _turn_html(self) -> str:
        names = "".join(f"<li>{html.escape(name)}</li>" for name in self.sitting.classes)
        text = html.escape(self.sitting.text).replace("\n", "<br>")
        return (f"<div aria-live='polite'><p style='{FAINT}'>{self.progress()}</p>"
                f"<blockquote>{text}</blockquote></div>"
                f"<ol aria-label='classes'>{names}</ol>")

    def _turn_text(self) -> str:
        names = ", ".join(f"{i + 1} {name}" for i, name in enumerate(self.sitting.classes))
        return f"{self.sitting.text}\n{names}"


def label(texts: Sequence[str], classes: Sequence[str], truth: Sequence[int] | None = None, *,
          path: Path | str | None = None, seed: int = 0) -> LabelBox:
    """A box to label texts in, each twice.

    Args:
        texts: some 30; each is shown whole.
        classes: names of the labels.
        truth: number of the right class of each, where it is known; shown after the labelling.
        path: a JSONL file that keeps the labels; by default one in `user_data.home()` that
            belongs to these texts and classes.
        seed: of both orders.

    Raises:
        DataError: no texts, fewer than two classes, two of one name, or a truth that doesn't fit.
        StoreError: the file holds labels of something else.
    """
    if path is None:
        key = store.sha256_json([list(texts), list(classes), seed])[:16]
        path = user_data.folder("labels") / f"{key}.jsonl"
    return LabelBox(Sitting(texts, classes, truth, path, seed))
