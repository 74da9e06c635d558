"""What answers say about a learner: shares by claim and task statement, and where to go back to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from scipy import stats

from fmcourse.exam.bank import judged
from fmcourse.exam.grade import Result
from fmcourse.exam.item import BEYOND, TASKS, Cell, Item
from fmcourse.exam.mock import Mock

Outcome = tuple[Item, bool]  # an item, and whether it was answered rightly


@dataclass(frozen=True)
class Row:
    """One claim or task statement.

    Attributes:
        name, statement: of the syllabus, with the ledger's verdict, or of the exam guide.
        right, asked: answers.
        revisit: where the course shows what was answered wrongly; of a task, the lessons.
    """

    name: str
    statement: str
    right: int
    asked: int
    revisit: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A finished mock exam.

    Attributes:
        right, counted: of the questions that count.
        interval: 95 % Wilson interval of the share that would be right of very many such
            questions; another mock exam, as short as this one, can fall outside more often.
        unanswered: questions without an answer, whether they count or not.
        beyond: questions that go beyond the exam, whether they count or not.
        claims, tasks: rows over all questions, those that do not count too; weakest first.
    """

    right: int
    counted: int
    interval: tuple[float, float]
    unanswered: int
    beyond: int
    claims: tuple[Row, ...]
    tasks: tuple[Row, ...]

    def __str__(self) -> str:
        low, high = self.interval
        beyond = f" Questions {BEYOND} among all of them: {self.beyond}." if self.beyond else ""
        return (f"{self.right} of the {self.counted} questions that count: "
                f"{self.right / self.counted:.0%} right. So few questions leave open what you "
                f"would get right of very many: {low:.0%} to {high:.0%} fit this result. This is "
                "no scaled score: how the real exam's 100 to 1,000 are computed is not public."
                + beyond)


def report(mock: Mock, results: Sequence[Result]) -> Report:
    """Sum up a mock exam and its graded answers."""
    counted = [result for result in results if result.item.id not in mock.extra]
    right = sum(result.right for result in counted)
    outcomes = [(result.item, result.right) for result in results]
    interval = stats.binomtest(right, len(counted)).proportion_ci(method="wilson")
    return Report(right, len(counted), (float(interval.low), float(interval.high)),
                  len(mock.open), sum(result.item.beyond for result in results),
                  by_claim(outcomes), by_task(outcomes))


def by_claim(outcomes: Iterable[Outcome]) -> tuple[Row, ...]:
    """A row for each claim that was asked, weakest first; an item counts for all its claims."""
    outcomes = list(outcomes)
    return _weakest_first(_row(name, said, [one for one in outcomes if name in one[0].claims], str)
                          for name, said in judged().items())


def by_task(outcomes: Iterable[Outcome]) -> tuple[Row, ...]:
    """A row for each task statement that was asked, weakest first."""
    outcomes = list(outcomes)
    return _weakest_first(_row(name, said, [one for one in outcomes if name == one[0].task],
                               lambda cell: f"lesson {cell.lesson}")
                          for name, said in TASKS.items())


def _row(name: str, statement: str, outcomes: Sequence[Outcome], place: Callable[[Cell], str]
         ) -> Row:
    places = {place(item.shown) for item, right in outcomes if item.shown and not right}
    return Row(name, statement, sum(right for _, right in outcomes), len(outcomes),
               tuple(sorted(places)))


def _weakest_first(rows: Iterable[Row]) -> tuple[Row, ...]:
    asked = [row for row in rows if row.asked]
    return tuple(sorted(asked, key=lambda row: (row.right / row.asked, -row.asked)))
