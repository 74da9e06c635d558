"""Fresh models by name of size: Llama for predicting the next token, ModernBERT for blanks.

Both are the ordinary classes of transformers, so what is trained here opens anywhere. The two
families are close relatives (pre-norm, rotary positions, gated feed-forward), which makes the
comparison of objectives in lesson 01 one of objectives and not of architectures.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch

from fmcourse.errors import ModelError
from fmcourse.models.compat import (
    LlamaConfig,
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerFast,
)
from fmcourse.models.language_model import LanguageModel


@dataclass(frozen=True)
class Shape:
    """Width, depth, feed-forward width and heads of a Transformer."""

    width: int
    layers: int
    inner: int
    heads: int


# Names are total parameters at a vocabulary of 8,192, input and output embeddings shared.
SIZES = {
    "tiny": Shape(64, 2, 192, 2),
    "1m": Shape(96, 3, 256, 3),
    "2m": Shape(128, 4, 384, 4),
    "3m": Shape(192, 4, 512, 3),
    "7m": Shape(256, 6, 704, 4),
    "12m": Shape(384, 5, 1024, 6),
    "40m": Shape(576, 8, 1536, 9),
    "125m": Shape(768, 16, 2048, 12),
    "350m": Shape(1024, 26, 2816, 16),
}


def build(
    size: str | Shape,
    tokenizer: PreTrainedTokenizerFast,
    objective: str = "causal",
    context: int = 512,
    seed: int = 0,
) -> LanguageModel:
    """A model with random weights.

    Args:
        size: a name from `SIZES` or a `Shape`.
        tokenizer: decides the vocabulary and special tokens.
        objective: 'causal' (sees only what came before) or 'masked' (sees both sides).
        context: longest sequence in tokens.
        seed: of the initial weights.

    Raises:
        ModelError: unknown size or objective.
    """
    if isinstance(size, str) and size not in SIZES:
        raise ModelError(f"There is no size called {size!r}.", where="size",
                         fix=f"Choose one of {', '.join(SIZES)}, or pass a Shape.")
    if objective not in ("causal", "masked"):
        raise ModelError(f"There is no objective called {objective!r}.", where="objective",
                         fix="Choose 'causal' or 'masked'.")
    shape = SIZES[size] if isinstance(size, str) else size
    name = f"{size if isinstance(size, str) else 'custom'}-{objective}"
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        make = _causal if objective == "causal" else _masked
        network = make(shape, tokenizer, context)
    network.eval()
    return LanguageModel(network, tokenizer, name, objective)


def untrained(like: LanguageModel, seed: int = 0) -> LanguageModel:
    """A model's untrained twin: the same class, config and tokenizer, fresh random weights.

    They are drawn as the class itself draws them for its config (`initializer_range`), so any
    transformers model has a twin, with its own kind of attention and positions.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = type(like.network)(copy.deepcopy(like.network.config))
    network.to(like.device, like.network.dtype).eval()
    return LanguageModel(network, like.tokenizer, "untrained", like.objective)


def _shared(shape: Shape, tokenizer: PreTrainedTokenizerFast, context: int) -> dict:
    return {
        "vocab_size": len(tokenizer), "hidden_size": shape.width,
        "num_hidden_layers": shape.layers, "intermediate_size": shape.inner,
        "num_attention_heads": shape.heads, "max_position_embeddings": context,
        "initializer_range": 0.02, "tie_word_embeddings": True,
        "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _causal(
    shape: Shape, tokenizer: PreTrainedTokenizerFast, context: int
) -> LlamaForCausalLM:
    config = LlamaConfig(**_shared(shape, tokenizer, context),
                         num_key_value_heads=shape.heads)
    return LlamaForCausalLM(config)


def _masked(
    shape: Shape, tokenizer: PreTrainedTokenizerFast, context: int
) -> ModernBertForMaskedLM:
    config = ModernBertConfig(
        **_shared(shape, tokenizer, context), layer_types=["full_attention"] * shape.layers,
        cls_token_id=tokenizer.bos_token_id, sep_token_id=tokenizer.eos_token_id)
    return ModernBertForMaskedLM(config)
