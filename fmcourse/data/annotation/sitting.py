"""One person's labelling: each text twice, in two orders, saved label by label.

A person who labels the same texts again, in another order, finds out how consistent they are before
anybody else is hired.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fmcourse import store
from fmcourse.data.annotation.annotators import Annotator, annotate
from fmcourse.data.annotation.consensus import majority
from fmcourse.data.annotation.manifest import manifest_records, write_manifest
from fmcourse.data.annotation.turns import Turns
from fmcourse.errors import DataError, meant

READINGS = ("first reading", "second reading")


class Sitting(Turns):
    """Texts, and the labels one person has given them so far.

    Args:
        texts: each is to be labelled twice.
        classes: names of the labels.
        truth: number of the right class of each, where it is known.
        path: a JSONL file that keeps the labels, and is gone on with; None keeps nothing.
        seed: of both orders.

    Attributes:
        given: numbers of the labels so far, in the order of giving.
        order: the text of each turn, first reading then second. (2 · texts,)
        simulated: whether a simulated annotator gave them.

    Raises:
        DataError: no texts, fewer than two classes, two of one name, or a truth that doesn't fit.
        StoreError: the file holds labels of something else.
    """

    foreign = "This is no label of these texts, in this order and of these classes."

    def __init__(self, texts: Sequence[str], classes: Sequence[str],
                 truth: Sequence[int] | None = None, path: Path | str | None = None, seed: int = 0):
        if not len(texts) or len(set(classes)) != len(classes) or len(classes) < 2:
            raise DataError("There is nothing to label, or nothing to choose from.",
                            where="labelling", fix="Give texts, and at least two classes.")
        if truth is not None and not (len(truth) == len(texts) and all(
                0 <= label < len(classes) for label in truth)):
            raise DataError("The truth is not the number of a class for each text.",
                            where="labelling", fix="Give as many as texts, from 0.")
        self.texts, self.classes, self.truth, self.seed = list(texts), tuple(classes), truth, seed
        draw = np.random.default_rng(seed)
        super().__init__(
            [int(i) for _ in READINGS for i in draw.permutation(len(self.texts))], path)

    @property
    def text(self) -> str:
        """The text whose turn it is; nothing at the end."""
        return "" if self.done else self.texts[self.order[len(self.given)]]

    def choose(self, label: int | str) -> None:
        """Give the text whose turn it is a label, by its number from 0 or its name.

        Raises:
            DataError: there is no such class, or nothing left to label.
            StoreError: it cannot be saved; nothing has changed then.
        """
        if self.done:
            raise DataError("Everything is labelled.", where="labelling",
                            fix="Undo, or look at the agreement.")
        if isinstance(label, str):
            if label not in self.classes:
                raise DataError(f"There is no class {label!r}.", where="labelling",
                                fix=meant(label, self.classes))
            label = self.classes.index(label)
        if not 0 <= label < len(self.classes):
            raise DataError(f"There is no class number {label}.", where="labelling",
                            fix=f"Choose from 0 to {len(self.classes) - 1}.")
        self._keep([*self.given, int(label)])

    def simulate(self, seed: int = 0, skill: float = 0.8) -> Sitting:
        """Another sitting like this one, by a SIMULATED annotator, from start to end; not saved.

        Args:
            seed: of their mistakes, which differ in the two readings.
            skill: share that they get right.

        Raises:
            DataError: there is no truth to simulate from.
        """
        if self.truth is None:
            raise DataError("Nothing can be simulated without the truth.", where="labelling",
                            fix="Give the number of the right class of each text as truth.")
        readers = [Annotator(name, skill) for name in READINGS]
        table = annotate(self.truth, readers, len(self.classes), seed=seed)
        said = table.set_index(["annotator", "item"])["label"]
        made = Sitting(self.texts, self.classes, self.truth, None, self.seed)
        made.given = [int(said[self.reading(turn), item]) for turn, item in enumerate(self.order)]
        made.simulated = True
        return made

    def reading(self, turn: int) -> str:
        """Which reading a turn belongs to."""
        return READINGS[turn // len(self.texts)]

    def table(self) -> pd.DataFrame:
        """The labels as a table: item, annotator (which reading), label (from 0), order."""
        turns = range(len(self.given))
        return pd.DataFrame({"item": [self.order[turn] for turn in turns],
                             "annotator": [self.reading(turn) for turn in turns],
                             "label": self.given, "order": list(turns)})

    def manifest(self, path: Path | str) -> Path:
        """Write the labels as a Ground Truth manifest: of each text, the latest.

        Raises:
            DataError: nothing is labelled yet.
        """
        latest = self.table().drop_duplicates("item", keep="last")
        found = majority(latest, len(self.classes))  # of one vote each
        return write_manifest(path, manifest_records(self.texts, found, self.classes,
                                                     people=not self.simulated))

    def _line(self, turn: int, choice: int) -> dict[str, str]:
        return {"text": store.sha256_text(self.texts[self.order[turn]])[:16],
                "reading": self.reading(turn), "label": self.classes[choice]}

    def _choice(self, row: dict[str, str]) -> int:
        return self.classes.index(row["label"])
