"""Rewards: by a model that was trained on preferences, or by anything that can be programmed.

A reward function is the learner's own code, and wrong now and then: what it does wrong is said with
the step and the reply, before anything is learnt from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fmcourse.errors import CourseError, DataError, ModelError
from fmcourse.models import LanguageModel, RewardModel, Rollouts
from fmcourse.models.reward_model import answered

Reward = Callable[[Sequence[Mapping[str, Any]], Sequence[str]], Sequence[float]]


def rewarded(reward: RewardModel | Reward, rows: Sequence[Mapping[str, Any]], rollouts: Rollouts,
             policy: LanguageModel, where: str) -> Tensor:
    """The reward of each completion, (batch,) float32.

    Args:
        reward: a reward model, which reads the very tokens, every turn ended; or a function of
            rows and replies.
        rows: of the prompts, one for each; their completions stand side by side.
        where: for errors.

    Raises:
        CourseError: as `judge`, or ModelError as `RewardModel.score_tokens`.
    """
    if isinstance(reward, RewardModel):
        return reward.score_tokens(*_with_turn_ends(reward, rollouts))
    samples = len(rollouts) // len(rows)
    each = [row for row in rows for _ in range(samples)]
    found = judge(reward, each, rollouts.replies(policy), where)
    return torch.tensor(found, dtype=torch.float32, device=rollouts.mask.device)


def _with_turn_ends(reward: RewardModel, rollouts: Rollouts) -> tuple[Tensor, Tensor]:
    """Token ids and mask, (batch, time + 1), of replies that all end as the reward model has read
    them in training. A policy may end its text by another token, or be cut off, and of the words
    that would then come last the head has learnt nothing: what it says of them can be exploited."""
    end = answered(reward.tokenizer, ["a"], ["b"])[0][-1]
    cut = ~rollouts.ended[:, None]  # (batch, 1)
    ids = torch.cat([rollouts.input_ids, torch.full_like(cut, end, dtype=torch.long)], dim=1)
    rows = rollouts.ended.nonzero()[:, 0]
    last = rollouts.prompt_ids.shape[1] + rollouts.mask.sum(1) - 1  # (batch,)
    ids[rows, last[rows]] = end
    return ids, torch.cat([rollouts.attention_mask, cut], dim=1)


def judge(reward: Reward, rows: Sequence[Mapping[str, Any]], replies: Sequence[str], where: str
          ) -> list[float]:
    """A finite reward for each reply.

    Args:
        reward: the function.
        rows, replies: what it is given, one row for each reply.
        where: for errors, such as the step.

    Raises:
        CourseError: the reward function raised.
        DataError: not one number for each reply, or one that is not finite.

    >>> judge(lambda rows, replies: [len(said) for said in replies], [{"prompt": "?"}], ["so"], "")
    [2.0]
    """
    where = f"{called(reward)}, {where}"
    try:
        given = reward(rows, replies)
    except CourseError:
        raise
    except Exception as error:
        raise CourseError(f"The reward function raised {type(error).__name__}: {error}",
                          where=where,
                          fix="It gets a list of rows and a list of replies, some of them empty, "
                              "and must give a number for each.") from error
    scores = list(given) if isinstance(given, Iterable) else [given]
    if len(scores) != len(replies):
        raise DataError(f"{len(scores)} rewards for {len(replies)} replies.", where=where,
                        fix="Return a list with one for each, in their order.")
    for row, said, score in zip(rows, replies, scores, strict=True):
        if not isinstance(score, Real | np.bool_) or not math.isfinite(score):
            raise DataError(f"The reward {score!r:.60} is not a finite number.",
                            where=f"{where}, the reply {said!r:.60} to {row['prompt']!r:.60}",
                            fix="Return a number, such as 0.0, also for replies that cannot be "
                                "judged.")
    return [float(score) for score in scores]


def check_reward(reward: RewardModel | Reward, policy: LanguageModel, longest: int) -> None:
    """Refuse a reward model that cannot read what the policy writes.

    Args:
        longest: most tokens of a conversation.

    Raises:
        ModelError: other tokens than the policy's, or a context too short.
    """
    if not isinstance(reward, RewardModel):
        return
    if reward.tokenizer.get_vocab() != policy.tokenizer.get_vocab():
        raise ModelError("Policy and reward model have different tokenizers.", where=reward.name,
                         fix="Train the reward model on the policy's base, or pass a function that "
                             "scores its replies as texts.")
    if longest > reward.context:
        raise ModelError(f"Conversations of {longest} tokens are too long for the reward model's "
                         f"context of {reward.context}.", where=reward.name,
                         fix="Ask for fewer tokens, or leave out the longest prompts.")


def called(reward: RewardModel | Reward) -> str:
    """What a reward is known by: a model's hash, or a function's name."""
    if isinstance(reward, RewardModel):
        return reward.sha256()
    return getattr(reward, "__name__", type(reward).__name__)
