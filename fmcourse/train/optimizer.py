"""Muon for the matrices, AdamW for the rest; and the schedule of the learning rate.

Muon (K. Jordan 2024, in PyTorch as `torch.optim.Muon`) makes each update of a weight matrix
orthogonal; it is reported to reach the same loss in about half the compute of AdamW
(arXiv:2502.16982). It costs extra matrix products each step; `benchmarks/base_choices.py` measures
the balance here: a tenth more time, a tenth fewer bits. Embeddings, norms and biases are not
matrices in that sense and stay with AdamW.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import AdamW, Muon, Optimizer


class MuonWithAdamW(Optimizer):
    """Two optimisers that look like one to a Trainer, a scheduler or a checkpoint."""

    def __init__(self, muon: Muon, adamw: AdamW):
        self.muon, self.adamw = muon, adamw
        self.defaults: dict[str, Any] = {}

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The groups of both, AdamW's first (its learning rate is the one shown)."""
        return [*self.adamw.param_groups, *self.muon.param_groups]

    @property
    def state(self) -> dict[Any, Any]:  # type: ignore[override]
        """State of both, by parameter."""
        return {**self.adamw.state, **self.muon.state}

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update all parameters; `closure` is evaluated once if given."""
        loss = closure() if closure else None
        self.adamw.step()
        self.muon.step()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        self.adamw.zero_grad(set_to_none)
        self.muon.zero_grad(set_to_none)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """More parameters, for AdamW."""
        self.adamw.add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """Both states, to be saved."""
        return {"adamw": self.adamw.state_dict(), "muon": self.muon.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.adamw.load_state_dict(state_dict["adamw"])
        self.muon.load_state_dict(state_dict["muon"])


def make_optimizer(
    network: nn.Module, kind: str, learning_rate: float, weight_decay: float
) -> Optimizer:
    """An optimiser over a network's trainable parameters.

    Args:
        network: whose parameters to train.
        kind: 'muon' (matrices by Muon, the rest by AdamW) or 'adamw'.
        learning_rate: of AdamW, and of Muon in AdamW's units (`match_rms_adamw`), so that one
            number serves both.
        weight_decay: on matrices and embeddings; norms and biases have none.
    """
    matrices, tables, rest = [], [], []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            table = "embed" in name or "lm_head" in name or "decoder" in name
            place = rest if parameter.ndim < 2 else tables if table else matrices
            place.append(parameter)
    decayed = tables + (matrices if kind == "adamw" or not matrices else [])
    groups = [{"params": decayed, "weight_decay": weight_decay},
              {"params": rest, "weight_decay": 0.0}]
    adamw = AdamW([g for g in groups if g["params"]], lr=learning_rate, betas=(0.9, 0.95),
                  fused=True)
    if kind == "adamw" or not matrices:
        return adamw
    muon = Muon(matrices, lr=learning_rate, weight_decay=weight_decay, momentum=0.95,
                adjust_lr_fn="match_rms_adamw")
    return MuonWithAdamW(muon, adamw)


def warmup_stable_decay(steps: int, warmup: float, decay: float) -> Callable[[int], float]:
    """The factor on the learning rate at each step: up, level, down to nothing.

    Warm-up–stable–decay (MiniCPM, arXiv:2404.06395): while level, training can go on for as long
    as there is budget, and the gains of a low learning rate come in the short decay at the end.

    Args:
        steps: length of the run.
        warmup: share of the steps spent rising.
        decay: share spent falling linearly.

    >>> factor = warmup_stable_decay(100, warmup=0.1, decay=0.2)
    >>> [round(factor(step), 2) for step in (0, 9, 50, 90, 99)]
    [0.1, 1.0, 1.0, 0.5, 0.05]
    """
    rising, falling = max(1, round(warmup * steps)), max(1, round(decay * steps))

    def factor(step: int) -> float:
        return max(0.0, min((step + 1) / rising, 1.0, (steps - step) / falling))

    return factor
