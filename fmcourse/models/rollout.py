"""Completions sampled from a policy to learn from: their tokens, and how likely it found each.

Reinforcement learning spends most of its time here. So prompts are padded on the left and answered
together; a prompt of several samples is read once; keys and values go into memory laid out
beforehand; rows that have ended are taken out; and log-probabilities are those of the very pass
that sampled, so that no completion is read a second time to get them. `benchmarks/rollouts.py`
compares. Trade-off: one decoding loop of our own beside transformers' `generate`, and only plain
sampling, since a policy gradient is of the distribution that was sampled from: no top-k.

The random numbers are drawn beforehand, some for each completion: what is sampled hangs on the
seed and on its place among the prompts, not on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fmcourse import hardware
from fmcourse.errors import ModelError
from fmcourse.models import compat
from fmcourse.models.adapters import mergeable
from fmcourse.models.cache import roomy_cache
from fmcourse.models.chat import Prompt, chat_prompts
from fmcourse.models.four_bits import is_quantized
from fmcourse.models.language_model import LanguageModel

CROWDED = 0.75  # share of a batch still going below which the rest is taken out


@dataclass
class Rollouts:
    """Prompts and sampled completions, in the prompts' order; a prompt's samples side by side.

    Attributes:
        prompt_ids: (batch, prompt), padded on the left.
        prompt_mask: (batch, prompt), bool, True for the prompt's tokens.
        completion_ids: (batch, time), padded on the right.
        mask: (batch, time), bool, True for what was sampled, the end of the turn included.
        log_probs: (batch, time), nats, when sampled; 0 where nothing was.
        ended: (batch,), bool, whether the turn was ended, and not cut off.
    """

    prompt_ids: Tensor
    prompt_mask: Tensor
    completion_ids: Tensor
    mask: Tensor
    log_probs: Tensor
    ended: Tensor

    def __len__(self) -> int:
        return len(self.mask)

    @property
    def input_ids(self) -> Tensor:
        """Prompts and completions, (batch, prompt + time)."""
        return torch.cat([self.prompt_ids, self.completion_ids], dim=1)

    @property
    def attention_mask(self) -> Tensor:
        """What is no padding, (batch, prompt + time), bool."""
        return torch.cat([self.prompt_mask, self.mask], dim=1)

    def replies(self, model: LanguageModel) -> list[str]:
        """What was said, without special tokens."""
        rows = [ids[mask].tolist() for ids, mask in zip(self.completion_ids, self.mask,
                                                        strict=True)]
        return [text.strip() for text in model.tokenizer.batch_decode(rows,
                                                                      skip_special_tokens=True)]

    def select(self, rows: Tensor) -> Rollouts:
        """Some of them, without the padding that only others need."""
        left = int((~self.prompt_mask[rows].any(0)).sum())
        width = int(self.mask[rows].any(0).sum())
        return Rollouts(self.prompt_ids[rows, left:], self.prompt_mask[rows, left:],
                        self.completion_ids[rows, :width], self.mask[rows, :width],
                        self.log_probs[rows, :width], self.ended[rows])


@torch.no_grad()
def roll_out(
    model: LanguageModel,
    prompts: Sequence[Prompt],
    tokens: int = 64,
    *,
    samples: int = 1,
    temperature: float = 1.0,
    seed: int = 0,
    batch: int = 64,
    dtype: str | None = None,
) -> Rollouts:
    """Let a policy answer prompts, and keep what learning from it needs.

    Args:
        model: a causal model with a chat template.
        prompts: questions, or conversations so far.
        tokens: at most so many new ones.
        samples: completions of each prompt.
        temperature: divides the logits, here and in the log-probabilities.
        seed: of the sampling. The global random state is left alone.
        batch: completions decoded together.
        dtype: 'bfloat16' or 'float32'; by default the machine's fast one. In bfloat16 the
            log-probabilities are off by about 0.01 nats.

    Returns:
        `len(prompts) × samples` completions.

    Raises:
        ModelError: a masked model, or one of four bits, behind a prompt or prefix, or without a
            template; a prompt and its answer would not fit the context; or nothing is asked for.
    """
    if tokens < 1 or samples < 1 or not temperature > 0:
        raise ModelError(f"{samples} samples of {tokens} tokens at temperature {temperature} are "
                         "nothing.", where="roll_out",
                         fix="At least one of each, and a temperature above 0.")
    ids, seen = prompt_tokens(model, prompts, tokens)
    drawn = [np.random.default_rng([seed, place]).random(tokens, dtype=np.float32)
             for place in range(len(prompts) * samples)]
    dice = torch.from_numpy(np.stack(drawn)).to(ids.device)  # (batch, tokens)
    sampler = _Sampler(model, dtype, tokens, samples, temperature)
    made = Rollouts(ids.repeat_interleave(samples, 0), seen.repeat_interleave(samples, 0),
                    ids.new_full((len(dice), tokens), model.padding()),
                    seen.new_zeros((len(dice), tokens)),
                    torch.zeros(len(dice), tokens, device=ids.device),
                    seen.new_zeros(len(dice)))
    order = seen.sum(1).argsort(stable=True)  # of similar length together
    for places in order.split(max(1, batch // samples)):
        rows = (places[:, None] * samples + torch.arange(samples, device=ids.device)).flatten()
        left = int((~seen[places].any(0)).sum())
        sampler(ids[places, left:], seen[places, left:], dice[rows], made, rows)
    return made.select(torch.arange(len(dice), device=ids.device))


def prompt_tokens(model: LanguageModel, prompts: Sequence[Prompt], tokens: int
                  ) -> tuple[Tensor, Tensor]:
    """Prompts as tokens, after which so many new ones can be sampled.

    Returns:
        Token ids, padded on the left, and what is no padding, bool; both (prompts, longest).

    Raises:
        ModelError: as `roll_out`.
    """
    if model.objective != "causal":
        raise ModelError("A masked model cannot answer.", where=model.name,
                         fix="Use a causal model.")
    if not mergeable(model):
        raise ModelError("A model behind a prompt or a prefix cannot be sampled from here.",
                         where=model.name, fix="Tune with LoRA or all weights instead.")
    if is_quantized(model):
        raise ModelError("A model of four bits cannot be sampled from here.", where=model.name,
                         fix="Use the model it was made of.")
    if not len(prompts):
        raise ModelError("There are no prompts to answer.", where=model.name,
                         fix="Give at least one.")
    inputs = model.left_padded(chat_prompts(model, prompts))
    model._check_room(inputs["input_ids"].shape[1], tokens)
    return inputs["input_ids"], inputs["attention_mask"].bool()


class _Sampler:
    """Decodes batches; see `roll_out`."""

    def __init__(self, model: LanguageModel, dtype: str | None, tokens: int, samples: int,
                 temperature: float):
        fast = "bfloat16" if hardware.detect().dtype == "bfloat16" else "float32"
        self.network = model.in_dtype(dtype or fast).network.eval()
        compat.attention(self.network, "eager" if model.device.type == "cpu" else "sdpa")
        self.tokens, self.samples, self.temperature = tokens, samples, temperature
        ends = model.ends()
        self.ends = torch.tensor(ends if isinstance(ends, list) else [ends] if ends is not None
                                 else [], device=model.device)

    def __call__(self, ids: Tensor, seen: Tensor, dice: Tensor, made: Rollouts,
                 rows: Tensor) -> None:
        """Write the completions of these prompts into `made`, at `rows`."""
        first, room = ids.shape[1], ids.shape[1] + self.tokens
        cache = roomy_cache(self.network, room)
        places = (seen.cumsum(1) - 1).clamp(min=0)  # (prompts, first), from 0 in each row
        output = self.network(input_ids=ids, attention_mask=seen.long(), position_ids=places,
                              past_key_values=cache, use_cache=True, logits_to_keep=1)
        logits = output.logits[:, -1].repeat_interleave(self.samples, 0)  # (rows, vocab)
        cache.batch_repeat_interleave(self.samples)
        seen = nn.functional.pad(seen, (0, self.tokens)).repeat_interleave(self.samples, 0)
        place = seen.sum(1, keepdim=True)  # of the next token
        going = torch.ones(len(rows), dtype=torch.bool, device=ids.device)
        for step in range(self.tokens):
            log_probs = (logits.float() / self.temperature).log_softmax(-1)  # (rows, vocab)
            picked = invert(log_probs, dice[:, step:step + 1])  # (rows, 1)
            made.completion_ids[rows[going], step] = picked[going, 0]
            made.log_probs[rows[going], step] = log_probs.gather(1, picked)[going, 0]
            made.mask[rows[going], step] = True
            over = torch.isin(picked[:, 0], self.ends)
            made.ended[rows[going & over]] = True
            going &= ~over
            if step + 1 == self.tokens or not going.any():
                return
            if going.float().mean() < CROWDED:
                left = going.nonzero()[:, 0]
                cache.batch_select_indices(left)
                rows, dice, picked, seen, place, going = (
                    each[left] for each in (rows, dice, picked, seen, place, going))
            seen[:, first + step] = True
            logits = self.network(
                input_ids=picked, position_ids=place, past_key_values=cache, use_cache=True,
                attention_mask=self._allowed(seen, first + step + 1)).logits[:, -1]
            place = place + 1

    def _allowed(self, seen: Tensor, width: int) -> Tensor:
        """The mask of a single new token; made by hand, for transformers' takes a fifth of a step.
        """
        if not compat.attends_to_all(self.network):
            return seen[:, :width].long()
        dtype = self.network.dtype
        return torch.zeros_like(seen, dtype=dtype).masked_fill(
            ~seen, torch.finfo(dtype).min)[:, None, None]


def invert(log_probs: Tensor, numbers: Tensor) -> Tensor:
    """The token that a number in [0, 1) picks, by the inverse of the cumulative distribution.

    Args:
        log_probs: (rows, vocabulary), nats.
        numbers: (rows, 1).

    Returns:
        (rows, 1) token ids.

    >>> invert(torch.tensor([[0.5, 0.0, 0.5]]).log(), torch.tensor([[0.5]]))
    tensor([[2]])
    """
    sums = log_probs.exp().cumsum(-1)
    picked = torch.searchsorted(sums, numbers * sums[:, -1:], right=True)
    return picked.clamp(max=log_probs.shape[1] - 1)
