"""Labelling in a notebook: each text twice, and how far one agrees with oneself.

Plain ipywidgets, as the chat box: a button a class, or keys alone (Tab to the field "Key", then a
class's number, or u to undo). Every label is saved before the next text is shown, so that a closed
notebook goes on where it stopped. A notebook that is only read has no kernel; there the box stands
as it was when the cell was run. Where nobody has labelled, `simulate` stands in, and says so.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd

from fmcourse import evaluate, store
from fmcourse.data.annotation.sitting import READINGS, Sitting
from fmcourse.errors import CourseError, DataError
from fmcourse.show.tables import FAINT, Html, table

SINGLE = 9  # so many classes have a key each


class LabelBox:
    """A sitting to look at and to go on with; made by `show.label`."""

    def __init__(self, sitting: Sitting):
        self.sitting, self.problem = sitting, ""
        self.shown = widgets.HTML()
        self.buttons = [widgets.Button(description=f"{i + 1} {name}", tooltip=f"Label it {name}",
                                       layout={"width": "auto"})
                        for i, name in enumerate(sitting.classes)]
        for i, button in enumerate(self.buttons):
            button.on_click(lambda _, label=i: self._try(lambda: self.choose(label)))
        self.back = widgets.Button(description="Undo", tooltip="Take back the last label")
        self.back.on_click(lambda _: self._try(self.undo))
        self.key = widgets.Text(description="Key", placeholder="1, 2 … or u",
                                layout={"width": "14em"})
        self.key.observe(lambda change: self._pressed(change["new"], entered=False), "value")
        self.key.on_msg(lambda _, said, __: said.get("event") == "submit"
                        and self._pressed(self.key.value, entered=True))
        self._draw()

    @property
    def done(self) -> bool:
        """Whether every text has been labelled twice."""
        return self.sitting.done

    def choose(self, label: int | str) -> None:
        """Give the text on show a label, by its number from 0 or its name.

        Raises:
            DataError: there is no such class, or nothing left to label.
            StoreError: it cannot be saved; nothing has changed then.
        """
        self.sitting.choose(label)
        self._settled()

    def undo(self) -> None:
        """Take back the last label; without one, nothing happens."""
        self.sitting.undo()
        self._settled()

    def simulate(self, seed: int = 0, skill: float = 0.8) -> LabelBox:
        """Another box like this one, labelled by a simulated annotator, and never saved.

        Raises:
            DataError: the truth was not given, and there is nothing to simulate from.
        """
        return LabelBox(self.sitting.simulate(seed, skill))

    def table(self) -> pd.DataFrame:
        """The labels as a table: item, annotator (which reading), label (from 0), order."""
        return self.sitting.table()

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

    def _pressed(self, text: str, entered: bool) -> None:
        """A key is obeyed at once; where a number may have two digits, on Enter."""
        text, count = text.strip().lower(), len(self.buttons)
        if not text or (text.isdecimal() and count > SINGLE and not entered):
            return
        self.key.value = ""
        if text == "u":
            self._try(self.undo)
        elif text.isdecimal() and 1 <= int(text) <= count:
            self._try(lambda: self.choose(int(text) - 1))
        else:
            self.problem = f"There is no key {text}; use 1 to {count}, or u."
            self._draw()

    def _try(self, act: Callable[[], None]) -> None:
        """What a click or a key asks for; what cannot be done is told."""
        try:
            act()
        except CourseError as error:
            self.problem = str(error)
            self._draw()

    def _settled(self) -> None:
        self.problem = ""
        self._draw()

    def _draw(self) -> None:
        self.shown.value = self._repr_html_()
        for button in self.buttons:
            button.disabled = self.done
        self.back.disabled = not self.sitting.given

    def _repr_html_(self) -> str:
        """The text on show, or the result."""
        problem = f"<p role='alert'>{html.escape(self.problem)}</p>" if self.problem else ""
        if self.done:
            return f"<div aria-live='polite'>{self.result().markup}</div>{problem}"
        names = "".join(f"<li>{html.escape(name)}</li>" for name in self.sitting.classes)
        text = html.escape(self.sitting.text).replace("\n", "<br>")
        return (f"<div aria-live='polite'><p style='{FAINT}'>{self.progress()}</p>"
                f"<blockquote>{text}</blockquote></div>"
                f"<ol aria-label='classes'>{names}</ol>{problem}")

    def __repr__(self) -> str:
        if self.done:
            return str(self.result())
        names = ", ".join(f"{i + 1} {name}" for i, name in enumerate(self.sitting.classes))
        return f"{self.progress()}\n{self.sitting.text}\n{names}"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        classes = widgets.Box(self.buttons, layout={"flex_flow": "row wrap"})
        live = widgets.VBox([self.shown, classes, widgets.HBox([self.key, self.back])])
        return {**live._repr_mimebundle_(**options), "text/plain": repr(self),
                "text/html": self._repr_html_()}


def label(texts: Sequence[str], classes: Sequence[str], truth: Sequence[int] | None = None, *,
          path: Path | str | None = None, seed: int = 0) -> LabelBox:
    """A box to label texts in, each twice.

    Args:
        texts: some 30; each is shown whole.
        classes: names of the labels.
        truth: number of the right class of each, where it is known; shown after the labelling.
        path: a JSONL file that keeps the labels; by default one in the course's folder that
            belongs to these texts and classes.
        seed: of both orders.

    Raises:
        DataError: no texts, fewer than two classes, two of one name, or a truth that doesn't fit.
        StoreError: the file holds labels of something else.
    """
    if path is None:
        key = store.sha256_json([list(texts), list(classes), seed])[:16]
        path = store.folder("labels") / f"{key}.jsonl"
    return LabelBox(Sitting(texts, classes, truth, path, seed))
