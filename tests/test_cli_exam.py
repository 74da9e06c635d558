"""`fmcourse exam` at the keyboard: all types answered, mistakes said, left and taken up again."""

from __future__ import annotations

import builtins
import re
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from fmcourse.errors import ExamError
from fmcourse.exam import bank, mock, review, statistics, terminal_mock
from fmcourse.exam.grade import grade
from fmcourse.exam.item import TYPES
from fmcourse.exam.sheet import Sheet
from fmcourse.exam.terminal import asked, open_console
from fmcourse.exam.view import view

# Eight of the bank, two of each type, whatever else is in it.
NAMES = ("K1-01", "K2-01", "K4-01", "K9-01", "K10-01", "K11-01", "M4-01", "M5-01")
BANK = tuple(item for item in bank.load() if item.id in NAMES)
NOON = datetime(2026, 11, 26, 12)
KEYS = {item.id: item for item in BANK}


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setattr(bank, "load", lambda: BANK)
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "2000")  # no text is wrapped


@pytest.fixture
def command(command):
    return partial(command, "exam")


def plain(text):
    """As a terminal shows it: what stands between backticks is bold there."""
    return text.replace("`", "")


def first(kind):
    """The first item of that type as practice shows it today."""
    seed = datetime.now().toordinal()
    chosen = review.practice([item for item in BANK if item.type == kind], seed)[0]
    return view(chosen, seed)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_answered_rightly_by_keyboard(command, keyboard, kind):
    shown = first(kind)
    keyboard(shown.typed(shown.item.key).lower())
    code, said, _ = command("practice", "--type", kind, "--number", 1)
    assert code == 0
    assert "> Right.\n" in said
    assert plain(shown.item.why) in said
    assert f"Sources, checked {shown.item.verified}:\n{shown.item.sources[0]}" in said
    assert said.endswith("1 of 1 right.\n")


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_answered_wrongly_and_told_why(command, keyboard, kind):
    shown = first(kind)
    tried = {"multiple_choice": "AB", "multiple_response": ("AB", "AC"),
             "ordering": ("ABCD", "ABDC"), "matching": ("ABC", "ABA")}[kind]
    keyboard(next(typed for typed in tried if not grade(shown.item, shown.read(typed)).right))
    _, said, _ = command("practice", "--type", kind, "--number", 1)
    assert f"Wrong. Right is {shown.typed(shown.item.key)}." in said
    assert all(plain(mistake.why) in said for mistake in shown.item.wrong)
    assert "0 of 1 right." in said


def test_wrong_input_is_said_and_asked_again(command, keyboard):
    shown = first("multiple_choice")
    keyboard("E", "A B", "-", "Help", shown.typed(shown.item.key))
    _, said, _ = command("practice", "--type", "multiple_choice", "--number", 1)
    assert "There is no E here." in said
    assert "2 given, 1 asked for." in said
    assert "Select ONE. Type such as: Z" in said
    assert f"{shown.task} Such as: {shown.example}\nquit leaves; what was answered is kept." in said
    assert "1 of 1 right." in said


def test_practice_goes_on_with_what_was_not_answered(command, keyboard):
    ids = r"of \d · (\w+-\d\d)"
    shown = first("matching")
    keyboard(shown.typed(shown.item.key))
    _, said, _ = command("practice", "--type", "matching")
    assert "Kept." in said
    _, later, _ = command("practice", "--type", "matching")
    assert re.findall(ids, later)[0] == re.findall(ids, said)[1] != shown.item.id


def test_what_nobody_has_is_refused(command):
    assert "Did you mean K9?" in command("practice", "K99")[2]
    assert "ordering" in command("practice", "--type", "orderin")[2]
    code, _, complaint = command("practice", "K1", "--type", "matching")
    assert (code, "no such item" in complaint) == (1, True)


def right_answers(seed):
    """What to type for every question of that mock, in its order."""
    names = mock.draw(BANK, seed, NOON).items
    return [view(KEYS[name], seed).typed(KEYS[name].key) for name in names]


def test_a_mock_exam_is_taken_left_and_taken_up(command, keyboard):
    answers = right_answers(3)
    keyboard("help", "flag", *answers[:3])
    code, said, _ = command("mock", "--seed", 3)
    assert code == 0
    assert "shorter than the real exam's 65" in said
    assert "the clock stands" in said
    assert "Wrong" not in said
    keyboard("list", *answers[3:], "go 1", "end", "no", "go", "end", "yes")
    _, said, _ = command("mock")
    assert "Without an answer: 4, 5" in said
    assert "Flagged: 1." in said
    assert f"answered {answers[0]} · flagged" in said
    assert "Type such as: go 12" in said
    counted = len(BANK) - len(mock.draw(BANK, 3, NOON).extra)
    assert f"{counted} of the {counted} questions that count: 100% right" in said
    assert len(review.outcomes(BANK)) == len(BANK)
    assert Sheet().load(BANK) is None


def test_a_short_mock_exam_is_asked_for_by_its_number_of_questions(command, keyboard):
    keyboard("quit")
    _, said, _ = command("mock", "--questions", 5, "--seed", 3)
    assert "5 questions, of which 4 count, in 7 minutes" in said
    keyboard("quit")
    _, said, _ = command("mock")
    assert "Question 1 of 5" in said
    code, _, complaint = command("mock", "--questions", 6)
    assert (code, "of 5 questions" in complaint, "--new" in complaint) == (1, True, True)
    assert command("mock", "--questions", 66)[0] == 2


def test_a_damaged_mock_exam_is_moved_aside_and_another_one_begun(command, keyboard):
    keyboard("A", "quit")
    command("mock", "--seed", 3)
    Sheet().path.write_text('{"seed": 3, "it')
    keyboard("quit")
    code, said, _ = command("mock")
    assert code == 0
    assert "Its answers are lost" in said
    assert "Question 1 of 8" in said
    assert len([*Sheet().folder.glob("mock-damaged-*.json")]) == 1


