"""Settings of the stages that learn from pairs of replies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

from fmcourse import scale
from fmcourse.errors import meant
from fmcourse.models import Adapter
from fmcourse.train.recipe import Recipe

LOSSES = ("sigmoid", "ipo")


@dataclass(frozen=True, kw_only=True)
class PairsRecipe(Recipe):
    """What every recipe for pairs has.

    One pass by default: on more, pairs are learnt by heart (Stiennon et al. 2020, Ouyang et al.
    2022). AdamW for the same reason as in `InstructRecipe`.

    Attributes, besides those of `Recipe`:
        epochs: passes over the pairs, unless `pairs` says how far to go; more, if that would be
            fewer than `least_steps`.
        pairs: training budget; it replaces `epochs`.
        least_steps: optimiser steps below which nothing would be learnt.
        batch: pairs an optimiser step.
        micro_batch: pairs a forward pass; gradients add up until `batch`.
        max_length: tokens of the longest conversation that is kept.
        looks: at held-out pairs, spread evenly from before the first step to after the last.
        checkpoint_minutes: time between checkpoints, when the run has a folder.
    """

    optimizer: str = "adamw"
    epochs: float = 1.0
    pairs: int | None = None
    least_steps: int = 30
    batch: int = 16
    micro_batch: int = 16
    max_length: int = 256
    looks: int = 2
    checkpoint_minutes: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.epochs > 0 or (self.pairs is not None and self.pairs < 1):
            self._refuse("There is nothing to train on.", "epochs", "Ask for some epochs or pairs.")
        if self.micro_batch < 1 or self.batch < 1 or self.batch % self.micro_batch:
            self._refuse("A batch must hold whole micro-batches.", "micro_batch",
                         f"Make it a divisor of {self.batch}.")
        if self.looks < 2:
            self._refuse("A change cannot be told without a look before and one after.", "looks",
                         "At least 2.")

    def steps(self, pairs: int) -> int:
        """Optimiser steps for so many pairs.

        >>> PairsRecipe(epochs=2, batch=16).steps(1000), PairsRecipe(pairs=100).steps(1000)
        (125, 7)
        """
        if self.pairs is not None:
            return math.ceil(self.pairs / self.batch)
        return max(self.least_steps, math.ceil(self.epochs * pairs / self.batch))

    @classmethod
    def at_scale(cls, **changes: Any) -> Self:
        """The recipe of a live lesson at the current scale, with what you change."""
        return cls(**{"pairs": scale.current().preference_pairs, **changes})


@dataclass(frozen=True, kw_only=True)
class RewardRecipe(PairsRecipe):
    """How to train a reward model.

    Attributes, besides those of `PairsRecipe`:
        center_rewards_coefficient: price of the squared sum of a pair's rewards, which the loss
            alone leaves free to drift (Eisenstein et al. 2023, arXiv:2312.09244); TRL's name.
    """

    learning_rate: float = 3e-4
    center_rewards_coefficient: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.center_rewards_coefficient >= 0:
            self._refuse("Rewards far from 0 would be paid for.", "center_rewards_coefficient",
                         "0 leaves them free; 0.01 is usual.")


@dataclass(frozen=True, kw_only=True)
class PreferenceRecipe(PairsRecipe):
    """How to optimise preferences directly.

    Attributes, besides those of `PairsRecipe`:
        learning_rate: far less than what tuning on replies takes: the loss has no floor, and goes
            on to push both replies down. Preferring shorter replies, our base lost 0 nats of a
            chosen one and 5 of a rejected one at 3e-5, 9 and 43 at 1e-4, 65 and 173 at 3e-4 (320
            pairs, one seed). LoRA takes about ten times as much.
        beta: how dear it is to move away from the start; of IPO, τ.
        loss_type: 'sigmoid' (DPO, `losses.dpo_loss`) or 'ipo' (`losses.ipo_loss`, on means over a
            reply's tokens; what a run says of rewards is of sums with either, as in TRL).
        label_smoothing: share of labels taken to be wrong (conservative DPO).
        sft_weight: of the chosen replies' cross-entropy, a token's mean, added to the loss (Pang et
            al. 2024, arXiv:2404.19733; Llama 3 took 0.2): it keeps them from becoming unlikelier
            together with the rejected ones. TRL's loss type 'sft'.
        adapter: train this alone, and add it into the weights at the end; None trains every weight.
    """

    learning_rate: float = 5e-5
    beta: float = 0.1
    loss_type: str = "sigmoid"
    label_smoothing: float = 0.0
    sft_weight: float = 0.0
    adapter: Adapter | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.beta < math.inf:
            self._refuse(f"A beta of {self.beta} is not possible.", "beta",
                         "Above 0; 0.1 is usual, and less lets the model move further.")
        if self.loss_type not in LOSSES:
            self._refuse(f"No loss is called {self.loss_type!r}.", "loss_type",
                         meant(str(self.loss_type), LOSSES))
        if not 0 <= self.label_smoothing < 0.5 or (self.label_smoothing
                                                   and self.loss_type != "sigmoid"):
            self._refuse(f"Labels cannot be smoothed by {self.label_smoothing} here.",
                         "label_smoothing", "From 0 to below 0.5, and 0 with 'ipo'.")
        if not 0 <= self.sft_weight < math.inf:
            self._refuse(f"A weight of {self.sft_weight} is not possible.", "sft_weight",
                         "0 leaves it out; 0.2 to 1 is usual.")
        if self.adapter and (self.adapter.kind == "prompt" or self.adapter.method == "qlora"):
            self._refuse(f"{self.adapter.method!r} does not start at the model as it is.",
                         "adapter", "Use lora, or another that changes nothing before training.")
