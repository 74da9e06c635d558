"""How likely a model finds completions: one forward pass over rollouts, with or without gradient.

The output layer is computed for the completions' tokens alone: of prompts and padding nobody asks.
Completions of similar length are read together, so that little is padded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from fmcourse import hardware
from fmcourse.errors import ModelError
from fmcourse.models import LanguageModel, Rollouts, compat
from fmcourse.train.losses import token_log_probs

T = TypeVar("T")
CHUNK = 32  # completions a forward pass without gradient


class Read(NamedTuple):
    """What a forward pass over completions finds.

    Attributes:
        log_probs: (batch, time), nats; 0 where nothing was sampled.
        hidden: (batch, time, width), of the position that predicts each token.
        entropy: scalar, nats a token, without gradient.
    """

    log_probs: Tensor
    hidden: Tensor
    entropy: Tensor


def hidden_states(model: LanguageModel, rollouts: Rollouts) -> Tensor:
    """The states that predict each token of completions, (batch, time, width).

    Raises:
        ModelError: there is more between the hidden states and the logits than a matrix.
    """
    network = compat.plain_network(model.network)
    if network is None:
        raise ModelError("This kind of network cannot learn from its own answers here.",
                         where=model.name,
                         fix="Use a model without a prompt or prefix before it, and without "
                             "scaled logits, such as ours or SmolLM2.")
    width, seen = rollouts.mask.shape[1], rollouts.attention_mask
    places = (seen.cumsum(1) - 1).clamp(min=0)  # (batch, prompt + time), from 0 in each row
    with _autocast():
        return network.base_model(
            input_ids=rollouts.input_ids, attention_mask=seen.long(), position_ids=places,
            use_cache=False).last_hidden_state[:, -width - 1:-1]


def read_completions(model: LanguageModel, rollouts: Rollouts, temperature: float = 1.0) -> Read:
    """Read completions, all in one forward pass, with gradient where it is on.

    Args:
        model: a causal one; its dropout should be off.
        rollouts: prompts and completions.
        temperature: that they were sampled at.

    Returns:
        Log-probabilities, hidden states and the entropy.

    Raises:
        ModelError: there is more between the hidden states and the logits than a matrix.
    """
    hidden, mask = hidden_states(model, rollouts), rollouts.mask
    output = compat.plain_network(model.network).get_output_embeddings()
    with _autocast():
        logits = nn.functional.linear(hidden[mask], output.weight, output.bias)  # (tokens, vocab)
    found = token_log_probs(logits, rollouts.completion_ids[mask], temperature=temperature)
    log_probs = found.new_zeros(mask.shape).masked_scatter(mask, found)
    return Read(log_probs, hidden, _entropy(logits.detach(), temperature))


def _autocast() -> AbstractContextManager[Any]:
    """The machine's mixed precision; in float16, whose loss would need scaling, not to learn."""
    machine = hardware.detect()
    wide = machine.needs_loss_scaling and torch.is_grad_enabled()
    return contextlib.nullcontext() if wide else machine.autocast()


@torch.no_grad()
def in_chunks(read: Callable[[Rollouts], T], rollouts: Rollouts) -> Iterator[tuple[Tensor, T]]:
    """Read many completions without gradient: rows, and what was found in them."""
    for rows in alike(rollouts, CHUNK):
        yield rows, read(rollouts.select(rows))


def alike(rollouts: Rollouts, size: int) -> tuple[Tensor, ...]:
    """All rows, so many at a time, those of similar length together."""
    return rollouts.attention_mask.sum(1).argsort(stable=True).split(size)


def _entropy(logits: Tensor, temperature: float) -> Tensor:
    """Nats a token, from (tokens, vocabulary)."""
    total = torch.zeros((), device=logits.device)
    for part in logits.split(64):
        log_probs = (part.float() / temperature).log_softmax(-1)
        total -= (log_probs.exp() * log_probs).sum()
    return total / max(1, len(logits))
