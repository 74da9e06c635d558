"""A question in a notebook: its controls, and a line to type the answer into; both say the same.

What is typed is what counts, and controls write it. So an answer can be given by mouse, by Tab and
arrow keys, or in letters as in the terminal, and read by one function whichever way it came.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import ipywidgets as widgets
from rich.console import Console

from fmcourse.errors import ExamError
from fmcourse.exam import markup, terminal
from fmcourse.exam.fields import Field, field
from fmcourse.exam.grade import Result
from fmcourse.exam.item import Answer
from fmcourse.exam.view import View
from fmcourse.show.live import LiveBox, boxed, on_enter

CLASS = "fmcourse-exam"
# Jupyter cuts long labels off; here they are sentences.
STYLE = (f"<style>.{CLASS} .widget-label, .{CLASS} .widget-label-basic, "
         f".{CLASS} .widget-radio-box label {{white-space:normal; height:auto; text-align:left;"
         f" line-height:1.4; overflow:visible}} .{CLASS} .widget-radio-box {{height:auto}}"
         f" .{CLASS} .widget-checkbox, .{CLASS} .widget-dropdown {{height:auto}}</style>")


class QuestionBox(LiveBox):
    """A box with one question on show; subclasses say what happens to an answer.

    Attributes:
        view: the question on show, or None.
        entry: the line where an answer may be typed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.view: View | None = None
        self.field: Field | None = None
        self.controls, self.below = widgets.VBox(), widgets.HTML()
        self.entry = widgets.Text(description="Answer", layout={"width": "20em"})
        self.entry.observe(lambda _: self._written(), "value")
        on_enter(self.entry, lambda: self._try(self._entered))

    def read(self) -> Answer:
        """The answer as it stands.

        Raises:
            ExamError: no question is on show, or it is no answer to it yet.
        """
        if self.view is None:
            raise ExamError("No question is on show.", where="the exam box")
        return self.view.read(self.entry.value)

    def _ask(self, shown: View | None, answer: Answer = ()) -> None:
        """Put a question on show, with the answer that it already has."""
        self.view, self.field = shown, shown and field(shown, self._chosen)
        self.controls.children = [self.field.widget] if self.field else []
        self.entry.value = shown.typed(answer) if shown and answer else ""
        self.entry.placeholder = f"such as {shown.example}" if shown else ""
        if self.field:
            self.field.show(answer)

    def _chosen(self) -> None:
        self.entry.value = self.field.typed

    def _written(self) -> None:
        """Let the controls show what is typed; what is no answer yet, they show as none."""
        if self.field is None or self.entry.value == self.field.typed:
            return
        try:
            self.field.show(self.read())
        except ExamError:
            self.field.show(())

    def _entered(self) -> None:
        """Enter was pressed in the line."""
        raise NotImplementedError

    def _boxed(self, rows: Sequence[widgets.Widget]) -> widgets.Widget:
        """All of the box, in the order in which Tab goes through it."""
        box = boxed([widgets.HTML(STYLE), self.shown, self.controls, *rows, self.below])
        box.add_class(CLASS)
        return box


def button(name: str, tip: str) -> widgets.Button:
    """A button as wide as its name."""
    return widgets.Button(description=name, tooltip=tip, layout={"width": "auto"})


def row(controls: Sequence[widgets.Widget]) -> widgets.Widget:
    """Controls side by side, or below each other where the window is narrow."""
    return widgets.Box(list(controls), layout={"flex_flow": "row wrap"})


def as_text(shown: View, heading: str, result: Result | None = None) -> str:
    """A question, and what became of its answer, for where no HTML is shown."""
    console = Console(file=io.StringIO(), width=88, markup=False, highlight=False, emoji=False,
                      force_jupyter=False)  # or it would display what it is to write
    terminal.show_question(console, shown, heading)
    if result is None:
        terminal.show_task(console, shown)
    else:
        terminal.show_result(console, result, shown)
    return console.file.getvalue().strip()


def as_html(shown: View, heading: str, result: Result | None = None) -> str:
    """The same where HTML is shown and no control is."""
    after = markup.explained(result, shown) if result else (
        "<p><i>To answer here, open the notebook and run the cell.</i></p>")
    return markup.question(shown, heading) + after
