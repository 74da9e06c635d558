"""A plain Hugging Face folder that releases 4 and 5 of transformers open alike.

Release 5 writes some settings under new names. Release 4, which Amazon Bedrock imports with and
many servers still run, either stops at them (the tokenizer's class) or, worse, does not see them
and takes its defaults: rotary positions of the wrong base, and nobody is told. So they are written
under the names that both know. Tried with 4.51.3 and 5.23: the same tokens and logits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fmcourse import store
from fmcourse.models import LanguageModel

TOKENIZER = "PreTrainedTokenizerFast"


def write_folder(model: LanguageModel, folder: Path, dtype: torch.dtype) -> None:
    """Write network and tokenizer, with their chat template, into a folder.

    Args:
        model: without an adapter; it is not changed.
        dtype: of the weights in the file.
    """
    network = model.network if dtype == torch.float32 else model.copy().network.to(dtype)
    network.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    for name, change in (("config.json", portable_config),
                         ("tokenizer_config.json", portable_tokenizer)):
        store.write_json(folder / name, change(store.read_json(folder / name)))
    for file in folder.iterdir():  # safetensors are written private to the user
        file.chmod(0o644)


def portable_config(config: dict[str, Any]) -> dict[str, Any]:
    """A config with positions and dtype under their old names, which release 5 reads as well.

    >>> portable_config({"rope_parameters": {"rope_theta": 1e5, "rope_type": "default"}})
    {'rope_theta': 100000.0}
    """
    made = {"torch_dtype" if key == "dtype" else key: value for key, value in config.items()}
    rope = made.get("rope_parameters")
    if isinstance(rope, dict) and "rope_theta" in rope:  # else each kind of layer has its own
        scaled = {key: value for key, value in rope.items() if key != "rope_theta"}
        del made["rope_parameters"]
        made["rope_theta"] = rope["rope_theta"]
        if scaled.get("rope_type", "default") != "default":
            made["rope_scaling"] = scaled
    return made


def portable_tokenizer(config: dict[str, Any]) -> dict[str, Any]:
    """A tokenizer's config with a class and a list of special tokens that release 4 knows.

    >>> portable_tokenizer({"tokenizer_class": "TokenizersBackend", "is_local": True,
    ...                     "extra_special_tokens": ["<|im_start|>"]})
    {'tokenizer_class': 'PreTrainedTokenizerFast', 'additional_special_tokens': ['<|im_start|>']}
    """
    here = ("backend", "is_local", "local_files_only")  # of the machine it was opened on
    made = {key: value for key, value in config.items() if key not in here}
    if made.get("tokenizer_class") == "TokenizersBackend":
        made["tokenizer_class"] = TOKENIZER
    if isinstance(made.get("extra_special_tokens"), list):
        made["additional_special_tokens"] = made.pop("extra_special_tokens")
    return made
