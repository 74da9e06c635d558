"""Labelling in rounds: no item twice, the budget kept, and doubt leads where classes meet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from fmcourse.data.annotation import in_rounds, least_sure
from fmcourse.errors import DataError


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.data())
def test_rounds_add_up_to_the_budget(items, data):
    budget = data.draw(st.integers(1, items))
    start, batch = data.draw(st.integers(1, budget)), data.draw(st.integers(1, 20))
    chance = np.random.default_rng(0).dirichlet(np.ones(3), items)
    for doubt in (None, lambda _, rows: chance[rows]):
        seen = [chosen for chosen, _ in in_rounds(items, len, doubt, start=start, batch=batch,
                                                  budget=budget)]
        assert [len(chosen) for chosen in seen] == [*range(start, budget, batch), budget]
        assert all(one == later[:len(one)] for one in seen for later in seen[seen.index(one):])
        assert len(set(seen[-1])) == budget
        assert set(seen[-1]) <= set(range(items))
        assert seen[0] == next(iter(in_rounds(items, len, None, start=start, batch=batch,
                                              budget=budget)))[0]


def test_doubt_goes_to_the_border_of_two_classes():
    points = np.random.default_rng(1).uniform(-1, 1, (2000, 2))
    labels = (points[:, 0] > 0).astype(int)

    def taught(chosen):
        return LogisticRegression().fit(points[chosen], labels[chosen])

    def distance(doubt):
        *_, (chosen, _) = in_rounds(2000, taught, doubt, start=20, batch=20, budget=120)
        return np.abs(points[chosen[20:], 0]).mean()

    unsure = distance(lambda model, rows: model.predict_proba(points[rows]))
    assert unsure < 0.2 < 0.4 < distance(None)


def test_the_smallest_margin_comes_first():
    assert least_sure(np.array([[0.5, 0.5], [1, 0], [0.6, 0.4]]), 3) == [0, 2, 1]


@pytest.mark.parametrize("sizes", [{"start": 0}, {"budget": 11}, {"start": 6, "budget": 5},
                                   {"batch": 0}])
def test_impossible_rounds_are_refused(sizes):
    with pytest.raises(DataError, match="at a time"):
        next(in_rounds(10, len, None, **{"start": 2, "batch": 2, "budget": 6, **sizes}))
