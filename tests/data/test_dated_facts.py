"""Facts that change: questions, passages, and what the two releases say."""

from __future__ import annotations

import re

import pytest

from fmcourse import data
from fmcourse.data.dated_facts import PASSAGE, _rows, passages, question
from fmcourse.data.stated_limits import Stated


def page(text: str, name: str = "CreateFox", document: str = "zoo") -> dict[str, str]:
    return {"text": text, "name": name, "document": document, "service": "Amazon Zoo",
            "kind": "operation"}


def test_a_question_ends_where_the_number_stands():
    assert question("Up to ___ foxes.", "CreateFox of Amazon Zoo") == (
        "CreateFox of Amazon Zoo: Up to")


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
        (Stated("9", "Up to ___ foxes.", "A of Zoo", "zoo", "Zoo"), "5"),
        (Stated("7", "Up to ___ owls.", "B of Zoo", "zoo", "Zoo"), "")]),
        data.Card("made up", {}))
    before = data.as_of_2022(facts)
    assert before["completion"][:] == ["5"]
    assert before["messages"][0][-1]["content"] == "5"


@pytest.mark.data
def test_real_facts_have_changed_and_both_releases_say_so():
    facts = data.dated_facts()
    assert len(facts.changed) >= 34
    assert len(facts.unchanged) >= 300
    assert len(facts.new) >= 300
    assert all(row["before"] != row["completion"] for row in facts.changed)
    assert all(row["before"] == row["completion"] for row in facts.unchanged)
    assert set(facts.new["before"]) == {""}
    asked = [row for part in (facts.changed, facts.unchanged, facts.new) for row in part]
    assert not {"0", "000"} & {row["completion"] for row in asked}
    assert not any("for example" in row["sentence"].lower() for row in asked)
    shards = [row for row in asked if "maximum data write total" in row["sentence"]]
    assert all(row["completion"] == "1000" for row in shards)  # of MiB, two pages disagree
    stored = next(row for row in facts.changed if "objects of up to" in row["prompt"])
    assert (stored["before"], stored["completion"]) == ("5", "50")  # terabytes in Amazon S3
    says = {year: [line for line in lines if "individual objects of up to" in line]
            for year, lines in facts.passages.items()}
    assert any("up to 5 TB" in line for line in says[2022])
    assert any("up to 50 TB" in line for line in says[2026])
