"""Learning online: a policy answers, its answers are rewarded, it becomes likelier to say the good.

The loop that PPO and GRPO share, and all they share: sample (`models.roll_out`), reward, compare
with the frozen reference, then a few passes over the samples, of which each algorithm says what
they are worth (`prepare`) and what is minimised (`loss`). TRL has no PPO any more, and its GRPO
reads every completion twice; so this loop is ours, and its mathematics is `train.losses`.

Every step draws its prompts and its samples from the seed and its own number: a run that was killed
goes on from its last whole checkpoint as if nothing had been.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from fmcourse import hardware, store
from fmcourse.data import card, cards_of
from fmcourse.errors import CourseError, DataError, ModelError
from fmcourse.models import LanguageModel, RewardModel, Rollouts, compat, roll_out, with_chat
from fmcourse.train import loop
from fmcourse.train.engine import COMPLETE
from fmcourse.train.losses import token_log_probs
from fmcourse.train.optimizer import make_optimizer
from fmcourse.train.progress import progress
from fmcourse.train.recipe import Recipe
from fmcourse.train.run import Cost, Run, flops_per_token, trainable_parameters
from fmcourse.train.stage import stage
from fmcourse.train.watch import Observer

Reward = Callable[[Sequence[Mapping[str, Any]], Sequence[str]], Sequence[float]]
CHUNK = 32  # completions a forward pass without gradient


@dataclass(frozen=True, kw_only=True)
class OnlineRecipe(Recipe):
    """What PPO and GRPO have in common.

    Attributes, besides those of `Recipe`:
        steps: times that the policy is sampled from and learns of it.
        prompts: in a step.
        samples: completions of each prompt.
        tokens: longest completion.
        temperature: of sampling.
        epochs: passes over a step's completions.
        minibatch: completions an optimiser step.
        epsilon: how far a token's probability may move in a step, as a share.
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
    unended: float = 1.0
    optimizer: str = "adamw"
    learning_rate: float = 5e-5
    warmup: float = 0.05
    weight_decay: float = 0.0
    looks: int = 5
    checkpoint_minutes: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = ("steps", "prompts", "samples", "tokens", "epochs", "minibatch")
        for name in counts:
            if getattr(self, name) < 1:
                self._refuse(f"{name} is {getattr(self, name)}.", name, "Ask for at least one.")
        if not self.temperature > 0 or not 0 < self.epsilon < 1:
            self._refuse("Sampling needs a temperature above 0, and clipping an ε between 0 and 1.",
                         "temperature", "1 and 0.2 are usual.")
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


class Read(Protocol):
    """A forward pass over completions."""

    log_probs: Tensor  # (batch, time), nats
    hidden: Tensor  # (batch, time, width), of the position that predicts each token
    entropy: Tensor  # (), nats a token


