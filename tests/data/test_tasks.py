"""The instruction collection: every item can be solved, in one way, and not by a trick."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from functools import cache
from string import Formatter

import pytest
from datasets import Dataset

from fmcourse import data
from fmcourse.data.tasks import FAMILIES, HELD_OUT, TRAINED, families, ladder, task_records
from fmcourse.data.tasks import collection as made
from fmcourse.data.tasks.material import ORIGINS, PARTS, made_of
from fmcourse.data.tasks.sentences import plain_sentences, runs, telling_words
from fmcourse.errors import DataError
from fmcourse.evaluate.checkers import check
from fmcourse.evaluate.instructions import follows, instruction_rate

ANIMALS = ("fox", "heron", "badger", "otter", "raven", "hare", "toad", "wren", "mole", "stoat")
NOUNS = ("river", "orchard", "harbour", "bridge", "marsh", "lane", "chapel", "meadow", "quarry",
         "lantern", "garden", "kitchen", "window", "forest", "island", "valley", "tower", "market")
BY_NAME = {family.name: family for family in FAMILIES}


def _sentence(draw: random.Random, place: int) -> str:
    animal, (first, second, third) = draw.choice(ANIMALS), draw.sample(NOUNS, 3)
    opening = draw.choice(ANIMALS).capitalize() + draw.choice(NOUNS)
    return draw.choice((
        f"{opening} and the {animal} went past the {first}, the {second} and the {third}.",
        f"{opening} was seen near the {first} in {1600 + place % 400} by the {animal}.",
        f"{opening} holds {place % 900 + 2} lamps for the {first} beside the {second}.",
    ))


def _paragraph(draw: random.Random, place: int) -> str:
    return " ".join(_sentence(draw, 7 * place + i) for i in range(3))


@cache
def world():
    """Material of made-up texts in the shape of the course's corpora, with its real sources."""
    draw, letters = random.Random(0), "BCDFGHKLMNPRST"
    prose = [{"text": _paragraph(draw, i), "document": f"{source}: Title {i}", "source": source}
             for source in ("boolq-passages", "web-bible") for i in range(300)]
    manuals = []
    for i in range(200):
        short = "".join(draw.sample(letters, 3))
        words = " ".join(letter + draw.choice(NOUNS) for letter in short)
        manuals.append({
            "text": f"Do{short}{i} is an operation of Amazon {words}.\n\n{_paragraph(draw, i)}\n"
                    f"It needs a {words} ({short}) somewhere.",
            "document": f"service-{i}", "source": "aws-docs", "kind": "operation",
            "name": f"Do{short}{i}", "service": f"Amazon {words}"})
    abstracts = [{"text": _paragraph(draw, i), "document": f"paper {i}", "source": "pubmed",
                  "question": f"is the {draw.choice(NOUNS)} number {i} safe",
                  "answer": ("yes", "no", "maybe")[i % 3], "answered_by": "people"}
                 for i in range(90)]
    asked = [{"passage": row["text"], "question": f"is it about title {i}", "label": i % 2 == 0,
              "document": row["document"].partition(": ")[2], "source": "boolq"}
             for i, row in enumerate(prose[:200])]
    return made_of(*(Dataset.from_list(rows) for rows in (prose, manuals, abstracts, asked)))


def drawn(name, seed=0, rows=60, part="train", turns=1):
    return made.records_from(world(), [BY_NAME[name]], rows, seed, part, turns)


def passes(row, reply):
    return check(row["checker"], reply, row["instruction"], json.loads(row["parameters"]))


def share(rows, reply):
    """How many of the rows a strategy solves, given the row and its index."""
    return sum(passes(row, reply(i, row)) for i, row in enumerate(rows)) / len(rows)


