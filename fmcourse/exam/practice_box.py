"""Items one after the other in a notebook, each explained at once: for practice and for review.

An answer is kept the moment it is given; only a right one in a review waits for the next click,
which says how it felt, and is asked again if that never comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import ipywidgets as widgets

from fmcourse.errors import ExamError
from fmcourse.exam import markup, report
from fmcourse.exam.candidate import SAID, Candidate
from fmcourse.exam.grade import Result, grade
from fmcourse.exam.item import Item
from fmcourse.exam.question_box import QuestionBox, as_html, as_text, button, row
from fmcourse.exam.report import Outcome
from fmcourse.exam.terminal import when
from fmcourse.exam.view import view
from fmcourse.show.tables import FAINT, Html

Waiting = Callable[[Sequence[Result]], Sequence[Item]]
Keep = Callable[[Result, str], datetime]


class PracticeBox(QuestionBox):
    """Items to answer one by one; made by `room.practice` and `room.review`.

    Args:
        waiting: what is still to be asked, after the results so far.
        seed: of the order of options.
        keep: keeps a result with how it felt, and says when it comes back; None keeps nothing.
        rated: whether a right answer is asked how it felt.
        empty: what to say where nothing was asked.

    Attributes:
        results: what was answered, in order.
        given: the result on show, or None while a question waits for its answer.
        kept: whether it is among the results already.
        simulated: whether a simulated candidate answered.
    """

    def __init__(self, waiting: Waiting, seed: int, keep: Keep | None, rated: bool = False,
                 empty: str = "Nothing is to be asked."):
        super().__init__()
        self.waiting, self.seed, self.keep, self.rated = waiting, seed, keep, rated
        self.empty, self.simulated = empty, False
        self.results: list[Result] = []
        self.main = button("Check", "")
        self.main.on_click(lambda _: self._try(self._entered))
        self.felt = [button(name, tip) for name, tip in (
            ("It was hard", "Guessed or hesitated: ask again sooner"),
            ("It was easy", "Ask again later"))]
        for name, one in zip(("hard", "easy"), self.felt, strict=True):
            one.on_click(lambda _, name=name: self._try(lambda: self.next(name)))
        self._advance()

    @property
    def done(self) -> bool:
        """Whether nothing is left to ask."""
        return self.view is None

    def answer(self, typed: str) -> Result:
        """Answer the question on show by letters, as in the terminal.

        Raises:
            ExamError: it is no answer to it, or there is none to answer.
        """
        if self.given is not None:
            raise ExamError("This question has its answer.", where="the exam box", fix="Next.")
        self.entry.value = typed
        answer = self.read()
        self.given = grade(self.view.item, answer)
        if not (self.rated and self.given.right):
            self._keep("good")
        self._settled()
        return self.given

    def next(self, felt: str = "good") -> None:
        """Go on to the next question.

        Args:
            felt: of a right answer in a review: 'hard', 'good' or 'easy'.

        Raises:
            ExamError: the question on show has no answer yet.
        """
        if self.given is None:
            raise ExamError("This question has no answer yet.", where="the exam box",
                            fix="Answer it first; a guess costs nothing.")
        if not self.kept:
            self._keep(felt)
        self._advance()

    def outcomes(self) -> list[Outcome]:
        """Item and whether it was right, of all answers here; for `exam.report`."""
        return [(result.item, result.right) for result in self.results]

    def simulate(self, candidate: Candidate | None = None) -> PracticeBox:
        """Another box like this one, answered by a SIMULATED candidate, and never kept."""
        candidate = candidate or Candidate()
        other = PracticeBox(lambda _: (), self.seed, None, empty=self.empty)
        other.simulated = True
        other.results = [grade(item, candidate.answer(item))
                         for item in self.waiting(self.results)]
        other._draw()
        return other

    def result(self) -> Html:
        """Right of asked by claim, weakest first, as a table to look at."""
        if not self.results:
            return Html(f"<p>{self.empty}</p>", self.empty)
        return markup.shares(report.by_claim(self.outcomes()), self.progress())

    def progress(self) -> str:
        """Where it stands, in words."""
        right = sum(result.right for result in self.results)
        by = f" ({SAID})" if self.simulated else ""
        if self.done:
            return f"{right} of {len(self.results)} right{by}"
        place, left = len(self.results) + (not self.kept), len(self.waiting(self.results))
        return f"Question {place}, {left} to go · {self.view.item.label}{by}"

    def _keep(self, felt: str) -> None:
        due = self.keep(self.given, felt) if self.keep else None
        self.back = f"It comes back {when(due)}." if due else ""
        self.results.append(self.given)
        self.kept = True

    def _advance(self) -> None:
        left = self.waiting(self.results)
        self.given, self.kept, self.back = None, False, ""
        self._ask(view(left[0], self.seed) if left else None)
        self._settled()

    def _entered(self) -> None:
        if self.given is None:
            self.answer(self.entry.value)
        else:
            self.next()

    def _draw(self) -> None:
        self.shown.value = self._shown_html()
        after = markup.explained(self.given, self.view) + (
            f"<p style='{FAINT}'>{self.back}</p>") if self.given else ""
        self.below.value = f"<div aria-live='polite'>{self._problem_html()}{after}</div>"
        asking = self.given is None
        self.main.description = "Check" if asking else "Next"
        self.main.tooltip = ("Grade this answer" if asking else "Go on to the next question")
        self.main.disabled = self.entry.disabled = self.done
        for one in self.felt:
            open_still = self.rated and not asking and self.given.right
            one.layout.display = None if open_still else "none"
        if not asking:
            self.field.disable()

    def _shown_html(self) -> str:
        if self.done:
            return f"<div aria-live='polite'>{self.result().markup}</div>"
        return ("<div aria-live='polite'>"
                f"{markup.question(self.view, self.progress(), options=False)}</div>")

    def _repr_html_(self) -> str:
        """The question on show with all its options, or the result."""
        if self.done:
            return self.result().markup
        return as_html(self.view, self.progress(), self.given)

    def __repr__(self) -> str:
        if self.done:
            return str(self.result())
        return as_text(self.view, self.progress(), self.given)

    def _live(self) -> widgets.Widget:
        return self._boxed([row([self.entry, self.main, *self.felt])])
