"""A review that remembers: what comes back when, and what comes first today.

When an item comes back is decided by FSRS (the library `fsrs`; Ye, Su & Cao 2022, "A stochastic
shortest path algorithm for optimizing spaced repetition scheduling"): it estimates from the
answers so far when one will be forgotten with a chance of 10 %, and asks just before. What comes
first is ours: claims that the learner is weak at. Every answer counts, wherever it was given, so
that what a mock exam found wanting is asked again at the next review. A question without an answer
says nothing about memory, and leaves the schedule alone.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from fsrs import Card, Rating, Scheduler, State

from fmcourse.exam.grade import Result
from fmcourse.exam.item import Item
from fmcourse.exam.report import Outcome
from fmcourse.progress import EVENTS, add, opened

NEW_A_DAY = 10
RATINGS = {"hard": Rating.Hard, "good": Rating.Good, "easy": Rating.Easy}
# No fuzz: the same answers at the same times lead to the same dates.
SCHEDULER = Scheduler(enable_fuzzing=False)


def record(result: Result, felt: str = "good", now: datetime | None = None) -> datetime:
    """Keep a graded answer, and say when its item comes back.

    Args:
        result: what the grader said.
        felt: 'hard' (guessed, or hesitated), 'good' or 'easy'; of a wrong answer it means nothing.
        now: with a time zone; by default the present.
    """
    with opened() as database:
        return _record(database, result, felt, now or _here())


def record_all(results: Iterable[Result], now: datetime | None = None) -> None:
    """Keep the answers of a whole mock exam, or none if that fails; as `record`.

    Questions without an answer are left out.
    """
    now = now or _here()
    with opened() as database:
        for result in results:
            if result.answer:
                _record(database, result, "good", now)


def merge(database: sqlite3.Connection, answers: Iterable[dict[str, Any]]) -> int:
    """Add answers that were given elsewhere, in the order of their times; those known are left out.

    The cards of their items are made anew from all answers, so that both histories count.

    Args:
        answers: rows of `exam_answer`, without their ids.

    Returns:
        How many were added.
    """
    given: dict[str, list[dict[str, Any]]] = {}
    for one in answers:
        given.setdefault(one["item"], []).append(one)
    added = 0
    for item, elsewhere in given.items():
        here = [dict(zip(EVENTS["exam_answer"], row, strict=True)) for row in database.execute(
            f"select {', '.join(EVENTS['exam_answer'])} from exam_answer where item = ? "
            "order by id", (item,))]
        new = [one for one in elsewhere if one not in here]
        if new:
            added += len(new)
            _answer_again(database, item, sorted(here + new, key=lambda one: one["at"]))
    return added


def _answer_again(database: sqlite3.Connection, item: str, answers: list[dict[str, Any]]) -> None:
    """Write an item's answers in this order, in place of all, and make its card of them."""
    database.execute("delete from exam_answer where item = ?", (item,))
    card = Card(card_id=0)
    for one in answers:
        add(database, "exam_answer", one)
        card = _reviewed(card, Rating(one["rating"]),
                         datetime.fromtimestamp(one["at"], UTC).astimezone())
    _keep(database, item, card)


def _record(database: sqlite3.Connection, result: Result, felt: str, now: datetime) -> datetime:
    rating = RATINGS[felt] if result.right else Rating.Again
    card = _reviewed(_card(database, result.item.id), rating, now)
    add(database, "exam_answer", {"item": result.item.id, "at": now.timestamp(),
                                  "answer": " ".join(result.answer), "rating": int(rating)})
    _keep(database, result.item.id, card)
    return card.due


def _reviewed(card: Card, rating: Rating, now: datetime) -> Card:
    """A card after an answer."""
    on_its_day = card.state == State.Review and card.due < _midnight(now) + timedelta(days=1)
    # FSRS counts whole days: what is due tonight and answered this morning is in time, not early.
    at = max(now, card.due) if on_its_day else now
    card, _ = SCHEDULER.review_card(card, rating, at.astimezone(UTC))
    card.due, card.last_review = card.due - (at - now), now.astimezone(UTC)
    return card


