"""What an algorithm of online learning is: its settings, its samples, and what it must answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from fmcourse.models import Rollouts
from fmcourse.train.completions import Read
from fmcourse.train.recipe import Recipe

Reader = Callable[[Rollouts], Iterator[tuple[Tensor, Tensor]]]  # rows, and their hidden states


@dataclass(frozen=True, kw_only=True)
class OnlineRecipe(Recipe):
    """What PPO and GRPO have in common.

    Attributes, besides those of `Recipe`:
        steps: times that the policy is sampled from and learns of it.
        prompts: in a step, drawn without repetition; all there are, if there are fewer.
        samples: completions of each prompt.
        tokens: longest completion.
        temperature: of sampling.
        epochs: passes over a step's completions.
        minibatch: completions an optimiser step.
        epsilon: how far a token's probability may move in a step, as a share.
        max_step_kl: end a step's passes once the policy is further than this from the one that was
            sampled, in nats a token; None never does.
        unended: taken from the reward of a completion that did not end in time.
        looks: at the policy, spread evenly from before the first step to after the last.
        checkpoint_minutes: time between checkpoints, when the run has a folder.
    """

    steps: int = 40
    prompts: int = 64
    samples: int = 1
    tokens: int = 48
    temperature: float = 1.0
    epochs: int = 2
    minibatch: int = 32
    epsilon: float = 0.2
    max_step_kl: float | None = None
    unended: float = 1.0
    optimizer: str = "adamw"
    learning_rate: float = 5e-5
    warmup: float = 0.05
    decay: float = 0.0
    weight_decay: float = 0.0
    looks: int = 5
    checkpoint_minutes: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("steps", "prompts", "samples", "tokens", "epochs", "minibatch"):
            if getattr(self, name) < 1:
                self._refuse(f"{name} is {getattr(self, name)}.", name, "Ask for at least one.")
        if not self.temperature > 0:
            self._refuse(f"Nothing can be sampled at a temperature of {self.temperature}.",
                         "temperature", "Above 0; 1 is usual.")
        if not 0 < self.epsilon < 1:
            self._refuse(f"A probability cannot move by a share of {self.epsilon}.", "epsilon",
                         "Between 0 and 1; 0.2 is usual.")
        if self.max_step_kl is not None and not self.max_step_kl > 0:
            self._refuse("No step would be made at all.", "max_step_kl", "Above 0, or None.")
        if self.looks < 2:
            self._refuse("A change cannot be told without a look before and one after.", "looks",
                         "At least 2.")


@dataclass
class Samples:
    """What one step has to learn from. Tensors are of the policy's device.

    Attributes:
        rollouts: the completions, `samples` of each prompt side by side.
        scores: (batch,) rewards, the penalty for not ending taken off.
        reference: (batch, time) log-probabilities under the frozen reference, nats.
        prepared: what the algorithm made of them, each (batch, time) or (batch,).
    """

    rollouts: Rollouts
    scores: Tensor
    reference: Tensor
    prepared: dict[str, Tensor] = field(default_factory=dict)

    def select(self, rows: Tensor) -> tuple[Rollouts, dict[str, Tensor]]:
        """Some completions, and what was prepared for them, no longer than they need."""
        part = self.rollouts.select(rows)
        width = part.mask.shape[1]
        return part, {key: value[rows, :width] if value.ndim == 2 else value[rows]
                      for key, value in self.prepared.items()}


class Algorithm(Protocol):
    """What a step's samples are worth, and what is minimised on them."""

    def groups(self) -> list[dict[str, Any]]:
        """Weights of its own beside the policy's, as groups for the optimiser: params, lr."""

    def state(self) -> dict[str, Tensor]:
        """All that must outlive a kill."""

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` gave."""

    def prepare(self, samples: Samples, read: Reader) -> dict[str, float]:
        """Fill `samples.prepared`, without gradient; returns what is to be known of the step.

        Args:
            read: goes through completions with the policy as it is, and gives the hidden states
                that predict their tokens, (rows, time, width).
        """

    def loss(self, read: Read, rollouts: Rollouts, prepared: dict[str, Tensor]
             ) -> tuple[Tensor, dict[str, float]]:
        """The loss of some completions, and what is to be known of it, 'approx_kl' among it."""
