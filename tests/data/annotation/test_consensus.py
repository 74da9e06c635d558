"""Consensus: hand-worked votes, crowd-kit's Dawid-Skene, and who is believed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.data.annotation import Annotator, annotate, dawid_skene, majority, review
from fmcourse.errors import DataError

TRUTH = np.random.default_rng(0).integers(0, 4, 300)
GOOD = [Annotator(f"good {i}", 0.85) for i in range(3)]
BAD = [Annotator(f"spammer {i}", spams=True, favourite=0) for i in range(3)]


def labels(*rows):
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    return table.assign(order=range(len(table)))


TABLES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=1, max_size=40,
                  unique=True).flatmap(lambda pairs: st.lists(
                      st.integers(0, 2), min_size=len(pairs), max_size=len(pairs)).map(
                      lambda own: labels(*((*pair, label) for pair, label in
                                           zip(pairs, own, strict=True)))))


def test_a_majority_by_hand():
    table = labels((7, "a", 1), (7, "b", 1), (7, "c", 0), (3, "a", 2), (3, "b", 0), (5, "a", 1))
    found = majority(table, 3)
    assert found.items.to_dict("list") == {
        "item": [3, 5, 7], "label": [2, 1, 1], "confidence": [0.5, 1.0, 2 / 3],
        "votes": [2, 1, 3], "tied": [True, False, False]}
    assert found.cost == 6


@pytest.mark.parametrize("rounds", [1, 7, 20])
def test_dawid_and_skene_is_crowd_kits(rounds):
    from crowdkit.aggregation import DawidSkene

    table = annotate(TRUTH, GOOD + BAD[:2], 4, each=3, seed=3)
    ours = dawid_skene(table, 4, prior=0, rounds=rounds, tolerance=0)
    theirs = DawidSkene(n_iter=rounds, tol=-np.inf)
    theirs.fit(table.rename(columns={"item": "task", "annotator": "worker"}))
    assert ours.items["label"].tolist() == theirs.labels_.loc[ours.items["item"]].tolist()
    assert np.allclose(ours.items["confidence"], theirs.probas_.max(axis=1).sort_index(), atol=1e-6)
    for name, own in ours.confusion.items():
        their = theirs.errors_.loc[name].reindex(index=range(4), columns=range(4),
                                                   fill_value=0)  # (label, class)
        assert np.allclose(own, their.to_numpy().T, atol=1e-6)


def test_without_a_second_label_there_is_nothing_to_estimate():
    table = annotate(TRUTH, GOOD, 4, each=1)
    found = dawid_skene(table, 4)
    assert found.items["label"].tolist() == table["label"].tolist()
    assert not found.confusion


def test_a_majority_of_spammers_is_seen_through():
    """The mechanism, and it broken: with nobody to agree with, there is nothing to find."""
    table = annotate(TRUTH, GOOD + BAD, 4)
    by_votes, by_model = majority(table, 4).right(TRUTH), dawid_skene(table, 4)
    assert by_model.right(TRUTH) > by_votes + 0.1
    assert set(by_model.skill().index[:3]) == {one.name for one in GOOD}
    alike = annotate(TRUTH, GOOD, 4)
    assert abs(dawid_skene(alike, 4).right(TRUTH) - majority(alike, 4).right(TRUTH)) < 0.05


def test_the_estimated_matrices_are_the_annotators():
    truth = np.arange(4000) % 4
    crew = [Annotator("good", 0.9), Annotator("biased", 0.9, favourite=2, pull=0.4),
            Annotator("other", 0.8)]
    found = dawid_skene(annotate(truth, crew, 4), 4)
    for one in crew:
        assert np.allclose(found.confusion[one.name], one.confusion(4), atol=0.06)
    assert found.items["confidence"].between(0.25, 1).all()


def test_an_expert_settles_what_is_least_sure():
    table = annotate(TRUTH, GOOD, 4)
    before = majority(table, 4)
    after = review(before, TRUTH, 60, price=4)
    assert after.cost == len(table) + 240
    assert after.right(TRUTH) > before.right(TRUTH)
    assert after.items["confidence"].eq(1).sum() >= 60
    assert before.items["confidence"].nsmallest(60).max() <= \
        after.items["confidence"].nsmallest(1).iloc[0]
    whole = review(before, TRUTH, 10_000, price=1)
    assert whole.right(TRUTH) == 1
    assert whole.cost == len(table) + len(TRUTH)
    assert review(before, TRUTH, 0).items.equals(before.items)
    with pytest.raises(DataError):
        review(before, TRUTH, -1)


@settings(max_examples=30, deadline=None)
@given(TABLES)
def test_every_item_with_a_label_gets_one(table):
    for found in (majority(table, 3), dawid_skene(table, 3), dawid_skene(table, 3, prior=0)):
        assert found.items["item"].tolist() == sorted(table["item"].unique())
        assert found.items["label"].between(0, 2).all()
        assert found.items["confidence"].between(0, 1 + 1e-9).all()
        assert found.cost == len(table)
        for item, label in zip(found.items["item"], majority(table, 3).items["label"], strict=True):
            assert label in set(table.loc[table["item"] == item, "label"])
    for own in dawid_skene(table, 3).confusion.values():
        assert np.allclose(own.sum(axis=1), 1)


@settings(max_examples=30, deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table, draw):
    mixed = table.iloc[draw.sample(range(len(table)), len(table))]
    for consensus in (majority, dawid_skene):
        one, other = consensus(table, 3).items, consensus(mixed, 3).items
        assert np.allclose(one["confidence"], other["confidence"], atol=1e-6)
    assert majority(table, 3).items.equals(majority(mixed, 3).items)


@pytest.mark.parametrize("table", [labels(), labels((0, "a", 3)), labels((0, "a", -1)),
                                   labels((0, "a", None))])
def test_labels_that_are_none_are_refused(table):
    for consensus in (majority, dawid_skene):
        with pytest.raises(DataError, match="none of 0"):
            consensus(table, 3)
