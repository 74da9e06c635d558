"""Swaps undo themselves; the edge-case suite keeps its labels; weights do what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data.edge_cases import (
    ASKED,
    BLANK,
    FOREIGN,
    INJECTION,
    KEPT,
    ORDINARY,
    TAUGHT,
    WRAPPINGS,
)
from fmcourse.data.swaps import NAMES, PEOPLES, PRONOUNS, WOMEN_AND_MEN
from fmcourse.errors import DataError

ALL = (*WOMEN_AND_MEN, *NAMES, *PEOPLES)
pieces = st.lists(st.sampled_from(["he", "She", "HER", "hE", "man", "ſhe", "Emily", "'s", " ", "_",
                                   "é", "I"]) | st.text(max_size=4)).map("".join)


@given(st.lists(pieces))
def test_swapping_twice_gives_the_text_back(texts):
    assert data.swapped(data.swapped(texts, ALL), ALL) == texts


@given(pieces)
def test_a_swap_changes_the_side(text):
    found = data.side(text, PRONOUNS)
    if found is not None and text == text.lower():
        assert data.side(data.swapped([text], PRONOUNS)[0], PRONOUNS) == 1 - found


def test_only_whole_words_are_swapped():
    assert data.swapped(["The heron, there, and he."]) == ["The heron, there, and she."]


@pytest.mark.parametrize("pairs", [[("he", "she"), ("his", "she")], [("he", "he")], [("he", "")],
                                   [("a", "the")], [("he", "he she")], [("straße", "road")]])
def test_pairs_that_cannot_be_undone_are_refused(pairs):
    with pytest.raises(DataError):
        data.swapped(["he"], pairs)


def suite_of(part: str) -> Dataset:
    rows = [{"text": f"You can delete the table number {i} with this call.", "label": i % 3}
            for i in range(6)]
    made = data.with_card(Dataset.from_list(rows), data.Card("made", {}))
    return data.edge_cases(made, 3, ["Das ist ein Satz.", "Une phrase."], part=part)


@pytest.fixture(scope="module")
def suite() -> Dataset:
    return suite_of(ASKED)


def test_slices_keep_their_labels(suite):
    table = pd.DataFrame(suite.to_list())
    for name, part in table.groupby("slice"):
        nothing = name in (*BLANK, FOREIGN)
        assert part["label"].tolist() == [3 if nothing else row % 3 for row in part["row"]]
        assert len(part) == (2 if name == FOREIGN else 6)
    assert set(table["slice"]) == {ORDINARY, FOREIGN, INJECTION, *KEPT, *BLANK}


def test_disguises_are_what_they_are_called(suite):
    text = {name: part["text"].tolist()[0] for name, part in
            pd.DataFrame(suite.to_list()).groupby("slice")}
    plain = text[ORDINARY]
    assert text["all capitals"] == plain.upper()
    assert text["very long"].endswith(plain)
    assert text["in code"].startswith("def ")
    assert text["empty"] == "" == text["only spaces"].strip()
    assert text[INJECTION].startswith(plain)
    assert len({plain, *text.values()}) == len(text)


def test_what_is_taught_is_wrapped_as_nothing_that_is_asked(suite):
    plain = suite["text"][:6]
    bare = {name: {part: [text.replace(plain[row], "") for text, row, own in zip(
        rows["text"][:], rows["row"][:], rows["slice"][:], strict=True) if own == name]
        for part, rows in ((ASKED, suite), (TAUGHT, suite_of(TAUGHT)))}
        for name in ("very long", "in code", INJECTION)}
    for parts in bare.values():
        assert not set(parts[ASKED]) & set(parts[TAUGHT])
    asked, taught = WRAPPINGS[ASKED], WRAPPINGS[TAUGHT]
    assert len(asked.emoji) == len(taught.emoji)
    for name, one in vars(asked).items():
        two = vars(taught)[name]
        assert not set(one) & set(two) if name in ("long", "orders", "emoji") else one != two
    with pytest.raises(DataError):
        suite_of("both")


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.text(), st.integers(0, 1)), min_size=2, max_size=5), st.integers(0, 9),
       st.sampled_from(list(WRAPPINGS)))
def test_no_text_breaks_the_suite(records, seed, part):
    texts, labels = zip(*records, strict=True)
    rows = data.with_card(Dataset.from_dict({"text": texts, "label": labels}),
                          data.Card("made", {}))
    if len(set(labels)) < 2:
        with pytest.raises(DataError):
            data.edge_cases(rows, 2)
    else:
        slices = 2 + len(KEPT) + len(BLANK)  # and the ordinary one, and the injections
        assert len(data.edge_cases(rows, 2, seed=seed, part=part)) == len(records) * slices


pairs = st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ad")), min_size=1)


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_reweighing_makes_label_and_group_independent(rows):
    labels, facet = map(np.array, zip(*rows, strict=True))
    weights = data.reweighing(labels.tolist(), facet.tolist())
    for one in set(labels):
        for side in set(facet):
            cell = (labels == one) & (facet == side)
            if cell.any():
                expected = (labels == one).mean() * (facet == side).mean() * len(rows)
                assert weights[cell].sum() == pytest.approx(expected)
    assert 1 <= data.effective_size(weights) <= len(rows) + 1e-9


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_resampling_gives_each_pair_its_places(rows):
    labels, facet = zip(*rows, strict=True)
    chosen, weights = data.resampled(labels, facet), data.reweighing(labels, facet)
    cells = [rows[i] for i in chosen]
    for cell in set(rows):
        places = sum(weight for weight, row in zip(weights, rows, strict=True) if row == cell)
        assert abs(cells.count(cell) - places) < 0.5 + 1e-9  # of 7.5, sums make 7.499… and 7.500…


def test_known_shares_are_met():
    strata = ["a"] * 30 + ["b"] * 10
    weights = data.strata_weights(strata, {"a": 0.5, "b": 0.5})
    assert weights[:30].sum() == pytest.approx(20)
    assert weights[30:].sum() == pytest.approx(20)
    for shares in ({"a": 1}, {"a": 0.5, "b": 0.6}, {"a": 0.5, "b": 0.4, "c": 0.1}):
        with pytest.raises(DataError):
            data.strata_weights(strata, shares)
