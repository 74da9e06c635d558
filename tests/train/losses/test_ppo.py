"""Advantages and PPO's clipped losses."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import pad

from fmcourse.errors import DataError
from fmcourse.train.losses import gae, ppo_policy_loss, ppo_value_loss

BATCH, TIME = 4, 6


def drawn(count: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(count, BATCH, TIME, generator=draw, dtype=torch.float64)


def lengths(*of: int) -> torch.Tensor:
    return torch.arange(TIME) < torch.tensor(of)[:, None]


def test_advantages_by_hand():
    rewards, values = torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[0.5, 0.6, 0.7]])
    advantages, returns = gae(rewards, values, torch.ones(1, 3), gamma=0.9, lam=0.8)
    # δ = 0.9·0.6 − 0.5, 0.9·0.7 − 0.6, 1 − 0.7; A_t = δ_t + 0.72 A_(t+1)
    right = torch.tensor([[0.04 + 0.72 * 0.246, 0.03 + 0.72 * 0.3, 0.3]])
    torch.testing.assert_close(advantages, right)
    torch.testing.assert_close(returns, right + values)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), gamma=st.floats(0, 1), lam=st.floats(0, 1))
def test_advantages_are_the_papers_sum(seed, gamma, lam):
    """Equation 16, `Σ_l (γλ)^l δ_(t+l)`, added up for each token on its own."""
    rewards, values = drawn(2, seed)
    advantages, _ = gae(rewards, values, lengths(6, 3, 1, 0), gamma, lam)
    right = torch.zeros_like(rewards)
    for row, length in enumerate((6, 3, 1, 0)):
        following = [*values[row, 1:length], 0]
        for t in range(length):
            right[row, t] = sum((gamma * lam) ** (k - t) * (
                rewards[row, k] + gamma * following[k] - values[row, k]) for k in range(t, length))
    torch.testing.assert_close(advantages, right)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), gamma=st.floats(0, 1))
def test_lambda_1_is_the_discounted_return_less_the_value(seed, gamma):
    rewards, values = drawn(2, seed)
    advantages, returns = gae(rewards, values, lengths(6, 6, 6, 6), gamma, lam=1.0)
    discounted = sum(pad(gamma**k * rewards[:, k:], (0, k)) for k in range(TIME))
    torch.testing.assert_close(advantages, discounted - values)
    torch.testing.assert_close(returns, discounted)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_perfect_value_function_leaves_no_advantage(seed):
    rewards = drawn(1, seed)[0]
    values = rewards.flip(1).cumsum(1).flip(1)  # all that is still to come
    advantages, _ = gae(rewards, values, lengths(6, 6, 6, 6), lam=0.3)
    torch.testing.assert_close(advantages, torch.zeros_like(values), rtol=0, atol=1e-12)


def test_an_empty_completion_has_no_advantage():
    rewards, values = drawn(2)
    for found in gae(rewards, values, lengths(0, 0, 0, 0)):
        assert found.eq(0).all()
    assert [found.shape for found in gae(*drawn(2)[..., :0], lengths(0, 0, 0, 0)[:, :0])] == [
        (BATCH, 0)] * 2


@pytest.mark.parametrize("which", [0, 1])
def test_a_reward_or_value_that_is_no_number_is_refused_where_it_counts(which):
    pair = drawn(2)
    pair[which, 1, 5] = torch.nan
    gae(*pair, lengths(6, 5, 6, 6))
    with pytest.raises(DataError, match=rf"A {('reward', 'value')[which]} is nan.*\n.*\[1, 5\]"):
        gae(*pair, lengths(6, 6, 6, 6))


def test_a_score_of_the_whole_is_refused_as_a_reward_of_tokens():
    with pytest.raises(DataError, match=r"rewards \(4,\)"):
        gae(torch.zeros(BATCH), *drawn(1), lengths(6, 6, 6, 6))


@pytest.mark.parametrize(("ratio", "advantage", "loss", "clipped"), [
    (1.5, 1.0, -1.2, 1),  # good and likelier already: no further
    (1.5, -1.0, 1.5, 0),  # bad and likelier: come back
    (0.5, 1.0, -0.5, 0),  # good and rarer: come back
    (0.5, -1.0, 0.8, 1),  # bad and rarer already: no further
    (1.1, 1.0, -1.1, 0),
])
def test_the_policy_loss_by_hand(ratio, advantage, loss, clipped):
    log_probs = torch.tensor([[ratio]]).log().requires_grad_()
    found = ppo_policy_loss(log_probs, torch.zeros(1, 1), torch.tensor([[advantage]]),
                            torch.ones(1, 1))
    found.loss.backward()
    assert found.loss.item() == pytest.approx(loss)
    assert found.clip_fraction.item() == clipped
    assert found.approx_kl.item() == pytest.approx(ratio - 1 - math.log(ratio), abs=1e-6)
    assert (log_probs.grad.item() == 0) == bool(clipped)
    assert not found.clip_fraction.requires_grad
    assert not found.approx_kl.requires_grad


def test_before_the_first_step_it_is_the_policy_gradient():
    log_probs, advantages = drawn(2)
    mask = lengths(6, 4, 2, 0)
    log_probs.requires_grad_()
    found = ppo_policy_loss(log_probs, log_probs.detach(), advantages, mask)
    found.loss.backward()
    torch.testing.assert_close(log_probs.grad, -advantages * mask / mask.sum())
    assert (found.clip_fraction, found.approx_kl) == (0, 0)


def test_the_ceiling_may_be_higher():
    log_probs, one = torch.tensor([[1.5]]).log(), torch.ones(1, 1)
    found = ppo_policy_loss(log_probs, 0 * one, one, one, epsilon=0.2, epsilon_high=0.4)
    assert found.loss.item() == pytest.approx(-1.4)


@pytest.mark.parametrize(("value", "loss", "clipped"), [
    (0.5, (0.2 - 1) ** 2 / 2, 1),  # nearer to the return than it may go
    (0.1, (0.1 - 1) ** 2 / 2, 0),
    (-0.5, (-0.5 - 1) ** 2 / 2, 0),  # further away: come back
])
def test_the_value_loss_by_hand(value, loss, clipped):
    one = torch.ones(1, 1)
    values = (value * one).requires_grad_()
    found = ppo_value_loss(values, 0 * one, one, one, epsilon=0.2)
    found.loss.backward()
    assert found.loss.item() == pytest.approx(loss)
    assert found.clip_fraction.item() == clipped
    assert (values.grad.item() == 0) == bool(clipped)


def test_gradients_are_those_of_finite_differences():
    new, old, third, *_ = (each.requires_grad_() for each in (0.3 * drawn(3)).unbind(0))
    mask = lengths(6, 4, 2, 0)
    assert torch.autograd.gradcheck(lambda n: ppo_policy_loss(n, old, third, mask).loss, new)
    assert torch.autograd.gradcheck(lambda n: ppo_value_loss(n, old, third, mask).loss, new)
    assert torch.autograd.gradcheck(lambda r, v: gae(r, v, mask, 0.9, 0.8), (new, old))


def test_nothing_is_lost_over_nothing():
    new, old, third = drawn(3)
    nothing = lengths(0, 0, 0, 0)
    assert [found.item() for found in ppo_policy_loss(new, old, third, nothing)] == [0, 0, 0]
    assert [found.item() for found in ppo_value_loss(new, old, third, nothing)] == [0, 0]
