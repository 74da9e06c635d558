"""Ways to use an answer that takes or makes living things: networks, optimisers, layers.

When a sheet is graded these run beside the answer, in the learner's process, since such things do
not go through a pipe. So nothing here knows what is right, and what each gives must be values that
only a right program reaches: words alone could be guessed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn


def _tiny() -> tuple[nn.Module, torch.optim.Optimizer]:
    network = nn.Sequential(nn.Embedding(13, 8), nn.Linear(8, 13))
    return network, torch.optim.SGD(network.parameters(), lr=0.5)


def five_steps(step: Callable, seed: int) -> list[float]:
    """The losses of five steps on a small network."""
    torch.manual_seed(seed)
    network, optimizer = _tiny()
    batches = torch.randint(0, 13, (5, 4, 7))
    return [float(step(network, optimizer, batch)) for batch in batches]


def fitted(answer: Callable, seed: int) -> dict[str, Any]:
    """What a fit did to a small network with dropout and batch statistics."""
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.5))
    head, inputs = nn.Linear(12, 3), torch.randn(40, 6)
    before = copy.deepcopy(body), copy.deepcopy(head)
    loss = answer(body, head, inputs, torch.randint(0, 3, (40,)), 15)

    def changed(now: nn.Module, then: nn.Module, part: str) -> str:
        pairs = zip(getattr(now, part)(), getattr(then, part)(), strict=True)
        return "as before" if all(torch.equal(a, b) for a, b in pairs) else "changed"

    return {"weights of the body": changed(body, before[0], "parameters"),
            "statistics of the body": changed(body, before[0], "buffers"),
            "weights of the head": changed(head, before[1], "parameters"), "loss": loss}


def adapted(answer: Callable, inputs: int, outputs: int, rank: int,
            alpha: float) -> dict[str, Any]:
    """What a layer with LoRA does at the start, with other numbers in it, merged, and taught."""
    torch.manual_seed(rank)
    plain, x = nn.Linear(inputs, outputs), torch.randn(5, inputs)
    down, up = torch.randn(rank, inputs), torch.randn(outputs, rank)
    before = plain(x).detach()
    layer = answer(copy.deepcopy(plain), rank, alpha)
    start = layer(x).detach()
    away = _slopes(layer, x)[1]
    trained = sum(p.numel() for p in layer.parameters() if p.requires_grad)
    layer.down.data, layer.up.data = down, up
    moved = layer(x).detach()
    made = layer.merged()
    slopes = _slopes(layer, x)
    return {"at the start": "as the layer" if torch.allclose(start, before, atol=1e-6) else "other",
            "up can move at the start": away is not None and bool(away.any()),
            "numbers trained": trained, "output": moved, "output of merged()": made(x).detach(),
            "output after merged() was called": layer(x).detach(),
            "size of the gradients": [0.0 if slope is None else float(slope.norm())
                                      for slope in slopes]}


def _slopes(layer: nn.Module, x: torch.Tensor) -> list[torch.Tensor | None]:
    """The gradients of `down` and `up`, of a loss that is not at its best; None: has none."""
    loss = (layer(x) - 1).square().sum()
    if not loss.requires_grad:
        return [None, None]
    return [*torch.autograd.grad(loss, [layer.down, layer.up], allow_unused=True)]


def taught(answer: Callable, seed: int) -> dict[str, Any]:
    """What came of teaching a small student: losses, and how the teacher has fared."""
    torch.manual_seed(seed)
    teacher = nn.Sequential(nn.Embedding(11, 16), nn.Dropout(0.5), nn.Linear(16, 11))
    student = nn.Sequential(nn.Embedding(11, 4), nn.Linear(4, 11))
    before = teacher[2].weight.detach().clone()
    losses = answer(student, teacher, torch.randint(0, 11, (6, 4, 5)), 2.0)
    return {"losses": [float(loss) for loss in losses],
            "teacher moved by": float((teacher[2].weight.detach() - before).norm())}
