"""Proximal policy optimisation (Schulman et al. 2017): what did well, and a step not too far.

The samples are from the policy as it was (`old`); several steps are made on them, and a token whose
probability has moved by more than ε in the direction its advantage asks for has no gradient left.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fmcourse.train.losses.divergence import kl_estimate
from fmcourse.train.losses.masked import check_finite, check_shapes, keep, masked_mean


class PolicyLoss(NamedTuple):
    """A policy loss, which has a gradient, and how far the step went, which has none.

    `clip_fraction` is the share of tokens without gradient, because clipped; `approx_kl` the mean
    of k3, estimating `KL(π_old ‖ π)` in nats a token.
    """

    loss: Tensor
    clip_fraction: Tensor
    approx_kl: Tensor


class ValueLoss(NamedTuple):
    """A value loss, which has a gradient, and the share of tokens whose value is clipped."""

    loss: Tensor
    clip_fraction: Tensor


def gae(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al. 2015, arXiv:1506.02438, eq. 16).

    `δ_t = r_t + γ V_(t+1) − V_t` and `A_t = δ_t + γλ A_(t+1)`, from the last token backwards; after
    it all is 0. λ = 0 trusts the value function for the next step on, λ = 1 not at all:
    then `A_t = Σ_k γ^k r_(t+k) − V_t`.

    Args:
        rewards: (batch, time), of each token; a score for the whole is its last token's.
        values: (batch, time), expected before each token was written.
        mask: (batch, time). What does not count is stepped over wherever it is; an empty completion
            has advantages 0.
        gamma, lam: discount γ and λ.

    Returns:
        (batch, time) advantages, and returns `A_t + V_t`, which the value function learns; both 0
        where the mask is 0.

    Raises:
        DataError: a reward or value that counts is not finite.

    >>> gae(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.5]]), torch.ones(1, 2), lam=1.0)
    (tensor([[0.5000, 0.5000]]), tensor([[1., 1.]]))
    """
    check_shapes(rewards=rewards, values=values, mask=mask)
    mask = mask.bool()
    check_finite("reward", rewards, mask)
    check_finite("value", values, mask)
    rewards, values = keep(rewards, mask), keep(values, mask)
    advantages = torch.zeros_like(values)
    advantage = next_value = values.new_zeros(len(values))  # (batch,)
    for t in reversed(range(values.shape[1])):
        step = rewards[:, t] + gamma * next_value - values[:, t] + gamma * lam * advantage
        advantage = torch.where(mask[:, t], step, advantage)
        next_value = torch.where(mask[:, t], values[:, t], next_value)
        advantages[:, t] = advantage
    advantages = keep(advantages, mask)
    return advantages, advantages + values


def ppo_policy_loss(
    log_probs: Tensor,
    old_log_probs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    epsilon: float = 0.2,
    epsilon_high: float | None = None,
) -> PolicyLoss:
    """The clipped surrogate objective (arXiv:1707.06347, eq. 7), as a loss: mean over tokens of
    `−min(ρ A, clip(ρ, 1 − ε, 1 + ε) A)`, with `ρ = π(y_t) / π_old(y_t)`.

    Args:
        log_probs: (batch, time) under the policy, in nats.
        old_log_probs: under the policy that sampled them.
        advantages, mask: (batch, time).
        epsilon: ε, how far a probability may move, as a share.
        epsilon_high: another ε upwards (DAPO, arXiv:2503.14476); by default the same.

    Returns:
        The loss, clip fraction and approximate KL; 0 where nothing counts.

    >>> old, advantages, mask = torch.zeros(1, 2), torch.tensor([[1.0, -1.0]]), torch.ones(1, 2)
    >>> ppo_policy_loss(torch.tensor([[1.5, 1.5]]).log(), old, advantages, mask)
    PolicyLoss(loss=tensor(0.1500), clip_fraction=tensor(0.5000), approx_kl=tensor(0.0945))
    """
    check_shapes(log_probs=log_probs, old_log_probs=old_log_probs, advantages=advantages, mask=mask)
    mask = mask.bool()
    log_probs, old_log_probs = keep(log_probs, mask), keep(old_log_probs, mask)
    per_token, clipped = surrogate(log_probs - old_log_probs, keep(advantages, mask),
                                   epsilon, epsilon_high)
    return PolicyLoss(masked_mean(per_token, mask),
                      *step_size(log_probs, old_log_probs, clipped, mask))


def ppo_value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, epsilon: float = 0.2
) -> ValueLoss:
    """The value function's clipped loss: mean over tokens of
    `½ max((V − R)², (clip(V, V_old − ε, V_old + ε) − R)²)`.

    From the code of PPO (github.com/openai/baselines), not its paper. Taking the worse of the two
    leaves no reason to go further than ε from the value it had when the samples were made.

    Args:
        values, old_values: (batch, time), now and when sampled.
        returns, mask: (batch, time), as `gae` returns them.
        epsilon: in units of the reward.

    >>> one = torch.ones(1, 1)
    >>> ppo_value_loss(0.5 * one, 0 * one, one, one)  # ½ (0.2 − 1)², clipped, not ½ (0.5 − 1)²
    ValueLoss(loss=tensor(0.3200), clip_fraction=tensor(1.))
    """
    check_shapes(values=values, old_values=old_values, returns=returns, mask=mask)
    mask = mask.bool()
    values, old_values, returns = (keep(each, mask) for each in (values, old_values, returns))
    free = (values - returns).square()
    bound = (values.clamp(old_values - epsilon, old_values + epsilon) - returns).square()
    return ValueLoss(masked_mean(torch.max(free, bound), mask) / 2,
                     masked_mean((bound > free).to(free.dtype), mask))


def surrogate(
    log_ratio: Tensor, advantages: Tensor, epsilon: float, epsilon_high: float | None
) -> tuple[Tensor, Tensor]:
    """Each token's clipped loss, and whether it is clipped; all (batch, time)."""
    ratio = log_ratio.exp()
    high = epsilon if epsilon_high is None else epsilon_high
    free, bound = ratio * advantages, ratio.clamp(1 - epsilon, 1 + high) * advantages
    return -torch.min(free, bound), bound < free


def step_size(
    log_probs: Tensor, old_log_probs: Tensor, clipped: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Clip fraction and approximate KL of a step, without gradient."""
    kl = kl_estimate(old_log_probs.detach(), log_probs.detach())
    return masked_mean(clipped.to(kl.dtype), mask), masked_mean(kl, mask)
