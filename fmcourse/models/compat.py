"""The only module that touches names of transformers, TRL and PEFT which move between releases.

Tested at the versions in `constraints.txt`. When an upgrade renames something, this file changes
and nothing else does.
"""

from __future__ import annotations

import contextlib
import copy
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # forked workers would only warn

import torch
from peft import (
    IA3Config,
    LoraConfig,
    PeftConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    get_peft_model,
    get_peft_model_state_dict,
    initialize_kv_prefix_from_text,
    set_peft_model_state_dict,
)
from tokenizers import pre_tokenizers
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BitsAndBytesConfig,
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
from transformers.cache_utils import DynamicCache, DynamicLayer
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.utils import logging
from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer, SFTConfig, SFTTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference

__all__ = [
    "AutoConfig", "AutoModelForCausalLM", "AutoModelForMaskedLM",
    "AutoModelForSequenceClassification", "AutoTokenizer", "DPOConfig", "DataCollatorForPreference",
    "DynamicCache", "DynamicLayer", "GenerationConfig", "IA3Config", "LlamaConfig",
    "LlamaForCausalLM", "LoraConfig", "ModernBertConfig", "ModernBertForMaskedLM", "PeftModel",
    "PreTrainedModel", "PreTrainedTokenizerFast", "PreparedDPOTrainer", "PrinterCallback",
    "ProgressCallback", "RewardConfig", "RewardTrainer", "SFTConfig", "SFTTrainer", "Trainer",
    "TrainerCallback", "TrainingArguments", "adapter_state", "attends_to_all", "attention",
    "checkpoint",
    "dequantized", "fake_tensors", "generating", "get_peft_model", "load_4bit", "load_gguf",
    "number_virtual_tokens", "numbers", "one_gpu", "own_forward", "plain_network", "prompted",
    "quiet", "replace_adapters", "set_adapter_state", "trainable_4bit", "with_layers", "within",
]


DEFAULT = "default"  # PEFT's name for an adapter that was given none
LOGITS = ("logit_scale", "logits_scaling", "final_logit_softcapping")  # Cohere, Granite, Gemma
SPECIAL_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")


def quiet() -> None:
    """No progress bars and no advice from the libraries below; errors still show."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings(  # PEFT asks transformers by an old name
        "ignore", ".*is_gradient_checkpointing", FutureWarning)
    for known in ("Could not find a config file in",  # of a folder that is gone
                  "Position ids are not supported"):  # behind a prompt they follow from its length
        warnings.filterwarnings("ignore", known)
    import datasets

    datasets.disable_progress_bars()


def one_gpu(arguments: TrainingArguments) -> TrainingArguments:
    """One GPU a process: the Trainer would give each it sees a batch of its own, and a step would
    read that many times what was asked for. Several GPUs train with a process each."""
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


class PreparedDPOTrainer(DPOTrainer):
    """TRL's, for rows that are tokens already and know their log-probabilities under the reference.

    Left to itself, TRL (1.16) writes texts out as tokens again, and takes for a reference what
    lies in the folder that the model was once loaded from: of a model tuned since, another one.
    """

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset


def within(network: torch.nn.Module) -> PreTrainedModel:
    """The network inside PEFT's, its adapter in place; one without PEFT, itself.

    Given PEFT's, TRL would add a second adapter as the reference, and leave it there.
    """
    return network.get_base_model() if isinstance(network, PeftModel) else network


def attention(network: PreTrainedModel, kind: str) -> None:
    """Choose how attention is computed: 'eager' (plain matrix products) or 'sdpa' (fused)."""
    network.set_attn_implementation(kind)


def plain_network(model: torch.nn.Module) -> PreTrainedModel | None:
    """The network whose forward pass is its layers and then the output layer, adapters in place;
    None where there is more to it: data-parallel wrappers, prompts in front of the input, logits
    that are scaled or capped."""
    if isinstance(model, PeftModel) and not model.active_peft_config.is_prompt_learning:
        model = model.get_base_model()
    if not isinstance(model, PreTrainedModel):
        return None
    changed = any(getattr(model.config, name, None) not in (None, 1.0) for name in LOGITS)
    return None if changed else model


@contextlib.contextmanager
def own_forward(network: PreTrainedModel) -> Iterator[None]:
    """Inside, TRL may patch the forward pass of a network; after, the network has its own again.

    TRL leaves its patch on the model for good: a copy of the model would run the original's
    weights, for the patch is bound to them. And the Trainer writes the tokenizer's special tokens
    into the config, so that the base of an adapter would no longer be known by its hash.
    """
    holder = network.get_base_model() if hasattr(network, "get_base_model") else network  # PEFT's
    before, config = holder.__dict__.get("forward"), holder.config
    ids = {name: getattr(config, name, None) for name in SPECIAL_IDS}
    try:
        yield
    finally:
        holder.__dict__.pop("forward", None)
        if before is not None:
            holder.forward = before
        for name, value in ids.items():
            setattr(config, name, value)


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


def numbers(weights: torch.nn.Parameter) -> int:
    """How many there are in a parameter; in four bits, two share a byte."""
    return weights.numel() * (2 if weights.dtype == torch.uint8 else 1)


def load_4bit(folder: str, dtype: torch.dtype, device: torch.device) -> PreTrainedModel:
    """A network whose linear layers are NF4, doubly quantised; the rest is of this type.

    On CPUs with AVX512-BF16, bitsandbytes 0.50 repacks a layer's weights at its first forward pass
    in evaluation mode, for a fast kernel without gradients; training after that is silently wrong.
    So that kernel is switched off (measured; generation takes 1.7 times as long).
    """
    settings = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype)
    network = AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=settings, dtype=dtype, device_map={"": device})
    return trainable_4bit(network)


def trainable_4bit(network: PreTrainedModel) -> PreTrainedModel:
    """The network with that kernel switched off; one without four bits, unchanged."""
    for module in network.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return network


def dequantized(network: PreTrainedModel | PeftModel) -> PreTrainedModel | PeftModel:
    """The network in float32 with the values of its four bits, an adapter put back on it."""
    if not isinstance(network, PeftModel):
        network = network.dequantize(dtype=torch.float32).float()
        network.is_loaded_in_4bit = False  # transformers leaves it as it was
        return network
    settings, state = network.active_peft_config, _weights(network)
    made = get_peft_model(dequantized(network.unload()), settings)
    set_peft_model_state_dict(made, state)
    return made


def _weights(network: PeftModel) -> dict[str, torch.Tensor]:
    return get_peft_model_state_dict(network, adapter_name=network.active_adapter,
                                     save_embedding_layers=False)


def prompted(network: PreTrainedModel, tokenizer: PreTrainedTokenizerFast | None, method: str,
             tokens: int, start: str) -> PeftModel:
    """The network with trainable virtual tokens in front of what it reads.

    Prompt tuning adds embeddings, which start as those of `start`; prefix tuning adds keys and
    values to every layer, which start as those that the network itself computes for `start`. (From
    random numbers both begin far off, and a prefix disturbs every layer.)
    """
    kind = PrefixTuningConfig if method == "prefix" else PromptTuningConfig
    made = get_peft_model(network, kind(task_type="CAUSAL_LM", num_virtual_tokens=tokens))
    words = start
    while tokenizer and len(tokenizer(words, add_special_tokens=False)["input_ids"]) < tokens:
        words += " " + start
    if tokenizer and method == "prefix":
        initialize_kv_prefix_from_text(made, tokenizer, text=words, use_chat_template=False)
    elif tokenizer:
        ids = tokenizer(words, add_special_tokens=False)["input_ids"][:tokens]
        table = network.get_input_embeddings().weight
        made.prompt_encoder[made.active_adapter].embedding.weight.data.copy_(table[ids])
    return made if method == "prefix" else _without_prompt(made)


def _without_prompt(network: PeftModel) -> PeftModel:
    """Prompt tuning's logits for the input alone; PEFT also returns those of the virtual tokens."""
    def shorten(module: PeftModel, args: Any, kwargs: dict[str, Any], output: Any) -> Any:
        read = args[0] if args else kwargs.get("input_ids")
        if read is not None and kwargs.get("labels") is None and output.logits is not None:
            output.logits = output.logits[:, -read.shape[1]:]
        return output

    network.register_forward_hook(shorten, with_kwargs=True)
    return network


