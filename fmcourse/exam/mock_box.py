"""The mock exam in a notebook: the same exam, in the same file, as in the terminal.

Every step takes the file, changes what is in it and writes it back, so that a notebook and a
terminal can take turns and nothing is lost when a kernel dies. The clock is a ticker in the
browser: while no page shows the box, or the computer sleeps, it stands.
"""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence

import ipywidgets as widgets

from fmcourse.errors import ExamError
from fmcourse.exam import markup, mock_page, review
from fmcourse.exam import mock as mocks
from fmcourse.exam.candidate import Candidate
from fmcourse.exam.grade import Result
from fmcourse.exam.item import Item
from fmcourse.exam.mock import Mock
from fmcourse.exam.question_box import QuestionBox, as_html, as_text, button, row
from fmcourse.exam.report import Report, report
from fmcourse.exam.sheet import Sheet
from fmcourse.exam.view import view
from fmcourse.show.tables import Html

PATIENCE = 90  # seconds between two ticks after which nobody was looking; browsers tick each minute
BUTTONS = (("Back", "The question before; the answer is kept"),
           ("Next", "Keep the answer and go on"),
           ("Flag", "Mark this question to come back to, or take the mark off"),
           ("Clear", "Take the answer back"),
           ("Pause", "Stop the clock; the exam goes on from here"),
           ("Hand in", "End the exam and see the report"))


