"""The eight metrics: worked by hand, in their ranges for any table, and as AWS computes them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data.bias import (
    conditional_disparity,
    demographic_disparity,
    js_divergence,
    kl_divergence,
    kolmogorov_smirnov,
    lp_norm,
    total_variation,
)
from fmcourse.errors import DataError

TABLE = {"labels": [1, 1, 1, 0, 1, 0, 0, 0], "facet": list("aaaadddd")}
tables = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ad"), st.integers(0, 2)),
                  min_size=2).filter(lambda rows: len({facet for _, facet, _ in rows}) == 2)


def test_a_table_worked_by_hand():
    """Of a, 3 of 4 are positive; of d, 1 of 4: P_a = (1/4, 3/4), P_d = (3/4, 1/4)."""
    found = data.bias_metrics(TABLE["labels"], TABLE["facet"], "d", groups=[0] * 8)
    assert found["CI"] == 0
    assert found["DPL"] == 0.5
    assert found["KL"] == pytest.approx(0.5 * math.log(3))
    js = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    assert found["JS"] == pytest.approx(js)
    assert found["LP"] == pytest.approx(math.sqrt(0.5))
    assert found["TVD"] == found["KS"] == 0.5
    assert found["CDD"] == 0.5  # 3 of 4 rejected are of d, 1 of 4 accepted


def test_awss_own_examples():
    assert kolmogorov_smirnov([0.4, 0.4, 0.2], [0.2, 0.1, 0.7]) == pytest.approx(0.5)
    accepted = [False] * 100 + [True] * 100
    women = [True] * 46 + [False] * 54 + [True] * 32 + [False] * 68
    assert demographic_disparity(accepted, women) == pytest.approx(0.14)
    assert demographic_disparity(accepted, [not one for one in women]) == pytest.approx(-0.14)


def test_simpsons_paradox():
    """Both departments take 3 of 4 women and fewer men; women apply where few are taken at all."""
    rows = [("easy", "w", 1)] * 9 + [("easy", "w", 0)] + [("easy", "m", 1)] * 68 + [
        ("easy", "m", 0)] * 22 + [("hard", "w", 1)] * 27 + [("hard", "w", 0)] * 63 + [
        ("hard", "m", 1)] * 2 + [("hard", "m", 0)] * 8
    table = pd.DataFrame(rows, columns=["department", "sex", "accepted"])
    women = table["sex"] == "w"
    assert demographic_disparity(table["accepted"], women) > 0.3
    assert conditional_disparity(table["accepted"], women, table["department"]) < 0


def test_labels_that_only_one_group_has():
    assert kl_divergence([0.5, 0.5], [1, 0]) == math.inf
    assert kl_divergence([1, 0], [0.5, 0.5]) == pytest.approx(math.log(2))
    assert js_divergence([1, 0], [0, 1]) == pytest.approx(math.log(2))
    assert lp_norm([1, 0], [0, 1]) == pytest.approx(math.sqrt(2))
    assert total_variation([1, 0], [0, 1]) == 1


def test_groups_with_one_outcome_have_no_disparity():
    assert math.isnan(demographic_disparity([1, 1], [0, 1]))
    assert math.isnan(conditional_disparity([1, 1, 0], [0, 1, 1], [0, 0, 1]))
    assert conditional_disparity([1, 0, 1, 1], [0, 1, 0, 1], ["x", "x", "y", "y"]) == 1


@settings(deadline=None, max_examples=50)
@given(tables)
def test_every_metric_is_in_its_range(rows):
    labels, facet, groups = map(list, zip(*rows, strict=True))
    report = data.bias_report(labels, facet, "d", [1, 2], groups)
    assert report["metric"].tolist() == ["CI", "DPL", "KL", "JS", "LP", "TVD", "KS", "CDD"]
    for row in report.itertuples():
        assert math.isnan(row.value) or row.low - 1e-9 <= row.value <= row.high + 1e-9
        assert row.reading
        assert "{" not in row.reading


@settings(deadline=None, max_examples=50)
@given(tables)
def test_the_signed_metrics_turn_with_the_groups(rows):
    labels, facet, groups = map(list, zip(*rows, strict=True))
    one, other = (data.bias_metrics(labels, facet, d, [1, 2], groups) for d in "da")
    for name in ("CI", "DPL", "CDD"):
        assert one[name] == pytest.approx(-other[name], nan_ok=True)
    for name in ("JS", "LP", "TVD", "KS"):
        assert one[name] == pytest.approx(other[name])


def test_equal_groups_show_nothing():
    found = data.bias_metrics([0, 1, 2, 0, 1, 2], list("aaaddd"), "d", [1], [0] * 6)
    assert all(value == pytest.approx(0, abs=1e-12) for value in found.values())


@pytest.mark.parametrize(("labels", "facet"), [([1], ["a", "d"]), ([1, None], ["a", "d"]),
                                               ([1, 0], ["a", None]), ([1, 0], ["a", "a"]),
                                               ([1, 0], ["d", "d"]), ([], [])])
def test_what_cannot_be_compared_is_refused(labels, facet):
    with pytest.raises(DataError):
        data.bias_metrics(labels, facet, "d")


def test_shares_that_are_none_are_refused():
    with pytest.raises(DataError, match="not two distributions"):
        kl_divergence([0.5, 0.6], [0.5, 0.5])


@pytest.mark.parametrize("classes", [2, 4])
def test_as_amazons_own_library(classes):
    """Where every label is on both sides; otherwise smclarify 0.5 leaves labels out."""
    aws = pytest.importorskip("smclarify.bias.metrics.pretraining")
    draw = np.random.default_rng(classes)
    labels = pd.Series(draw.integers(0, classes, 400))
    facet = pd.Series(draw.choice(["a", "d"], 400))
    groups, in_d = pd.Series(draw.integers(0, 3, 400)), facet == "d"
    found = data.bias_metrics(labels, facet, "d", 1, groups)
    theirs = {"CI": aws.CI(labels, in_d), "DPL": aws.DPL(labels, in_d, labels == 1),
              "CDD": aws.CDDL(labels, in_d, labels == 1, groups),
              **{name: getattr(aws, name)(labels, in_d)
                 for name in ("KL", "JS", "LP", "TVD", "KS")}}
    assert found == pytest.approx(theirs)