class Algorithm(Protocol):
    """What a step's samples are worth, and what is minimised on them."""

    def groups(self) -> list[dict[str, Any]]:
        """Weights of its own beside the policy's, as groups for the optimiser: params, lr."""

    def state(self) -> dict[str, Tensor]:
        """All that must outlive a kill."""

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` gave."""

    def prepare(self, samples: Samples, read: Callable[[Rollouts], Read]) -> dict[str, float]:
        """Fill `samples.prepared`; returns what is to be known of the step."""

    def loss(self, read: Read, rollouts: Rollouts, prepared: dict[str, Tensor]
             ) -> tuple[Tensor, dict[str, float]]:
        """The loss of some completions, and what is to be known of it; 'approx_kl' is asked for."""


@dataclass
class _Read:
    log_probs: Tensor
    hidden: Tensor
    entropy: Tensor


def read_completions(model: LanguageModel, rollouts: Rollouts, temperature: float) -> _Read:
    """How likely a model finds completions now: one forward pass, with gradient where it is on.

    The output layer is computed for the completions' tokens alone: of prompts and padding nobody
    asks.

    Raises:
        ModelError: there is more between the hidden states and the logits than a matrix.
    """
    network = compat.plain_network(model.network)
    if network is None:
        raise ModelError("This kind of network cannot be aligned here.", where=model.name,
                         fix="Use a model without a prompt or prefix before it, and without "
                             "scaled logits, such as ours or SmolLM2.")
    width, seen, mask = rollouts.mask.shape[1], rollouts.attention_mask, rollouts.mask
    places = (seen.cumsum(1) - 1).clamp(min=0)
    with hardware.detect().autocast():
        hidden = network.base_model(
            input_ids=rollouts.input_ids, attention_mask=seen.long(), position_ids=places,
            use_cache=False).last_hidden_state[:, -width - 1:-1]  # (batch, time, width)
        output = network.get_output_embeddings()
        logits = nn.functional.linear(hidden[mask], output.weight, output.bias)  # (tokens, vocab)
    found = token_log_probs(logits, rollouts.completion_ids[mask], temperature=temperature)
    return _Read(found.new_zeros(mask.shape).masked_scatter(mask, found), hidden,
                 _entropy(logits.detach(), temperature))


def _entropy(logits: Tensor, temperature: float) -> Tensor:
    """Nats a token, from (tokens, vocabulary)."""
    total = torch.zeros((), device=logits.device)
    for part in logits.split(64):
        log_probs = (part.float() / temperature).log_softmax(-1)
        total -= (log_probs.exp() * log_probs).sum()
    return total / max(1, len(logits))


def online(
    policy: LanguageModel,
    prompts: Dataset,
    reward: RewardModel | Reward,
    recipe: OnlineRecipe,
    algorithm: Callable[[LanguageModel], Algorithm],
    *,
    name: str,
    folder: Path | str | None = None,
    fixed: Sequence[str] = (),
    observe: Observer | None = None,
    show_progress: bool = True,
) -> Run:
    """Train a policy on its own answers; `ppo` and `grpo` say how.

    Args:
        policy: where to start, and the frozen reference; it is copied.
        prompts: with a column `prompt` (a question, or messages); other columns go to the reward.
        reward: a reward model, or a function of (rows, replies) that gives a number for each.
        algorithm: made for the policy that is trained.
        fixed: prompts answered at every look; what was said is in `observations["replies"]`.
        observe: called at every look with the policy and the share done; returns what to keep.
        name, folder, show_progress: as in `pretrain`.

    Raises:
        DataError: no prompts; a reward that is no number, or not one for each reply.
        ModelError: a masked model; prompts that do not fit; or the policy diverges.
        CourseError: the reward function raised; the step and its own words are told.
    """
    if "prompt" not in prompts.column_names or not len(prompts):
        raise DataError("There are no prompts to answer.", where=name,
                        fix="Give a data set with a column prompt.")
    start, policy = policy.sha256(), with_chat(policy).copy()
    if isinstance(reward, RewardModel) and (
            reward.tokenizer.get_vocab() != policy.tokenizer.get_vocab()):
        raise ModelError("Policy and reward model have different tokenizers.", where=reward.name,
                         fix="Train the reward model on the policy's base, or pass a function that "
                             "scores its replies as texts.")
    parents = {"data": store.sha256_json(prompts[:]), "start": start}
    judged_by = {"reward": reward.sha256()} if isinstance(reward, RewardModel) else {}
    plan = {"recipe": recipe.as_dict(), "kind": type(recipe).__name__, **parents, **judged_by}

    def make(work: Path) -> Run:
        loop_ = Loop(policy, prompts, reward, recipe, algorithm(policy), name)
        minutes = recipe.checkpoint_minutes if folder is not None else None
        run = loop_.run(work, minutes, fixed, observe, show_progress)
        run.parents = {**parents, **judged_by, **_sources(prompts)}
        return run

    return stage(plan, folder, make, cards_of(prompts), name)


def _sources(prompts: Dataset) -> dict[str, str]:
    try:
        return card(prompts).sources
    except DataError:
        return {}


class Loop:
    """Sampling and learning in turn; see `online`."""

    def __init__(self, policy: LanguageModel, prompts: Dataset, reward: RewardModel | Reward,
                 recipe: OnlineRecipe, algorithm: Algorithm, name: str):
        self.policy, self.prompts, self.reward = policy, prompts, reward
        self.recipe, self.algorithm, self.name = recipe, algorithm, name
        self.machine = loop.ready(policy)
        self.reference = policy.copy()
        for each in (policy, self.reference):
            each.network.eval()  # no dropout: probabilities must be those that were sampled from
        self.optimizer = make_optimizer(policy.network, recipe.optimizer, recipe.learning_rate,
                                        recipe.weight_decay)
        for group in algorithm.groups():
            self.optimizer.add_param_group({"weight_decay": 0.0, **group})
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.step, self.seconds, self.read, self.flops = 0, 0.0, 0, 0.0
        self.history: list[dict[str, float]] = []
        self.observations: list[dict[str, Any]] = []

    def run(self, work: Path, minutes: float | None, fixed: Sequence[str],
            observe: Observer | None, show_progress: bool) -> Run:
        """Go on to the last step from the last whole checkpoint, if there is one."""
        recipe, line = self.recipe, progress(self.name, show_progress)
        looks = [look / (recipe.looks - 1) for look in range(recipe.looks)]
        self._resume(work)
        saved = time.perf_counter()
        while True:
            share = self.step / recipe.steps
            while len(self.observations) < len(looks) and looks[len(self.observations)] <= share:
                self._look(looks[len(self.observations)], fixed, observe)
            if self.step == recipe.steps:
                break
            began = time.perf_counter()
            entry = self._step()
            self.seconds += time.perf_counter() - began
            self.history.append({"step": self.step, "tokens": self.read, **entry,
                                 "seconds": self.seconds,
                                 "tokens_per_second": self.read / self.seconds})
            left = self.seconds / self.step * (recipe.steps - self.step) / 60
            line.update(self.step / recipe.steps,
                        f"reward {entry['reward']:+.2f} · KL {entry['kl']:.1f} nats · "
                        f"{left:.1f} min left")
            if minutes is not None and time.perf_counter() - saved > 60 * minutes:
                self._save(work)
                saved = time.perf_counter()
        return self._report(line)

    def _step(self) -> dict[str, float]:
        """Sample, judge, learn; returns a line of the history."""
        recipe, draw = self.recipe, np.random.default_rng([self.recipe.seed, self.step])
        count = min(recipe.prompts, len(self.prompts))
        rows = [self.prompts[int(i)] for i in draw.choice(len(self.prompts), count, replace=False)]
        samples = self._sample(rows)
        rollouts, mask = samples.rollouts, samples.rollouts.mask
        kl = (rollouts.log_probs - samples.reference).sum(1)  # (batch,), nats a completion
        known = {
            "reward": float(samples.scores.mean()), "kl": float(kl.mean()),
            "length": float(mask.sum(1).float().mean()),
            "ended": float(rollouts.ended.float().mean()),
            **self.algorithm.prepare(samples, self._without_gradient)}
        factor = min(1.0, (self.step + 1) / max(1, round(recipe.warmup * recipe.steps)))
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        learnt = self._learn(samples, draw)
        self.step += 1
        return {**known, **learnt, "learning_rate": self.rates[0] * factor}

    def _sample(self, rows: list[dict[str, Any]]) -> Samples:
        recipe = self.recipe
        seed = int(np.random.default_rng([recipe.seed, self.step, 1]).integers(2**31))
        rollouts = roll_out(self.policy, [row["prompt"] for row in rows], recipe.tokens,
                            samples=recipe.samples, temperature=recipe.temperature, seed=seed)
        scores = self._judged(rows, rollouts) - recipe.unended * ~rollouts.ended
        reference = self._log_probs_of(self.reference, rollouts)
        return Samples(rollouts, scores, reference)

    def _judged(self, rows: list[dict[str, Any]], rollouts: Rollouts) -> Tensor:
        """The reward of each completion, (batch,)."""
        if isinstance(self.reward, RewardModel):
            return self.reward.score_tokens(rollouts.input_ids, rollouts.attention_mask)
        each = [row for row in rows for _ in range(self.recipe.samples)]
        found = judge(self.reward, each, rollouts.replies(self.policy),
                      f"{self.name}, step {self.step}")
        return torch.tensor(found, dtype=torch.float32, device=rollouts.mask.device)

    def _log_probs_of(self, model: LanguageModel, rollouts: Rollouts) -> Tensor:
        found = torch.zeros_like(rollouts.log_probs)
        with torch.no_grad():
            for rows in _alike(rollouts, CHUNK):
                part = rollouts.select(rows)
                read = read_completions(model, part, self.recipe.temperature)
                found[rows, :part.mask.shape[1]] = read.log_probs
        self._count(rollouts, 1 / 3)
        return found

    def _without_gradient(self, rollouts: Rollouts) -> Iterator[tuple[Tensor, _Read]]:
        """The policy as it is: rows, and what it finds there; in chunks."""
        with torch.no_grad():
            for rows in _alike(rollouts, CHUNK):
                yield rows, read_completions(self.policy, rollouts.select(rows),
                                             self.recipe.temperature)
        self._count(rollouts, 1 / 3)

    def _learn(self, samples: Samples, draw: np.random.Generator) -> dict[str, float]:
        """A few passes over the samples; ends early where the policy has gone far enough."""
        seen, norms, far = [], [], getattr(self.recipe, "max_step_kl", None)
        weights = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        for _ in range(self.recipe.epochs):
            parts = list(_alike(samples.rollouts, self.recipe.minibatch))
            for place in draw.permutation(len(parts)):
                rows = parts[place]
                part = samples.rollouts.select(rows)
                read = read_completions(self.policy, part, self.recipe.temperature)
                prepared = {key: value[rows, :part.mask.shape[1]] if value.ndim == 2
                            else value[rows] for key, value in samples.prepared.items()}
                loss, about = self.algorithm.loss(read, part, prepared)
                if not torch.isfinite(loss):
                    raise ModelError("Training diverged: the loss is not a number any more.",
                                     where=f"{self.name}, step {self.step}",
                                     fix="Lower the learning rate.")
                if far is not None and about["approx_kl"] > far:
                    return _averaged(seen, norms, early=1.0)
                self.optimizer.zero_grad()
                loss.backward()
                norms.append(float(clip_grad_norm_(weights, self.recipe.clip)))
                self.optimizer.step()
                self._count(part, 1.0)
                self.read += int(part.attention_mask.sum())
                seen.append({"loss": float(loss), "entropy": float(read.entropy), **about})
        return _averaged(seen, norms, early=0.0)

    def _count(self, rollouts: Rollouts, share: float) -> None:
        """Add the operations of a pass; one forwards alone is a third of a training pass."""
        read = int(rollouts.attention_mask.sum())
        self.flops += share * read * flops_per_token(self.policy, rollouts.input_ids.shape[1])

    def _look(self, share: float, fixed: Sequence[str], observe: Observer | None) -> None:
        seen: dict[str, Any] = {"share": share, "step": self.step, "tokens": self.read}
        if fixed:
            said = roll_out(self.policy, fixed, self.recipe.tokens, seed=self.recipe.seed,
                            temperature=self.recipe.temperature)
            seen["replies"] = said.replies(self.policy)
        if observe:
            seen |= observe(self.policy, share)
        self.observations.append(seen)

    def _save(self, work: Path) -> None:
        """A whole checkpoint, in place of the last."""
        with store.atomic_folder(work / "checkpoint") as draft:
            save_file(self._tensors(), draft / "state.safetensors")
            store.write_json(draft / COMPLETE, {
                "step": self.step, "seconds": self.seconds, "read": self.read, "flops": self.flops,
                "history": self.history, "observations": self.observations})

    def _tensors(self) -> dict[str, Tensor]:
        made = {f"policy/{key}": value for key, value in self.policy.network.named_parameters()}
        made |= {f"algorithm/{key}": value for key, value in self.algorithm.state().items()}
        for place, entry in self.optimizer.state_dict()["state"].items():
            made |= {f"optimizer/{place}/{key}": value for key, value in entry.items()}
        return {key: value.detach().contiguous() for key, value in made.items()}

    def _resume(self, work: Path) -> None:
        folder = work / "checkpoint"
        if not (folder / COMPLETE).is_file():
            return
        kept, about = load_file(folder / "state.safetensors"), store.read_json(folder / COMPLETE)
        with torch.no_grad():
            for key, value in self.policy.network.named_parameters():
                value.copy_(kept[f"policy/{key}"])
        self.algorithm.restore({key.removeprefix("algorithm/"): value for key, value in kept.items()
                                if key.startswith("algorithm/")})
        state = self.optimizer.state_dict()
        for key, value in kept.items():
            if key.startswith("optimizer/"):
                _, place, entry = key.split("/")
                state["state"].setdefault(int(place), {})[entry] = value
        self.optimizer.load_state_dict(state)
        self.step, self.seconds, self.read, self.flops, self.history, self.observations = (
            about[key] for key in ("step", "seconds", "read", "flops", "history", "observations"))

    def _report(self, line: Any) -> Run:
        history, policy = pd.DataFrame(self.history), self.policy
        tail = history.tail(max(1, math.ceil(len(history) / 20)))
        metrics = {key: float(tail[key].mean()) for key in ("reward", "kl", "entropy", "length")}
        line.close(f"{self.step} steps in {self.seconds:.0f} s · reward {metrics['reward']:+.2f} · "
                   f"KL {metrics['kl']:.1f} nats")
        cost = Cost(self.read, self.flops, self.seconds,
                    hardware.peak_memory_bytes(policy.device.type), policy.parameters,
                    trainable_parameters(policy))
        policy.name = self.name
        return Run(self.name, policy, self.recipe.as_dict(), history, metrics, cost,
                   environment=self.machine.as_record(),
                   observations=pd.DataFrame(self.observations))


def judge(reward: Reward, rows: Sequence[Mapping[str, Any]], replies: Sequence[str], where: str
          ) -> list[float]:
    """A finite reward for each reply.

    Raises:
        CourseError: the reward function raised.
        DataError: not one number for each reply, or one that is not finite.
    """
    called = getattr(reward, "__name__", type(reward).__name__)
    try:
        scores = list(reward(rows, replies))
    except CourseError:
        raise
    except Exception as error:
        raise CourseError(f"The reward function raised {type(error).__name__}: {error}",
                          where=f"{called}, {where}",
                          fix="It gets a list of rows and a list of replies, some of them empty, "
                              "and must give a number for each.") from error
    if len(scores) != len(replies):
        raise DataError(f"{len(scores)} rewards for {len(replies)} replies.",
                        where=f"{called}, {where}", fix="Return one for each, in their order.")
    for row, said, score in zip(rows, replies, scores, strict=True):
        if not isinstance(score, int | float | np.floating) or not math.isfinite(score):
            raise DataError(f"The reward {score!r} is not a finite number.",
                            where=f"{called}, {where}, the reply {said!r:.60} to "
                                  f"{row['prompt']!r:.60}",
                            fix="Return a number, such as 0.0, also for replies that cannot be "
                                "judged.")
    return [float(score) for score in scores]


def _alike(rollouts: Rollouts, size: int) -> Iterator[Tensor]:
    """Rows of similar length together, so that little is padded."""
    yield from rollouts.attention_mask.sum(1).argsort(stable=True).split(size)


def _averaged(seen: list[dict[str, float]], norms: list[float], early: float) -> dict[str, float]:
    """Means over a step's minibatches."""
    if not seen:  # the first minibatch was too far already
        return {"loss": math.nan, "entropy": math.nan, "grad_norm": math.nan, "early": early}
    return {**{key: float(np.mean([each[key] for each in seen])) for key in seen[0]},
            "grad_norm": float(np.mean(norms)), "early": early}

