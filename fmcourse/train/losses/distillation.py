"""Distillation from what a teacher finds likeliest, instead of from all of its logits.

A teacher's logits for a data set are large: a vocabulary of numbers for each token. Kept are the k
likeliest tokens of a position with their log-probabilities, and the probability of all others
together, as one more outcome. Nothing is renormalised: a student that puts its mass where the
teacher has none pays for it. What is lost is how the rest is shared out among its tokens; so this
divergence is never more than the one over the whole vocabulary, and equal to it when k is at least
the vocabulary less one (tested).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fmcourse.train.losses.likelihood import token_log_probs
from fmcourse.train.losses.masked import check_shapes


class Likeliest(NamedTuple):
    """A teacher's opinion of some positions, at one temperature.

    Attributes:
        tokens: (positions, k) int64, the likeliest.
        log_probs: (positions, k), nats.
        rest: (positions,), nats: the log-probability of all other tokens together, -inf if there
            are none.
    """

    tokens: Tensor
    log_probs: Tensor
    rest: Tensor


class DistillationLoss(NamedTuple):
    """What is minimised and its two parts, scalars: `total = α · kl + (1 − α) · hard`."""

    total: Tensor
    kl: Tensor
    hard: Tensor


def likeliest(logits: Tensor, k: int, temperature: float = 1.0) -> Likeliest:
    """The k likeliest tokens of `softmax(logits / T)`, and the rest as one.

    Args:
        logits: (positions, vocabulary).

    >>> found = likeliest(torch.tensor([[0.25, 0.5, 0.125, 0.125]]).log(), k=2)
    >>> found.tokens, found.log_probs.exp(), found.rest.exp()
    (tensor([[1, 0]]), tensor([[0.5000, 0.2500]]), tensor([0.2500]))
    """
    log_probs = _log_probs(logits, temperature)
    values, tokens = log_probs.topk(k, dim=-1)
    return Likeliest(tokens, values, _rest(log_probs, tokens))


def top_k_kl(student: Tensor, teacher: Likeliest, temperature: float = 1.0) -> Tensor:
    """`T² KL(teacher ‖ student)` over the k likeliest tokens and the rest as one outcome.

    T² keeps gradients the same size at every temperature (Hinton et al. 2015, arXiv:1503.02531).

    Args:
        student: (positions, vocabulary) logits.
        teacher: at the same temperature.
        temperature: T.

    Returns:
        A scalar, the mean over positions, in nats (times T²); 0 where there are none.

    >>> teacher = likeliest(torch.tensor([[0.75, 0.25]]).log(), k=1)
    >>> top_k_kl(torch.zeros(1, 2), teacher)  # ¾ log(¾ / ½) + ¼ log(¼ / ½)
    tensor(0.1308)
    """
    check_shapes(student=student[:, 0], teacher=teacher.rest)
    log_probs = _log_probs(student, temperature)
    total = _divergence(log_probs.gather(-1, teacher.tokens), teacher.log_probs)
    others = teacher.rest.isfinite()
    if others.any():
        total = total + _divergence(_rest(log_probs, teacher.tokens)[others], teacher.rest[others])
    return temperature**2 * total / max(1, len(student))


def distillation_loss(
    student: Tensor, labels: Tensor, teacher: Likeliest, temperature: float, alpha: float
) -> DistillationLoss:
    """`α T² KL(teacher ‖ student) at T + (1 − α) cross-entropy of the labels` (Hinton et al. 2015).

    Args:
        student: (positions, vocabulary) logits.
        labels: (positions,) tokens that were written.
        teacher: at the same temperature.
        temperature: T.
        alpha: α; 0 learns of the labels alone, 1 of the teacher alone.

    >>> teacher = likeliest(torch.tensor([[0.75, 0.25]]).log(), k=1)
    >>> distillation_loss(torch.zeros(1, 2), torch.tensor([0]), teacher, 1.0, 0.5).total
    tensor(0.4120)
    """
    kl = top_k_kl(student, teacher, temperature)
    hard = -token_log_probs(student, labels).sum() / max(1, len(student))
    return DistillationLoss(alpha * kl + (1 - alpha) * hard, kl.detach(), hard.detach())


def _log_probs(logits: Tensor, temperature: float) -> Tensor:
    wide = torch.promote_types(logits.dtype, torch.float32)
    return (logits.to(wide) / temperature).log_softmax(-1)


def _rest(log_probs: Tensor, tokens: Tensor) -> Tensor:
    """(positions, vocabulary) and (positions, k) → (positions,), the log-mass of all but these."""
    if tokens.shape[1] == log_probs.shape[1]:  # a sum over nothing has a gradient of NaN
        return torch.full_like(log_probs[:, 0], -torch.inf)
    return log_probs.scatter(-1, tokens, -torch.inf).logsumexp(-1)


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """`Σ p log(p / q)` of log-probabilities that are finite."""
    return (teacher.exp() * (teacher - student)).sum()
