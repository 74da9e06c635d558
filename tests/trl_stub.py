"""TRL's computations that are methods of its trainers, called without a trainer.

A stub holds the few attributes that a method reads; whatever else it asks for is None.
"""

from __future__ import annotations

from collections import defaultdict, deque
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor


class Stub(SimpleNamespace):
    """A trainer in evaluation mode, on one device."""

    def __init__(self, **attributes: Any):
        alone = SimpleNamespace(
            device=torch.device("cpu"), process_index=0, num_processes=1,
            gather=lambda tensor: tensor, gather_for_metrics=lambda tensor: tensor,
            reduce=lambda tensor, reduction: tensor)
        super().__init__(
            accelerator=alone, _metrics=defaultdict(lambda: defaultdict(list)),
            model=SimpleNamespace(training=False, is_gradient_checkpointing=False), **attributes)

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def reward_loss(chosen: Tensor, rejected: Tensor, margin: Tensor | None = None) -> Tensor:
    """`RewardTrainer.compute_loss` of these rewards, (pairs,)."""
    from trl import RewardTrainer

    inputs = {} if margin is None else {"margin": margin}
    logits = torch.cat([chosen, rejected])[:, None]
    return RewardTrainer.compute_loss(
        Stub(args=Stub()), lambda **_: SimpleNamespace(logits=logits), inputs)


def dpo_loss(log_probs: Tensor, reference: Tensor, mask: Tensor, loss_type: str, beta: float,
             label_smoothing: float = 0.0) -> Tensor:
    """`DPOTrainer._compute_loss`: (2 × pairs, time) log-probabilities, chosen ones first."""
    from trl import DPOTrainer

    zeros = torch.zeros_like(log_probs)
    outputs = SimpleNamespace(log_probs=log_probs * mask, entropy=zeros, mean_logits=zeros,
                              is_top1=zeros.bool())
    prompt = torch.zeros(len(mask), 1, dtype=mask.dtype)  # TRL scores from the second token on
    reference_chosen, reference_rejected = (reference * mask).sum(1).chunk(2)
    inputs = {"completion_mask": torch.cat([prompt, mask], 1),
              "input_ids": torch.ones(len(mask), mask.shape[1] + 1, dtype=torch.long),
              "ref_chosen_logps": reference_chosen, "ref_rejected_logps": reference_rejected}
    trainer = Stub(precompute_ref_logps=True, f_divergence_type="reverse_kl", beta=beta,
                   loss_types=[loss_type], loss_weights=[1.0], label_smoothing=label_smoothing)
    return DPOTrainer._compute_loss(trainer, lambda **_: outputs, inputs, return_outputs=False)


def grpo_loss(log_probs: Tensor, old: Tensor, reference: Tensor, advantages: Tensor, mask: Tensor,
              loss_type: str, beta: float, epsilon: float, epsilon_high: float, max_length: int
              ) -> tuple[Tensor, float]:
    """`GRPOTrainer._compute_loss` of (batch, time): the loss, and the share of clipped tokens."""
    from trl import GRPOTrainer

    ids = torch.zeros(mask.shape, dtype=torch.long)
    inputs = {"prompt_ids": ids[:, :1], "prompt_mask": ids[:, :1] + 1, "completion_ids": ids,
              "completion_mask": mask, "advantages": advantages, "old_per_token_logps": old,
              "ref_per_token_logps": reference, "num_items_in_batch": mask.sum()}
    trainer = Stub(
        _get_per_token_logps_and_entropies=lambda *_, **__: (log_probs, log_probs * 0, None),
        top_entropy_quantile=1.0, importance_sampling_level="token", beta=beta, args=Stub(),
        loss_type=loss_type, epsilon_low=epsilon, epsilon_high=epsilon_high,
        max_completion_length=max_length)
    loss = GRPOTrainer._compute_loss(trainer, None, inputs)
    return loss, trainer._metrics["eval"]["clip_ratio/region_mean"][0]


def grpo_advantages(rewards: Tensor, scale_rewards: str) -> Tensor:
    """What `GRPOTrainer` makes of rewards (prompts, group), its generation replaced."""
    from trl import GRPOTrainer

    count, ids = rewards.numel(), [[1]] * rewards.numel()
    trainer = Stub(
        _generate=lambda _: (ids, ids, None, ["a"] * count, None, {}, None, None),
        _tokenizer=Stub(pad_token_id=0), num_iterations=1,
        args=Stub(steps_per_generation=1, gradient_accumulation_steps=1),
        beta=0.0, num_generations_eval=rewards.shape[1], reward_weights=torch.ones(1),
        reward_funcs=[None], reward_func_names=["given"], scale_rewards=scale_rewards,
        multi_objective_aggregation="sum_then_normalize",
        _calculate_rewards=lambda *_: rewards.reshape(-1, 1),
        processing_class=Stub(batch_decode=lambda *_, **__: ["a"] * count),
        _logs={"prompt": deque(), "completion": deque(), "advantages": deque(),
               "rewards": defaultdict(deque)},
        _pending_extra_logs={}, _pending_metrics={})
    made = GRPOTrainer._generate_and_score_completions(trainer, [{"prompt": "a"}] * count)
    return made["advantages"].view_as(rewards)
