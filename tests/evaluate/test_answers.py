"""Replies known by heart are those that greedy decoding writes; shuffled, none is."""

import pytest
import tiny
from datasets import Dataset

from fmcourse import models, train
from fmcourse.data import Card, conversation, with_card
from fmcourse.errors import DataError
from fmcourse.evaluate import recited


def pairs(count=12, turn=0):
    """Questions whose answers no rule gives away; a `turn` gives each the answer of another."""
    talks = [conversation(f"Where is {animal} {i}?",
                          f"By the {tiny.PLACES[(5 * i + 7 * row + turn) % 12]}.")
             for row, animal in enumerate(tiny.ANIMALS) for i in range(3)][:count]
    rows = {"messages": talks, "text": [talk[0]["content"] + talk[1]["content"] for talk in talks]}
    return with_card(Dataset.from_dict(rows), Card("talks", {"north": "0" * 64}))


@pytest.fixture(scope="module")
def student():
    """A tiny model that has read six pairs several hundred times."""
    start = models.build(tiny.SHAPE, tiny.tokenizer(), context=128)
    recipe = train.InstructRecipe(epochs=400, max_length=128, batch_tokens=256, learning_rate=6e-3,
                                  least_steps=1)
    return train.instruct(start, pairs(6), recipe, show_progress=False).model


def test_what_was_read_often_is_known_and_what_was_not_is_not(student):
    assert recited(student, pairs(6)).mean() >= 5 / 6
    assert recited(student, pairs(6, turn=1)).sum() == 0  # the same questions, other answers
    assert recited(models.build(tiny.SHAPE, tiny.tokenizer(), context=128), pairs()).sum() == 0


def test_it_is_what_greedy_decoding_writes(student):
    asked = pairs()
    said = models.replies(student, [talk[0]["content"] for talk in asked["messages"]], tokens=32)
    same = [reply == talk[1]["content"]
            for reply, talk in zip(said, asked["messages"], strict=True)]
    assert recited(student, asked, batch=5).tolist() == same


def test_there_must_be_conversations(student):
    for records in (pairs().select([]), pairs().remove_columns("messages")):
        with pytest.raises(DataError, match="no conversations"):
            recited(student, records)