def solved_otherwise(rows, chance):
    """Ways to solve a family's items that should not be: at best none.

    A right answer that fails counts too; the answers of other items may pass as often as chance.
    """
    found = [] if all(passes(row, row["answer"]) for row in rows) else ["an answer fails"]
    for trick in (lambda i, row: "", lambda i, row: " \n", lambda i, row: row["instruction"],
                  lambda i, row: f"{row['instruction']} {row['answer']}",
                  lambda i, row: f"{row['answer']}\n\n{row['answer']} {row['answer']}",
                  lambda i, row: max(row["instruction"].split("\n\n"), key=len)):
        found += [trick(0, rows[0])] * (share(rows, trick) > 0)
    turned = rows[len(rows) // 2:] + rows[:len(rows) // 2]
    others = [share(rows, lambda i, row, by=by: turned[(i + by) % len(rows)]["answer"])
              for by in range(5)]
    return found + ["other answers"] * (sum(others) / 5 > max(0.02, chance + 0.1))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", BY_NAME)
def test_only_the_right_reply_passes(name, seed):
    assert solved_otherwise(drawn(name, seed).to_list(), BY_NAME[name].chance) == []


@pytest.mark.parametrize("name", BY_NAME)
def test_wordings_are_different_and_all_used(name):
    phrasings = BY_NAME[name].phrasings
    assert len(set(phrasings)) == len(phrasings) >= 4
    places = [{place for _, place, _, _ in Formatter().parse(said) if place} for said in phrasings]
    assert all(named == places[0] and "input" in named for named in places)
    assert any(said.endswith("{input}") for said in phrasings)
    assert any(said.startswith("{input}") for said in phrasings)
    train, test = drawn(name), drawn(name, part="test")
    assert not any(train["unseen_phrasing"])
    assert sum(test["unseen_phrasing"]) == len(test) // len(phrasings)
    for said in phrasings[:-1]:
        head, tail = said.partition("{")[0], said.rpartition("}")[2]
        assert any(row.startswith(head) and row.endswith(tail) for row in train["instruction"])


@pytest.mark.parametrize("name", BY_NAME)
def test_the_seed_draws_anew_and_repeats_itself(name):
    assert drawn(name).to_list() == drawn(name).to_list()
    assert drawn(name)["text"][:] != drawn(name, seed=1)["text"][:]
    assert drawn(name)["text"][:] != drawn(name, part="test")["text"][:]
    assert len(set(drawn(name)["instruction"])) == 60


def test_families_are_counted_named_and_of_every_kind():
    table = families()
    assert list(table["name"]) == list(BY_NAME)
    assert len(TRAINED) >= 20
    assert len(HELD_OUT) >= 8
    assert table["hard"].sum() <= 2
    assert table["licence"].str.len().gt(0).all()
    kinds = {held_out: set(rows["kind"]) for held_out, rows in table.groupby("held_out")}
    assert kinds[True] == kinds[False]  # a kind nobody trained on would be another question


def test_the_ladder_is_nested_and_its_order_drawn():
    steps = ladder(3)
    assert [len(steps[rung]) for rung in (1, 2, 4, 8, 16)] == [1, 2, 4, 8, 16]
    for fewer, more in ((1, 2), (2, 4), (4, 8), (8, 16)):
        assert steps[more][:fewer] == steps[fewer]
    assert set(steps[16]) <= set(TRAINED)
    assert len({ladder(seed)[1] for seed in range(10)}) > 3
    with pytest.raises(DataError, match="families to train on"):
        ladder(0, rungs=(99,))


def test_shares_are_equal_and_items_do_not_depend_on_company():
    chosen = [BY_NAME[name] for name in ("last_word", "bullets", "twice")]
    rows = made.records_from(world(), chosen, 61, 0, "train")
    assert sorted(Counter(rows["kind"]).values()) == [20, 20, 21]
    alone = set(drawn("last_word", rows=21)["instruction"])
    assert {row["instruction"] for row in rows if row["kind"] == "last_word"} <= alone
    assert len(set(rows["kind"][:8])) > 1  # shuffled


def test_two_turns_make_one_conversation():
    rows = drawn("twice", rows=20, turns=2)
    assert len(rows) == 20
    for row in rows:
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"] * 2
        assert row["messages"][2]["content"] == row["instruction"]
        assert row["messages"][3]["content"] == row["answer"]
        assert all(message["content"] in row["text"] for message in row["messages"])


def test_the_card_names_sources_and_licences():
    card = data.card(drawn("first_sentence"))
    assert set(card.sources) <= set(ORIGINS)
    assert len(card.licence) >= 2
    assert card.attribution
    assert card.texts == 60


class Solver:
    """A 'model' that knows the answers by heart."""

    name, tokenizer = "solver", None

    def __init__(self, rows):
        self.answers = {f"Instruction: {row['instruction']}\nResponse:": row["answer"]
                        for row in rows}

    def generate(self, prompts, tokens, temperature, seed):
        return [self.answers[prompt] for prompt in prompts]


def test_rows_are_graded_by_instruction_rate_as_they_are():
    rows = made.records_from(world(), [BY_NAME["bullets"], BY_NAME["json_list"]], 30, 0, "test")
    table = instruction_rate(Solver(rows), rows).set_index("kind")
    assert table.loc["bullets", "n"] == table.loc["json_list", "n"] == 15
    assert table["rate"].eq(1).all()
    assert not follows(rows[0], "Certainly!")


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(DataError, match="no task family 'poems'"):
        task_records(["poems"])
    with pytest.raises(DataError, match="different items of 'medical_yes_no'"):
        drawn("medical_yes_no", rows=5000)
    with pytest.raises(DataError, match="can't be shared"):
        made.records_from(world(), FAMILIES, 5, 0, "train")


def test_a_family_whose_answer_is_wrong_is_seen():
    """The judge of this file can fail: an answer that isn't the one asked for."""
    honest = BY_NAME["last_word"]
    wrong = replace(honest, make=lambda rng, given: replace(honest.make(rng, given), answer="it"))
    rows = made.records_from(world(), [wrong], 60, 0, "train").to_list()
    assert "an answer fails" in solved_otherwise(rows, 0.0)


@pytest.mark.parametrize(("text", "found"), [
    ("The dog barked at the moon all night. Nobody heard it in the old house.", 2),
    ("He lived with Dr. Smith and his three daughters.", 0),
    ("He asked \"why\" and went home through the snow.", 0),
    ("See the section on pointers, arrays, etc. The dog barked at the moon.", 0),
    ("ClusterName: The name of the cluster to use.", 0),
    ("The dog (a spaniel barked at the moon all night.", 0),
    ("The rate increased and so did the volume.", 1),
])
def test_only_plain_sentences_are_used(text, found):
    assert len([one for one in plain_sentences(text) if one]) == found


def test_runs_stay_within_a_paragraph_and_a_length():
    assert list(runs(["One.", None, "Two."])) == []
    assert list(runs(["One.", "One.", "Two."])) == [("One.", "Two.")]
    assert list(runs(["a" * 20, "b" * 20, "c" * 20], longest=50)) == [("a" * 20, "b" * 20)]


def test_telling_words_stand_alone():
    assert telling_words("With hand-made lamps, John's lamps and snow.") == ("lamps", "snow")


@pytest.mark.data
@pytest.mark.parametrize("part", PARTS)
def test_real_items_are_solved_only_by_their_answers(part):
    for seed, family in enumerate(FAMILIES):
        rows = task_records([family.name], 60, seed % 3, part).to_list()
        assert solved_otherwise(rows, family.chance) == [], family.name


@pytest.mark.data
def test_parts_share_no_document_and_no_instruction():
    """Single words and phrases aside: two books may well say 'across'."""
    names = [family.name for family in FAMILIES if family.kind != "form"]
    parts = {part: task_records(names, 60 * len(names), 0, part) for part in PARTS}
    for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
        for column in ("document", "instruction"):
            assert not set(parts[first][column][:]) & set(parts[second][column][:])


@pytest.mark.data
def test_real_conversations_are_short():
    from fmcourse import models

    tokenizer = models.load(models.BASE).tokenizer
    for name in BY_NAME:
        rows = task_records([name], 60)
        lengths = [len(tokenizer(text).input_ids) for text in rows["text"][:]]
        assert sum(lengths) / len(lengths) <= (200 if BY_NAME[name].kind == "reading" else 110)
        assert max(lengths) <= 330
