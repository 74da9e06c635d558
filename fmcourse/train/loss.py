"""Cross-entropy straight from hidden states, without ever holding all the logits.

The logits of a batch are its largest array by far: 8,192 positions times a vocabulary of 8,192 in
float32 are 268 MB, written and read several times a step. On a CPU that memory traffic costs as
much as the whole model. Here the output layer, the softmax and both gradients are done for a few
hundred positions at a time, with the softmax in float32, so the result is exact up to the rounding
of the matrix products in their number format. The trade-off: gradients are made in the forward
pass, so it is only for training. Those nobody asked for (a frozen output layer's) are left out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

IGNORE = -100  # a label that does not count, as everywhere in PyTorch


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, chunk: int
    ) -> Tensor:
        device = hidden.device.type
        low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        compute = low or hidden.dtype
        wide = torch.promote_types(compute, torch.float32)  # of sums and the softmax
        counts = labels != IGNORE  # (positions,)
        total = counts.sum().clamp(min=1)
        matrix = weight.to(compute)
        of_hidden, of_weight, of_bias = ctx.needs_input_grad[:3]
        grad_hidden = torch.empty_like(hidden, dtype=compute) if of_hidden else None
        grad_weight = torch.zeros_like(weight, dtype=wide) if of_weight else None
        grad_bias = torch.zeros_like(bias, dtype=wide) if of_bias else None
        loss = torch.zeros((), dtype=wide, device=hidden.device)
        with torch.autocast(device, enabled=False):
            for begin in range(0, hidden.shape[0], chunk):
                part = slice(begin, begin + chunk)
                states, keep = hidden[part].to(compute), counts[part, None]
                target = labels[part].clamp(min=0)[:, None]
                logits = (states @ matrix.t()).to(wide)  # (chunk, vocabulary)
                if bias is not None:
                    logits += bias.to(wide)
                # softmax and loss with one exponential and no copy: this is most of the traffic
                gold, top = logits.gather(1, target), logits.amax(-1, keepdim=True)
                slope = logits.sub_(top).exp_()
                mass = slope.sum(-1, keepdim=True)
                loss += ((mass.log() + top - gold) * keep).sum()
                slope.mul_(keep / mass)
                slope.scatter_add_(1, target, -keep.to(wide))
                if of_bias:
                    grad_bias += slope.sum(0)
                slope = slope.to(compute)
                if of_hidden:
                    grad_hidden[part] = slope @ matrix
                if of_weight:
                    grad_weight += slope.t() @ states
        ctx.save_for_backward(grad_hidden, grad_weight, grad_bias, total)
        ctx.dtypes = hidden.dtype, weight.dtype, None if bias is None else bias.dtype
        return loss / total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        *gradients, total = ctx.saved_tensors
        scale = grad / total
        scaled = [None if gradient is None else (gradient * scale).to(dtype)
                  for gradient, dtype in zip(gradients, ctx.dtypes, strict=True)]
        return (*scaled, None, None)


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    labels: Tensor,
    bias: Tensor | None = None,
    chunk: int = 512,
) -> Tensor:
    """Mean cross-entropy in nats of `softmax(hidden @ weight.T + bias)` against labels.

    Args:
        hidden: (positions, width), the states before the output layer.
        weight: (vocabulary, width), the output layer.
        labels: (positions,) int64; `IGNORE` (-100) leaves a position out.
        bias: (vocabulary,) or None.
        chunk: positions worked on at once; 512 was fastest of 256 to 2,048 on two CPU cores.

    Returns:
        A scalar in float32 (float64 for float64 states), equal to
        `torch.nn.functional.cross_entropy` up to rounding; 0 where no label counts.

    >>> hidden, weight = torch.eye(2), torch.eye(2)
    >>> round(linear_cross_entropy(hidden, weight, torch.tensor([0, 1])).item(), 4)
    0.3133
    """
    trained = any(t is not None and t.requires_grad for t in (hidden, weight, bias))
    if not (trained and torch.is_grad_enabled()):
        logits = functional.linear(hidden, weight.to(hidden.dtype), bias)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        total = functional.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum")
        return total / (labels != IGNORE).sum().clamp(min=1)
    return _LinearCrossEntropy.apply(hidden, weight, bias, labels, chunk)
