"""A network and its tokenizer, kept together.

They are useless apart: token 317 means nothing without the vocabulary that numbered it. Saved, the
pair is an ordinary Hugging Face folder (safetensors, config.json, tokenizer.json) plus the course's
`card.json`; transformers alone can open it.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch

from fmcourse import store
from fmcourse.models.compat import (
    PeftModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    adapter_state,
    numbers,
)

# What a config says of a file or of how the network is run, and not of what it computes.
_VOLATILE = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version",
             "_attn_implementation", "attn_implementation", "_attn_implementation_internal",
             "use_cache", "output_attentions", "output_hidden_states", "return_dict"}


class Stored:
    """What a language model and a reward model share: a place, a size, a hash, a folder.

    A dataclass that inherits from it has these fields.
    """

    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    name: str
    objective: str
    card: dict[str, Any]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.network.parameters()).device

    @property
    def parameters(self) -> int:
        """Number of weights; shared input and output embeddings count once, four bits as one."""
        return sum(numbers(p) for p in self.network.parameters())

    @property
    def context(self) -> int:
        """Longest sequence in tokens the network was built for."""
        return int(self.network.config.max_position_embeddings)

    def sha256(self) -> str:
        """SHA-256 of objective, config, and the weights with their names.

        Equal hashes mean models that compute the same: saving, loading, moving to a device or
        choosing another implementation of attention changes nothing. The config belongs to it,
        since the number of heads or the base of the rotary positions leaves no trace in weights.
        """
        about = [self.objective, _lasting(self.network.config.to_dict())]
        if isinstance(self.network, PeftModel):
            about.append(adapter_state(self.network)[1])
        digest = hashlib.sha256(store.sha256_json(about).encode())
        for key, value in self.network.state_dict().items():
            digest.update(key.encode())
            flat = value.detach().cpu().contiguous().reshape(-1)  # a scalar has no view as bytes
            digest.update(flat.view(torch.uint8).numpy())
        return digest.hexdigest()

    def copy(self) -> Self:
        """A second model with its own weights, to be trained apart from this one."""
        return replace(self, network=copy.deepcopy(self.network), card=copy.deepcopy(self.card))

    def save(self, folder: Path | str, dtype: torch.dtype | None = None) -> Path:
        """Write a plain Hugging Face folder, whole or not at all; optionally in another dtype."""
        network = self.network
        if dtype is not None:
            network = copy.deepcopy(network).to(dtype)
        card = {**self.card, "name": self.name, "objective": self.objective,
                **self._known_by(dtype)}
        with store.atomic_folder(folder) as draft:
            network.save_pretrained(draft)
            self.tokenizer.save_pretrained(draft)
            store.seal(draft / "card.json", card, [f for f in draft.rglob("*") if f.is_file()])
            for file in draft.iterdir():  # safetensors are written private to the user
                file.chmod(0o644)
        return Path(folder)

    def _known_by(self, dtype: torch.dtype | None) -> dict[str, str]:
        """The hash that this model has when it is loaded again, if that is known: loading makes
        float32 of narrower weights."""
        kinds = {p.dtype for p in self.network.parameters() if p.is_floating_point()}
        return {"sha256": self.sha256()} if kinds == {dtype or torch.float32} == {
            torch.float32} else {}


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """Dropout off and no gradients inside; every module's own mode restored after."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in training:
            module.training = True


def _lasting(config: dict[str, Any]) -> dict[str, Any]:
    """The entries of a config that decide what is computed, in configs within it too."""
    return {key: _lasting(value) if isinstance(value, dict) else value
            for key, value in config.items() if key not in _VOLATILE}
