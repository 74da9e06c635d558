"""GRPO's advantages and loss, and those of its successors; against TRL's trainer."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from trl_stub import grpo_advantages as trl_advantages
from trl_stub import grpo_loss as trl_loss

from fmcourse.errors import CourseError, DataError
from fmcourse.train.losses import group_advantages, grpo_loss, ppo_policy_loss

TYPES = ("grpo", "dapo", "dr_grpo")
BATCH, TIME = 6, 5
MASK = (torch.arange(TIME) < torch.tensor([5, 3, 1, 4, 2, 0])[:, None]).long()  # one is empty


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


def test_advantages_by_hand():
    rewards = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 6.0]])
    torch.testing.assert_close(
        group_advantages(rewards),
        torch.tensor([[-1.0, 0, 1], [-1 / math.sqrt(3), -1 / math.sqrt(3), 2 / math.sqrt(3)]]),
        rtol=1e-3, atol=0)
    torch.testing.assert_close(group_advantages(rewards, scale_rewards=False),
                               torch.tensor([[-1.0, 0, 1], [-2, -2, 4]]))


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_advantages_are_trls(scaled, seed):
    rewards = drawn(4, 8, seed=seed)
    rewards[1] = 0.5  # all equal
    rewards[2] = (rewards[2] > 0).double()  # right or wrong
    torch.testing.assert_close(group_advantages(rewards, scaled),
                               trl_advantages(rewards, "group" if scaled else "none"),
                               rtol=1e-7, atol=1e-12)  # TRL has n / (n − 1) in float32


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.floats(-1000, 1000), scaled=st.booleans())
def test_what_a_prompt_adds_to_all_its_rewards_does_not_matter(seed, shift, scaled):
    rewards = drawn(3, 5, seed=seed)
    shifts = shift * drawn(3, 1, seed=seed + 1)
    ours = group_advantages(rewards, scaled)
    torch.testing.assert_close(group_advantages(rewards + shifts, scaled), ours)
    torch.testing.assert_close(ours.sum(1), torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("reward", [0.0, 0.1, 1 / 3, 1234567.1, -3e30])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_group_of_equals_has_advantages_of_exactly_zero(size, reward, scaled):
    assert group_advantages(torch.full((2, size), reward), scaled).eq(0).all()


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_a_reward_that_is_no_number_is_refused(wrong):
    rewards = torch.zeros(3, 4)
    rewards[1, 2] = wrong
    with pytest.raises(DataError, match=rf"A reward is {wrong}.\n  where: reward \[1, 2\]"):
        group_advantages(rewards)


def test_rewards_without_groups_are_refused():
    with pytest.raises(DataError, match=r"shape \(8,\)"):
        group_advantages(torch.zeros(8))


def test_the_three_means_by_hand():
    """A good answer of one token and a bad one of three: what is a token worth?"""
    log_probs = torch.zeros(2, 3, requires_grad=True)
    mask, advantages = torch.tensor([[1, 0, 0], [1, 1, 1]]), torch.tensor([1.0, -1.0])
    right = {"grpo": (0.0, [[-1 / 2, 0, 0], [1 / 6] * 3]),
             "dapo": (2 / 4, [[-1 / 4, 0, 0], [1 / 4] * 3]),
             "dr_grpo": (2 / 20, [[-1 / 20, 0, 0], [1 / 20] * 3])}
    for loss_type, (value, slope) in right.items():
        loss = grpo_loss(log_probs, log_probs.detach(), advantages, mask, loss_type=loss_type,
                         max_length=10).loss
        assert loss.item() == pytest.approx(value)
        torch.testing.assert_close(torch.autograd.grad(loss, log_probs)[0], torch.tensor(slope))


@pytest.mark.parametrize("beta", [0.0, 0.2])
@pytest.mark.parametrize("loss_type", TYPES)
def test_loss_gradient_and_clip_fraction_are_trls(loss_type, beta):
    log_probs, *moves = 0.4 * drawn(3, BATCH, TIME).requires_grad_()
    old, reference = (log_probs.detach() + move.detach() for move in moves)
    advantages = drawn(BATCH, seed=1)
    ours = grpo_loss(log_probs, old, advantages, MASK, reference_log_probs=reference, beta=beta,
                     epsilon=0.2, epsilon_high=0.3, loss_type=loss_type, max_length=9)
    theirs, clipped = trl_loss(log_probs, old, reference, advantages, MASK, loss_type, beta,
                               0.2, 0.3, 9)
    torch.testing.assert_close(ours.loss, theirs, rtol=1e-12, atol=0)
    torch.testing.assert_close(*(torch.autograd.grad(loss, log_probs, retain_graph=True)[0]
                                 for loss in (ours.loss, theirs)), rtol=1e-10, atol=1e-15)
    assert 0 < ours.clip_fraction.item() == pytest.approx(clipped)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_with_a_mean_over_tokens_and_no_reference_it_is_ppo(seed):
    log_probs, old = 0.4 * drawn(2, BATCH, TIME, seed=seed)
    advantages = drawn(BATCH, seed=seed + 1)
    ours = grpo_loss(log_probs, old, advantages, MASK)
    ppo = ppo_policy_loss(log_probs, old, advantages[:, None].expand(BATCH, TIME), MASK)
    for one, other in zip(ours, ppo, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("loss_type", TYPES)
def test_gradients_are_those_of_finite_differences(loss_type):
    new, old, reference = 0.4 * drawn(3, BATCH, TIME)
    assert torch.autograd.gradcheck(
        lambda n: grpo_loss(n, old, drawn(BATCH), MASK, reference_log_probs=reference, beta=0.3,
                            loss_type=loss_type, max_length=9).loss, new.requires_grad_())


@pytest.mark.parametrize("loss_type", TYPES)
def test_only_empty_completions_are_nothing_lost(loss_type):
    log_probs = drawn(BATCH, TIME).requires_grad_()
    found = grpo_loss(log_probs, log_probs.detach(), drawn(BATCH), MASK * 0, loss_type=loss_type,
                      max_length=9)
    found.loss.backward()
    assert [value.item() for value in found] == [0, 0, 0]
    assert log_probs.grad.eq(0).all()
    none = log_probs[:, :0]
    found = grpo_loss(none, none, drawn(BATCH), MASK[:, :0], loss_type=loss_type, max_length=9)
    assert [value.item() for value in found] == [0, 0, 0]


def test_what_is_missing_is_said():
    rows, advantages = drawn(BATCH, TIME), drawn(BATCH)
    with pytest.raises(CourseError, match="reference_log_probs"):
        grpo_loss(rows, rows, advantages, MASK, beta=0.1)
    with pytest.raises(CourseError, match="max_length"):
        grpo_loss(rows, rows, advantages, MASK, loss_type="dr_grpo")
    with pytest.raises(CourseError, match="Did you mean dr_grpo"):
        grpo_loss(rows, rows, advantages, MASK, loss_type="dr-grpo")
    with pytest.raises(DataError, match=r"advantages \(3, 2\), completions \(6,\)"):
        grpo_loss(rows, rows, advantages.view(3, 2), MASK)
