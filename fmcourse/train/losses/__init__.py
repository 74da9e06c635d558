"""The mathematics of training on preferences and rewards, a pure function each.

Likelihoods, preferences (Bradley–Terry, DPO, IPO), divergences (k1, k2, k3, distillation), PPO and
GRPO. Everywhere: tensors in, tensors out; (batch, time) and a mask of what counts; logarithms are
natural; a loss is a scalar to be made smaller. Each docstring states its paper's equation, and the
tests hold each against hand-worked numbers, finite differences and, where TRL has it, TRL. Models,
rollouts and loops are elsewhere. `linear_cross_entropy` is here for being masked cross-entropy too,
from hidden states.
"""

from fmcourse.train.loss import linear_cross_entropy
from fmcourse.train.losses.distillation import (
    DistillationLoss,
    Likeliest,
    distillation_loss,
    likeliest,
    top_k_kl,
)
from fmcourse.train.losses.divergence import adaptive_kl_coefficient, distillation_kl, kl_estimate
from fmcourse.train.losses.grpo import group_advantages, grpo_loss
from fmcourse.train.losses.likelihood import masked_cross_entropy, token_log_probs
from fmcourse.train.losses.masked import masked_mean, whiten
from fmcourse.train.losses.ppo import PolicyLoss, ValueLoss, gae, ppo_policy_loss, ppo_value_loss
from fmcourse.train.losses.preference import bradley_terry_loss, dpo_loss, ipo_loss

__all__ = [
    "DistillationLoss", "Likeliest", "PolicyLoss", "ValueLoss", "adaptive_kl_coefficient",
    "bradley_terry_loss", "distillation_kl", "distillation_loss", "dpo_loss", "gae",
    "group_advantages", "grpo_loss", "ipo_loss", "kl_estimate", "likeliest",
    "linear_cross_entropy", "masked_cross_entropy", "masked_mean", "ppo_policy_loss",
    "ppo_value_loss", "token_log_probs", "top_k_kl", "whiten",
]
