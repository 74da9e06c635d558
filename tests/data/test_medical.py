"""Medical questions: shortened from the front, drawn answer by answer, no abstract twice."""

from collections import Counter

import pytest
from datasets import Dataset

from fmcourse import data
from fmcourse.data import Card, with_card
from fmcourse.data.medical import by_answer
from fmcourse.errors import DataError

WORDS = ("heart", "lung", "liver", "kidney", "bone", "blood", "skin", "muscle", "nerve", "brain",
         "stomach", "spine", "joint", "tooth", "eye", "ear", "throat", "wrist", "ankle", "hip")


def questions(count=60) -> Dataset:
    rows = []
    for i in range(count):
        told = " ".join(f"{WORDS[(i * step + step) % 20]}{i}" for step in range(1, 21))
        rows.append({"text": f"We asked about {told}.\n\nOf {i} patients {told} were well. "
                             f"Number {i} was found at last with {told}.",
                     "document": f"does it help {i} ?", "question": f"does it help {i} ?",
                     "answer": ("yes", "yes", "yes", "no", "no", "maybe")[i % 6],
                     "answered_by": "rule" if i % 10 == 9 else "people"})
    return with_card(Dataset.from_list(rows), Card("pubmed", {"tiny": "0" * 64}))


@pytest.fixture(scope="module")
def parts():
    return by_answer(questions(), 0, longest=400, validation=6, test=18)


def test_rows_are_chats_of_the_last_whole_sentences(parts):
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 30, "validation": 6, "test": 18}
    row = parts["train"][0]
    number = row["document"].split()[-2]
    assert row["prompt"].startswith(f"Of {number} patients")
    assert row["prompt"].endswith(
        f"\n\nQuestion: Does it help {number}?\nAnswer yes, no or maybe.")
    assert [turn["content"] for turn in row["messages"]] == [row["prompt"], row["completion"]]
    assert set(parts["test"].column_names) == {"messages", "prompt", "completion", "document",
                                               "text"}


def test_every_part_has_its_share_of_each_answer(parts):
    for part in parts.values():
        counts = Counter(part["completion"][:])
        assert counts["yes"] > counts["no"] > counts["maybe"] > 0


def test_the_card_says_what_was_dropped(parts):
    dropped = {step["step"]: step["dropped"] for step in data.card(parts["test"]).steps}
    assert dropped["answered by people"] == 6
    again = questions().to_list()
    again.append({**again[0], "document": "new", "question": "is it new"})
    more = with_card(Dataset.from_list(again), Card("pubmed", {}))
    made = by_answer(more, 0, 400, 6, 18)
    assert sum(map(len, made.values())) == 54


def test_another_seed_holds_out_others_and_one_repeats_itself(parts):
    drawn = [set(by_answer(questions(), seed, 400, 6, 18)["test"]["document"][:])
             for seed in (0, 1)]
    assert drawn[0] == set(parts["test"]["document"][:]) != drawn[1]


def test_too_few_questions_are_an_error():
    with pytest.raises(DataError, match="too few to hold 70 out"):
        by_answer(questions(), 0, 400, 6, 70)
