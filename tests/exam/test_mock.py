"""A mock exam is drawn fairly, survives a crash at any moment, and reports raw shares."""

import json
import subprocess
import sys
import textwrap
from datetime import datetime
from pathlib import Path

import pytest
from exam.items import read

from fmcourse.errors import ExamError, StoreError
from fmcourse.exam import mock as mocks
from fmcourse.exam.mock import Sheet, draw
from fmcourse.exam.report import by_claim, report

NOON = datetime(2026, 11, 26, 12)


def items(count, claims=("K1", "K2", "M4")):
    return [read(id=f"{claims[n % len(claims)]}-{n:02}", claims=[claims[n % len(claims)]],
                 stem=f"Which number is prime in case {n}?", shown=f"01 Part {n}")
            for n in range(count)]


BANK = items(90)
KNOWN = {item.id: item for item in BANK}


def answered(mock, right):
    """The first `right` questions answered rightly, one more wrongly, the rest not."""
    for place, name in enumerate(mock.items[:right + 1]):
        mock = mocks.answer(mock, KNOWN[name], ("b",) if place < right else ("a",))
    return mock


def test_it_is_the_size_of_the_real_one_and_never_asks_twice():
    mock = draw(BANK, 1, NOON)
    assert (len(mock.items), len(set(mock.items)), len(mock.extra), mock.minutes) == (
        65, 65, 15, 90)
    assert set(mock.extra) < set(mock.items)
    assert mock.about == "65 questions, of which 50 count, in 90 minutes."


def test_claims_are_asked_about_alike_however_many_items_they_have():
    uneven = items(60, ["K1"]) + items(9, ["K2"]) + items(9, ["M4"])
    names = [name[:2] for name in draw(uneven, 3, NOON).items]
    assert (names.count("K2"), names.count("M4")) == (9, 9)


def test_a_small_bank_makes_a_shorter_mock_that_says_so():
    mock = draw(items(13), 1, NOON)
    assert (len(mock.items), len(mock.extra), mock.minutes) == (13, 3, 18)
    assert "13 questions, of which 10 count, in 18 minutes: shorter than" in mock.about


def test_the_seed_decides_and_nothing_else():
    assert draw(BANK, 1, NOON) == draw(BANK[::-1], 1, NOON)
    assert draw(BANK, 1, NOON).items != draw(BANK, 2, NOON).items


def test_an_empty_bank_has_nothing_to_ask():
    with pytest.raises(ExamError, match="nothing to ask"):
        draw([], 1, NOON)


def test_an_answer_can_be_changed_and_taken_back():
    mock = draw(BANK, 1, NOON)
    item = KNOWN[mock.current]
    mock = mocks.answer(mocks.answer(mock, item, ("a",)), item, ("b",))
    assert mock.answers == {item.id: ("b",)}
    assert item.id in mocks.answer(mock, item, ()).open
    with pytest.raises(ExamError, match="no option"):
        mocks.answer(mock, item, ("x",))
    with pytest.raises(ExamError, match="does not ask"):
        mocks.answer(mock, read(id="K1-99"), ("b",))


def test_flag_and_return():
    mock = mocks.flag(mocks.go(draw(BANK, 1, NOON), 7))
    assert mock.flagged == (mock.items[7],)
    assert mocks.flag(mock).flagged == ()
    with pytest.raises(ExamError, match="no question 66"):
        mocks.go(mock, 65)


def test_when_time_is_up_it_is_over():
    mock = mocks.spend(draw(BANK, 1, NOON), 90 * 60 - 1)
    assert (mock.left, mock.finished) == (1, False)
    mock = mocks.spend(mock, 1)
    assert (mock.left, mock.finished) == (0, True)
    with pytest.raises(ExamError, match="over"):
        mocks.answer(mock, KNOWN[mock.current], ("b",))


def test_only_what_counts_counts():
    mock = mocks.finish(answered(draw(BANK, 1, NOON), right=30))
    found = report(mock, mocks.results(mock, BANK))
    rightly = set(mock.items[:30])
    assert (found.right, found.counted) == (len(rightly - set(mock.extra)), 50)
    assert found.unanswered == 34
    assert sum(row.right for row in found.tasks) == 30
    assert sum(row.asked for row in found.claims) == 65
    assert found.interval[0] < found.right / 50 < found.interval[1]
    assert "no scaled score" in str(found)
    assert "700" not in str(found)


def test_rows_are_weakest_first_and_say_where_to_go_back_to():
    strong, weak = BANK[0], BANK[1]
    rows = by_claim([(strong, True), (weak, False), (weak, False)])
    assert [(row.name, row.right, row.asked) for row in rows] == [("K2", 0, 2), ("K1", 1, 1)]
    assert rows[0].revisit == ("lesson 01, “Part 1”",)
    assert rows[1].revisit == ()


def test_what_is_saved_is_what_is_loaded(tmp_path):
    sheet = Sheet(tmp_path)
    assert sheet.load(BANK) is None
    mock = mocks.spend(mocks.flag(answered(draw(BANK, 1, NOON), right=3)), 12.5)
    sheet.save(mock)
    assert sheet.load(BANK) == mock
    sheet.save(mocks.finish(mock))
    assert sheet.load(BANK) is None
    assert json.loads((tmp_path / "mocks" / "2026-11-26T12-00-00.json").read_text())["finished"]


def test_changed_questions_are_refused_and_others_are_not(tmp_path):
    sheet, mock = Sheet(tmp_path), draw(BANK, 1, NOON)
    sheet.save(mock)
    asked = next(place for place, item in enumerate(BANK) if item.id in mock.items)
    other = next(place for place, item in enumerate(BANK) if item.id not in mock.items)
    for place, refused in ((asked, True), (other, False)):
        bank = [*BANK]
        bank[place] = read(id=BANK[place].id, claims=list(BANK[place].claims), stem="New?")
        if refused:
            with pytest.raises(ExamError, match="changed since"):
                sheet.load(bank)
        else:
            assert sheet.load(bank) == mock
    sheet.discard()
    assert sheet.load(BANK) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"seed": 1}', '{"items": 3}'])
def test_a_damaged_file_is_refused_in_words(tmp_path, text):
    (tmp_path / "mock.json").write_text(text)
    with pytest.raises(StoreError):
        Sheet(tmp_path).load(BANK)


def test_two_windows_do_not_take_the_same_mock(tmp_path):
    with (Sheet(tmp_path).alone(), pytest.raises(ExamError, match="another window"),
          Sheet(tmp_path).alone()):
        pass
    with Sheet(tmp_path).alone() as sheet:
        assert sheet.load(BANK) is None


CRASHING = textwrap.dedent("""
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from exam.test_mock import BANK, KNOWN, NOON, Sheet, draw, mocks
    sheet, mock = Sheet(Path(sys.argv[1])), draw(BANK, 1, NOON)
    while True:
        for name in mock.items:
            mock = mocks.answer(mock, KNOWN[name], ("b",))
            sheet.save(mock)
            print(len(mock.answers), flush=True)
""")


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path):
    tests = str(Path(__file__).parents[1])
    with subprocess.Popen([sys.executable, "-c", CRASHING, str(tmp_path), tests], text=True,
                          stdout=subprocess.PIPE) as process:
        seen = [int(process.stdout.readline()) for _ in range(20)]
        process.kill()
    assert len(Sheet(tmp_path).load(BANK).answers) >= seen[-1]
