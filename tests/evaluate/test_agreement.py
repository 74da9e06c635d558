"""Agreement: the papers' own examples, the reference libraries, what must hold of any labels."""

from __future__ import annotations

import math
import random
import warnings

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from fmcourse import evaluate
from fmcourse.errors import DataError

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)
GRIDS = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=3, max_size=3),
                 min_size=1, max_size=20)

# Fleiss (1971), table 1: 30 patients, six psychiatrists each, five diagnoses.
FLEISS = [[0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0],
          [2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6],
          [1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1],
          [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0], [0, 2, 0, 4, 0], [1, 0, 2, 0, 3],
          [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0], [1, 0, 0, 4, 1],
          [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6]]


def test_cohens_kappa_by_hand():
    # 25 yes-yes, 5 yes-no, 10 no-yes, 10 no-no: agreed 0.7, by chance 0.6·0.7 + 0.4·0.3 = 0.54.
    first = ["yes"] * 30 + ["no"] * 20
    second = ["yes"] * 25 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 10
    assert evaluate.percent_agreement(first, second) == 0.7
    assert evaluate.cohen_kappa(first, second) == pytest.approx((0.7 - 0.54) / 0.46)


def test_weighted_kappa_by_hand():
    # One of three items is a step apart: 1/3. By chance, over all nine pairs of labels, steps add
    # up to (0 + 1 + 1) + (1 + 0 + 0) + (2 + 1 + 1) = 7, their squares to 2 + 1 + 6 = 9.
    first, second = [1, 2, 3], [1, 2, 2]
    assert evaluate.cohen_kappa(first, second, "linear") == pytest.approx(1 - (1 / 3) / (7 / 9))
    assert evaluate.cohen_kappa(first, second, "quadratic") == pytest.approx(1 - (1 / 3) / 1)


def test_fleiss_example():
    assert evaluate.fleiss_kappa(FLEISS) == pytest.approx(0.430, abs=5e-4)


def test_krippendorffs_example():
    """As printed in the paper: alpha for nominal data 0.743."""
    rows = [[1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
            [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]]
    assert evaluate.krippendorff_alpha(pd.DataFrame(rows).T) == pytest.approx(0.743, abs=5e-4)


@settings(max_examples=50, deadline=None)
@given(PAIRS, st.sampled_from([None, "linear", "quadratic"]))
def test_cohens_kappa_is_scikit_learns(pairs, weights):
    first, second = zip(*pairs, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = evaluate.cohen_kappa(first, second, weights)
        if math.isnan(ours):
            assert len({*first, *second}) == 1
            return
        theirs = cohen_kappa_score(first, second, weights=weights)
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert -1 - 1e-9 <= ours <= 1
    agreed = evaluate.percent_agreement(first, second)
    low, high = evaluate.cohen_interval(first, second)
    if weights is None:
        assert low - 1e-9 <= ours <= high + 1e-9
        assert (ours == pytest.approx(1)) == (agreed == 1)


@settings(max_examples=50, deadline=None)
@given(GRIDS)
def test_krippendorffs_alpha_is_the_librarys(grid):
    pairable = [[label for label in row if label is not None] for row in grid]
    used = {label for row in pairable if len(row) > 1 for label in row}
    if not used:
        with pytest.raises(DataError, match="labelled twice"):
            evaluate.krippendorff_alpha(grid)
        return
    ours = evaluate.krippendorff_alpha(grid)
    if len(used) == 1:
        assert math.isnan(ours)
        return
    numbers = np.asarray([[np.nan if x is None else x for x in row] for row in grid], float).T
    theirs = krippendorff.alpha(reliability_data=numbers, level_of_measurement="nominal")
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert -1 <= ours <= 1


@settings(max_examples=50, deadline=None)
@given(GRIDS, st.randoms(use_true_random=False), st.permutations("wxyz"))
def test_neither_names_nor_order_matter(grid, draw, names):
    pairs = [(row[0] or 0, row[1] or 0) for row in grid]
    other = draw.sample(pairs, len(pairs))
    renamed = [(names[one], names[two]) for one, two in other]
    same = evaluate.cohen_kappa(*zip(*pairs, strict=True))
    assert evaluate.cohen_kappa(*zip(*renamed, strict=True)) == pytest.approx(same, nan_ok=True)
    counts = [[row.count(label) for label in range(4)]
              for row in ([x or 0 for x in row] for row in grid)]
    shuffled = [[row["wxyz".index(name)] for name in names] for row in draw.sample(
        counts, len(counts))]
    fleiss = evaluate.fleiss_kappa(counts)
    assert evaluate.fleiss_kappa(shuffled) == pytest.approx(fleiss, nan_ok=True)
    assert math.isnan(fleiss) or -0.5 - 1e-9 <= fleiss <= 1 + 1e-9
    if any(sum(x is not None for x in row) > 1 for row in grid):
        mixed = [[None if x is None else names[x] for x in draw.sample(row, 3)]
                 for row in draw.sample(grid, len(grid))]
        assert evaluate.krippendorff_alpha(mixed) == pytest.approx(
            evaluate.krippendorff_alpha(grid), nan_ok=True)


def test_one_label_only_says_nothing():
    assert math.isnan(evaluate.cohen_kappa([1, 1], [1, 1]))
    assert all(map(math.isnan, evaluate.cohen_interval([1, 1], [1, 1])))
    assert math.isnan(evaluate.fleiss_kappa([[3, 0], [3, 0]]))
    assert math.isnan(evaluate.krippendorff_alpha([[1, 1], [1, 1]]))


def test_the_interval_holds_the_true_kappa_about_as_often_as_it_says():
    draw, held = random.Random(0), 0
    for _ in range(400):  # two annotators at 0.8 among four even classes: kappa from 0.64 + 0.04/3
        truth = [draw.randrange(4) for _ in range(30)]
        said = [[label if draw.random() < 0.8 else (label + draw.randrange(1, 4)) % 4
                 for label in truth] for _ in range(2)]
        low, high = evaluate.cohen_interval(*said)
        held += low <= (0.64 + 0.04 / 3 - 0.25) / 0.75 <= high
    assert 0.9 <= held / 400 <= 0.99


def test_a_table_of_labels():
    table = pd.DataFrame([(0, "a", 1), (0, "b", 1), (1, "a", 0), (1, "b", 1), (2, "a", 0),
                          (2, "b", 0)], columns=["item", "annotator", "label"])
    found = evaluate.agreement(table).set_index("measure")["value"]
    assert found["percent agreement"] == pytest.approx(2 / 3)
    assert found["Cohen's kappa"] == pytest.approx(evaluate.cohen_kappa([1, 0, 0], [1, 1, 0]))
    assert found["Fleiss's kappa"] == pytest.approx(1 / 3)
    missing = evaluate.agreement(table.iloc[:-1]).set_index("measure")["value"]
    assert math.isnan(missing["Fleiss's kappa"])
    with pytest.raises(DataError, match="twice"):
        evaluate.ratings(pd.concat([table, table]))


@pytest.mark.parametrize("call", [
    lambda: evaluate.cohen_kappa([], []),
    lambda: evaluate.percent_agreement([1], [1, 2]),
    lambda: evaluate.cohen_kappa([1], [1], "cubic"),
    lambda: evaluate.fleiss_kappa([[2, 1], [1, 1]]),
    lambda: evaluate.fleiss_kappa([[1, 0]]),
    lambda: evaluate.fleiss_kappa([]),
    lambda: evaluate.krippendorff_alpha([[1, None]]),
])
def test_what_cannot_agree_is_refused(call):
    with pytest.raises(DataError):
        call()
