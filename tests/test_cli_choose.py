"""`fmcourse choose`: asked at the keyboard or by options, and wrong answers said."""

from __future__ import annotations

import re
from functools import partial

import pytest

from fmcourse.cli_choose import understood
from fmcourse.errors import CourseError
from fmcourse.evidence import choosing

OPTIONS = ("--examples", "hundreds", "--documents", "some", "--facts", "changing",
           "--speed", "any", "--budget", "some", "--place", "managed")


@pytest.fixture
def command(command):
    return partial(command, "choose")


def test_options_ask_nothing_and_advise_with_evidence(command, keyboard):
    keyboard()
    code, said, _ = command(*OPTIONS)
    assert code == 0
    built = said.split("Leave, for now:")[0]
    places = [built.index(f"{number}. {route}") for number, route in enumerate(
        ("a prompt with examples", "retrieval", "fine-tuning", "Amazon Bedrock"), 1)]
    assert places == sorted(places)
    flat = " ".join(built.split())
    for one in (choosing.TODAY, choosing.LOOKED_UP):
        found = choosing.measured(one)
        assert (f"{one.claim} ({found['verdict']}, {found['effect']:.3g} better): “{one.metric}”, "
                f"{one.treatment} against {one.control}; lesson ") in flat
    assert "lesson 13 (notebooks/13_choosing_and_shipping.ipynb)" in flat


def test_a_ratio_is_told_as_one_and_what_was_not_run_too(command, monkeypatch):
    told = ("--examples", "none", "--documents", "none", "--facts", "none", "--speed", "any",
            "--budget", "none", "--place", "managed")
    assert re.search(r"M8 \(shown, [\d.]+× better\): “operations a reply”",
                     " ".join(command(*told)[1].split()))
    monkeypatch.setattr(choosing, "measured", lambda one: None)
    assert "M8 (not run yet): “operations a reply”" in " ".join(command(*told)[1].split())


def test_asked_six_questions_it_says_the_same_and_how_to_see_it_again(command, keyboard):
    _, by_options, _ = command(*OPTIONS)
    left = keyboard("hundreds", "2", "ch", "1", "some", "managed")
    code, said, _ = command()
    assert code == 0
    assert left == []
    assert by_options in said
    assert f"fmcourse choose {' '.join(OPTIONS)}" in said


def test_only_what_no_option_answers_is_asked(command, keyboard):
    left = keyboard("any")
    code, said, _ = command(*OPTIONS[:6], *OPTIONS[8:])
    assert (code, left) == (0, [])
    assert said.count("?") == 1


def test_a_wrong_option_is_an_error_before_anything_is_asked(command, keyboard):
    left = keyboard("none")
    code, said, complaint = command("--facts", "chnging")
    assert (code, said, left) == (1, "", ["none"])
    assert "'chnging' is no answer to: Do replies need facts" in complaint
    assert "Did you mean changing?" in complaint


def test_a_wrong_answer_is_said_and_asked_again(command, keyboard):
    keyboard("9", "")
    code, said, complaint = command(*OPTIONS[2:])
    assert "'9' is no answer here." in complaint
    assert "A number from 1 to 3, or a word." in complaint
    assert "''" in complaint
    assert code == 1  # then the input ended
    assert "Without an answer there is no advice." in complaint
    assert "--examples none" in complaint
    assert "Build" not in said


@pytest.mark.parametrize("said", ["0", "4", "x", "", "no one"])
def test_what_means_none_of_them_is_refused(said):
    with pytest.raises(CourseError, match="no answer here"):
        understood(said, ["none", "few", "hundreds"])


def test_a_beginning_that_two_answers_share_is_refused():
    with pytest.raises(CourseError):
        understood("m", ["managed", "mine"])
