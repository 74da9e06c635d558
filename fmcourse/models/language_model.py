"""A language model: a network that predicts tokens, with its tokenizer; what it does with texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from fmcourse.errors import ModelError
from fmcourse.models.compat import (
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    generating,
)
from fmcourse.models.stored import Stored


@dataclass
class LanguageModel(Stored):
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
