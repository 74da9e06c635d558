"""Records from anywhere get the same columns, and no record is lost for a missing value."""

import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data import curation
from fmcourse.errors import DataError


def rows(**columns) -> Dataset:
    return data.with_card(Dataset.from_dict(columns), data.Card("made", {}))


def test_columns_are_renamed_filled_and_cast():
    dataset = rows(body=["a", None], id=[7, None], more=[1, 2])
    found = curation.standardise(dataset, {"body": "text", "id": "document"}, {"source": "crawl"})
    assert found.to_list() == [{"text": "a", "document": "7", "source": "crawl"},
                               {"text": None, "document": "record 1", "source": "crawl"}]
    assert data.card(found).steps[-1]["note"] == "(1 values filled in)"
    left = curation.curate(found, ())
    assert left.dropped["why"][:] == ["no text"]


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="'source' is missing"):
        curation.standardise(rows(text=["a"]))


def test_two_columns_of_a_name_are_refused():
    with pytest.raises(DataError, match="Both 'text' and 'body' would be 'text'"):
        curation.standardise(rows(text=["a"], body=["b"]), {"body": "text"}, {"source": "x"})


@given(st.lists(st.tuples(st.none() | st.text(max_size=5), st.none() | st.integers(-9, 9))))
def test_every_record_is_still_there(records):
    texts, numbers = [text for text, _ in records], [number for _, number in records]
    found = curation.standardise(rows(text=texts, document=numbers), fill={"source": "x"})
    assert found["text"][:] == texts
    assert all(isinstance(name, str) for name in found["document"][:])
    assert found.column_names == list(curation.schema.COLUMNS)
