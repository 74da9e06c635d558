"""Near duplicates: found where planted, never where there are none, the same ones every time."""

import random

import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data import near_duplicates as function
from fmcourse.data.near_duplicates import features, jaccard
from fmcourse.errors import DataError

WORDS = [f"w{number}" for number in range(400)]


def text(draw: random.Random, length: int = 60) -> str:
    return " ".join(draw.choices(WORDS, k=length))


def edited(original: str, changes: int, draw: random.Random) -> str:
    """The text with so many words replaced by words it has never had."""
    words = original.split()
    for place in draw.sample(range(len(words)), changes):
        words[place] = f"new{draw.random()}".replace(".", "")
    return " ".join(words)


def corpus(texts: list[str]) -> Dataset:
    rows = {"text": texts, "document": [str(i) for i in range(len(texts))]}
    return data.with_card(Dataset.from_dict(rows), data.Card("made", {}))


def greedy(texts: list[str], threshold: float) -> list[int | None]:
    """Every text against every kept one: what the index must agree with."""
    originals: list[int | None] = []
    for number, new in enumerate(texts):
        originals.append(next(
            (other for other in range(number) if originals[other] is None
             and jaccard(features(new), features(texts[other])) >= threshold), None))
    return originals


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.7, 0.8, 0.9]))
def test_it_agrees_with_comparing_all_pairs(seed, threshold):
    draw = random.Random(seed)
    texts = [text(draw, draw.randint(3, 60)) for _ in range(12)]
    texts += [edited(choice, draw.randint(0, 2), draw) for choice in draw.choices(texts, k=20)]
    draw.shuffle(texts)
    assert function(texts, threshold) == greedy(texts, threshold)


def test_planted_copies_are_found_and_their_originals_kept():
    draw = random.Random(5)
    texts = [text(draw) for _ in range(500)]
    copies = [edited(original, 1, draw) for original in texts]  # one word in sixty: Jaccard 0.9
    kept = data.drop_near_duplicates(corpus(texts + copies))
    assert kept["text"][:] == texts
    assert data.card(kept).steps[-1] == {"step": "near duplicates", "kept": 500, "dropped": 500,
                                         "note": "(Jaccard >= 0.8)"}
    assert data.drop_near_duplicates(corpus(copies + texts))["text"][:] == copies


def test_proposals_are_verified(monkeypatch):
    """An index that proposes every earlier text, and then none, shows who decides."""
    class Everything:
        def __init__(self, *_):
            self.keys = []

        def insert(self, key, _):
            self.keys.append(key)

        def query(self, _):
            return self.keys

    class Nothing(Everything):
        def query(self, _):
            return []

    draw = random.Random(1)
    texts = [text(draw) for _ in range(20)]
    texts += [edited(texts[0], 1, draw), edited(texts[1], 12, draw)]
    expected = [None] * 20 + [0, None]
    assert function(texts) == expected
    monkeypatch.setitem(function.__globals__, "RMinHashLSH", Everything)
    assert function(texts) == expected
    monkeypatch.setitem(function.__globals__, "RMinHashLSH", Nothing)
    assert function(texts) == [None] * 22


def test_only_the_compared_part_counts():
    texts = [f"Service {name}.\n\nThe request was denied." for name in ("one", "two")]
    assert len(data.drop_near_duplicates(corpus(texts))) == 2
    assert len(data.drop_near_duplicates(corpus(texts), compared=lambda t: t.split("\n\n")[1])) == 1


def test_texts_shorter_than_a_shingle_are_compared_whole():
    assert function(["Yes.", "no", "yes.", "YES.  ", ""]) == [None, None, 0, 0, None]


@pytest.mark.parametrize("threshold", [0, -1, 1.01])
def test_an_impossible_threshold_is_refused(threshold):
    with pytest.raises(DataError, match="not possible"):
        function(["a"], threshold)


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_jaccard_is_a_similarity(first, second):
    assert jaccard(first, second) == jaccard(second, first)
    assert 0 <= jaccard(first, second) <= 1
    assert (jaccard(first, second) == 1) == (first == second)
