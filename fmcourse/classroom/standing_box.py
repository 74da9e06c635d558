"""Where a learner stands, in a notebook: the tables, and a button that reads the file again.

A lesson, a terminal or another notebook may have added to the progress meanwhile. How a box stays
readable without a kernel is in `fmcourse.show.live`: then the tables stand there as they were.
"""

from __future__ import annotations

import ipywidgets as widgets

from fmcourse.classroom import standing
from fmcourse.show.live import LiveBox, boxed


class ProgressBox(LiveBox):
    """The tables of `standing.progress`, to be brought up to date.

    Raises:
        StoreError: the progress file cannot be used; later, the box says so instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tables = standing.progress()
        self.button = widgets.Button(description="Refresh",
                                     tooltip="Read what was done since: press Enter or click")
        self.button.on_click(lambda _: self._try(self.refresh))
        self._box = boxed([self.shown, self.button])
        self._draw()

    def refresh(self) -> None:
        """Show what is in the progress file now.

        Raises:
            StoreError: it cannot be used.
        """
        self.tables = standing.progress()
        self._settled()

    def _live(self) -> widgets.Widget:
        return self._box

    def _draw(self) -> None:
        self.shown.value = self._repr_html_()

    def _repr_html_(self) -> str:
        return self.tables.markup + self._problem_html()

    def __repr__(self) -> str:
        return "\n\n".join(part for part in (self.tables.text, self.problem) if part)


def progress() -> ProgressBox:
    """Where you stand: lessons, claims, exercises and, once an item was answered, the exam."""
    return ProgressBox()
