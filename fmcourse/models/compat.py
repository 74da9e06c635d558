"""The only module that touches names of transformers, TRL and PEFT which move between releases.

Tested at the versions in `constraints.txt`. When an upgrade renames something, this file changes
and nothing else does.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # forked workers would only warn

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import pre_tokenizers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    GenerationConfig,
    GgufConfig,
    LlamaConfig,
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    modeling_gguf_pytorch_utils,
)
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.utils import logging
from trl import SFTConfig, SFTTrainer

__all__ = [
    "AutoConfig", "AutoModelForCausalLM", "AutoModelForMaskedLM", "AutoTokenizer",
    "GenerationConfig", "LlamaConfig", "LlamaForCausalLM", "LoraConfig", "ModernBertConfig",
    "ModernBertForMaskedLM", "PreTrainedModel", "PreTrainedTokenizerFast", "PrinterCallback",
    "ProgressCallback", "SFTConfig", "SFTTrainer", "Trainer", "TrainerCallback",
    "TrainingArguments", "attention", "generating", "get_peft_model", "load_gguf", "one_gpu",
    "own_forward", "plain_network", "quiet",
]


def quiet() -> None:
    """No progress bars and no advice from the libraries below; errors still show."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings(  # PEFT asks transformers by an old name
        "ignore", ".*is_gradient_checkpointing", FutureWarning)
    import datasets

    datasets.disable_progress_bars()


def one_gpu(arguments: TrainingArguments) -> TrainingArguments:
    """One GPU a process: the Trainer would give each it sees a batch of its own, and a step would
    read that many times what was asked for. Several GPUs train with a process each."""
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def attention(network: PreTrainedModel, kind: str) -> None:
    """Choose how attention is computed: 'eager' (plain matrix products) or 'sdpa' (fused)."""
    network.set_attn_implementation(kind)


def plain_network(model: torch.nn.Module) -> PreTrainedModel | None:
    """The network whose layers a forward pass of this model runs through, adapters in place; None
    where there is more to it: data-parallel wrappers, prompts in front of the input."""
    if isinstance(model, PreTrainedModel):
        return model
    if isinstance(model, PeftModel) and not model.active_peft_config.is_prompt_learning:
        return model.get_base_model()
    return None


@contextlib.contextmanager
def own_forward(network: PreTrainedModel) -> Iterator[None]:
    """Inside, TRL may patch the forward pass of a network; after, the network has its own again.

    TRL leaves its patch on the model for good: a copy of the model would run the original's
    weights, for the patch is bound to them.
    """
    holder = network.get_base_model() if hasattr(network, "get_base_model") else network  # PEFT's
    before = holder.__dict__.get("forward")
    try:
        yield
    finally:
        holder.__dict__.pop("forward", None)
        if before is not None:
            holder.forward = before


@contextlib.contextmanager
def generating(network: PreTrainedModel, settings: GenerationConfig) -> Iterator[None]:
    """Inside, the network generates by these settings alone, dropout off; all is restored after.

    Handing settings to `generate` is not enough: whatever they leave open is filled in from the
    network's own `generation_config`, and some settings (lists of forbidden words) have no value
    that means "none".
    """
    holder = network.get_base_model() if hasattr(network, "get_base_model") else network  # PEFT's
    own, training = holder.generation_config, [m for m in network.modules() if m.training]
    holder.generation_config = settings
    network.eval()
    try:
        yield
    finally:
        holder.generation_config = own
        for module in training:
            module.training = True


def load_gguf(file: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """SmolLM2 out of its quantised GGUF file, as an ordinary float32 model that can be trained.

    Two repairs over a plain `from_pretrained` (measured with transformers 5.23): the conversion
    forgets that this tokenizer splits digits one by one, and without `dequantize` the model
    calls itself quantised and refuses to train or save.
    """
    folder, name = str(file.parent), file.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    ])
    # the one progress bar that no setting turns off
    with mock.patch.object(modeling_gguf_pytorch_utils, "tqdm", lambda rows, **_: rows):
        network = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True))
    return network, tokenizer
