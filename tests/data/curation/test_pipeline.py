"""Nothing is lost on the way: kept and dropped are what came in, each drop with its reason."""

from __future__ import annotations

import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmcourse import data, show
from fmcourse.data import curation
from fmcourse.data.curation import Drop, Step
from fmcourse.errors import DataError

AWKWARD = ["", " ", "\x00", "\ufeff", "\u2028", "<p>", "<b>" * 3000, "[[a|" * 500, "{{" * 400,
           "&#xD800;", "&amp;lt;p&amp;gt;", "'''", "[[File:x|[[y]]]]", "\ud7ff", "\U0010ffff",
           "Ã©Ã¨â€™", "a" * 100_000, "the of and " * 300, "...", "# " * 50, "日本語の文章です。",
           "The cat sat on the mat and that was the end of it, as far as anybody could tell."]


def rows(*texts: str | None, **columns: list) -> Dataset:
    kinds = Features({"text": Value("string")})
    made = Dataset.from_dict({"text": list(texts)}, kinds)
    for name, column in columns.items():
        made = made.add_column(name, column)
    return data.with_card(made, data.Card("made", {}))


texts_of_any_kind = st.lists(st.none() | st.text(max_size=60) | st.sampled_from(AWKWARD),
                             max_size=12)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts_of_any_kind, st.permutations(curation.standard(["the cat sat on the mat and that"],
                                                            words=2, score=lambda t: [1] * len(t))))
def test_no_text_crashes_it_and_none_is_lost_in_whatever_order(texts, steps):
    dataset = rows(*texts, number=list(range(len(texts))))
    found = curation.curate(dataset, steps)
    assert sorted([*found.rows, *found.dropped["row"][:]]) == list(range(len(texts)))
    assert found.kept["number"][:] == list(found.rows)
    assert found.dropped["number"][:] == found.dropped["row"][:]
    assert all(text.strip() for text in found.kept["text"][:])
    assert all(found.dropped["why"][:])
    table = found.table()
    assert table["kept"].iloc[0] + table["dropped"].iloc[0] == len(texts)
    assert (table["kept"] + table["dropped"]).iloc[1:].tolist() == table["kept"].iloc[:-1].tolist()
    assert table["dropped"].sum() == len(found.dropped) == found.reasons()["records"].sum()
    assert table["kept"].iloc[-1] == len(found.kept)


def test_a_step_keeps_changes_or_drops_and_all_three_are_on_record():
    dataset = rows("keep", "Change", "drop", None, "empty", document=["a", "b", "c", "d", "e"])
    steps = [curation.each("lower", str.lower),
             Step("judge", lambda texts: [{"drop": Drop("bad", "very"), "empty": " "}.get(t, t)
                                          for t in texts])]
    found = curation.curate(dataset, steps)
    assert found.kept.to_list() == [{"text": "keep", "document": "a"},
                                    {"text": "change", "document": "b"}]
    assert found.dropped.to_list() == [
        {"text": None, "document": "d", "row": 3, "step": "text is there", "why": "no text",
         "found": ""},
        {"text": "drop", "document": "c", "row": 2, "step": "judge", "why": "bad", "found": "very"},
        {"text": "empty", "document": "e", "row": 4, "step": "judge", "why": "nothing left",
         "found": ""}]
    assert found.changed == {"text is there": (), "lower": (1,), "judge": ()}
    assert found.table().to_dict("list") == {
        "step": ["text is there", "lower", "judge"], "kept": [4, 4, 2], "dropped": [1, 0, 2],
        "changed": [0, 1, 0]}
    assert data.card(found.kept).steps[-1] == {"step": "judge", "kept": 2, "dropped": 2,
                                               "note": "(bad 1; nothing left 1)"}


def test_dropped_texts_are_as_the_step_saw_them_and_what_came_in_is_untouched():
    dataset = rows("UP", "Down")
    found = curation.curate(dataset, [curation.each("lower", str.lower),
                                      curation.each("out", lambda text: Drop("out"))])
    assert found.dropped["text"][:] == ["up", "down"]
    assert dataset["text"][:] == ["UP", "Down"]
    assert len(found.kept) == 0
    assert found.kept.column_names == ["text"]


def test_other_columns_keep_their_types():
    kinds = Features({"label": ClassLabel(names=["no", "yes"]), "text": Value("large_string"),
                      "tags": [Value("string")]})
    dataset = Dataset.from_dict({"label": [1, 0], "text": ["a", None], "tags": [["x"], []]}, kinds)
    found = curation.curate(data.with_card(dataset, data.Card("made", {})), ())
    assert found.kept.features["label"] == kinds["label"] == found.dropped.features["label"]
    assert found.kept.to_list() == [{"label": 1, "text": "a", "tags": ["x"]}]


def test_a_step_that_forgets_a_text_is_refused():
    with pytest.raises(DataError, match="1 decisions about 2 texts"):
        curation.curate(rows("a", "b"), [Step("lazy", lambda texts: texts[:1])])


def test_two_steps_of_a_name_are_refused():
    with pytest.raises(DataError, match="Two steps are called 'markup'"):
        curation.curate(rows("a"), [curation.markup(), curation.markup()])


@pytest.mark.parametrize(("columns", "what"), [
    ({"body": ["a"]}, "no column 'text'"), ({"text": [1]}, "no column 'text' of strings"),
    ({"text": ["a"], "why": ["b"]}, "'why' has a name")])
def test_a_data_set_that_does_not_fit_is_refused(columns, what):
    made = data.with_card(Dataset.from_dict({"text": ["a"]}), data.Card("made", {}))
    other = Dataset.from_dict(columns)
    other.info.description = made.info.description
    with pytest.raises(DataError, match=what):
        curation.curate(other, ())


def test_the_funnel_draws_its_table():
    table = curation.curate(rows("a", None, "b"), [curation.each("half", lambda text: (
        text if text == "a" else Drop("not a")))]).table()
    figure = show.funnel(table)
    assert figure.alt == "documents kept after each step: read 3; text is there 2; half 1."


def test_a_step_that_forgets_to_return_is_told_so():
    with pytest.raises(DataError, match="The step 'mine' decided None"):
        curation.curate(rows("a", "b"), [curation.each("mine", lambda text: None)])
