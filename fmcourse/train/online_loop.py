"""The steps of online learning: sample, judge, learn, look, keep; see `train.online`.

A checkpoint holds the weights that are trained, the optimiser's state, the algorithm's, and the
account of what was done; nothing else lasts from one step to the next.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from fmcourse import hardware, store
from fmcourse.errors import ModelError
from fmcourse.models import (
    LanguageModel,
    RewardModel,
    Rollouts,
    Stored,
    adapted,
    merged,
    roll_out,
)
from fmcourse.models.chat import Prompt
from fmcourse.train import loop
from fmcourse.train.algorithm import Algorithm, OnlineRecipe, Samples
from fmcourse.train.completions import hidden_states, in_chunks, read_completions
from fmcourse.train.engine import COMPLETE, last_checkpoint
from fmcourse.train.judging import Reward, rewarded
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.progress import Progress, progress
from fmcourse.train.run import Cost, Run, flops_per_token, trainable_parameters
from fmcourse.train.watch import Observer, evenly, plain

STATE = "state.pt"


@dataclass
class Account:
    """What a loop has done so far, as plain values.

    Attributes:
        step: steps done.
        tokens: read in training.
        flops: by formula; for sampling and judging, too.
        seconds: of steps.
        history: one entry a step.
        observations: one a look.
    """

    step: int = 0
    tokens: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    observations: list[dict[str, Any]] = field(default_factory=list)

    def count(self, model: Stored, rollouts: Rollouts, learning: bool = False) -> None:
        """Add the operations of a pass: forwards alone, or of training."""
        read = int(rollouts.attention_mask.sum())
        each = flops_per_token(model, rollouts.input_ids.shape[1])
        if learning:
            self.tokens += read
        else:  # two operations a weight, trained or not, of six
            each = (each + 2 * (model.parameters - trainable_parameters(model))) / 3
        self.flops += read * each


class Loop:
    """Sampling and learning in turn; see `online`.

    Args:
        policy: trained in place.
        prompts, reward, recipe, name: see `online`.
        algorithm: made for this policy.
    """

    def __init__(self, policy: LanguageModel, prompts: Dataset, reward: RewardModel | Reward,
                 recipe: OnlineRecipe, algorithm: Algorithm, name: str):
        self.policy, self.prompts, self.reward = policy, prompts, reward
        self.recipe, self.algorithm, self.name = recipe, algorithm, name
        self.machine = loop.ready(policy)
        policy.network.eval()  # no dropout: probabilities must be those that were sampled from
        self.reference = policy.copy()
        self.optimizer = make_optimizer(policy.network, recipe.optimizer, recipe.learning_rate,
                                        recipe.weight_decay)
        for group in algorithm.groups():
            self.optimizer.add_param_group({"weight_decay": 0.0, **group})
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.factor = warmup_stable_decay(recipe.steps, recipe.warmup, recipe.decay)
        self.account = Account()

    def run(self, work: Path, minutes: float | None, fixed: Sequence[Prompt] = (),
            observe: Observer | None = None, show_progress: bool = True) -> Run:
        """Go on to the last step from the last whole checkpoint, if there is one.

        Args:
            work: folder for checkpoints.
            minutes: between them; None makes none.
            fixed, observe, show_progress: see `online`.
        """
        steps, line = self.recipe.steps, progress(self.name, show_progress)
        if minutes is not None:
            self._resume(work)
        account, saved = self.account, time.perf_counter()
        self._look(fixed, observe)
        while account.step < steps:
            began = time.perf_counter()
            entry = self._step()
            account.step += 1
            account.seconds += time.perf_counter() - began
            account.history.append({"step": account.step, "tokens": account.tokens, **entry,
                                    "seconds": account.seconds,
                                    "tokens_per_second": account.tokens / account.seconds})
            left = account.seconds / account.step * (steps - account.step) / 60
            line.update(account.step / steps, f"reward {entry['reward']:+.2f} · "
                                              f"KL {entry['kl']:.1f} nats · {left:.1f} min left")
            self._look(fixed, observe)
            if minutes is not None and time.perf_counter() - saved > 60 * minutes:
                self._save(work)
                saved = time.perf_counter()
        return self._report(line)

    def _where(self) -> str:
        return f"{self.name}, step {self.account.step + 1}"

    def _diverged(self, what: str) -> ModelError:
        return ModelError(f"Training diverged: {what} is not a number any more.",
                          where=self._where(), fix="Lower the learning rate.")

    def _step(self) -> dict[str, float]:
        """Sample, judge, learn; returns an entry of the history."""
        recipe, step = self.recipe, self.account.step
        draw = np.random.default_rng([recipe.seed, step])
        samples = self._sample(draw)
        rollouts = samples.rollouts
        kl = (rollouts.log_probs - samples.reference).sum(1)  # (batch,), nats a completion
        ended = float(rollouts.ended.float().mean())
        known = {"reward": float(samples.scores.mean()) + recipe.unended * (1 - ended),
                 "kl": float(kl.mean()), "length": float(rollouts.mask.sum(1).float().mean()),
                 "ended": ended}
        with torch.no_grad():
            known |= self.algorithm.prepare(samples, self._read)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * self.factor(step)
        return {**known, **self._learn(samples, draw),
                "learning_rate": self.rates[0] * self.factor(step)}

    def _sample(self, draw: np.random.Generator) -> Samples:
        """Draw prompts, answer them, judge the answers, and ask the reference."""
        recipe, step = self.recipe, self.account.step
        count = min(recipe.prompts, len(self.prompts))
        rows = [self.prompts[int(i)] for i in draw.choice(len(self.prompts), count, replace=False)]
        seed = int(np.random.default_rng([recipe.seed, step, 1]).integers(2**31))
        rollouts = roll_out(self.policy, [row["prompt"] for row in rows], recipe.tokens,
                            samples=recipe.samples, temperature=recipe.temperature, seed=seed)
        if not rollouts.log_probs.isfinite().all():
            raise self._diverged("a log-probability")
        scores = rewarded(self.reward, rows, rollouts, self.policy, self._where())
        reference = torch.zeros_like(rollouts.log_probs)
        ask = partial(read_completions, self.reference, temperature=recipe.temperature)
        for some, read in in_chunks(ask, rollouts):
            reference[some, :read.log_probs.shape[1]] = read.log_probs
        judges = [self.reward] if isinstance(self.reward, RewardModel) else []
        for model in (self.policy, self.reference, *judges):
            self.account.count(model, rollouts)
        return Samples(rollouts, scores - recipe.unended * ~rollouts.ended, reference)

    def _read(self, rollouts: Rollouts) -> Iterator[tuple[Tensor, Tensor]]:
        self.account.count(self.policy, rollouts)
        return in_chunks(partial(hidden_states, self.policy), rollouts)

    def _learn(self, samples: Samples, draw: np.random.Generator) -> dict[str, float]:
        """A few passes over the samples, until the policy has gone far enough; means of the
        minibatches, the one that was too far and is not learnt from included."""
        seen, far = [], False
        limit = math.inf if self.recipe.max_step_kl is None else self.recipe.max_step_kl
        for rows in self._dealt(len(samples.rollouts), draw):
            part, prepared = samples.select(rows)
            read = read_completions(self.policy, part, self.recipe.temperature)
            loss, about = self.algorithm.loss(read, part, prepared)
            if not torch.isfinite(loss):
                raise self._diverged("the loss")
            far = about["approx_kl"] > limit
            norm = 0.0 if far else self._improve(loss)
            seen.append({"loss": float(loss.detach()), "entropy": float(read.entropy), **about,
                         "grad_norm": norm})
            if far:
                break
            self.account.count(self.policy, part, learning=True)
        return {**{key: float(np.mean([each[key] for each in seen])) for key in seen[0]},
                "early": float(far)}

    def _dealt(self, count: int, draw: np.random.Generator) -> Iterator[Tensor]:
        """Minibatches of all completions, dealt anew in each pass.

        Sorted by length, as for reading, a short completion's tokens would weigh more than others:
        a minibatch's loss is a mean over its tokens.
        """
        for _ in range(self.recipe.epochs):
            for rows in np.array_split(draw.permutation(count),
                                       math.ceil(count / self.recipe.minibatch)):
                yield torch.from_numpy(rows).to(self.policy.device)

    def _improve(self, loss: Tensor) -> float:
        """One step of the optimiser; returns the gradient's norm."""
        self.optimizer.zero_grad()
        loss.backward()
        weights = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        norm = float(clip_grad_norm_(weights, self.recipe.clip))
        if not math.isfinite(norm):
            raise self._diverged("the gradient")
        self.optimizer.step()
        return norm

    def _look(self, fixed: Sequence[Prompt], observe: Observer | None) -> None:
        """Look at the policy as often as is due by now."""
        account, recipe = self.account, self.recipe
        for share in evenly(recipe.looks)[len(account.observations):]:
            if share > account.step / recipe.steps:
                return
            seen: dict[str, Any] = {"share": share, "step": account.step, "tokens": account.tokens}
            if fixed:
                said = roll_out(self.policy, fixed, recipe.tokens, seed=recipe.seed,
                                temperature=recipe.temperature)
                seen["replies"] = said.replies(self.policy)
            if observe:
                with plain(self.policy.network), torch.inference_mode():
                    seen |= observe(self.policy, share)
            account.observations.append(seen)

    def _trained(self) -> dict[str, Tensor]:
        return {name: weights for name, weights in self.policy.network.named_parameters()
                if weights.requires_grad}

    def _save(self, work: Path) -> None:
        """Write a whole checkpoint; then delete the one before."""
        earlier = list(work.glob("checkpoint-*"))
        with store.atomic_folder(work / f"checkpoint-{self.account.step}") as draft:
            torch.save({"policy": self._trained(), "optimizer": self.optimizer.state_dict(),
                        "algorithm": self.algorithm.state()}, draft / STATE)
            about = json.dumps(asdict(self.account), default=lambda value: value.tolist())
            store.atomic_write(draft / COMPLETE, about)  # an observation may be NaN, or of NumPy
        for folder in earlier:
            shutil.rmtree(folder, ignore_errors=True)

    def _resume(self, work: Path) -> None:
        folder = last_checkpoint(work)
        if folder is None:
            return
        kept = torch.load(folder / STATE, map_location=self.policy.device, weights_only=True)
        with torch.no_grad():
            for name, weights in self._trained().items():
                weights.copy_(kept["policy"][name])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.algorithm.restore(kept["algorithm"])
        self.account = Account(**store.read_json(folder / COMPLETE))

    def _report(self, line: Progress) -> Run:
        account, model = self.account, self.policy
        history = pd.DataFrame(account.history)
        tail = history.tail(math.ceil(len(history) / 20))
        metrics = {key: float(tail[key].mean()) for key in ("reward", "kl", "entropy", "length")}
        line.close(f"{account.step} steps in {account.seconds:.0f} s · "
                   f"reward {metrics['reward']:+.2f} · KL {metrics['kl']:.1f} nats")
        cost = Cost(account.tokens, account.flops, account.seconds,
                    hardware.peak_memory_bytes(model.device.type), model.parameters,
                    trainable_parameters(model))
        if adapted(model):
            model = merged(model)
            model.network.requires_grad_(True)
        model.name = self.name
        return Run(self.name, model, self.recipe.as_dict(), history, metrics, cost,
                   environment=self.machine.as_record(),
                   observations=pd.DataFrame(account.observations))
