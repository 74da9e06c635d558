"""How likely a model finds the tokens that were written: what every other loss is made of.

The largest array of a step is its logits, and on a CPU its memory traffic is what takes the time.
So only positions that count are looked at, and a few dozen at a time, which stay in the cache.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fmcourse.train.losses.masked import check_shapes, masked_mean

ROWS = 64  # positions at a time; 64 × 8,192 logits in float32 are 2 MB


def token_log_probs(
    logits: Tensor, tokens: Tensor, mask: Tensor | None = None, temperature: float = 1.0
) -> Tensor:
    """Log-probabilities of tokens: `log π(y_t | x, y_<t) = z[y_t] / τ − log Σ_v exp(z[v] / τ)`.

    Args:
        logits: (..., time, vocabulary), those that predict `tokens`: a model's output at time t
            predicts the token at t + 1, so shift before.
        tokens: (..., time) int64.
        mask: (..., time); what does not count is not looked at. By default all count.
        temperature: τ, which the tokens were sampled at.

    Returns:
        (..., time) in nats and at least float32; 0 where the mask is 0. The sum over time is the
        log-probability of a completion; an empty one's is 0.

    >>> logits = torch.tensor([[[0.0, 0.0], [torch.tensor(3.0).log(), 0.0]]])
    >>> token_log_probs(logits, torch.tensor([[1, 0]])).exp()
    tensor([[0.5000, 0.7500]])
    """
    if mask is not None:
        mask = mask.bool()
        check_shapes(mask=mask, tokens=tokens, positions=logits[..., 0])
        found = token_log_probs(logits[mask], tokens[mask], temperature=temperature)
        return found.new_zeros(mask.shape).masked_scatter(mask, found)
    check_shapes(tokens=tokens, positions=logits[..., 0])
    parts = zip(logits.flatten(0, -2).split(ROWS), tokens.flatten().split(ROWS), strict=True)
    return torch.cat([_of_rows(*part, temperature) for part in parts]).view(tokens.shape)


def _of_rows(logits: Tensor, tokens: Tensor, temperature: float) -> Tensor:
    """(rows, vocabulary) and (rows,) → (rows,); a log-softmax would write all logits once more."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if temperature != 1:
        logits = logits / temperature
    return logits.gather(-1, tokens[:, None]).squeeze(-1) - logits.logsumexp(-1)


def masked_cross_entropy(logits: Tensor, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
    """The mean surprise of the tokens that count, in nats: `−Σ m_t log π(y_t | x, y_<t) / Σ m_t`.

    The loss of pre-training (all tokens) and of instruction tuning (the replies' tokens). From
    hidden states, `linear_cross_entropy` gives the same number without ever holding the logits.

    Args:
        logits, tokens, mask: as in `token_log_probs`.

    Returns:
        A scalar, 0 where nothing counts.

    >>> masked_cross_entropy(torch.zeros(1, 2, 8), torch.tensor([[3, 5]])).exp()
    tensor(8.)
    """
    mask = torch.ones_like(tokens, dtype=torch.bool) if mask is None else mask
    return -masked_mean(token_log_probs(logits, tokens, mask), mask)
