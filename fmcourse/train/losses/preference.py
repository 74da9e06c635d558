"""Learning from which of two answers a person preferred.

A reward model learns to give the preferred one more; DPO and IPO put the policy's own
log-probabilities, against a reference's, in the place of that reward, and need no reward model.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from fmcourse.train.losses.masked import check_finite, check_shapes


def bradley_terry_loss(
    chosen: Tensor, rejected: Tensor, margin: Tensor | None = None, ties: Tensor | None = None
) -> Tensor:
    """A reward model's loss: how surprised it is by the preferences, in nats a pair.

    Bradley & Terry 1952 say `P(chosen ≻ rejected) = σ(r_c − r_r)`, and the loss is the mean of
    `−log σ(r_c − r_r − m)`. The margin m asks for a larger difference where the preference was
    clear (Llama 2, arXiv:2307.09288, eq. 2). A tie counts as half a preference for either side,
    `−½ log σ(r_c − r_r) − ½ log σ(r_r − r_c)`: which side it was written on changes nothing, and a
    margin, which would favour one, is not applied to it.

    Args:
        chosen, rejected: (pairs,) rewards.
        margin: (pairs,), in units of the reward.
        ties: (pairs,) bool, where neither answer was better.

    Raises:
        DataError: a reward is not finite, or shapes differ.

    >>> bradley_terry_loss(torch.tensor([2.0]), torch.tensor([0.0]))  # −log σ(2)
    tensor(0.1269)
    """
    ties = torch.zeros_like(chosen, dtype=torch.bool) if ties is None else ties.bool()
    margin = torch.zeros_like(chosen) if margin is None else margin
    check_shapes(chosen=chosen, rejected=rejected, margin=margin, ties=ties)
    check_finite("chosen reward", chosen)
    check_finite("rejected reward", rejected)
    difference = chosen - rejected - margin.masked_fill(ties, 0)
    return _smoothed(difference, ties.to(chosen.dtype) / 2).mean()


def dpo_loss(
    chosen: Tensor,
    rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290, eq. 7).

    The mean over pairs of `−log σ(β h)`, where `h` is how much further than the reference the
    policy prefers the chosen answer:
    `h = log π(y_c|x)/π_ref(y_c|x) − log π(y_r|x)/π_ref(y_r|x)`. With a share ε of labels taken to
    be wrong it is conservative DPO (Mitchell 2023): `−(1−ε) log σ(β h) − ε log σ(−β h)`, least at
    `h = log((1−ε)/ε) / β` instead of at infinity.

    Args:
        chosen, rejected: (pairs,) log-probabilities of whole answers under the policy, in nats
            (the sum of `token_log_probs` over time).
        reference_chosen, reference_rejected: the same under the frozen reference model.
        beta: how dear it is to move away from the reference; rewards are `β log π/π_ref`.
        label_smoothing: ε, in [0, ½).

    >>> start = torch.tensor([-12.0])
    >>> dpo_loss(start, start, start, start)  # −log ½: the policy is the reference
    tensor(0.6931)
    """
    difference = _log_ratio_difference(chosen, rejected, reference_chosen, reference_rejected)
    return _smoothed(beta * difference, label_smoothing).mean()


def ipo_loss(
    chosen: Tensor,
    rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    beta: float = 0.1,
) -> Tensor:
    """Identity preference optimisation (Azar et al. 2023, arXiv:2310.12036, eq. 17).

    The mean over pairs of `(h − 1/(2β))²`, with DPO's `h`. Where DPO pushes a certain preference
    on for ever, this one stops at a finite distance.

    Args:
        chosen, rejected, reference_chosen, reference_rejected: as in `dpo_loss`. The authors give
            it means over an answer's tokens instead of sums (so says TRL, which does the same):
            `masked_mean(log_probs, mask, dim=-1)`; then 1/(2β) is in nats a token.
        beta: τ of the paper.

    >>> ipo_loss(*torch.tensor([[-10.0], [-15.0], [-12.0], [-12.0]]))  # h = 5, which is 1/(2β)
    tensor(0.)
    """
    difference = _log_ratio_difference(chosen, rejected, reference_chosen, reference_rejected)
    return (difference - 1 / (2 * beta)).square().mean()


def _log_ratio_difference(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor
) -> Tensor:
    """`h` of DPO and IPO, (pairs,) in nats."""
    check_shapes(chosen=chosen, rejected=rejected, reference_chosen=reference_chosen,
                 reference_rejected=reference_rejected)
    return (chosen - reference_chosen) - (rejected - reference_rejected)


def _smoothed(difference: Tensor, wrong: Tensor | float) -> Tensor:
    """The cross-entropy of a preference that is the other way round with probability `wrong`."""
    return -(1 - wrong) * logsigmoid(difference) - wrong * logsigmoid(-difference)
