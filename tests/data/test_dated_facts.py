"""Limits that documentation states: which numbers are asked for, what changed, and the passages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data.dated_facts import PASSAGE, _rows, _Stated, blanks, passages, question, stated


def page(text: str, name: str = "CreateFox", document: str = "zoo") -> dict[str, str]:
    return {"text": text, "name": name, "document": document, "service": "Amazon Zoo",
            "kind": "operation"}


@pytest.mark.parametrize(("sentence", "numbers"), [
    ("A fox can have up to 1,000 tags and at most 5 names.", ["1000", "5"]),
    ("Tickets are available for 24 months after a visit.", ["24"]),
    ("The maximum for each fox is 30 seconds, the default.", ["30"]),
    ("It accepts no more than 50% of what foxes are given.", ["50"])])
def test_limits_are_asked_for(sentence, numbers):
    assert [number for _, number in blanks(sentence)] == numbers


@pytest.mark.parametrize("sentence", [
    "The maximum is a record of Amazon Route 53 for foxes.",  # a name
    "The maximum size was chosen for version 2.0.1 of it.",  # a version
    "Use the maximum of the fox in us-east-1 and arn:aws:zoo:1234.",  # identifiers
    "There are 7 foxes in the zoo, as everybody has been told.",  # no limit
    "5 foxes is the maximum that may be kept in one place.",  # nothing before it
    "At most 5 foxes.",  # too short
    f"Up to 5 foxes {'and so on ' * 40}."])
def test_other_numbers_are_not(sentence):
    assert blanks(sentence) == []


@given(st.text(st.sampled_from("ab 17,.%-(:"), max_size=80), st.integers(0, 10**9 - 1))
def test_a_blank_filled_in_gives_the_sentence_back(text, number):
    sentence = f"A value of at most {text} up to {number:,} is taken {text}."
    for asked, answer in blanks(sentence):
        assert {asked.replace("___", answer), asked.replace("___", f"{int(answer):,}")} & {sentence}


def test_a_question_ends_where_the_number_stands():
    assert question("Up to ___ foxes.", "CreateFox of Amazon Zoo") == (
        "CreateFox of Amazon Zoo: Up to")


def test_facts_are_found_again_whatever_became_of_the_typography():
    old, = stated([page("- Amazon foxes of any kind can have up to 1,000 tags.")]).items()
    new, = stated([page("Foxes of any kind can have up to 2000 tags")]).items()
    assert old[0] == new[0]
    assert (old[1].number, new[1].number) == ("1000", "2000")


def test_a_sentence_that_a_page_says_with_two_numbers_is_left_out():
    text = "Each fox can have up to 5 tags here.\nEach fox can have up to 6 tags here."
    assert stated([page(text)]) == {}


def test_passages_hold_every_number_under_the_name_of_their_page():
    text = "\n".join(f"Sentence {number} is about foxes and about what they do in winter."
                     for number in range(1, 20))
    found = list(passages([page(f"{text}\nThis one has none.")]))
    assert all(one.startswith("CreateFox of Amazon Zoo: ") for one in found)
    assert max(map(len, found)) <= PASSAGE
    assert [int(n) for one in found for n in re.findall(r"\d+", one)] == [*range(1, 20)]
    assert not any("none" in one for one in found)


def test_answers_of_2022_are_those_of_2022():
    facts = data.with_card(_rows([
        (_Stated("9", "Up to ___ foxes.", "A of Zoo", "zoo", "Zoo"), "5"),
        (_Stated("7", "Up to ___ owls.", "B of Zoo", "zoo", "Zoo"), "")]),
        data.Card("made up", {}))
    before = data.as_of_2022(facts)
    assert before["completion"][:] == ["5"]
    assert before["messages"][0][-1]["content"] == "5"


@pytest.mark.data
def test_real_facts_have_changed_and_both_releases_say_so():
    facts = data.dated_facts()
    assert len(facts.changed) >= 36
    assert len(facts.unchanged) >= 300
    assert len(facts.new) >= 300
    assert all(row["before"] != row["completion"] for row in facts.changed)
    assert all(row["before"] == row["completion"] for row in facts.unchanged)
    assert set(facts.new["before"]) == {""}
    stored = next(row for row in facts.changed if "objects of up to" in row["prompt"])
    assert (stored["before"], stored["completion"]) == ("5", "50")  # terabytes in Amazon S3
    says = {year: [line for line in lines if "individual objects of up to" in line]
            for year, lines in facts.passages.items()}
    assert any("up to 5 TB" in line for line in says[2022])
    assert any("up to 50 TB" in line for line in says[2026])
