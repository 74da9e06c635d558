"""Learning online: a policy answers, its answers are rewarded, it becomes likelier to say the good.

The loop that PPO and GRPO share, and all they share: sample (`models.roll_out`), reward, compare
with the frozen reference, then a few passes over the samples, of which each algorithm says what
they are worth (`prepare`) and what is minimised (`loss`). TRL has no PPO any more, and its GRPO
samples several times as slowly on a CPU (`benchmarks/rollouts.py`); so this loop is ours, and its
mathematics is `train.losses`.

Every step draws its prompts and its samples from the seed and its own number: a run that was killed
goes on from its last whole checkpoint as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from datasets import Dataset

from fmcourse import store
from fmcourse.data import cards_of
from fmcourse.errors import CourseError, DataError, ModelError
from fmcourse.models import LanguageModel, RewardModel, with_chat
from fmcourse.models.chat import Prompt
from fmcourse.models.rollout import prompt_tokens
from fmcourse.train.algorithm import Algorithm, OnlineRecipe, Samples
from fmcourse.train.completions import Read, read_completions
from fmcourse.train.judging import Reward, called, check_reward, judge
from fmcourse.train.online_loop import Loop
from fmcourse.train.run import Run
from fmcourse.train.stage import processes, stage
from fmcourse.train.watch import Observer

__all__ = ["Algorithm", "Loop", "OnlineRecipe", "Read", "Reward", "Samples", "judge", "online",
           "read_completions"]


def online(
    policy: LanguageModel,
    prompts: Dataset,
    reward: RewardModel | Reward,
    recipe: OnlineRecipe,
    algorithm: Callable[[LanguageModel], Algorithm],
    *,
    name: str,
    folder: Path | str | None = None,
    fixed: Sequence[Prompt] = (),
    observe: Observer | None = None,
    show_progress: bool = True,
) -> Run:
    """Train a policy on its own answers; `ppo` and `grpo` say how.

    Args:
        policy: where to start, and the frozen reference; it is copied. Of one with an adapter in
            its layers the adapter alone is trained, and merged at the end.
        prompts: with a column `prompt` (a question, or messages); other columns go to the reward.
        reward: a reward model, or a function of (rows, replies) that gives a number for each. A
            function is known by its name: change it, and a folder's run must be made anew.
        algorithm: made for the policy that is trained.
        fixed: prompts answered at every look; what was said is in `observations["replies"]`.
        observe: called at every look with the policy and the share done; returns what to keep.
        name, folder, show_progress: as in `pretrain`.

    Returns:
        A run whose `history` has a row a step, and whose `metrics` are the means of its last 5 %.

    Raises:
        DataError: no prompts; a reward that is no number, or not one for each reply.
        ModelError: a masked model, or one with no chat template to be had; prompts that do not fit;
            a reward model of other tokens; or the policy diverges.
        CourseError: the reward function raised (the step and its own words are told), or there are
            several processes.
        PolicyError: the data is governed, and may not be used for this.
        StoreError: the folder holds a different run, or one in progress.
    """
    if processes() > 1:
        raise CourseError("Answers are sampled by one process alone.", where=name,
                          fix="Start it without a launcher; one GPU does it all.")
    if "prompt" not in prompts.column_names or not len(prompts):
        raise DataError("There are no prompts to answer.", where=name,
                        fix="Give a data set with a column prompt.")
    if policy.objective != "causal":
        raise ModelError("A masked model cannot learn to answer.", where=policy.name,
                         fix="Use a model that predicts the next token.")
    start, actor = policy.sha256(), with_chat(policy).copy()
    asked, _ = prompt_tokens(actor, [*prompts["prompt"], *fixed], recipe.tokens)
    check_reward(reward, actor, asked.shape[1] + recipe.tokens + 1)  # one cut off is ended
    parents = {"data": store.sha256_json(prompts[:]), "start": start}
    if isinstance(reward, RewardModel):
        parents["reward"] = called(reward)
    cards = cards_of(prompts)
    plan = {"recipe": recipe.as_dict(), "kind": type(recipe).__name__, "reward": called(reward),
            "fixed": list(fixed), **parents}

    def make(work: Path) -> Run:
        steps = Loop(actor, prompts, reward, recipe, algorithm(actor), name)
        minutes = recipe.checkpoint_minutes if folder is not None else None
        run = steps.run(work, minutes, fixed, observe, show_progress)
        run.parents = {**parents, **cards[0].sources}
        return run

    return stage(plan, folder, make, cards, name)
