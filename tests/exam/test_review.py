"""Answers are kept through crashes, and what comes back, and when, follows from them."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from exam.items import read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmcourse import progress
from fmcourse.errors import StoreError
from fmcourse.exam import review
from fmcourse.exam.grade import grade

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
RIGHT, WRONG = ("b",), ("a",)


def item(claim, number, **changed):
    return read(id=f"{claim}-{number:02}", claims=[claim], stem=f"{claim} {number}?", **changed)


BANK = [item(claim, number) for claim in ("K1", "K2", "M4") for number in range(1, 6)]


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path))


def say(one, answer, now=NOON, felt="good"):
    return review.record(grade(one, answer), felt, now)


def names(found):
    return [one.id for one in found]


def test_what_is_wrong_comes_back_soonest_and_what_is_easy_last():
    due = [say(BANK[0], WRONG), say(BANK[1], RIGHT, felt="hard"), say(BANK[2], RIGHT),
           say(BANK[3], RIGHT, felt="easy")]
    assert due == sorted(due)
    assert due[0] <= NOON + MINUTE
    assert due[3] > NOON + 3 * DAY


def test_each_right_answer_in_time_puts_the_next_one_further_off():
    now, gaps = NOON, []
    for _ in range(6):
        due = say(BANK[0], RIGHT, now)
        gaps.append(due - now)
        now = due
    assert gaps == sorted(gaps)
    assert gaps[-1] > 30 * DAY
    forgotten = say(BANK[0], WRONG, now)
    assert forgotten - now < DAY


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture],
          deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["hard", "good", "easy"]),
                          st.integers(0, 10**5)), min_size=1, max_size=6))
def test_dates_follow_from_answers_and_are_never_in_the_past(answers):
    progress.path().unlink(missing_ok=True)
    now = NOON
    for right, felt, minutes in answers:
        now += minutes * MINUTE
        assert say(BANK[0], RIGHT if right else WRONG, now, felt) > now
    assert review.outcomes(BANK) == [(BANK[0], answers[-1][0])]


def test_the_first_queue_is_new_items_and_no_more_than_a_day_takes():
    assert len(review.queue(BANK, new=4, now=NOON)) == 4
    say(BANK[0], RIGHT)
    assert len(review.queue(BANK, new=4, now=NOON)) == 3
    assert len(review.queue(BANK, new=4, now=NOON + DAY)) == 5  # 4 new, and the one of yesterday


def test_what_is_due_comes_before_what_is_new_and_weak_claims_before_others():
    for one in BANK[:4]:
        say(one, RIGHT)  # K1 is strong
    say(BANK[5], WRONG)
    say(BANK[6], WRONG)  # K2 is weak
    found = names(review.queue(BANK, new=20, now=NOON + 2 * DAY))
    assert found[:2] == ["K2-01", "K2-02"]
    assert set(found[2:6]) == {"K1-01", "K1-02", "K1-03", "K1-04"}
    assert [name[:2] for name in found[6:]] == ["K2"] * 3 + ["M4"] * 5 + ["K1"]


def test_a_card_that_is_learnt_waits_for_its_minute_and_one_that_is_known_for_its_day():
    say(BANK[0], WRONG)  # back in a minute
    assert names(review.queue(BANK, new=0, now=NOON)) == []
    assert names(review.queue(BANK, new=0, now=NOON + 2 * MINUTE)) == ["K1-01"]
    due = say(BANK[1], RIGHT, felt="easy")
    morning = due.replace(hour=0, minute=1)
    assert "K1-02" not in names(review.queue(BANK, new=0, now=morning - 2 * MINUTE))
    assert "K1-02" in names(review.queue(BANK, new=0, now=morning))


def test_the_day_ends_at_the_learners_midnight():
    due = say(BANK[0], RIGHT, felt="easy")  # at noon in London
    far_west = timezone(timedelta(hours=-11))
    eve = datetime.combine(due.astimezone(far_west).date(), datetime.min.time(), far_west)
    assert names(review.queue(BANK, new=0, now=eve - MINUTE)) == []
    assert names(review.queue(BANK, new=0, now=eve)) == ["K1-01"]


def test_what_is_due_tonight_and_answered_this_morning_was_in_time():
    for one in BANK[:2]:
        due = say(one, RIGHT, say(one, RIGHT, say(one, RIGHT, felt="hard")))
    assert NOON + DAY < due < NOON + 2 * DAY  # in the evening it would be due
    morning = due - timedelta(hours=11)
    gap = say(BANK[1], RIGHT, due) - due
    assert gap > 3 * DAY
    assert say(BANK[0], RIGHT, morning) - morning == gap


def test_what_is_forgotten_on_its_morning_comes_back_in_minutes():
    evening = say(BANK[0], RIGHT, NOON, "easy").replace(hour=23)
    assert say(BANK[0], WRONG, evening - timedelta(hours=22)) < evening - timedelta(hours=21)


def test_a_clock_that_is_set_back_loses_nothing():
    say(BANK[0], RIGHT)
    due = say(BANK[0], WRONG, NOON - 400 * DAY)
    assert NOON - 400 * DAY < due < NOON - 399 * DAY
    assert review.outcomes(BANK) == [(BANK[0], False)]


def test_a_mock_exam_counts_with_what_was_answered_and_no_more():
    known = say(BANK[1], RIGHT, NOON, "easy")
    review.record_all([grade(BANK[0], WRONG), grade(BANK[1], ()), grade(BANK[2], ())], NOON + DAY)
    assert review.outcomes(BANK) == [(BANK[0], False), (BANK[1], True)]
    assert review.next_due([BANK[1]]) == known


def test_a_mock_exam_is_kept_whole_or_not_at_all(monkeypatch):
    cards = iter([review.Card(card_id=0)])
    monkeypatch.setattr(review, "_card", lambda *_: next(cards))
    with pytest.raises(StopIteration):
        review.record_all([grade(BANK[0], WRONG), grade(BANK[1], RIGHT)])
    assert review.outcomes(BANK) == []


def test_cards_can_be_made_anew_from_the_answers():
    for one, answer, felt in ((0, RIGHT, "hard"), (1, WRONG, "good"), (0, RIGHT, "easy")):
        say(BANK[one], answer, felt=felt)
    with progress.opened() as database:
        answers = list(database.execute("select item, at, rating from exam_answer order by id"))
        cards = dict(database.execute("select item, card from exam_card"))
    made = {item: review.Card(card_id=0) for item in cards}
    for item, at, rating in answers:
        made[item], _ = review.SCHEDULER.review_card(made[item], review.Rating(rating),
                                                     datetime.fromtimestamp(at, UTC))
    assert {item: card.to_json() for item, card in made.items()} == cards


def test_an_item_that_left_the_bank_is_not_asked_and_its_card_is_kept():
    say(BANK[0], WRONG)
    assert names(review.queue(BANK[1:], new=0, now=NOON + DAY)) == []
    assert names(review.queue(BANK, new=0, now=NOON + DAY)) == ["K1-01"]


def test_an_answer_is_kept_though_the_program_dies_right_after():
    script = ("import sys, os; sys.path.insert(0, sys.argv[1])\n"
              "from exam.test_review import BANK, WRONG, say\n"
              "say(BANK[0], WRONG); os._exit(9)")
    tests = str(__file__).rsplit("exam", 1)[0]
    assert subprocess.run([sys.executable, "-c", script, tests]).returncode == 9
    assert review.outcomes(BANK) == [(BANK[0], False)]


def test_an_answer_and_its_card_are_kept_together_or_not_at_all(monkeypatch):
    say(BANK[0], RIGHT)
    monkeypatch.setattr(review.Card, "to_json", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        say(BANK[0], WRONG)
    assert review.outcomes(BANK) == [(BANK[0], True)]


def test_two_programs_may_answer_at_once():
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda place: say(BANK[place % 3], RIGHT), range(24)))
    with progress.opened() as database:
        assert database.execute("select count(*) from exam_answer").fetchone() == (24,)


def test_a_file_that_is_no_database_is_refused_in_words():
    progress.path().write_text("not a database " * 100)
    with pytest.raises(StoreError, match="move it away"):
        review.queue(BANK)


def test_other_tables_in_the_file_are_left_alone():
    with sqlite3.connect(progress.path()) as other:
        other.execute("create table classroom (name text)")
    say(BANK[0], RIGHT)
    with progress.opened() as database:
        found = {name for (name,) in database.execute(
            "select name from sqlite_master where type = 'table'")}
    assert found >= {"classroom", "exam_answer", "exam_card"}
