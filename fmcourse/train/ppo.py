"""Reinforcement learning from human feedback as InstructGPT has it: PPO against a reward model.

Four models: the policy that learns (actor), its frozen start (reference), the reward model, and a
value function, here a linear head on the actor's own hidden states. Each token costs what it moves
away from the reference, `β (log π − log π_ref)`, and the last one also earns the score; what is
better than the value function had expected becomes likelier (`losses.gae`), but not by more than ε
in a step (`losses.ppo_policy_loss`). With a `kl_target`, β follows the divergence that is wanted.

Sources: Ziegler et al. 2019 (arXiv:1909.08593), Ouyang et al. 2022 (arXiv:2203.02155); details as
in Huang et al. 2024 (arXiv:2403.17031). Trade-off: the value function shares the actor's network,
which costs a head instead of a second model; its gradient pulls at the actor a little
(`value_weight`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor, nn

from fmcourse.models import LanguageModel, RewardModel, Rollouts
from fmcourse.models.chat import Prompt
from fmcourse.train.algorithm import OnlineRecipe, Reader, Samples
from fmcourse.train.completions import Read
from fmcourse.train.judging import Reward
from fmcourse.train.losses import (
    adaptive_kl_coefficient,
    gae,
    ppo_policy_loss,
    ppo_value_loss,
    whiten,
)
from fmcourse.train.online import online
from fmcourse.train.run import Run
from fmcourse.train.watch import Observer


@dataclass(frozen=True, kw_only=True)
class PPORecipe(OnlineRecipe):
    """How to do PPO.

    Attributes, besides those of `OnlineRecipe`:
        kl_coefficient: β at the start, the price of a nat in units of the reward; 0 is for free.
        kl_target: the divergence that β is steered towards, in nats a completion; None keeps β.
        kl_gain: how fast β follows: by at most a fifth of this in a step. Ziegler et al. have 0.1,
            for runs a thousand times as long.
        gamma, lam: of generalised advantage estimation.
        value_weight: of the value function's loss.
        value_learning_rate: of the value function's head, which starts from nothing.
        value_epsilon: how far a value may move in a step, in units of the reward.
        whiten_rewards: scale a step's rewards to deviation 1.
    """

    kl_coefficient: float = 0.05
    kl_target: float | None = None
    kl_gain: float = 1.0
    gamma: float = 1.0
    lam: float = 0.95
    value_weight: float = 0.1
    value_learning_rate: float = 2e-3
    value_epsilon: float = 0.2
    whiten_rewards: bool = False
    max_step_kl: float | None = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.kl_coefficient >= 0 or (self.kl_target is not None and not self.kl_target > 0):
            self._refuse("Divergence cannot earn anything.", "kl_coefficient",
                         "β from 0 up, and a target above 0, or None.")
        if not (0 <= self.gamma <= 1 and 0 <= self.lam <= 1):
            self._refuse("γ and λ are shares.", "gamma", "From 0 to 1; 1 and 0.95 are usual.")
        if not (self.value_weight >= 0 and self.value_learning_rate >= 0
                and self.value_epsilon > 0 and self.kl_gain >= 0):
            self._refuse("The value function and β cannot learn backwards.", "value_weight",
                         "Weights, rates and gains from 0 up, and a value_epsilon above 0.")


def ppo(
    policy: LanguageModel,
    prompts: Dataset,
    reward: RewardModel | Reward,
    recipe: PPORecipe | None = None,
    *,
    name: str = "PPO",
    folder: Path | str | None = None,
    fixed: Sequence[Prompt] = (),
    observe: Observer | None = None,
    show_progress: bool = True,
) -> Run:
    """Maximise a reward, at a price for leaving the model it starts from.

    Args:
        policy: an instruction-tuned model; it is copied, and its start is the reference.
        prompts, reward, name, folder, fixed, observe, show_progress: see `online`.
        recipe: by default `PPORecipe()`.

    Returns:
        A run whose `history` has a row a step: `reward` (the mean score, before `unended` is taken
        off), `kl` (to the reference, nats a completion), `entropy` (nats a token), `clip_fraction`,
        `approx_kl` (of the step, nats a token), `value_loss`, `explained` (share of the returns'
        variance that the value function foresaw; below 0 where a constant would foresee more),
        `kl_coefficient`, `length` (tokens), `ended` (share), `early` (1 where `max_step_kl` ended
        the passes).

    Raises:
        As `online`.
    """
    recipe = recipe or PPORecipe()
    return online(policy, prompts, reward, recipe, lambda actor: _PPO(actor, recipe), name=name,
                  folder=folder, fixed=fixed, observe=observe, show_progress=show_progress)


class _PPO:
    """A value head and the price of divergence; see `online.Algorithm`."""

    def __init__(self, actor: LanguageModel, recipe: PPORecipe):
        self.recipe, self.coefficient = recipe, recipe.kl_coefficient
        width = actor.network.get_output_embeddings().weight.shape[1]
        self.head = nn.Linear(width, 1, device=actor.device)
        nn.init.zeros_(self.head.weight)  # it expects nothing
        nn.init.zeros_(self.head.bias)

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.head.parameters()), "lr": self.recipe.value_learning_rate}]

    def state(self) -> dict[str, Tensor]:
        return {**self.head.state_dict(),
                "coefficient": torch.tensor(self.coefficient, dtype=torch.float64)}

    def restore(self, state: dict[str, Tensor]) -> None:
        self.coefficient = float(state["coefficient"])
        self.head.load_state_dict({name: state[name] for name in self.head.state_dict()})

    def values(self, hidden: Tensor) -> Tensor:
        """(batch, time, width) → (batch, time), expected before each token."""
        return self.head(hidden.float())[..., 0]

    def prepare(self, samples: Samples, read: Reader) -> dict[str, float]:
        rollouts, mask = samples.rollouts, samples.rollouts.mask
        values = torch.zeros_like(rollouts.log_probs)
        for rows, hidden in read(rollouts):
            values[rows, :hidden.shape[1]] = self.values(hidden)
        values = values.masked_fill(~mask, 0)
        per_token = rollouts.log_probs - samples.reference  # (batch, time), nats
        rewards = -self.coefficient * per_token
        rewards[torch.arange(len(mask)), mask.sum(1) - 1] += samples.scores
        if self.recipe.whiten_rewards:
            rewards = whiten(rewards, mask, shift_mean=False)
        advantages, returns = gae(rewards, values, mask, self.recipe.gamma, self.recipe.lam)
        samples.prepared = {"advantages": whiten(advantages, mask), "returns": returns,
                            "values": values}
        before = self.coefficient
        if self.recipe.kl_target is not None:
            self.coefficient = adaptive_kl_coefficient(
                before, float(per_token.sum(1).mean()), self.recipe.kl_target, self.recipe.kl_gain)
        spread, rest = (float(each[mask].var(correction=0)) for each in (returns, returns - values))
        return {"kl_coefficient": before, "explained": 1 - rest / spread if spread else 0.0}

    def loss(self, read: Read, rollouts: Rollouts, prepared: dict[str, Tensor]
             ) -> tuple[Tensor, dict[str, float]]:
        recipe = self.recipe
        policy = ppo_policy_loss(read.log_probs, rollouts.log_probs, prepared["advantages"],
                                 rollouts.mask, recipe.epsilon)
        value = ppo_value_loss(self.values(read.hidden), prepared["values"], prepared["returns"],
                               rollouts.mask, recipe.value_epsilon)
        return policy.loss + recipe.value_weight * value.loss, {
            "clip_fraction": float(policy.clip_fraction), "approx_kl": float(policy.approx_kl),
            "value_loss": float(value.loss.detach())}
