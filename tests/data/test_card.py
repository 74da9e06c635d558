"""The card: it survives what people do to a dataset, and says so when it is gone."""

from __future__ import annotations

import pytest
import tiny
from datasets import Dataset, DatasetDict, load_from_disk
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import data, store
from fmcourse.data.card import hash_texts, tally, values
from fmcourse.errors import DataError


def test_counts_are_those_of_the_texts():
    card = data.card(tiny.dataset())
    assert (card.texts, card.documents) == (120, 40)
    assert card.characters == sum(map(len, tiny.texts()))
    assert len(card.sha256) == 64


@pytest.mark.parametrize("change", [
    lambda d: d.select(range(10)),
    lambda d: d.filter(lambda row: "fox" in row["text"]),
    lambda d: d.map(lambda row: {"text": row["text"].upper()}),
    lambda d: d.shuffle(seed=1),
    lambda d: d.remove_columns("source"),
], ids=["select", "filter", "map", "shuffle", "remove_columns"])
def test_it_survives_the_verbs_of_datasets(change):
    assert data.card(change(tiny.dataset())) == data.card(tiny.dataset())


def test_it_survives_the_disk(tmp_path):
    whole = tiny.dataset()
    whole.save_to_disk(tmp_path / "one")
    assert data.card(load_from_disk(tmp_path / "one")) == data.card(whole)
    parts = data.split_by_document(whole, held_out=0.1)
    parts.save_to_disk(tmp_path / "parts")
    again = load_from_disk(tmp_path / "parts")
    assert {name: data.card(part) for name, part in again.items()} == {
        name: data.card(part) for name, part in parts.items()}


def test_a_part_s_new_card_leaves_the_whole_s_alone():
    whole = tiny.dataset()
    data.with_card(whole.select(range(3)), data.Card("few", {}))
    assert data.card(whole).name == "tiny"


@pytest.mark.parametrize("broken", ["", "no json", "[1]", "{}", '{"name": "a", "colour": 1}'])
def test_a_dataset_without_one_says_how_to_attach_it(broken):
    rows = Dataset.from_dict({"text": ["a"]})
    rows.info.description = broken
    with pytest.raises(DataError, match="with_card"):
        data.card(rows)


def test_a_dictionary_of_parts_is_no_dataset():
    with pytest.raises(DataError, match="DatasetDict"):
        data.card(DatasetDict({"train": tiny.dataset()}))


def test_steps_add_up_and_the_old_card_stays():
    first = data.Card("a", {})
    second = first.step("one", 3, 1, "why").step("two", 2, 1)
    assert first.steps == ()
    assert [step["step"] for step in second.steps] == ["one", "two"]


def test_markup_in_a_name_is_shown_not_obeyed():
    assert "<b>" not in data.Card("<b>x</b>", {})._repr_html_()
    assert "kept 3, dropped 1" in str(data.Card("a", {}).step("one", 3, 1))


@given(st.lists(st.text(), max_size=8))
def test_texts_hash_as_their_json_list_however_they_come(texts):
    assert hash_texts(iter(texts)) == store.sha256_json(texts)
    assert tally(texts).characters == sum(map(len, texts))


def test_values_are_read_in_order_through_any_index():
    whole = tiny.dataset()
    few = whole.select([7, 3, 99, 3])
    assert list(values(few)) == [tiny.texts()[i] for i in (7, 3, 99, 3)]
    assert list(values(whole.select([]))) == []
    assert list(values(whole, "document")) == whole["document"][:]
