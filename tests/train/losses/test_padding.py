"""Whatever stands at padded positions, and wherever they are, no value or gradient changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fmcourse.train import losses

BATCH, TIME, VOCABULARY = 3, 4, 5
NOISE = [torch.nan, torch.inf, -torch.inf, 1e30, -1e30, 7.0]
ADVANTAGES = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
TOKENS = torch.tensor([[0, 4, 2, 1], [3, 3, 0, 2], [1, 0, 4, 4]])


def grpo(loss_type: str) -> Callable[..., Tensor]:
    return lambda mask, new, old, reference: losses.grpo_loss(
        new, old, ADVANTAGES, mask, reference_log_probs=reference, beta=0.1, loss_type=loss_type,
        max_length=9)


# name → function of a mask and of as many (batch, time) tensors as are named
OF_TOKENS: dict[str, tuple[int, Callable]] = {
    "masked_mean": (1, lambda mask, x: losses.masked_mean(x, mask)),
    "masked_mean of each": (1, lambda mask, x: losses.masked_mean(x, mask, dim=-1)),
    "whiten": (1, lambda mask, x: losses.whiten(x, mask)[mask]),
    "gae": (2, lambda mask, *pair: [x[mask] for x in losses.gae(*pair, mask, 0.9, 0.8)]),
    "ppo_policy_loss": (3, lambda mask, *three: losses.ppo_policy_loss(*three, mask)),
    "ppo_value_loss": (3, lambda mask, *three: losses.ppo_value_loss(*three, mask)),
    "grpo": (3, grpo("grpo")), "dapo": (3, grpo("dapo")), "dr_grpo": (3, grpo("dr_grpo")),
}
# the same of (batch, time, vocabulary), and of tokens
OF_LOGITS: dict[str, tuple[int, Callable]] = {
    "token_log_probs": (1, lambda mask, z, y: losses.token_log_probs(z, y, mask)[mask]),
    "masked_cross_entropy": (1, lambda mask, z, y: losses.masked_cross_entropy(z, y, mask)),
    "distillation_kl": (2, lambda mask, s, t, y: losses.distillation_kl(s, t, mask)),
}


def outcome(function: Callable, mask: Tensor, tensors: list[Tensor], *more: Tensor
            ) -> tuple[list[Tensor], list[Tensor]]:
    """The values of a function, and the gradients of their sum."""
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    values = function(mask, *leaves, *more)
    values = [values] if isinstance(values, Tensor) else list(values)
    total = sum(value.sum() for value in values if value.requires_grad)
    return values, list(torch.autograd.grad(total, leaves))


@pytest.mark.parametrize("name", [*OF_TOKENS, *OF_LOGITS])
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), noise=st.sampled_from(NOISE), extra=st.integers(0, 3))
def test_padding_changes_nothing(name, seed, noise, extra):
    draw = torch.Generator().manual_seed(seed)
    count, function = (OF_TOKENS | OF_LOGITS)[name]
    depth = [VOCABULARY] if name in OF_LOGITS else []
    tensors = list(0.5 * torch.randn(count, BATCH, TIME, *depth, generator=draw,
                                     dtype=torch.float64))
    mask = torch.rand(BATCH, TIME, generator=draw) < 0.7
    mask[0, 0] = True
    places = torch.randperm(TIME + extra, generator=draw)[:TIME].sort().values

    def padded(tensor: Tensor, with_what: float) -> Tensor:
        wide = torch.full((BATCH, TIME + extra, *tensor.shape[2:]), with_what, dtype=tensor.dtype)
        wide[:, places] = tensor
        return wide

    more = [TOKENS] if name in OF_LOGITS else []
    values, gradients = outcome(function, mask, tensors, *more)
    wide_mask = padded(mask, False)
    noisy = [padded(tensor, noise) for tensor in tensors]
    for tensor in noisy:
        tensor[~wide_mask] = noise  # also where the mask has holes
    new_values, new_gradients = outcome(function, wide_mask, noisy,
                                        *(padded(tokens, -100) for tokens in more))
    torch.testing.assert_close(new_values, values)
    for new, gradient in zip(new_gradients, gradients, strict=True):
        torch.testing.assert_close(new[:, places], gradient)
        assert new[~wide_mask].eq(0).all()
