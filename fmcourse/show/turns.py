"""A box for choosing turn by turn in a notebook, by button or by keys alone.

Plain ipywidgets, as the chat box: Tab to the field "Key", then a choice's key, or u to undo. Every
choice is saved before the next turn is shown, so that a closed notebook goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import pandas as pd

from fmcourse.data.annotation.turns import Turns
from fmcourse.show.live import LiveBox, boxed, on_enter
from fmcourse.show.tables import Html


class TurnBox(LiveBox):
    """Turns to look at and to go on with; subclasses say how a turn looks and what came out.

    Args:
        sitting: the turns, with a method `choose`.
        buttons: of each, the choice that it stands for, its name, and what it does.
        keys: what may be typed, and the choice that it stands for; u is for undoing.
        hint: the keys in words.
    """

    def __init__(self, sitting: Turns, buttons: Sequence[tuple[Any, str, str]],
                 keys: Mapping[str, Any], hint: str):
        super().__init__()
        self.sitting, self.keys, self.hint = sitting, keys, hint
        self.buttons = [widgets.Button(description=name, tooltip=tip, layout={"width": "auto"})
                        for _, name, tip in buttons]
        for (choice, *_), button in zip(buttons, self.buttons, strict=True):
            button.on_click(lambda _, own=choice: self._try(lambda: self.choose(own)))
        self.back = widgets.Button(description="Undo", tooltip="Take back the last choice")
        self.back.on_click(lambda _: self._try(self.undo))
        self.key = widgets.Text(description="Key", placeholder=f"{hint} or u",
                                layout={"width": "14em"})
        self.key.observe(lambda change: self._pressed(change["new"], entered=False), "value")
        on_enter(self.key, lambda: self._pressed(self.key.value, entered=True))
        self._draw()

    @property
    def done(self) -> bool:
        """Whether nothing is left to choose."""
        return self.sitting.done

    def choose(self, choice: int | str) -> None:
        """Say what is chosen at the turn on show.

        Raises:
            DataError: there is no such choice, or nothing left to choose.
            StoreError: it cannot be saved; nothing has changed then.
        """
        self.sitting.choose(choice)
        self._settled()

    def undo(self) -> None:
        """Take back the last choice; without one, nothing happens."""
        self.sitting.undo()
        self._settled()

    def table(self) -> pd.DataFrame:
        """The choices so far, a row each."""
        return self.sitting.table()

    def progress(self) -> str:
        """Where it stands, in words."""
        raise NotImplementedError

    def result(self) -> Html:
        """What came out, as a table to look at."""
        raise NotImplementedError

    def _turn_html(self) -> str:
        """The turn on show; whatever a model or a person wrote is escaped."""
        raise NotImplementedError

    def _turn_text(self) -> str:
        """The turn on show, for a terminal."""
        raise NotImplementedError

    def _pressed(self, text: str, entered: bool) -> None:
        """A key is obeyed at once; one that a longer key begins with, on Enter."""
        text = text.strip().lower()
        longer = any(key != text and key.startswith(text) for key in self.keys)
        if not text or (longer and not entered):
            return
        self.key.value = ""
        if text == "u":
            self._try(self.undo)
        elif text in self.keys:
            self._try(lambda: self.choose(self.keys[text]))
        else:
            self._tell(f"There is no key {text}; use {self.hint}, or u.")

    def _draw(self) -> None:
        self.shown.value = self._repr_html_()
        for button in self.buttons:
            button.disabled = self.done
        self.back.disabled = not self.sitting.given

    def _repr_html_(self) -> str:
        """The turn on show, or the result."""
        shown = (f"<div aria-live='polite'>{self.result().markup}</div>" if self.done
                 else self._turn_html())
        return shown + self._problem_html()

    def __repr__(self) -> str:
        return str(self.result()) if self.done else f"{self.progress()}\n{self._turn_text()}"

    def _live(self) -> widgets.Widget:
        choices = widgets.Box(self.buttons, layout={"flex_flow": "row wrap"})
        return boxed([self.shown, choices, widgets.HBox([self.key, self.back])])
