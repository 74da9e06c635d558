"""How far two models are from each other, and what is done about it.

KL divergences are in nats a token. From samples they are estimated (`kl_estimate`), and a
controller prices them (`adaptive_kl_coefficient`); from two models' logits they are exact
(`distillation_kl`).
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import kl_div

from fmcourse.errors import DataError
from fmcourse.train.losses.masked import check_choice, check_shapes

Estimator = Literal["k1", "k2", "k3"]
Direction = Literal["forward", "reverse"]


def kl_estimate(
    log_probs: Tensor, reference_log_probs: Tensor, estimator: Estimator = "k3"
) -> Tensor:
    """Each token's estimate of `KL(π ‖ π_ref)` (Schulman 2020, joschu.net/blog/kl-approx.html).

    With `r = π_ref(y_t) / π(y_t)` of tokens sampled from π:

    - `k1 = −log r`: right on average, but often negative and noisy;
    - `k2 = (log r)² / 2`: never negative, little noise, wrong on average by a little;
    - `k3 = (r − 1) − log r`: right on average and never negative; it explodes where the reference
      finds a token far likelier.

    That is about values. As a loss, their gradients differ: k1's is 0 on average, k2's is that of
    `KL(π ‖ π_ref)`, and k3's, which GRPO takes, that of `KL(π_ref ‖ π)` (tested).

    Args:
        log_probs, reference_log_probs: (batch, time), of the same tokens.
        estimator: 'k1', 'k2' or 'k3'.

    Returns:
        (batch, time) in nats; a completion's divergence is the sum over its tokens.

    >>> policy, reference = torch.tensor([0.5]).log(), torch.tensor([0.25]).log()
    >>> [round(kl_estimate(policy, reference, k).item(), 4) for k in ("k1", "k2", "k3")]
    [0.6931, 0.2402, 0.1931]
    """
    check_choice("estimator", estimator, get_args(Estimator))
    check_shapes(log_probs=log_probs, reference_log_probs=reference_log_probs)
    log_ratio = reference_log_probs - log_probs
    if estimator == "k1":
        return -log_ratio
    return log_ratio.square() / 2 if estimator == "k2" else log_ratio.expm1() - log_ratio


def adaptive_kl_coefficient(
    coefficient: float, kl: float, target: float, gain: float = 0.1, clip: float = 0.2
) -> float:
    """The price of divergence for the next step (Ziegler et al. 2019, arXiv:1909.08593, § 2.2).

    `e = clip((KL − target) / target, −0.2, 0.2)` and `β ← β (1 + K e)`: a proportional controller
    on a logarithmic scale. β goes up while the policy is further away than the target.

    Args:
        coefficient: β.
        kl: as measured, in the target's unit, which in the paper is nats a completion.
        target: above 0.
        gain: K, 0.1 in the paper. Its code has K = batch / horizon.
        clip: the largest error that is reacted to.

    Raises:
        DataError: the KL is not finite; β would never be a number again.

    >>> round(adaptive_kl_coefficient(0.2, kl=60.0, target=6.0), 4)  # 0.2 (1 + 0.1 × 0.2)
    0.204
    """
    if not math.isfinite(kl):
        raise DataError(f"The measured KL is {kl}.", where="adaptive_kl_coefficient",
                        fix="The policy has diverged: lower the learning rate.")
    error = min(max((kl - target) / target, -clip), clip)
    return coefficient * (1 + gain * error)


def distillation_kl(
    student: Tensor,
    teacher: Tensor,
    mask: Tensor | None = None,
    temperature: float = 1.0,
    direction: Direction = "forward",
) -> Tensor:
    """A student's distance from its teacher over the whole vocabulary.

    With `p = softmax(teacher / T)` and `q = softmax(student / T)`, the mean over tokens of
    `T² Σ_v p log(p / q)`, forward (Hinton et al. 2015, arXiv:1503.02531, whose T² keeps gradients
    the same size at every temperature), or of `T² Σ_v q log(q / p)`, reverse (MiniLLM,
    arXiv:2306.08543). Forward, the student covers all that the teacher might say; reverse, it keeps
    to what the teacher surely would.

    Args:
        student, teacher: (..., time, vocabulary) logits.
        mask: (..., time); what does not count is not looked at. By default all count.
        temperature: T; higher shows more of what the teacher finds unlikely.
        direction: 'forward' is KL(teacher ‖ student), 'reverse' KL(student ‖ teacher).

    Returns:
        A scalar in nats a token (times T²), at least float32; 0 where nothing counts.

    >>> teacher = torch.tensor([[[0.75, 0.25]]]).log()
    >>> distillation_kl(torch.zeros(1, 1, 2), teacher)  # ¾ log(¾ / ½) + ¼ log(¼ / ½)
    tensor(0.1308)
    """
    check_choice("direction", direction, get_args(Direction))
    check_shapes(student=student, teacher=teacher)
    mask = torch.ones_like(student[..., 0], dtype=torch.bool) if mask is None else mask.bool()
    check_shapes(positions=student[..., 0], mask=mask)
    wide = torch.promote_types(student.dtype, torch.float32)
    q, p = ((logits[mask].to(wide) / temperature).log_softmax(-1) for logits in (student, teacher))
    of, towards = (q, p) if direction == "forward" else (p, q)  # PyTorch: kl_div(q, p) is KL(p ‖ q)
    total = kl_div(of, towards, reduction="sum", log_target=True)
    return temperature**2 * total / mask.sum().clamp(min=1)
