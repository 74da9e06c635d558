"""A model as one GGUF file, which llama.cpp, Ollama and LM Studio run, and back.

The layout is that of llama.cpp's `convert_hf_to_gguf.py` (its class LlamaModel): its names for
tensors, rows of queries and keys in its order of rotary positions, and vocabulary, merges and chat
template as metadata. That script is no package, and ours can be read in a lesson. The price: only
plain Llamas, with a byte-level tokenizer that splits text in a way llama.cpp has a name for. For
all others, there is the script.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType, LlamaFileType, TokenType
from tokenizers import pre_tokenizers

from fmcourse import store
from fmcourse.errors import ModelError, meant
from fmcourse.models import LanguageModel, compat

OTHERWISE = "Export the plain folder (--to hf), and use llama.cpp's convert_hf_to_gguf.py on it."
TYPES = {  # dtype → format of matrices, and llama.cpp's number for such a file
    "float32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    "float16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "bfloat16": (GGMLQuantizationType.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0)}
BLOCK = 32  # weights that share a scale in Q8_0
# llama.cpp's name for a way to split text → `tokenizers`' steps; the last one is GPT-2's pattern.
SPLITS = {"smollm": ["Digits", "ByteLevel"], "gpt-2": ["ByteLevel"]}


def write_gguf(model: LanguageModel, path: Path | str, dtype: str = "float32") -> Path:
    """Write a GGUF file, whole or not at all.

    Args:
        model: a Llama without an adapter (`models.merged` adds one into the weights).
        dtype: of matrices, a name of `TYPES`; vectors stay in float32, as llama.cpp has it.

    Raises:
        ModelError: another architecture or kind of positions, or a tokenizer that llama.cpp would
            not split as it is split here.
    """
    path = Path(path)
    _check(model, dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=store.PARTIAL, dir=path.parent) as draft:
        writer = gguf.GGUFWriter(Path(draft, "model"), "llama")
        writer.add_name(model.name)
        writer.add_file_type(TYPES[dtype][1])
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        _add_shape(writer, model.network.config)
        _add_tokenizer(writer, model)
        for name, values, kind in _tensors(model, TYPES[dtype][0]):
            writer.add_tensor(name, values, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        Path(draft, "model").replace(path)
    return path


def open_gguf(path: Path | str) -> LanguageModel:
    """A file that `write_gguf` has written, as a model in float32.

    Raises:
        ModelError: it cannot be opened.
    """
    path = Path(path)
    compat.quiet()
    try:
        facts = metadata(path)
        network, tokenizer = compat.load_gguf(path)
    except Exception as error:  # a damaged file fails in each library's own way
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"This file cannot be opened: {said}", where=path,
                         fix="Export the model again.") from error
    if facts["tokenizer.ggml.pre"] == "gpt-2":  # `load_gguf` splits digits, as SmolLM2 wants it
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
            add_prefix_space=False, use_regex=True)
    return LanguageModel(network.eval(), tokenizer, facts["general.name"])


def metadata(path: Path | str) -> dict[str, Any]:
    """What a GGUF file says of its model, by llama.cpp's names, as the `gguf` package reads it."""
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


def permuted(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key matrix in llama.cpp's order of rotary positions.

    Transformers rotates feature i with i + half of a head; llama.cpp rotates neighbours. Within
    each head, the two halves are interleaved.

    Args:
        rows: (heads · width, features).

    >>> permuted(np.array([[0], [1], [2], [3]]), heads=1).ravel().tolist()
    [0, 2, 1, 3]
    """
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def _check(model: LanguageModel, dtype: str) -> None:
    if dtype not in TYPES:
        raise ModelError(f"There is no type {dtype!r} for a GGUF file.", where="dtype",
                         fix=meant(dtype, TYPES))
    config = model.network.config
    if not isinstance(model.network, compat.LlamaForCausalLM):
        raise ModelError(f"Only a Llama can be written, and this is a "
                         f"{type(model.network).__name__}.", where=model.name, fix=OTHERWISE)
    if config.rope_parameters["rope_type"] != "default" or config.hidden_act != "silu" or (
            config.attention_bias or config.mlp_bias):
        raise ModelError("Its positions are scaled, or it has biases or another activation.",
                         where=model.name, fix=OTHERWISE)
    if dtype == "q8_0" and (config.hidden_size % BLOCK or config.intermediate_size % BLOCK):
        raise ModelError(f"Its rows cannot be cut into blocks of {BLOCK} weights.",
                         where=model.name, fix="Use float16.")


def _add_shape(writer: gguf.GGUFWriter, config: Any) -> None:
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def _tensors(model: LanguageModel, kind: GGMLQuantizationType
             ) -> Iterator[tuple[str, np.ndarray, GGMLQuantizationType]]:
    """Every tensor by llama.cpp's name; an output layer that is the embedding is left out."""
    config = model.network.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for ours, tensor in model.network.state_dict().items():
        if ours == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = tensor.float().cpu().numpy()
        layer = ours.split(".")[-2]
        if layer in heads:
            values = permuted(values, heads[layer])
        name = names.get_name(ours, try_suffixes=(".weight",))
        form = kind if values.ndim > 1 else GGMLQuantizationType.F32
        yield name, gguf.quants.quantize(values, form), form


def _add_tokenizer(writer: gguf.GGUFWriter, model: LanguageModel) -> None:
    tokenizer, size = model.tokenizer, model.network.config.vocab_size
    told = json.loads(tokenizer.backend_tokenizer.to_str())
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_split(told, model.name))
    known = {number: text for text, number in tokenizer.get_vocab().items()}
    added = {one["id"]: TokenType.CONTROL if one["special"] else TokenType.USER_DEFINED
             for one in told["added_tokens"]}
    writer.add_token_list([known.get(i, f"[PAD{i}]") for i in range(size)])
    writer.add_token_types([added.get(i, TokenType.NORMAL) if i in known else TokenType.UNUSED
                            for i in range(size)])
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one)
                             for one in told["model"]["merges"]])
    for kind in ("bos", "eos", "pad", "unk"):
        number = getattr(tokenizer, f"{kind}_token_id")
        if number is not None:
            getattr(writer, f"add_{kind}_token_id")(number)
    writer.add_add_bos_token(tokenizer("a").input_ids[0] == tokenizer.bos_token_id)
    writer.add_add_eos_token(False)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)
        ends = model.ends()  # a turn's end comes first; see `models.with_chat`
        writer.add_eot_token_id(ends[0] if isinstance(ends, list) else ends)


def _split(told: dict[str, Any], name: str) -> str:
    """llama.cpp's name for the way a tokenizer splits text before it looks for tokens."""
    split = told["pre_tokenizer"] or {}
    steps = split.get("pretokenizers", [split])
    kinds = [step.get("type") for step in steps]
    plain = (told["model"]["type"] == "BPE" and not told["normalizer"]
             and all(step.get("individual_digits", True) and step.get("use_regex", True)
                     and not step.get("add_prefix_space", False) for step in steps))
    found = next((one for one, known in SPLITS.items() if known == kinds), None)
    if not plain or found is None:
        raise ModelError("llama.cpp may split text for this tokenizer otherwise than it does.",
                         where=name, fix=OTHERWISE)
    return found