def adapter_state(network: PeftModel) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The active adapter's weights by the names of PEFT's files, and its configuration."""
    settings = network.active_peft_config.to_dict()
    plain = {key: sorted(value) if isinstance(value, set) else getattr(value, "value", value)
             for key, value in settings.items()}
    plain["base_model_name_or_path"] = None  # a folder of this machine, or one that is gone
    return _weights(network), plain


def set_adapter_state(network: PeftModel, weights: dict[str, torch.Tensor],
                      name: str = DEFAULT) -> None:
    """Give an adapter these weights."""
    set_peft_model_state_dict(network, weights, adapter_name=name)


def replace_adapters(network: PeftModel, adapters: dict[str, dict[str, Any]]) -> None:
    """Put new ones in place of the one a network was made with; the first one answers.

    Args:
        adapters: name → configuration, as `adapter_state` gives it.
    """
    for name, settings in adapters.items():
        network.add_adapter(name, PeftConfig.from_peft_type(**settings))
    network.set_adapter(next(iter(adapters)))
    network.delete_adapter(DEFAULT)


def number_virtual_tokens(network: torch.nn.Module) -> None:
    """Give the virtual tokens of a network without contents their numbers."""
    for name, ids in getattr(network, "prompt_tokens", {}).items():
        network.prompt_tokens[name] = torch.arange(len(ids))


def checkpoint(network: torch.nn.Module) -> None:
    """Keep only each layer's input for the backward pass, and compute the rest again."""
    network.activation_checkpointing_enable({"use_reentrant": False})


def with_layers(config: Any, layers: int) -> Any:
    """A configuration of another depth, and otherwise the same."""
    made = copy.deepcopy(config)
    made.num_hidden_layers = layers
    if getattr(made, "layer_types", None):
        made.layer_types = made.layer_types[:1] * layers
    return made


@contextlib.contextmanager
def fake_tensors() -> Iterator[None]:
    """Inside, tensors have a shape and a type, and no contents."""
    with FakeTensorMode():
        yield


def attends_to_all(network: torch.nn.Module) -> bool:
    """Whether every layer of a network attends to all that was before: no windows, no state."""
    kinds = getattr(network.config, "layer_types", None) or ["full_attention"]
    window = getattr(network.config, "sliding_window", None)
    return set(kinds) == {"full_attention"} and window is None
