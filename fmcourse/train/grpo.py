"""Group-relative policy optimisation: several answers to each prompt, the better ones likelier.

No reward model and no value function: the other answers to the same prompt say what was to be
expected (`losses.group_advantages`). With a program that can tell right from wrong this is what
Bedrock calls reinforcement fine-tuning, and others reinforcement learning with verifiable rewards.

Source: DeepSeekMath (Shao et al. 2024, arXiv:2402.03300). Group size, ε, loss type and scaling are
TRL's defaults; ours has a price on divergence (β 0.02, there 0), two passes over the samples (there
one), a higher learning rate and shorter answers, for small models. The loss of a minibatch is equal
to TRL's (tested). TRL's own trainer works too; it samples more slowly (`benchmarks/rollouts.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from datasets import Dataset
from torch import Tensor

from fmcourse.models import LanguageModel, RewardModel, Rollouts
from fmcourse.models.chat import Prompt
from fmcourse.train.algorithm import OnlineRecipe, Reader, Samples
from fmcourse.train.completions import Read
from fmcourse.train.judging import Reward
from fmcourse.train.losses import group_advantages, grpo_loss
from fmcourse.train.losses.grpo import LossType
from fmcourse.train.losses.masked import check_choice
from fmcourse.train.online import online
from fmcourse.train.run import Run
from fmcourse.train.watch import Observer


@dataclass(frozen=True, kw_only=True)
class GRPORecipe(OnlineRecipe):
    """How to do GRPO.

    Attributes, besides those of `OnlineRecipe`:
        beta: the price of a nat of divergence from the reference, for each token.
        loss_type: over what tokens are averaged; see `losses.grpo_loss`.
        scale_rewards: divide advantages by their group's deviation.
    """

    prompts: int = 16
    samples: int = 8
    unended: float = 0.0
    beta: float = 0.02
    loss_type: LossType = "dapo"
    scale_rewards: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples < 2:
            self._refuse("One answer cannot be compared with its siblings.", "samples",
                         "At least 2; 8 is usual.")
        if not self.beta >= 0:
            self._refuse("Divergence cannot earn anything.", "beta", "From 0 up.")
        check_choice("loss_type", self.loss_type, get_args(LossType))


def grpo(
    policy: LanguageModel,
    prompts: Dataset,
    reward: RewardModel | Reward,
    recipe: GRPORecipe | None = None,
    *,
    name: str = "GRPO",
    folder: Path | str | None = None,
    fixed: Sequence[Prompt] = (),
    observe: Observer | None = None,
    show_progress: bool = True,
) -> Run:
    """Make those answers likelier that earn more than others to the same prompt.

    Args:
        policy: an instruction-tuned model; it is copied, and its start is the reference.
        prompts, reward, name, folder, fixed, observe, show_progress: see `online`.
        recipe: by default `GRPORecipe()`.

    Returns:
        A run whose `history` has a row a step, with what `ppo` gives but for the value function,
        and `all_equal`: the share of groups whose rewards are all the same, of which nothing can
        be learnt (all of them right: too easy; all wrong: tune on examples first).

    Raises:
        As `online`.
    """
    recipe = recipe or GRPORecipe()
    return online(policy, prompts, reward, recipe, lambda _: _GRPO(recipe), name=name,
                  folder=folder, fixed=fixed, observe=observe, show_progress=show_progress)


class _GRPO:
    """Advantages within groups; see `online.Algorithm`."""

    def __init__(self, recipe: GRPORecipe):
        self.recipe = recipe

    def groups(self) -> list[dict[str, Any]]:
        return []

    def state(self) -> dict[str, Tensor]:
        return {}

    def restore(self, state: dict[str, Tensor]) -> None:
        pass

    def prepare(self, samples: Samples, read: Reader) -> dict[str, float]:
        groups = samples.scores.view(-1, self.recipe.samples)
        advantages = group_advantages(groups, self.recipe.scale_rewards)
        samples.prepared = {"advantages": advantages.flatten(), "reference": samples.reference}
        equal = (groups == groups[:, :1]).all(1)
        return {"all_equal": float(equal.float().mean())}

    def loss(self, read: Read, rollouts: Rollouts, prepared: dict[str, Tensor]
             ) -> tuple[Tensor, dict[str, float]]:
        recipe = self.recipe
        found = grpo_loss(
            read.log_probs, rollouts.log_probs, prepared["advantages"], rollouts.mask,
            reference_log_probs=prepared["reference"], beta=recipe.beta, epsilon=recipe.epsilon,
            loss_type=recipe.loss_type, max_length=recipe.tokens)
        return found.loss, {"clip_fraction": float(found.clip_fraction),
                            "approx_kl": float(found.approx_kl)}
