"""Parts that share no document, the same ones everywhere."""

from __future__ import annotations

import random

import pytest
import tiny
from datasets import Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.errors import DataError


def members(parts: DatasetDict, column: str = "text") -> dict[str, set[str]]:
    return {name: set(part[column][:]) for name, part in parts.items()}


def test_every_text_is_in_one_part_and_no_document_in_two():
    whole = tiny.dataset()
    parts = data.split_by_document(whole, held_out=0.1)
    texts, documents = members(parts), members(parts, "document")
    assert sorted(t for part in parts.values() for t in part["text"][:]) == sorted(whole["text"][:])
    assert sum(map(len, texts.values())) == len(set(tiny.texts()))
    assert sum(map(len, documents.values())) == 40
    for name in ("validation", "test"):
        assert {*parts[name]["source"][:]} == {"north", "south"}  # each source is represented
        share = data.card(parts[name]).characters / data.card(whole).characters
        assert 0.05 <= share <= 0.12


def test_the_split_depends_on_names_only():
    whole = tiny.dataset()
    order = list(range(len(whole)))
    random.Random(1).shuffle(order)
    assert members(data.split_by_document(whole, 0.1)) == members(
        data.split_by_document(whole.select(order), 0.1))


def test_another_seed_holds_out_other_documents():
    whole = tiny.dataset()
    assert members(data.split_by_document(whole, 0.1, seed=0)) != members(
        data.split_by_document(whole, 0.1, seed=1))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(1, 400)), min_size=60, max_size=120),
       st.integers(0, 5))
def test_documents_of_any_size_are_never_cut(records, seed):
    rows = Dataset.from_dict({
        "text": [f"{number} " + "x" * length for number, (_, length) in enumerate(records)],
        "document": [f"d{document}" for document, _ in records],
        "source": ["s"] * len(records)})
    try:
        parts = data.split_by_document(data.with_card(rows, data.Card("made", {})), 0.2, seed)
    except DataError as error:
        if "small enough" in str(error):  # large documents may leave nothing to hold out
            return
        raise
    documents = members(parts, "document")
    assert sum(map(len, documents.values())) == len({document for document, _ in records})
    assert sum(len(part) for part in parts.values()) == len(records)


@pytest.mark.parametrize("column", ["document", "text"])
def test_a_planted_leak_is_found(column):
    parts = data.split_by_document(tiny.dataset(), held_out=0.1)
    data.check_no_leak(parts)
    stolen = parts["train"][0]
    other = "text" if column == "document" else "document"
    row = {**stolen, other: "something new"}
    test = parts["test"].to_list()
    parts["test"] = Dataset.from_list([*test, row])
    with pytest.raises(DataError, match=f"'{column}' are in both train and test"):
        data.check_no_leak(parts)


def test_a_text_that_two_documents_share_stops_the_split():
    rows = tiny.dataset().to_list()
    rows += [{**row, "document": f"copy of {row['document']}"} for row in rows]
    doubled = data.with_card(Dataset.from_list(rows), data.Card("doubled", {}))
    with pytest.raises(DataError, match="Deduplicate first"):
        data.split_by_document(doubled, held_out=0.1)


@pytest.mark.parametrize("column", ["text", "document", "source"])
def test_a_missing_column_is_named(column):
    with pytest.raises(DataError, match=f"'{column}' is missing"):
        data.split_by_document(tiny.dataset().remove_columns(column))


def test_one_document_cannot_be_split():
    rows = Dataset.from_dict({"text": ["a", "b"], "document": ["d", "d"], "source": ["s", "s"]})
    with pytest.raises(DataError, match="small enough"):
        data.split_by_document(data.with_card(rows, data.Card("one", {})))