def test_what_goes_beyond_the_exam_is_said_and_left_out_of_a_mock(command, keyboard, monkeypatch):
    bank_now = (*BANK[:-1], replace(BANK[-1], beyond=True))
    monkeypatch.setattr(bank, "load", lambda: bank_now)
    keyboard("quit")
    _, said, _ = command("mock")
    assert "7 questions" in said
    keyboard(*["next"] * 8, "list", "quit")
    _, said, _ = command("mock", "--new", "--beyond")
    assert re.search(r"Question \d of 8 · beyond the exam · ", said)
    review.record(grade(bank_now[-1], bank_now[-1].key))
    _, said, _ = command("report")
    assert "1 of 8 items answered, 1 of them beyond the exam." in said


def test_a_mock_exam_tells_what_to_revisit(command, keyboard):
    keyboard("next", "back", "", "A", "back", "clear", "end", "yes")
    _, said, _ = command("mock", "--seed", 3)  # whose second question is K9-01
    assert "not answered" in said
    assert "A guess costs nothing." in said
    assert review.outcomes(BANK) == []
    assert re.search(r"K9 +0 of 1 .*lesson 02, “Not fine-tuning”", said)


def test_another_seed_is_refused_while_one_is_under_way(command, keyboard):
    keyboard("q")
    command("mock", "--seed", 3)
    code, _, complaint = command("mock", "--seed", 4)
    assert (code, "--new" in complaint) == (1, True)
    keyboard("q")
    assert "Going on with 8 questions, 0 answered; --new begins another." in command("mock")[1]
    keyboard("quit")
    assert command("mock", "--seed", 4, "--new")[0] == 0


def test_when_time_is_up_the_last_answer_is_too_late(keyboard, capsys, tmp_path):
    sitting = mock.draw(BANK, 3, NOON)
    times = iter([0.0, 5.0, 60.0 * 90])
    answers = right_answers(3)
    keyboard(*answers)
    ended = terminal_mock.take(open_console(), sitting, BANK, Sheet(tmp_path), lambda: next(times))
    assert (ended.finished, len(ended.answers)) == (True, 1)
    assert "Time is up" in capsys.readouterr().out


def test_review_asks_what_is_due_and_how_it_was(command, keyboard):
    waiting = review.queue(BANK)[0]
    keyboard(view(waiting, datetime.now().toordinal()).typed(waiting.key), "x", "e")
    _, said, _ = command("review", "--new", 1)
    assert "1 to go" in said
    assert "Type h, e or nothing." in said
    assert "It comes back on 20" in said
    assert "Nothing more is due now; the next is due on 20" in said


def test_who_leaves_when_asked_how_it_was_keeps_the_answer(command, keyboard):
    waiting = review.queue(BANK)[0]
    keyboard(view(waiting, datetime.now().toordinal()).typed(waiting.key), "quit")
    command("review")
    assert review.outcomes(BANK) == [(waiting, True)]


def test_time_is_counted_once_while_handing_in_is_thought_over(keyboard, tmp_path):
    times = iter([0.0, 5.0, 12.0])
    keyboard("end", "quit")
    terminal_mock.take(open_console(), mock.draw(BANK, 3, NOON), BANK, Sheet(tmp_path),
                       lambda: next(times))
    assert Sheet(tmp_path).load(BANK).spent == 12


def test_bytes_that_are_no_text_are_no_answer(monkeypatch):
    def broken(prompt=""):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    monkeypatch.setattr(builtins, "input", broken)
    with pytest.raises(ExamError, match="letters"):
        first("matching").read(asked(open_console()))


def test_review_with_nothing_allowed(command):
    assert "Nothing is due" in command("review", "--new", 0)[1]


def test_report_sums_up_latest_answers(command):
    code, _, complaint = command("report")
    assert (code, "fmcourse exam practice" in complaint) == (1, True)
    review.record(grade(KEYS["K9-01"], ("a",)))
    review.record(grade(KEYS["K2-01"], KEYS["K2-01"].key))
    _, said, _ = command("report")
    assert re.search(r"K9 +0 of 1", said)
    assert f"{bank.statements()['K9']} [evidence: {bank.verdicts()['K9']}]" in said
    assert re.search(r"K2 +1 of 1", said)
    assert re.search(r"3\.3 +1 of 2 .*lesson 02", said)
    assert f"2 of {len(BANK)} items answered." in said


def test_export_replaces_a_file_by_force_alone(command, tmp_path):
    notes = tmp_path / "notes.md"
    notes.write_text("mine")
    code, _, complained = command("export", notes, "k9")
    assert code == 1
    assert "--force" in complained
    assert notes.read_text() == "mine"
    assert command("export", notes, "k9", "--force")[0] == 0
    assert notes.read_text() != "mine"


def test_export_writes_what_is_asked_for(command, tmp_path):
    code, said, _ = command("export", tmp_path / "k9.md", "k9")
    assert (code, "items: 1" in said) == (0, True)
    assert "K9-01" in (tmp_path / "k9.md").read_text()
    assert command("export", tmp_path / "k9.doc")[0] == 1


def test_check_counts_the_bank_and_fails_where_it_leaks(command, monkeypatch):
    code, said, _ = command("check")
    assert code == 0
    assert f"{len(BANK)} items" in said
    assert "longest option" in said
    monkeypatch.setattr(statistics, "baselines", lambda items: [
        statistics.Baseline("longest option", "multiple_choice", 40, 30, 10.0, 1e-9)])
    code, _, complaint = command("check")
    assert (code, "guessed by: longest option" in complaint) == (1, True)
