"""Limits that pages state: which numbers are asked for, and which sentences two releases share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.data.stated_limits import blanks, in_both, stated


def page(text: str, name: str = "CreateFox", document: str = "zoo") -> dict[str, str]:
    return {"text": text, "name": name, "document": document, "service": "Amazon Zoo",
            "kind": "operation"}


@pytest.mark.parametrize(("sentence", "numbers"), [
    ("A fox can have up to 1,000 tags and at most 5 names.", ["1000", "5"]),
    ("Tickets are available for 24 months after a visit.", ["24"]),
    ("The maximum for each fox is 30 seconds, the default.", ["30"]),
    ("It accepts no more than 50% of what foxes are given.", ["50"]),
    ("If there are more than 100 foxes, only the first 100 come.", ["100"]),  # the second is told
    ("The names of foxes can be from 3 to 63 characters long.", ["3", "63"])])
def test_limits_are_asked_for(sentence, numbers):
    assert [number for _, number in blanks(sentence)] == numbers


@pytest.mark.parametrize("sentence", [
    "The maximum is a record of Amazon Route 53 for foxes.",  # a name
    "The maximum size was chosen for version 2.0.1 of it.",  # a version
    "At most a fox is between states 1 and 2 of all that there are.",
    "Use the maximum of the fox in us-east-1 and arn:aws:zoo:1234.",  # identifiers
    "There are 7 foxes in the zoo, as everybody has been told.",  # no limit
    "5 foxes is the maximum that may be kept in one place.",  # nothing before it
    "At most 5 foxes.",  # too short
    "Constraints: Up to 10 000 foxes can be specified in a request.",  # one number in two parts
    "The process of the fox failed with an exit code greater than 0.",
    "The range means that you want to copy the first 10 bytes of it.",
    "Each fox is written down in time units (plus 10 seconds) of Europe.",
    "Supports a single code (for example, at most 5 of a fox) a zoo.",
    "For a zoo that is small, suppose that it has at most 5 foxes.",
    "Every code of the group may be sent, from 500 up to 599 (5XX).",
    "Foxes that came before October 1, 2025 are kept after that day.",
    f"Up to 5 foxes {'and so on ' * 40}."])
def test_other_numbers_are_not(sentence):
    assert blanks(sentence) == []


@given(st.text(st.sampled_from("ab 17,.%-(:"), max_size=80), st.integers(0, 10**9 - 1))
def test_a_blank_filled_in_gives_the_sentence_back(text, number):
    sentence = f"A value of at most {text} up to {number:,} is taken {text}."
    for asked, answer in blanks(sentence):
        assert {asked.replace("___", answer), asked.replace("___", f"{int(answer):,}")} & {sentence}


def test_facts_are_found_again_whatever_became_of_the_typography():
    old, = stated([page("- Amazon foxes of any kind can have up to 1,000 tags.")]).items()
    new, = stated([page("Foxes of any kind can have up to 2000 tags")]).items()
    assert old[0] == new[0]
    assert (old[1].number, new[1].number) == ("1000", "2000")


def test_a_sentence_that_a_page_says_with_two_numbers_is_left_out():
    text = "Each fox can have up to 5 tags here.\nEach fox can have up to 6 tags here."
    assert stated([page(text)]) == {}


def test_a_sentence_that_two_pages_of_a_service_say_with_two_numbers_is_left_out():
    text = "Each den can take up to {} foxes in a year."
    both = [page(text.format(1)), page(text.format(10), "PutFox")]
    assert stated(both) == {}
    assert len(stated([both[0], page(text.format(10), document="park")])) == 2


SAID = "You can create up to {} dens in each zoo of your account."


@pytest.mark.parametrize("now", [
    "You can create up to {} dens in each zoo of an account.",
    "You may create up to {} dens in each zoo of your account.",
    "In all you can create up to {} dens in each zoo of your account."])
def test_a_limit_is_found_again_in_other_words(now):
    (one, before), = in_both(stated([page(SAID.format(5))]), stated([page(now.format(50))]))
    assert (before, one.number) == ("5", "50")


@pytest.mark.parametrize("now", [
    "You can create up to {} caves in each zoo of your account.",  # another unit
    "You can create up to {} dens in each BIG_ZOO of your account.",  # another thing
    "You can ask for up to {} dens if there is a reason for so many of them.",  # other words
    "You can, from 2030 on, create up to {} dens in each zoo of your account."])  # another place
def test_another_limit_is_not(now):
    assert in_both(stated([page(SAID.format(5))]), stated([page(now.format(50))])) == []


def test_a_limit_is_not_found_again_where_two_sentences_could_be_meant():
    now = "\n".join(f"You {may} create up to 7 dens in each zoo of your account."
                    for may in ("may", "might"))
    assert in_both(stated([page(SAID.format(5))]), stated([page(now)])) == []
