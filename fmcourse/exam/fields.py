"""Controls to answer an item with, one kind a type: native ones, which keyboards and readers know.

A control's label is the option's whole text, so that a screen reader says what is chosen; the
letter before it is what may be typed instead. Each field speaks of its answer as it would be
typed, and leaves what that means to `View.read`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as widgets

from fmcourse.exam import item as items
from fmcourse.exam.item import Answer
from fmcourse.exam.view import View

_WIDE = {"width": "auto"}
GAP = "\N{EM SPACE}"  # pages draw two plain spaces as one


class Field:
    """The controls of one question.

    Args:
        shown: the question.
        changed: called after the learner has changed a control.

    Attributes:
        widget: all controls.
        inputs: those that take part of the answer, in the order of the page.
    """

    def __init__(self, shown: View, changed: Callable[[], None]):
        self.shown, self._changed, self._quiet = shown, changed, False
        self.labels = {letter: f"{letter}{GAP}{text.replace('`', '')}"
                       for letter, text in shown.options.items()}
        self.inputs: list[widgets.DOMWidget] = []
        self.widget = self._made()

    @property
    def typed(self) -> str:
        """The answer as it would be typed; '' where none is given."""
        raise NotImplementedError

    def show(self, answer: Answer) -> None:
        """Set the controls to an answer, () for none, without calling `changed`."""
        self._quiet = True
        try:
            self._set(answer)
        finally:
            self._quiet = False

    def disable(self) -> None:
        """Take no more answers."""
        for control in self.inputs:
            control.disabled = True

    def _made(self) -> widgets.Widget:
        raise NotImplementedError

    def _set(self, answer: Answer) -> None:
        raise NotImplementedError

    def _letters(self, answer: Answer) -> list[str]:
        return [self.shown.letter(name) for name in answer]

    def _watch(self, controls: list[widgets.DOMWidget]) -> None:
        self.inputs = controls
        for control in controls:
            control.observe(lambda _: self._tell(), "value")

    def _tell(self) -> None:
        if not self._quiet:
            self._changed()


class _Choice(Field):
    def _made(self) -> widgets.Widget:
        self.radio = widgets.RadioButtons(
            options=[(label, letter) for letter, label in self.labels.items()], value=None,
            layout=_WIDE, tooltip=self.shown.task)
        self._watch([self.radio])
        return self.radio

    @property
    def typed(self) -> str:
        return self.radio.value or ""

    def _set(self, answer: Answer) -> None:
        self.radio.value = next(iter(self._letters(answer)), None)


class _Response(Field):
    def _made(self) -> widgets.Widget:
        self.boxes = {letter: widgets.Checkbox(description=label, indent=False, layout=_WIDE)
                      for letter, label in self.labels.items()}
        self._watch([*self.boxes.values()])
        return widgets.VBox(self.inputs)

    @property
    def typed(self) -> str:
        return " ".join(letter for letter, box in self.boxes.items() if box.value)

    def _set(self, answer: Answer) -> None:
        for letter, box in self.boxes.items():
            box.value = letter in self._letters(answer)


class _Ordering(Field):
    """A list, and buttons that move the step which is selected in it."""

    def _made(self) -> widgets.Widget:
        self.order, self.moved = [*self.labels], False
        self.steps = widgets.Select(description="Steps", rows=len(self.order),
                                    layout={"width": "calc(100% - 6px)"},
                                    style={"description_width": "initial"},
                                    tooltip="The steps, the first one first; select one to move")
        self.buttons = []
        for name, by in (("Move up", -1), ("Move down", 1)):
            button = widgets.Button(description=name, tooltip=f"{name}: the selected step",
                                    layout=_WIDE)
            button.on_click(lambda _, by=by: self._move(by))
            self.buttons.append(button)
        self.inputs = [self.steps, *self.buttons]
        self._draw(self.order[0])
        return widgets.VBox([self.steps, widgets.HBox(self.buttons)])

    def _move(self, by: int) -> None:
        here = self.order.index(self.steps.value)
        there = min(max(here + by, 0), len(self.order) - 1)
        self.order.insert(there, self.order.pop(here))
        self.moved = True
        self._draw(self.order[there])
        self._tell()

    def _draw(self, selected: str) -> None:
        with self.steps.hold_sync():
            self.steps.options = [(f"{place}.  {self.labels[letter]}", letter)
                                  for place, letter in enumerate(self.order, 1)]
            self.steps.value = selected

    @property
    def typed(self) -> str:
        return " ".join(self.order) if self.moved else ""

    def _set(self, answer: Answer) -> None:
        self.order, self.moved = self._letters(answer) or [*self.labels], bool(answer)
        self._draw(self.order[0])


class _Matching(Field):
    def _made(self) -> widgets.Widget:
        options = [("choose …", ""), *((label, letter) for letter, label in self.labels.items())]
        self.menus = {number: widgets.Dropdown(
            description=f"{number}. {text.replace('`', '')}", options=options, layout=_WIDE,
            style={"description_width": "45%"}) for number, text in self.shown.prompts.items()}
        self._watch([*self.menus.values()])
        return widgets.VBox(self.inputs)

    @property
    def typed(self) -> str:
        return " ".join(f"{number}{menu.value}" for number, menu in self.menus.items()
                        if menu.value)

    def _set(self, answer: Answer) -> None:
        letters = self._letters(answer) or [""] * len(self.menus)
        for menu, letter in zip(self.menus.values(), letters, strict=True):
            menu.value = letter


_FIELDS: Mapping[str, type[Field]] = {items.CHOICE: _Choice, items.RESPONSE: _Response,
                                      items.ORDERING: _Ordering, items.MATCHING: _Matching}


def field(shown: View, changed: Callable[[], None]) -> Field:
    """The controls for a question of any type; see `Field`."""
    return _FIELDS[shown.item.type](shown, changed)
