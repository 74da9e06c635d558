"""Group-relative policy optimisation: PPO whose baseline is the other answers to the same prompt.

No value function is trained: several completions of each prompt are sampled, and a completion's
advantage is how much better than its siblings it was.
"""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from fmcourse.errors import CourseError, DataError
from fmcourse.train.losses.divergence import kl_estimate
from fmcourse.train.losses.masked import (
    check_choice,
    check_finite,
    check_shapes,
    keep,
    masked_mean,
)
from fmcourse.train.losses.ppo import PolicyLoss, step_size, surrogate

LossType = Literal["grpo", "dapo", "dr_grpo"]


def group_advantages(rewards: Tensor, scale_rewards: bool = True) -> Tensor:
    """Each reward against those of its group: `A_i = (r_i − mean(r)) / (std(r) + 1e-4)`.

    GRPO (DeepSeekMath, arXiv:2402.03300, § 4.1); the deviation is the unbiased one (n − 1).

    Args:
        rewards: (prompts, group), one for each completion.
        scale_rewards: divide by the deviation. Dr. GRPO (arXiv:2503.20783) does not: it makes
            prompts count more whose answers are nearly all right, or nearly all wrong.

    Returns:
        (prompts, group); exactly 0 in a group whose rewards are equal, and in a group of one, of
        which nothing can be learnt.

    Raises:
        DataError: a reward is not finite, or which of them belong together is not said.

    >>> import torch
    >>> group_advantages(torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.3, 0.3, 0.3, 0.3]]))
    tensor([[ 0.8659, -0.8659, -0.8659,  0.8659],
            [ 0.0000,  0.0000,  0.0000,  0.0000]])
    """
    if rewards.ndim != 2:
        raise DataError("Rewards need their groups.", where=f"shape {tuple(rewards.shape)}",
                        fix="Give them as (prompts, group): rewards.view(-1, group).")
    check_finite("reward", rewards)
    shifted = rewards - rewards[:, :1]  # equal rewards then become 0 without rounding
    centred = shifted - shifted.mean(1, keepdim=True)
    if not scale_rewards:
        return centred
    variance = centred.square().sum(1, keepdim=True) / max(rewards.shape[1] - 1, 1)
    return centred / (variance.sqrt() + 1e-4)


def grpo_loss(
    log_probs: Tensor,
    old_log_probs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    reference_log_probs: Tensor | None = None,
    beta: float = 0.0,
    epsilon: float = 0.2,
    epsilon_high: float | None = None,
    loss_type: LossType = "dapo",
    max_length: int | None = None,
) -> PolicyLoss:
    """PPO's clipped objective with a completion's advantage at each of its tokens, and the price of
    leaving the reference: `l_t = −min(ρ_t A, clip(ρ_t, 1 − ε, 1 + ε) A) + β k3_t`.

    What tokens are averaged over differs, and with it how much long completions count:

    - 'grpo' (arXiv:2402.03300, eq. 3): over a completion's tokens, then over completions. An
      answer's tokens share one weight, so a long wrong answer costs as little as a short one.
    - 'dapo' (arXiv:2503.14476, eq. 8): over all tokens of the batch.
    - 'dr_grpo' (arXiv:2503.20783): their sum over `completions × max_length`, the same for all.

    Args:
        log_probs, old_log_probs: (batch, time) in nats, now and when sampled.
        advantages: (batch,), as `group_advantages` gives them, flattened.
        mask: (batch, time). An empty completion adds 0; with 'grpo' and 'dr_grpo' it is one of
            those averaged over.
        reference_log_probs: (batch, time), under the frozen reference; needed where β is not 0.
        beta: β, the price of a nat.
        epsilon, epsilon_high: as in `ppo_policy_loss`.
        loss_type: 'grpo', 'dapo' or 'dr_grpo'.
        max_length: most tokens that a completion may have; for 'dr_grpo'.

    Returns:
        The loss, clip fraction and approximate KL to the old policy.

    Raises:
        CourseError: the reference or the length is missing.

    >>> import torch
    >>> log_probs, mask = torch.zeros(2, 3), torch.tensor([[1, 0, 0], [1, 1, 1]])
    >>> for kind in ("grpo", "dapo", "dr_grpo"):
    ...     grpo_loss(log_probs, log_probs, torch.tensor([1.0, -1.0]), mask,
    ...               loss_type=kind, max_length=4).loss.item()
    0.0
    0.5
    0.25
    """
    check_choice("loss_type", loss_type, get_args(LossType))
    check_shapes(log_probs=log_probs, old_log_probs=old_log_probs, mask=mask)
    check_shapes(advantages=advantages, completions=mask.sum(1))
    mask = mask.bool()
    log_probs, old_log_probs = keep(log_probs, mask), keep(old_log_probs, mask)
    per_token, clipped = surrogate(log_probs - old_log_probs, advantages[:, None],
                                   epsilon, epsilon_high)
    if beta:
        if reference_log_probs is None:
            raise CourseError("A price on the KL needs a reference.", where=f"beta={beta}",
                              fix="Give reference_log_probs, or beta=0.")
        per_token = per_token + beta * kl_estimate(log_probs, keep(reference_log_probs, mask))
    return PolicyLoss(_averaged(per_token, mask, loss_type, max_length),
                      *step_size(log_probs, old_log_probs, clipped, mask))


def _averaged(
    per_token: Tensor, mask: Tensor, loss_type: LossType, max_length: int | None
) -> Tensor:
    """(batch, time) → a scalar; see `grpo_loss`."""
    if loss_type == "grpo":
        return masked_mean(per_token, mask, dim=-1).mean()
    if loss_type == "dapo":
        return masked_mean(per_token, mask)
    if max_length is None:
        raise CourseError("The loss of Dr. GRPO needs a length.", where="max_length",
                          fix="Give the most tokens that a completion may have.")
    return keep(per_token, mask).sum() / (len(mask) * max_length)
