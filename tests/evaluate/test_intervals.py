"""Wilson intervals against scipy, and the table of shares."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from fmcourse.errors import DataError
from fmcourse.evaluate.intervals import share_table, wilson


@pytest.mark.parametrize(("successes", "n"),
                         [(0, 1), (1, 1), (0, 48), (24, 48), (47, 48), (9, 700)])
def test_wilson_agrees_with_scipy(successes, n):
    reference = binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((reference.low, reference.high), abs=1e-6)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 4), (5, 4)])
def test_impossible_counts_are_refused(successes, n):
    with pytest.raises(DataError):
        wilson(successes, n)


def test_groups_keep_their_order_and_all_comes_last():
    table = share_table(["b", "a", "b"], [1, 0.5, 0], "kind", "rate", chance=[0.5, 0.25, 0.5])
    assert table["kind"].to_list() == ["b", "a", "all"]
    assert table["n"].to_list() == [2, 1, 3]
    assert table["rate"].to_list() == [0.5, 0.5, 0.5]
    assert table["chance"].to_list() == pytest.approx([0.5, 0.25, 1.25 / 3])
    assert "chance" not in share_table(["b"], [1], "kind")
