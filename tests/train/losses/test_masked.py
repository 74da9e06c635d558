"""Masked means and whitening, and what every loss refuses."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import zscore

from fmcourse.errors import CourseError, DataError
from fmcourse.train.losses import kl_estimate, masked_mean, whiten

ROWS = torch.tensor([[2.0, 4.0, 99.0], [6.0, 99.0, 99.0]])
MASK = torch.tensor([[1, 1, 0], [1, 0, 0]])


def test_means_by_hand():
    assert masked_mean(ROWS, MASK).item() == 4
    assert masked_mean(ROWS, MASK, dim=-1).tolist() == [3, 6]
    assert masked_mean(ROWS, MASK * 0).item() == 0
    assert masked_mean(ROWS, MASK * 0, dim=-1).tolist() == [0, 0]


def test_whitening_by_hand():
    torch.testing.assert_close(whiten(ROWS, MASK), torch.tensor([[-1.0, 0, 0], [1, 0, 0]]))
    torch.testing.assert_close(whiten(ROWS, MASK, shift_mean=False),
                               torch.tensor([[3.0, 4, 0], [5, 0, 0]]))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.01, 1.0, 1e4]))
def test_whitening_is_the_z_score_of_what_counts(seed, scale):
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(3, 5, generator=draw, dtype=torch.float64) * scale
    mask = torch.rand(3, 5, generator=draw) < 0.7
    mask[0, :2] = True
    right = torch.from_numpy(zscore(values[mask].numpy(), ddof=1))
    torch.testing.assert_close(whiten(values, mask)[mask], right, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("value", [0.1, 1234567.1, 3e-20])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_equal_values_whiten_to_zero(value, count):
    values, mask = torch.full((1, 7), value), torch.arange(7)[None] < count
    assert whiten(values, mask).eq(0).all()
    assert torch.equal(whiten(values, mask, shift_mean=False), values * mask)


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
def test_a_reward_that_is_no_number_is_refused_only_where_it_counts(wrong):
    values = ROWS.clone()
    values[0, 2] = wrong
    assert torch.equal(whiten(values, MASK), whiten(ROWS, MASK))
    values[1, 0] = wrong
    with pytest.raises(DataError, match=rf"A value is {wrong}.\n  where: value \[1, 0\]"):
        whiten(values, MASK)


def test_shapes_that_pytorch_would_stretch_are_refused():
    with pytest.raises(DataError, match=r"values \(2, 3\), mask \(2, 1\)"):
        masked_mean(ROWS, MASK[:, :1])


def test_a_misspelt_choice_is_refused_with_the_nearest():
    with pytest.raises(CourseError, match=r"no estimator 'K3'[^?]*Did you mean k3\?"):
        kl_estimate(ROWS, ROWS, "K3")
