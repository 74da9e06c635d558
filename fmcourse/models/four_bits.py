"""Weights in four bits: NF4 of QLoRA (Dettmers et al. 2023, arXiv:2305.14314), by bitsandbytes.

Each weight of a linear layer is stored as the number of one of sixteen levels, each block of 64
with a scale, the scales themselves in eight bits. The levels are quantiles of a normal
distribution, as trained weights have it. Embeddings and norms stay in a floating-point format. To
compute, a layer's weights are turned back into numbers, used, and forgotten: less memory for more
time.
"""

from __future__ import annotations

import tempfile

import torch
from torch import nn

from fmcourse import hardware
from fmcourse.errors import ModelError
from fmcourse.models import compat
from fmcourse.models.language_model import LanguageModel

BLOCK = 64  # weights that share a scale


def quantized(model: LanguageModel, dtype: str | None = None) -> LanguageModel:
    """A copy whose linear layers are stored in four bits.

    Args:
        dtype: format of everything else, and of the arithmetic; by default the machine's own.

    Raises:
        ModelError: it has four bits already, or has an adapter; or bitsandbytes does not work here.
    """
    if is_quantized(model) or isinstance(model.network, compat.PeftModel):
        raise ModelError("Only a plain model can be quantised.", where=model.name,
                         fix="Load it anew, or merge its adapter first.")
    kind = getattr(torch, dtype or hardware.detect().dtype)
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as folder:
        model.network.save_pretrained(folder)
        try:
            network = compat.load_4bit(folder, kind, model.device)
        except (ImportError, RuntimeError, ValueError, NotImplementedError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"This machine cannot quantise: {said}", where="bitsandbytes",
                             fix="Use LoRA: the same in more memory.") from error
    return LanguageModel(network.eval(), model.tokenizer, model.name, model.objective,
                         dict(model.card))


def is_quantized(model: LanguageModel) -> bool:
    """Whether the linear layers are stored in four bits."""
    return bool(getattr(model.network, "is_loaded_in_4bit", False))


def stored_bytes(model: LanguageModel) -> int:
    """Bytes of a model's weights as they are stored, the scales of four bits included."""
    scales = [state.absmax for weights in model.network.parameters()
              if (outer := getattr(weights, "quant_state", None)) is not None
              for state in (outer, outer.state2) if state is not None]
    return int(model.network.get_memory_footprint()) + sum(s.nbytes for s in scales)


def full_precision(model: LanguageModel) -> LanguageModel:
    """The model in float32, with the values that its four bits stand for; an adapter stays on it.

    An adapter is merged into this and not into four bits, for what it adds to a weight is about as
    small as what rounding takes away. The network given is used up.
    """
    network = compat.dequantized(model.network)
    return LanguageModel(network, model.tokenizer, model.name, model.objective, model.card)


def linear_layers(network: nn.Module) -> dict[str, nn.Linear]:
    """Linear layers by name, in four bits or not, without the output layer."""
    output = network.get_output_embeddings()
    return {name: module for name, module in network.named_modules()
            if isinstance(module, nn.Linear) and module is not output}