class MockBox(QuestionBox):
    """A mock exam to begin or go on with; made by `room.mock`. Nothing runs before `begin`.

    Args:
        bank: items.
        mock: to be taken: new, under way, or finished.
        sheet: its file; None keeps nothing.
        clock: seconds; only differences count.

    Attributes:
        mock: as it was after the last step.
        running: whether a question is on show and the clock runs.
        results: of a finished mock.
        simulated: whether a simulated candidate answered.
    """

    def __init__(self, bank: Sequence[Item], mock: Mock, sheet: Sheet | None,
                 clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self.bank, self.known = bank, {item.id: item for item in bank}
        self.mock, self.sheet, self.clock = mock, sheet, clock
        self.running, self.simulated, self.confirming, self.drawing = (False,) * 4
        self.results: tuple[Result, ...] = ()
        self.unsaved, self.looked = 0.0, 0.0
        self._make_controls()
        if mock.finished:
            self._grade()
        self._draw()

    def _make_controls(self) -> None:
        self.start = button("Begin", "Start the clock")
        self.start.on_click(lambda _: self._try(self.begin))
        steps = (self.back, self.next, self.flag, self.clear, self.pause, self._hand_in)
        self.buttons = {name: button(name, tip) for name, tip in BUTTONS}
        for one, step in zip(self.buttons.values(), steps, strict=True):
            one.on_click(lambda _, step=step: self._try(step))
        self.places = widgets.Dropdown(description="Go to", layout={"width": "18em"})
        self.places.observe(lambda change: self._chosen_place(change["new"]), "value")
        self.timer = widgets.HTML()
        self.ticker = widgets.Play(min=0, max=10**6, interval=1000, layout={"display": "none"})
        self.ticker.observe(lambda _: self._try(self.tick), "value")

    def begin(self) -> None:
        """Start the clock, for a new mock exam or for the one that is under way.

        Raises:
            ExamError: it is being taken in another window, or is over.
        """
        if self.mock.finished:
            raise ExamError("This mock exam is over.", fix="Make a new one: room.mock()")
        if self.sheet and not self.sheet.path.exists():
            with self.sheet.alone():
                self.sheet.save(self.mock)
        self.running, self.unsaved, self.looked = True, 0.0, self.clock()
        self._step(lambda mock: mock)

    def answer(self, typed: str) -> None:
        """Put down an answer by letters, in place of an earlier one, and stay.

        Raises:
            ExamError: it is no answer to the question on show.
        """
        self.entry.value = typed
        given = self.read()
        self._step(lambda mock: mocks.answer(mock, self.view.item, given))

    def next(self) -> None:
        """Keep what is answered and look at the next question, if there is one."""
        self._go(1)

    def back(self) -> None:
        """Keep what is answered and look at the question before, if there is one."""
        self._go(-1)

    def go(self, number: int) -> None:
        """Keep what is answered and look at another question, from 1.

        Raises:
            ExamError: there is no such question, or what stands there is no answer yet.
        """
        self._step(lambda mock: mocks.go(self._with_entry(mock), number - 1))

    def flag(self) -> None:
        """Mark the question to come back to, or take the mark off."""
        self._step(lambda mock: mocks.flag(self._with_entry(mock)))

    def clear(self) -> None:
        """Take the answer back."""
        self._step(lambda mock: mocks.answer(mock, self.view.item, ()))

    def pause(self) -> None:
        """Stop the clock."""
        self._step(self._with_entry)
        self.running = False
        self._settled()

    def hand_in(self) -> None:
        """End the exam: grade it, keep its answers for the review, and show the report."""
        self._step(lambda mock: mocks.finish(self._with_entry(mock)))

    def tick(self) -> None:
        """Show the time that is left; when none is, hand in."""
        if self.running:
            self._look()
            if self.unsaved >= self.mock.left:
                self._step(lambda mock: mock)
            self._draw_timer()

    def report(self) -> Report:
        """What came out.

        Raises:
            ExamError: it is not handed in yet.
        """
        if not self.mock.finished:
            raise ExamError("This mock exam is not handed in yet.", fix="Press “Hand in”.")
        return report(self.mock, self.results)

    def simulate(self, candidate: Candidate | None = None) -> MockBox:
        """Another box with the same questions, answered by a SIMULATED candidate, never kept."""
        candidate, mock = candidate or Candidate(), self.mock
        for name in mock.items if not mock.finished else ():
            mock = mocks.answer(mock, self.known[name], candidate.answer(self.known[name]))
        other = MockBox(self.bank, mocks.finish(mock), None)
        other.simulated = True
        other._draw()
        return other

    def _look(self) -> None:
        """Count the time since somebody last looked."""
        now = self.clock()
        self.unsaved, self.looked = self.unsaved + min(now - self.looked, PATIENCE), now

    def _step(self, change: Callable[[Mock], Mock]) -> None:
        """Change the mock as its file has it, and write it back."""
        if not self.running:
            raise ExamError("The clock stands.", where="the mock exam",
                            fix="Press the button to begin, or to go on.")
        self._look()
        if self.sheet is None:
            self._take(self._changed(self.mock, change))
            return
        with self.sheet.alone():
            mock = self._changed(self._found(self.sheet), change)
            if mock.finished:
                review.record_all(mocks.results(mock, self.bank))
            self.sheet.save(mock)
        self._take(mock)

    def _found(self, sheet: Sheet) -> Mock:
        """The mock in the file, which another window may have changed."""
        found = sheet.load(self.bank)
        if sheet.aside:  # damaged a moment ago, and all of it is still here
            sheet.aside = None
            return self.mock
        if found is None:
            self.running = False
            raise ExamError("This mock exam was handed in elsewhere.", where=sheet.path,
                            fix="Make a new one: room.mock()")
        if found.began != self.mock.began:
            self._take(found)
            raise ExamError("Another mock exam was begun elsewhere; this is that one.",
                            where=sheet.path, fix="Go on with it.")
        return found

    def _changed(self, found: Mock, change: Callable[[Mock], Mock]) -> Mock:
        """One step on; the time since the last one counts if no other window took a step."""
        mock = mocks.spend(found, self.unsaved if found == self.mock else 0.0)
        return mock if mock.finished else change(mock)

    def _take(self, mock: Mock) -> None:
        """Hold what is now in the file, and show it."""
        self.mock, self.unsaved, self.confirming = mock, 0.0, False
        if mock.finished:
            self._grade()
        else:
            self._ask(view(self.known[mock.current], mock.seed),
                      mock.answers.get(mock.current, ()))
        self._settled()

    def _grade(self) -> None:
        self.running, self.results = False, mocks.results(self.mock, self.bank)
        self._ask(None)

    def _with_entry(self, mock: Mock) -> Mock:
        """The mock with what stands in the line as the answer; nothing there takes it back."""
        if self.view is None:
            return mock
        given = self.read() if self.entry.value.strip() else ()
        return mocks.answer(mock, self.view.item, given)

    def _go(self, by: int) -> None:
        self._step(lambda mock: mocks.go(
            self._with_entry(mock), min(max(mock.place + by, 0), len(mock.items) - 1)))

    def _hand_in(self) -> None:
        """The button: asked first whether it is meant."""
        if self.confirming:
            self.hand_in()
            return
        self._step(self._with_entry)
        self.confirming = self.running
        self._draw()

    def _chosen_place(self, place: int) -> None:
        if not self.drawing and place != self.mock.place:
            self._try(lambda: self.go(place + 1))

    def _entered(self) -> None:
        self.next()

    def _draw(self) -> None:
        self.shown.value = f"<div aria-live='polite'>{self._page().markup}</div>"
        told = mock_page.remaining(self.mock) if self.confirming else ""
        self.below.value = f"<div aria-live='polite'>{self._problem_html()}<p>{told}</p></div>"
        self.start.description = "Go on" if self.mock.spent else "Begin"
        self.buttons["Flag"].description = (
            "Unflag" if self.mock.current in self.mock.flagged else "Flag")
        self.buttons["Hand in"].description = "Yes, hand in" if self.confirming else "Hand in"
        for one in (self.entry, self.places, self.timer, self.controls, *self.buttons.values()):
            one.layout.display = None if self.running else "none"
        self.start.layout.display = "none" if self.running or self.mock.finished else None
        if self.running:
            self.drawing = True
            self.places.options = mock_page.places(self.mock)
            self.places.value = self.mock.place
            self.drawing = False
        self.ticker.playing = self.running
        self._draw_timer()

    def _draw_timer(self) -> None:
        left = mock_page.clock(max(0.0, self.mock.left - self.unsaved))
        self.timer.value = f"<span role='timer' aria-label='Time left'>{left} left</span>"

    def _page(self) -> Html:
        """What stands above the controls."""
        if self.mock.finished:
            return mock_page.finished(self.mock, self.report(), self.results, self.simulated)
        if not self.running:
            lost = self.sheet.lost if self.sheet else ""
            told = f"{lost} {mock_page.intro(self.mock)}".strip()
            return Html(f"<p>{html.escape(told)}</p>", told)
        heading = mock_page.heading(self.mock, self.view.item)
        return Html(markup.question(self.view, heading, options=False),
                    as_text(self.view, heading))

    def _repr_html_(self) -> str:
        """The question on show with all its options, or what stands before or after."""
        if self.running:
            return as_html(self.view, mock_page.heading(self.mock, self.view.item))
        return self._page().markup

    def __repr__(self) -> str:
        return self._page().text

    def _live(self) -> widgets.Widget:
        steps = [self.buttons[name] for name, _ in BUTTONS]
        return self._boxed([row([self.start, self.entry, *steps[:4]]),
                            row([self.timer, self.places, *steps[4:], self.ticker])])
