"""A network and its tokenizer, kept together.

They are useless apart: token 317 means nothing without the vocabulary that numbered it. Saved, the
pair is an ordinary Hugging Face folder (safetensors, config.json, tokenizer.json) plus the course's
`card.json`; transformers alone can open it.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from fmcourse import store
from fmcourse.errors import ModelError
from fmcourse.models.compat import (
    GenerationConfig,
    PeftModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    adapter_state,
    generating,
    numbers,
)

# What a config says of a file or of how the network is run, and not of what it computes.
_VOLATILE = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version",
             "_attn_implementation", "attn_implementation", "_attn_implementation_internal",
             "use_cache", "output_attentions", "output_hidden_states", "return_dict"}


@dataclass
class LanguageModel:
    """A network with its tokenizer, a name, its training objective and its card.

    Attributes:
        network: any causal or masked language model of transformers.
        tokenizer: a fast tokenizer; `bos_token_id` opens every text.
        objective: 'causal' or 'masked'.
        card: facts about its training, stored beside the weights.
    """

    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    name: str
    objective: str = "causal"
    card: dict[str, Any] = field(default_factory=dict)

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

    def copy(self) -> LanguageModel:
        """A second model with its own weights, to be trained apart from this one."""
        return LanguageModel(copy.deepcopy(self.network), self.tokenizer, self.name,
                             self.objective, copy.deepcopy(self.card))

    def in_dtype(self, dtype: str) -> LanguageModel:
        """A copy with weights of another type, to answer with and not to train.

        In bfloat16 SmolLM2 writes twice as fast on a CPU that has it; some words may differ.

        Args:
            dtype: of torch, such as 'bfloat16'; `hardware.detect().dtype` is the fast one here.

        Raises:
            ModelError: torch has no such floating-point type.
        """
        kind = getattr(torch, dtype, None)
        if not isinstance(kind, torch.dtype) or not kind.is_floating_point:
            raise ModelError(f"There are no weights of type {dtype!r}.", where=self.name,
                             fix="Use 'float32', 'bfloat16' or 'float16'.")
        made = self.copy()
        made.network.to(kind)
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The network's forward pass; token ids of shape (batch, time) in, logits out."""
        return self.network(*args, **kwargs)

    def __repr__(self) -> str:
        return (f"LanguageModel({self.name!r}, {self.parameters / 1e6:.1f} M parameters, "
                f"{self.objective}, vocabulary {len(self.tokenizer):,}, {self.device})")

    @torch.inference_mode()
    def generate(
        self,
        prompts: str | Sequence[str],
        tokens: int = 40,
        temperature: float = 0.8,
        top_k: int = 50,
        seed: int = 0,
    ) -> str | list[str]:
        """Continue one prompt or several; returns only the new text.

        The settings are these alone: what a model's own `generation_config` says of temperature
        or penalties is left out, so that two models are asked in the same way.

        Args:
            prompts: a text, or a batch of texts (padded on the left, as generation needs).
            tokens: at most so many new tokens; stops early at end of text.
            temperature: 0 takes the likeliest token each time; 1 samples as predicted.
            top_k: sample among the k likeliest only.
            seed: of the sampling. The global random state is left alone.

        Raises:
            ModelError: a masked model cannot continue a text; or the longest prompt and the new
                tokens together exceed the model's context.
        """
        if self.objective != "causal":
            raise ModelError("A masked model fills blanks; it cannot continue a text.",
                             where=self.name, fix="Use evaluate.fill_in, or a causal model.")
        if tokens < 1 or temperature < 0:
            raise ModelError(f"{tokens} new tokens at temperature {temperature} is not possible.",
                             where=self.name, fix="At least one token; a temperature from 0 up.")
        single = isinstance(prompts, str)
        rows = [prompts] if single else list(prompts)
        if not rows:
            return []
        batch = self.left_padded(rows)
        longest = batch["input_ids"].shape[1]
        self._check_room(longest, tokens)
        choice = {"do_sample": False} if temperature == 0 else {
            "do_sample": True, "temperature": temperature, "top_k": top_k}
        settings = GenerationConfig(max_new_tokens=tokens, pad_token_id=self.padding(),
                                    eos_token_id=self.ends(), **choice)
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices), generating(self.network, settings):
            torch.manual_seed(seed)
            output = self.network.generate(**batch, generation_config=settings)
        texts = self.tokenizer.batch_decode(output[:, longest:], skip_special_tokens=True)
        return texts[0] if single else texts

    def _check_room(self, prompt: int, tokens: int) -> None:
        """Refuse more tokens than the network has positions for; it would write nonsense."""
        limit = getattr(self.network.config, "max_position_embeddings", None)
        if limit is None or prompt + tokens <= limit:
            return
        room = limit - prompt
        fix = f"Ask for at most {room} tokens, or shorten the prompt." if room > 0 else (
            "Shorten the prompt.")
        raise ModelError(f"After a prompt of {prompt} tokens, {max(room, 0)} new ones fit this "
                         f"model's context of {limit}, not {tokens}.", where=self.name, fix=fix)

    def ends(self) -> int | list[int] | None:
        """Where a text stops: what the model itself says (a chat model may name several)."""
        own = self.network.generation_config.eos_token_id
        return self.tokenizer.eos_token_id if own is None else own

    def padding(self) -> int:
        """The token that fills up short rows; any will do, since it is masked."""
        named = (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id)
        return next((token for token in named if token is not None), 0)

    def left_padded(self, prompts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Token ids and attention mask, both (batch, longest), padding on the left."""
        rows = [self.tokenizer(p, add_special_tokens=False).input_ids for p in prompts]
        opening = self.tokenizer.bos_token_id
        if opening is not None:  # every text opens with it, unless it already does
            rows = [row if row[:1] == [opening] else [opening, *row] for row in rows]
        longest = max(map(len, rows))
        ids = torch.full((len(rows), longest), self.padding())
        mask = torch.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, longest - len(row):] = torch.tensor(row)
            mask[i, longest - len(row):] = 1
        return {"input_ids": ids.to(self.device), "attention_mask": mask.to(self.device)}

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


def _lasting(config: dict[str, Any]) -> dict[str, Any]:
    """The entries of a config that decide what is computed, in configs within it too."""
    return {key: _lasting(value) if isinstance(value, dict) else value
            for key, value in config.items() if key not in _VOLATILE}
