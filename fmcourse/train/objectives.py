"""What is asked of a model in pre-training: predict the next token, or fill in hidden ones.

Each objective is a module around a network that turns a batch of packed rows into a loss, so that
the Trainer, DDP and `torch.compile` all see an ordinary forward pass. Documents packed into the
same row cannot see each other; with rotary positions, which only know distances, that makes a
packed document's predictions equal to those it would get alone (tested).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fmcourse.errors import ModelError
from fmcourse.models.language_model import LanguageModel
from fmcourse.train.loss import linear_cross_entropy


def attention_mask(segments: Tensor, causal: bool, dtype: torch.dtype) -> Tensor:
    """What each position may look at: its own document, and if `causal` only what came before.

    Args:
        segments: (batch, time) document numbers.
        causal: hide the future as well.
        dtype: of the result.

    Returns:
        (batch, 1, time, time), 0 where attention is allowed and the dtype's least value elsewhere.

    >>> attention_mask(torch.tensor([[0, 0, 1]]), True, torch.float32)[0, 0] == 0
    tensor([[ True, False, False],
            [ True,  True, False],
            [False, False,  True]])
    """
    allowed = segments[:, :, None] == segments[:, None, :]  # (batch, time, time)
    if causal:
        allowed = allowed & torch.ones_like(allowed[0]).tril()
    mask = torch.zeros(allowed.shape, dtype=dtype, device=segments.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]


class CausalObjective(nn.Module):
    """Predict each token from those before it in the same document."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor, segments: Tensor) -> dict[str, Tensor]:
        """`tokens` (batch, time + 1), `segments` (batch, time); returns {"loss": scalar, nats}."""
        inputs, labels = tokens[:, :-1], tokens[:, 1:]
        weight = self.network.lm_head.weight
        hidden = self.network.model(
            input_ids=inputs, use_cache=False,
            attention_mask=attention_mask(segments, True, weight.dtype),
        ).last_hidden_state  # (batch, time, width)
        loss = linear_cross_entropy(hidden.flatten(0, 1), weight, labels.flatten())
        return {"loss": loss}


class MaskedObjective(nn.Module):
    """Hide some tokens and predict them from both sides of the same document.

    Every chosen position becomes the mask token (the 80/10/10 mixture of BERT, arXiv:1810.04805,
    was later found not to matter: arXiv:2202.08005). `PackedRows` chooses the positions.
    """

    def __init__(self, network: nn.Module, mask_token: int):
        super().__init__()
        self.network, self.mask_token = network, mask_token

    def forward(self, tokens: Tensor, segments: Tensor, hidden: Tensor) -> dict[str, Tensor]:
        """`tokens` (batch, time + 1), `segments` and bool `hidden` (batch, time)."""
        visible, decoder = tokens[:, :-1], self.network.decoder
        states = self.network.model(
            input_ids=visible.masked_fill(hidden, self.mask_token),
            attention_mask=attention_mask(segments, False, decoder.weight.dtype),
        ).last_hidden_state  # (batch, time, width)
        states = self.network.head(states[hidden])  # (hidden, width): only these are predicted
        return {"loss": linear_cross_entropy(states, decoder.weight, visible[hidden],
                                             decoder.bias)}


def objective(model: LanguageModel) -> nn.Module:
    """The training module for a model: causal or masked, as it was built.

    Raises:
        ModelError: the network has no parts this library knows how to train.
    """
    network = model.network
    if model.objective == "causal" and hasattr(network, "lm_head"):
        return CausalObjective(network)
    if model.objective == "masked" and hasattr(network, "decoder"):
        return MaskedObjective(network, model.tokenizer.mask_token_id)
    raise ModelError("This architecture cannot be pre-trained here.",
                     where=type(network).__name__,
                     fix="Use a Llama-like causal model or a ModernBERT masked one.")
