"""Bradley–Terry, DPO and IPO: by hand, by finite differences, and against TRL's trainers."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from trl_stub import dpo_loss as trl_dpo
from trl_stub import reward_loss as trl_reward

from fmcourse.errors import DataError
from fmcourse.train.losses import bradley_terry_loss, dpo_loss, ipo_loss, masked_mean

PAIRS, TIME = 6, 5
SIGMOID_2, SIGMOID_1 = 0.126928, 0.313262  # −log σ(2) and −log σ(1)


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def answers(seed: int = 0, dtype: torch.dtype = torch.float64):
    """Token log-probabilities of policy and reference for chosen, then rejected; lengths differ."""
    log_probs, reference = -drawn(2, 2 * PAIRS, TIME, seed=seed, dtype=dtype).abs()
    lengths = torch.randint(1, TIME + 1, (2 * PAIRS, 1),
                            generator=torch.Generator().manual_seed(seed))
    return log_probs, reference, (torch.arange(TIME) < lengths).long()


def test_bradley_terry_by_hand():
    chosen, rejected = torch.tensor([3.0]), torch.tensor([1.0])
    assert bradley_terry_loss(chosen, rejected).item() == pytest.approx(SIGMOID_2, abs=1e-6)
    with_margin = bradley_terry_loss(chosen, rejected, margin=torch.tensor([1.0]))
    assert with_margin.item() == pytest.approx(SIGMOID_1, abs=1e-6)
    tie = bradley_terry_loss(chosen, rejected, ties=torch.tensor([True]))
    assert tie.item() == pytest.approx(SIGMOID_2 / 2 + (SIGMOID_2 + 2) / 2, abs=1e-6)


@pytest.mark.parametrize("with_margin", [True, False])
def test_bradley_terry_is_trls(with_margin):
    chosen, rejected, margin = drawn(3, PAIRS)
    margin = margin if with_margin else None
    torch.testing.assert_close(bradley_terry_loss(chosen, rejected, margin),
                               trl_reward(chosen, rejected, margin), rtol=1e-12, atol=0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.floats(-100, 100))
def test_only_differences_of_rewards_matter(seed, shift):
    chosen, rejected, margin = drawn(3, PAIRS, seed=seed)
    ties = drawn(PAIRS, seed=seed + 1) > 0
    torch.testing.assert_close(bradley_terry_loss(chosen + shift, rejected + shift, margin, ties),
                               bradley_terry_loss(chosen, rejected, margin, ties))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_tie_has_no_sides(seed):
    chosen, rejected, margin = drawn(3, PAIRS, seed=seed)
    ties = torch.ones(PAIRS, dtype=torch.bool)
    one_way = bradley_terry_loss(chosen, rejected, margin, ties)
    torch.testing.assert_close(one_way, bradley_terry_loss(rejected, chosen, -margin, ties))
    torch.testing.assert_close(one_way, bradley_terry_loss(chosen, rejected, ties=ties))
    both_ways = bradley_terry_loss(torch.cat([chosen, rejected]), torch.cat([rejected, chosen]))
    torch.testing.assert_close(one_way, both_ways)  # a win for each


def test_only_ties_make_rewards_equal():
    rewards = torch.zeros(2, PAIRS, requires_grad=True)
    loss = bradley_terry_loss(*rewards, ties=torch.ones(PAIRS))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert rewards.grad.eq(0).all()
    apart = torch.tensor([3.0], requires_grad=True)
    bradley_terry_loss(apart, torch.zeros(1), ties=torch.ones(1)).backward()
    assert apart.grad.item() > 0  # too high


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_a_reward_that_is_no_number_is_refused(side, wrong):
    pairs = {"chosen": torch.zeros(3), "rejected": torch.zeros(3)}
    pairs[side][2] = wrong
    with pytest.raises(DataError, match=rf"{side} reward is {wrong}.\n.*{side} reward \[2\]"):
        bradley_terry_loss(**pairs)


def test_rewards_straight_from_a_head_are_refused():
    with pytest.raises(DataError, match=r"rejected \(3, 1\)"):
        bradley_terry_loss(torch.zeros(3), torch.zeros(3, 1))


def test_dpo_and_ipo_by_hand():
    pair = torch.tensor([[-10.0], [-15.0], [-12.0], [-12.0]])  # h = 2 + 3
    right, wrong = math.log1p(math.exp(-0.5)), math.log1p(math.exp(0.5))
    assert dpo_loss(*pair, beta=0.1).item() == pytest.approx(right)
    assert dpo_loss(*pair, beta=0.1, label_smoothing=0.2).item() == pytest.approx(
        0.8 * right + 0.2 * wrong)
    assert ipo_loss(*pair, beta=0.2).item() == pytest.approx((5 - 2.5) ** 2)


def test_conservative_dpo_is_least_where_it_says():
    h = torch.tensor([math.log(0.9 / 0.1) / 0.5], dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(1, dtype=torch.float64)
    dpo_loss(h, zero, zero, zero, beta=0.5, label_smoothing=0.1).backward()
    assert h.grad.item() == pytest.approx(0, abs=1e-15)
    ipo = torch.tensor([1 / (2 * 0.5)], dtype=torch.float64, requires_grad=True)
    ipo_loss(ipo, zero, zero, zero, beta=0.5).backward()
    assert ipo.grad.item() == 0


@pytest.mark.parametrize("beta", [0.1, 0.7])
@pytest.mark.parametrize("seed", range(3))
def test_dpo_and_ipo_are_trls(seed, beta):
    log_probs, reference, mask = answers(seed)
    sums = [side for each in (log_probs, reference) for side in (each * mask).sum(1).chunk(2)]
    torch.testing.assert_close(dpo_loss(*sums, beta=beta),
                               trl_dpo(log_probs, reference, mask, "sigmoid", beta),
                               rtol=1e-12, atol=0)
    means = [side for each in (log_probs, reference)
             for side in masked_mean(each, mask, dim=-1).chunk(2)]
    torch.testing.assert_close(ipo_loss(*means, beta=beta),
                               trl_dpo(log_probs, reference, mask, "ipo", beta),
                               rtol=1e-12, atol=0)


def test_conservative_dpo_is_trls_for_each_pair():
    """TRL's 'sigmoid' has no smoothing; its 'aot' sorts, and of one pair is conservative DPO."""
    log_probs, reference, mask = answers()
    for pair in range(PAIRS):
        rows = [pair, PAIRS + pair]
        policy, frozen = ((each * mask).sum(1)[rows].chunk(2) for each in (log_probs, reference))
        torch.testing.assert_close(
            dpo_loss(*policy, *frozen, beta=0.3, label_smoothing=0.2),
            trl_dpo(log_probs[rows], reference[rows], mask[rows], "aot", 0.3, 0.2),
            rtol=1e-12, atol=0)


def test_gradients_are_those_of_finite_differences():
    four = [row.clone().requires_grad_() for row in drawn(4, PAIRS)]
    ties = torch.arange(PAIRS) % 2 == 0
    assert torch.autograd.gradcheck(lambda c, r, m: bradley_terry_loss(c, r, m, ties), four[:3])
    assert torch.autograd.gradcheck(lambda *f: dpo_loss(*f, beta=0.3, label_smoothing=0.1), four)
    assert torch.autograd.gradcheck(lambda *f: ipo_loss(*f, beta=0.3), four)


def test_far_apart_is_no_overflow():
    far = torch.tensor([1e4])
    assert bradley_terry_loss(-far, far).item() == 2e4
    assert dpo_loss(-far, far, 0 * far, 0 * far, beta=1.0).item() == 2e4
