"""What every box in a notebook does: tell what went wrong, and stay readable without a kernel.

Plain ipywidgets, and one of our own that keeps JupyterLab's shortcuts out of a box, where an arrow
would go to the next cell, one letter insert a cell and two delete one. A notebook that is only read
has no kernel; there a box stands, as HTML or as text, as it was when its cell was run.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import ipywidgets as widgets

from fmcourse.errors import CourseError

BOX = "fmcourse-box"


class _OwnKeys(anywidget.AnyWidget):
    """Keys pressed in boxes are the boxes' own; with Ctrl, Alt or Cmd, the page's as ever."""

    _esm = f"""
    function own(event) {{
      const page = event.ctrlKey || event.altKey || event.metaKey;
      if (event.target.closest(".{BOX}"))
        event.target.toggleAttribute("data-lm-suppress-shortcuts", !page);
    }}
    function render() {{  // on the window, since JupyterLab listens first of all on the document
      window.addEventListener("keydown", own, true);
      return () => window.removeEventListener("keydown", own, true);
    }}
    export default {{ render }};
    """


class LiveBox:
    """A box to look at and to go on with; subclasses say what is on show, and with what controls.

    Attributes:
        shown: what is on show, as a widget.
        problem: what could not be done just now, in words; empty where all is well.
    """

    def __init__(self) -> None:
        self.shown, self.problem = widgets.HTML(), ""

    def _live(self) -> widgets.Widget:
        """All widgets of the box."""
        raise NotImplementedError

    def _draw(self) -> None:
        """Bring every widget in step with what the box holds."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """What is on show; whatever a model or a person wrote is escaped."""
        raise NotImplementedError

    def _try(self, act: Callable[[], None]) -> None:
        """What a click or a key asks for; what cannot be done is told."""
        try:
            act()
        except CourseError as error:
            self._tell(str(error))

    def _tell(self, problem: str) -> None:
        self.problem = problem
        self._draw()

    def _settled(self) -> None:
        self._tell("")

    def _problem_html(self) -> str:
        told = html.escape(self.problem).replace("\n", "<br>")
        return f"<p role='alert'>{told}</p>" if told else ""

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {**self._live()._repr_mimebundle_(**options), "text/plain": repr(self),
                "text/html": self._repr_html_()}


def boxed(rows: Sequence[widgets.Widget]) -> widgets.VBox:
    """All of a box, in the order in which Tab goes through it; its keys are its own."""
    box = widgets.VBox([*rows, _OwnKeys()])
    box.add_class(BOX)
    return box


def on_enter(field: widgets.Text, act: Callable[[], None]) -> None:
    """Act when Enter is pressed in a text field, and at no other time."""
    field.on_msg(lambda _, said, __: said.get("event") == "submit" and act())
