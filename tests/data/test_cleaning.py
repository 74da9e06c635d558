"""Normalising twice is normalising once; duplicates go, and the card says how many."""

from __future__ import annotations

import re
import unicodedata

import pytest
import tiny
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.errors import DataError

AWKWARD = "ae \n\t\r\u00a0\u200b\ufeff\u0301\u0308\u2014\u2026\u201c\u2019\u3000\x1c\u2028-."


def rows(*texts: str, **columns: list[str]) -> Dataset:
    made = Dataset.from_dict({"text": list(texts), **columns})
    return data.with_card(made, data.Card("made", {}))


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text(alphabet=AWKWARD))
def test_normalising_is_idempotent_and_leaves_nothing_awkward(text):
    once = data.normalise_text(text)
    assert data.normalise_text(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "  " not in once
    assert "\n\n\n" not in once
    assert once == once.strip()
    assert not set(once) & set("\ufeff\u2014\u2026\u201c\u2019\u00a0")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abc .,!\n", max_size=60))
def test_normalising_keeps_the_words(text):
    assert data.normalise_text(text).split() == text.split()


@pytest.mark.parametrize(("before", "after"), [
    ("one\n  \n\n\ntwo", "one\n\ntwo"),
    ("a line\nand another", "a line\nand another"),
    ("e\ufeff\u0301", "é"),
    ("a\n\u200b\n\u200b\nb", "a\n\nb"),
    ("so\u2014there\u2026", "so - there..."),
    ("\r\nwindows\r\n\r\nlines\r\n", "windows\n\nlines"),
])
def test_what_normalising_does(before, after):
    assert data.normalise_text(before) == after


def test_short_texts_are_dropped_and_counted():
    kept = data.normalise(rows("x" * 40, "short", "  " + "y" * 41, extra=["a", "b", "c"]))
    assert kept["text"][:] == ["x" * 40, "y" * 41]
    assert kept["extra"][:] == ["a", "c"]  # the other columns stay with their texts
    step = data.card(kept).steps[-1]
    assert (step["step"], step["kept"], step["dropped"]) == ("normalise", 2, 1)


def test_duplicates_go_whatever_their_case_and_spacing():
    kept = data.deduplicate(rows("One  text.", "another", "one text.", "One\ntext.", "other"))
    assert kept["text"][:] == ["One  text.", "another", "other"]  # the first stays, in order
    assert data.card(kept).steps[-1]["dropped"] == 2
    assert data.deduplicate(kept)["text"][:] == kept["text"][:]


def test_texts_are_only_duplicates_when_all_words_agree():
    assert len(data.deduplicate(rows("ab c", "a bc"))) == 2


def test_shuffled_words_are_the_same_words():
    before = tiny.dataset().map(lambda row: {"text": row["text"].replace(". ", ".\n")})
    after = data.shuffle_words(before, seed=1)
    for old, new in zip(before["text"][:], after["text"][:], strict=True):
        assert sorted(old.split()) == sorted(new.split())
        assert re.findall(r"\s+", old) == re.findall(r"\s+", new)  # line ends are no treatment
    assert sum(o == n for o, n in zip(before["text"][:], after["text"][:], strict=True)) == 0
    assert after["text"][:] == data.shuffle_words(before, seed=1)["text"][:]
    assert after["text"][:] != data.shuffle_words(before, seed=2)["text"][:]
    assert data.card(after).sha256 != data.card(before).sha256


def test_a_sample_is_drawn_by_seed_without_repeats():
    whole = tiny.dataset()
    few = data.sample(whole, 20, seed=3)
    assert len(set(few["text"][:])) == 20
    assert few["text"][:] == data.sample(whole, 20, seed=3)["text"][:]
    assert few["text"][:] != data.sample(whole, 20, seed=4)["text"][:]
    assert data.card(few).texts == 20
    assert len(data.sample(whole, 10_000)) == len(whole)


def test_joining_keeps_sources_and_licences_and_tells_namesakes_apart():
    first = data.with_card(
        Dataset.from_dict({"text": ["a"], "document": ["Hamlet"], "source": ["plays"], "x": [1]}),
        data.Card("plays", {"plays": "1"}, licence=("CC0-1.0",), attribution=("Nobody.",)))
    second = data.with_card(
        Dataset.from_dict({"text": ["b"], "document": ["Hamlet"], "source": ["articles"]}),
        data.Card("articles", {"articles": "2"}, licence=("CC-BY-SA-3.0", "CC0-1.0")))
    both = data.combine("both", [first, second])
    assert both["document"][:] == ["plays: Hamlet", "articles: Hamlet"]
    assert set(both.column_names) == {"text", "document", "source"}  # x is in one alone
    card = data.card(both)
    assert card.sources == {"plays": "1", "articles": "2"}
    assert card.licence == ("CC0-1.0", "CC-BY-SA-3.0")
    assert (card.attribution, card.documents) == (("Nobody.",), 2)


def test_sized_draws_texts_up_to_a_budget_of_characters():
    whole = tiny.dataset()
    few = data.sized(whole, 1_000, seed=1)
    lengths = [len(text) for text in few["text"][:]]
    assert sum(lengths) >= 1_000 > sum(lengths[:-1])
    assert set(few["text"][:]) < set(whole["text"][:])
    assert few["text"][:] == data.sized(whole, 1_000, seed=1)["text"][:]
    assert few["text"][:] != data.sized(whole, 1_000, seed=2)["text"][:]
    assert data.card(few).steps[-1]["kept"] == len(few)
    assert data.sized(whole, 10**9) is whole
    with pytest.raises(DataError):
        data.sized(whole, 0)


def test_an_excerpt_is_no_longer_than_asked_by_much_and_cuts_giants():
    giant = data.with_card(Dataset.from_dict({"text": ["word " * 10_000]}), data.Card("giant", {}))
    assert [len(text) for text in data.excerpt(giant, 300)] == [300]
    texts = data.excerpt(tiny.dataset(), 500)
    assert sum(map(len, texts)) >= 500 > sum(map(len, texts[:-1]))
    with pytest.raises(DataError):
        data.excerpt(giant, 0)
