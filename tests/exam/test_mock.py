"""A mock exam is drawn fairly, survives a crash at any moment, and reports raw shares."""

import json
import subprocess
import sys
import textwrap
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from itertools import combinations
from pathlib import Path

import pytest
from exam.items import read
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.errors import ExamError
from fmcourse.exam import bank as banks
from fmcourse.exam import mock as mocks
from fmcourse.exam.choosing import alike, apportioned, words
from fmcourse.exam.mock import draw
from fmcourse.exam.report import by_claim, report
from fmcourse.exam.sheet import Sheet

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


REAL = banks.load()


@pytest.mark.parametrize("questions", [20, 65])
def test_tasks_and_types_have_their_shares_whatever_the_seed(questions):
    known = {item.id: item for item in REAL}
    askable = [item for item in REAL if not item.beyond]
    claims = len({item.claim for item in askable})
    for seed in range(100):
        asked = [known[name] for name in draw(REAL, seed, NOON, questions).items]
        assert len({item.id for item in asked}) == questions
        assert not any(item.beyond for item in asked)
        for of in (lambda item: item.task, lambda item: item.type):
            share = apportioned(Counter(map(of, askable)), questions)
            assert Counter(map(of, asked)) == share
            assert min(share.values()) >= 1
        assert max(Counter(item.claim for item in asked).values()) <= -(-questions // claims) + 1
        assert not [1 for one, other in combinations(map(words, asked), 2) if alike(one, other)]


def test_near_doubles_are_asked_together_only_if_nothing_else_is_left():
    one, double = (read("matching", id=f"K1-{n:02}", stem=f"Match number {n} with its square.")
                   for n in (1, 2))
    other = read("matching", id="K1-03", stem="Match each city with the country it lies in.",
                 prompts={"p": "Rome", "q": "Paris", "r": "Vienna"},
                 options={"a": "France", "b": "Italy", "c": "Austria", "d": "Spain"})
    for seed in range(20):
        assert other.id in draw([one, double, other], seed, NOON, 2).items
        assert len(draw([one, double, other], seed, NOON).items) == 3


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 40), min_size=1, max_size=9),
       st.data())
def test_what_is_apportioned_is_all_that_there_is_and_near_its_share(sizes, data):
    count = data.draw(st.integers(1, sum(sizes.values())))
    given = apportioned(sizes, count)
    assert sum(given.values()) == count
    assert all(given[name] <= size for name, size in sizes.items())
    assert count < len(sizes) or min(given.values()) >= 1


def test_what_goes_beyond_the_exam_is_asked_only_if_wanted():
    bank = [*BANK, *(read(id=f"K2-{n}", claims=["K2"], stem=f"And {n}?", beyond=True)
                     for n in range(91, 99))]
    beyond = {item.id for item in bank if item.beyond}
    assert not beyond & set(draw(bank, 1, NOON).items)
    assert beyond & set(draw(bank, 1, NOON, beyond=True).items)
    with pytest.raises(ExamError, match="nothing to ask"):
        draw([item for item in bank if item.beyond], 1, NOON)
    mock = mocks.finish(draw(bank, 1, NOON, beyond=True))
    found = report(mock, mocks.results(mock, bank))
    assert f"Questions beyond the exam among all of them: {found.beyond}." in str(found)
    assert found.beyond == len(beyond & set(mock.items))


def test_a_short_mock_is_the_real_one_in_proportion():
    mock = draw(BANK, 1, NOON, 20)
    assert (len(mock.items), len(mock.extra), mock.minutes) == (20, 5, 28)
    assert mock.about == ("20 questions, of which 15 count, in 28 minutes: shorter than the real "
                          "exam's 65 in 90.")
    for wrong in (0, 66):
        with pytest.raises(ExamError, match="Ask 1 to 65"):
            draw(BANK, 1, NOON, wrong)


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


DAMAGE = {"spent": ["x", None, -1, True], "place": [99, -1, "0", 1.0], "seed": ["x", True],
          "items": [[], 3, ["K1-00", "K1-00"], [1]], "extra": [["K9-99"], None],
          "flagged": [["K9-99"], "K1-00", [[]]], "minutes": [0, "90"], "began": ["noon", 3],
          "digest": [None], "finished": ["no"],
          "answers": [[], {"K9-99": ["a"]}, {"ITEM": []}, {"ITEM": "a"}, {"ITEM": ["z"]},
                      {"ITEM": ["a", "b"]}, {"ITEM": [1]}]}


def damaged():
    """A sheet's text with one thing wrong, thing by thing."""
    sheet = json.loads(json.dumps(asdict(draw(BANK, 1, NOON))))
    good = json.dumps(sheet)
    yield from ["", "{", good[:len(good) // 2], "[]", "3", '{"seed": 1}', "[" * 100_000,
                good.replace('"spent": 0.0', '"spent": NaN'),
                good.replace('"spent": 0.0', '"spent": 1e999')]
    yield json.dumps(sheet | {"more": 1})
    for name, values in DAMAGE.items():
        yield json.dumps({key: value for key, value in sheet.items() if key != name})
        for value in values:
            yield json.dumps(sheet | {name: value}).replace("ITEM", sheet["items"][0])


@pytest.mark.parametrize("text", damaged(), ids=lambda text: text[:20])
def test_a_damaged_file_is_moved_aside_and_what_was_lost_is_said(tmp_path, text):
    sheet = Sheet(tmp_path)
    sheet.path.write_text(text)
    assert sheet.load(BANK) is None
    assert "Its answers are lost" in sheet.lost
    assert str(sheet.aside) in sheet.lost
    assert sheet.aside.read_text() == text
    assert not sheet.path.exists()
    sheet.save(draw(BANK, 1, NOON))
    assert sheet.load(BANK) is not None
    assert sheet.lost == ""


def test_bytes_that_are_no_text_are_damage(tmp_path):
    (tmp_path / "mock.json").write_bytes(b"\xff\xfe\x00")
    assert Sheet(tmp_path).load(BANK) is None


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
