"""Simulated annotators err as told, and nobody's mistakes depend on who else is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.data.annotation import Annotator, annotate, crew, flipped
from fmcourse.errors import DataError

MANY = np.arange(6000) % 3


def rate(table, truth=MANY):
    return float(np.mean(table["label"] == truth[table["item"]]))


def test_skill_is_the_share_that_is_right():
    assert rate(annotate(MANY, [Annotator("a", 0.8)], 3)) == pytest.approx(0.8, abs=0.02)
    assert rate(annotate(MANY, [Annotator("a", 1.0)], 3)) == 1


def test_difficulty_takes_skill_down_to_guessing():
    hard = np.ones(len(MANY))
    assert rate(annotate(MANY, [Annotator("a", 0.9)], 3, difficulty=hard)) == pytest.approx(
        1 / 3, abs=0.02)
    half = annotate(MANY, [Annotator("a", 0.9)], 3, difficulty=hard / 2)
    assert rate(half) == pytest.approx((0.9 + 1 / 3) / 2, abs=0.02)


def test_the_confusion_matrix_is_what_comes_out():
    biased = Annotator("b", skill=0.7, favourite=2, pull=0.5)
    table = annotate(MANY, [biased], 3)
    seen = np.zeros((3, 3))
    np.add.at(seen, (MANY, table["label"].to_numpy()), 1)
    assert np.allclose(seen / 2000, biased.confusion(3), atol=0.04)
    assert np.allclose(biased.confusion(3).sum(axis=1), 1)


def test_spammers_do_not_read():
    assert rate(annotate(MANY, [Annotator("s", spams=True)], 3)) == pytest.approx(1 / 3, abs=0.02)
    always = annotate(MANY, [Annotator("s", spams=True, favourite=1)], 3)
    assert set(always["label"]) == {1}


def test_drift_lasts_and_fatigue_passes():
    def early_and_late(annotator):
        right = (annotate(MANY, [annotator], 3)["label"] == MANY).to_numpy()
        place = np.arange(len(MANY))
        late = place >= 3000
        tired = place % annotator.session >= annotator.session / 2
        return right[~late].mean() - right[late].mean(), right[~tired].mean() - right[tired].mean()

    over_job, in_session = early_and_late(Annotator("d", 0.9, drift=0.5))
    assert over_job > 0.2 > 0.05 > abs(in_session)
    over_job, in_session = early_and_late(Annotator("f", 0.9, fatigue=0.5))
    assert in_session > 0.2 > 0.05 > abs(over_job)
    over_job, in_session = early_and_late(Annotator("n", 0.9))
    assert max(abs(over_job), abs(in_session)) < 0.03


def test_a_label_a_row_and_the_same_every_time():
    table = annotate(MANY[:90], crew(), 3, each=3, seed=4)
    assert len(table) == 270
    assert table["order"].tolist() == list(range(270))
    assert table.groupby("item")["annotator"].nunique().eq(3).all()
    loads = table["annotator"].value_counts()
    assert len(loads) == 9
    assert loads.max() - loads.min() <= 1
    assert table.equals(annotate(MANY[:90], crew(), 3, each=3, seed=4))
    assert not table.equals(annotate(MANY[:90], crew(), 3, each=3, seed=5))


def test_nobodys_mistakes_depend_on_the_others():
    alone = annotate(MANY, [Annotator("a", 0.7)], 3)
    both = annotate(MANY, [Annotator("a", 0.7), Annotator("b", 0.2)], 3)
    assert both[both["annotator"] == "a"]["label"].tolist() == alone["label"].tolist()


def test_each_may_hold_something_else_to_be_right():
    held = np.stack([MANY, (MANY + 1) % 3])
    table = annotate(held, [Annotator("a", 1.0), Annotator("b", 1.0)], 3)
    assert rate(table[table["annotator"] == "a"]) == 1
    assert rate(table[table["annotator"] == "b"]) == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.integers(1, 9),
       st.integers(0, 2**32))
def test_every_item_gets_its_labels(truth, each, seed):
    table = annotate(truth, crew(), 4, each=each, seed=seed)
    assert table.groupby("item").size().tolist() == [each] * len(truth)
    assert table["label"].between(0, 3).all()


def test_noise_has_no_rule_but_the_number_asked_for():
    changed = flipped(MANY, 3000, 3, seed=1)
    assert (changed != MANY).sum() == 3000
    seen = np.zeros((3, 3))
    np.add.at(seen, (MANY, changed), 1 / 2000)
    assert np.allclose(seen[~np.eye(3, dtype=bool)], 0.25, atol=0.03)


@pytest.mark.parametrize("call", [
    lambda: Annotator("a", skill=1.2), lambda: Annotator("a", session=0),
    lambda: Annotator("a", pull=0.5), lambda: annotate([], crew(), 3),
    lambda: annotate([3], crew(), 3), lambda: annotate([-1], crew(), 3),
    lambda: annotate([0], crew(), 1), lambda: annotate([[0], [1]], crew(), 3),
    lambda: annotate([0], crew(), 3, each=10), lambda: annotate([0], crew(), 3, each=0),
    lambda: annotate([0], [Annotator("a")] * 2, 3),
    lambda: annotate([0], crew(), 3, difficulty=[2.0]),
    lambda: annotate([0], crew(), 3, difficulty=[0.1, 0.1]),
    lambda: annotate([0], [Annotator("a", favourite=3)], 3),
    lambda: flipped([0, 1], 3, 2), lambda: flipped([0, 1], 1, 1),
])
def test_what_cannot_be_simulated_is_refused(call):
    with pytest.raises(DataError):
        call()