def _keep(database: sqlite3.Connection, item: str, card: Card) -> None:
    database.execute("insert or replace into exam_card (item, card, due) values (?, ?, ?)",
                     (item, card.to_json(), card.due.timestamp()))


def _card(database: sqlite3.Connection, item: str) -> Card:
    row = database.execute("select card from exam_card where item = ?", (item,)).fetchone()
    return Card.from_json(row[0]) if row else Card(card_id=0)  # the table knows it by its item


def queue(bank: Sequence[Item], new: int = NEW_A_DAY, now: datetime | None = None) -> list[Item]:
    """What to answer now: what is due first, then new items, of weak claims first in both.

    A card that is days apart is due on its whole day; one that is still being learnt, minutes
    apart, at its minute.

    Args:
        bank: items that no longer exist are left out, with their cards kept.
        new: items never answered before, a day; those already met today are taken off.
        now: with a time zone; the day ends at midnight of this zone.
    """
    now = now or _here()
    midnight = _midnight(now)
    with opened() as database:
        due = dict(database.execute("select item, due from exam_card"))
        learning = {item for item, card in database.execute("select item, card from exam_card")
                    if Card.from_json(card).state != State.Review}
        met = database.execute("select count(*) from (select min(at) as first from exam_answer "
                               "group by item) where first >= ?",
                               (midnight.timestamp(),)).fetchone()[0]
    weak = weakness(outcomes(bank))
    until = {True: now.timestamp(), False: (midnight + timedelta(days=1)).timestamp()}
    again = [item for item in bank
             if item.id in due and due[item.id] < until[item.id in learning]]
    fresh = [item for item in bank if item.id not in due]
    again.sort(key=lambda item: (-weak.get(item.claim, 0.5), due[item.id]))
    fresh.sort(key=lambda item: (-weak.get(item.claim, 0.5), item.difficulty, item.id))
    return again + fresh[:max(0, new - met)]


def next_due(bank: Iterable[Item]) -> datetime | None:
    """When the next card of the bank is due; None where nothing was ever answered."""
    with opened() as database:
        due = dict(database.execute("select item, due from exam_card"))
    times = [due[item.id] for item in bank if item.id in due]
    return datetime.fromtimestamp(min(times), UTC).astimezone() if times else None


def practice(bank: Sequence[Item], seed: int) -> list[Item]:
    """All items, shuffled: those never answered first, then the wrong ones, then the others."""
    latest = {item.id: right for item, right in outcomes(bank)}
    shuffled = random.Random(seed).sample(list(bank), len(bank))
    return sorted(shuffled, key=lambda item: (item.id in latest, latest.get(item.id, False)))


def outcomes(bank: Iterable[Item]) -> list[Outcome]:
    """The latest answer to each item that has one, right or wrong."""
    with opened() as database:
        latest = dict(database.execute(
            "select item, rating from exam_answer where id in "
            "(select max(id) from exam_answer group by item)"))
    return [(item, latest[item.id] != Rating.Again) for item in bank if item.id in latest]


def weakness(answered: Iterable[Outcome]) -> dict[str, float]:
    """For each claim answered, about how likely its next answer is wrong, between 0 and 1.

    With one right and one wrong answer added to all, so that one answer alone decides little.

    >>> weakness([])
    {}
    """
    wrong: dict[str, list[bool]] = {}
    for item, right in answered:
        for claim in item.claims:
            wrong.setdefault(claim, []).append(not right)
    return {claim: (sum(found) + 1) / (len(found) + 2) for claim, found in wrong.items()}


def _here() -> datetime:
    """The present, with the learner's time zone."""
    return datetime.now().astimezone()


def _midnight(now: datetime) -> datetime:
    """When the day of `now` began, in its time zone."""
    return datetime.combine(now.date(), time(), now.tzinfo)
