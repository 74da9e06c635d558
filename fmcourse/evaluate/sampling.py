"""What a model writes: seeded samples from a causal model, filled blanks from a masked one.

Sampling runs through transformers' `generate` (key–value cache, left padding, adapters and soft
prompts included) with one addition: the random numbers are drawn beforehand, one row a prompt,
and each picks its token by inverting the cumulative distribution. So a sample depends on its
prompt, the seed and its place in the list, not on the batch size, the device or other random
numbers drawn in between, and two models given the same seed face the same dice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate.windows import (
    check_objective,
    document_start,
    evaluating,
    longest_input,
    mask_token,
)
from fmcourse.models.compat import generating

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel

MASK = "[MASK]"


class _Dice(LogitsProcessor):
    """Leaves one token possible: the one that the prepared random numbers pick.

    Args:
        numbers: (rows, steps) uniform in [0, 1).
        prompt: length of the padded prompts, to tell the step.
    """

    def __init__(self, numbers: np.ndarray, prompt: int, temperature: float, top_k: int | None):
        self.numbers, self.prompt = numbers, prompt
        self.temperature, self.top_k = temperature, top_k

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        size = scores.shape[-1]
        best = scores.float().topk(min(self.top_k or size, size))  # (rows, top_k), descending
        if self.temperature == 0:
            picked = best.indices[:, :1]
        else:
            values = best.values.cpu().double()  # on the CPU, because Apple's GPU has no float64
            weights = torch.softmax(values / self.temperature, dim=-1).cumsum(-1)
            step = torch.from_numpy(self.numbers[:, input_ids.shape[1] - self.prompt, None])
            # Rounding can leave the last sum under the number drawn: scale the number instead.
            place = torch.searchsorted(weights, step * weights[:, -1:], right=True)
            place = place.clamp(max=weights.shape[1] - 1).to(best.indices.device)
            picked = best.indices.gather(1, place)
        return torch.full_like(scores, -torch.inf).scatter(1, picked, 0.0)


def sample(model: LanguageModel, prompts: Sequence[str] | str, tokens: int = 40,
           temperature: float = 0.8, top_k: int | None = 50, seed: int = 0,
           batch: int = 32) -> pd.DataFrame:
    """Continue each prompt with up to `tokens` sampled tokens.

    Args:
        model: a causal LanguageModel.
        prompts: texts to continue; "" starts a document from nothing.
        tokens: most tokens to add; a sample ends earlier where the model ends the document.
        temperature: divides the logits; 0 always takes the likeliest token.
        top_k: only this many likeliest tokens may be drawn; None for all.
        seed: same seed, same prompts, same samples.
        batch: prompts a forward pass; changes the speed, not the result.

    Returns:
        A row a prompt, in order: `prompt`, `text` (the continuation alone), `tokens` (how many
        were added) and `ended` (whether the model ended the document itself).

    Raises:
        DataError: no prompts, a temperature below 0, or settings that ask for nothing.
        ModelError: a masked model, or prompt and continuation don't fit its context.
    """
    check_objective(model, "causal")
    prompts = [prompts] if isinstance(prompts, str) else list(prompts)
    if not prompts or tokens < 1 or temperature < 0 or (top_k is not None and top_k < 1):
        raise DataError("There is nothing to sample.", where="sample", fix="Pass a prompt, tokens "
                        "and top_k of at least 1, and a temperature of at least 0.")
    rows = _prompt_tokens(model, prompts, tokens)
    numbers = np.stack([np.random.default_rng([seed, place]).random(tokens)
                        for place in range(len(rows))])
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    written: dict[int, list[int]] = {}
    with evaluating(model.network):
        for begin in range(0, len(order), batch):
            places = order[begin:begin + batch]
            new = _generate(model, [rows[place] for place in places], numbers[places],
                            temperature, top_k)
            written.update(zip(places, new, strict=True))
    return _table(model, prompts, [written[place] for place in range(len(rows))])


def _prompt_tokens(model: LanguageModel, prompts: list[str], room: int) -> list[list[int]]:
    """Token ids of each prompt, after BOS unless it opens with a special token (a chat)."""
    bos, longest = document_start(model), longest_input(model)
    rows = model.tokenizer(prompts, add_special_tokens=False, verbose=False)["input_ids"]
    special = {token for token, added in model.tokenizer.added_tokens_decoder.items()
               if added.special}
    rows = [row if special.intersection(row[:1]) else [bos, *row] for row in rows]
    for prompt, row in zip(prompts, rows, strict=True):
        if longest is not None and len(row) + room > longest:
            raise ModelError(f"A prompt of {len(row)} tokens and {room} new ones do not fit this "
                             f"model's context of {longest}.", where=f"{prompt!r:.60}",
                             fix="Shorten the prompt or ask for fewer tokens.")
    return rows


def _generate(model: LanguageModel, rows: list[list[int]], numbers: np.ndarray,
              temperature: float, top_k: int | None) -> list[list[int]]:
    """Token ids added to each row, the end-of-text token included where there is one."""
    longest, end = max(map(len, rows)), model.tokenizer.eos_token_id
    inputs = torch.full((len(rows), longest), model.tokenizer.bos_token_id)
    seen = torch.zeros_like(inputs)
    for place, row in enumerate(rows):
        inputs[place, longest - len(row):] = torch.tensor(row)
        seen[place, longest - len(row):] = 1
    settings = GenerationConfig(
        max_new_tokens=numbers.shape[1], do_sample=False, num_beams=1, repetition_penalty=1.0,
        eos_token_id=end, pad_token_id=model.tokenizer.bos_token_id if end is None else end)
    dice = LogitsProcessorList([_Dice(numbers, longest, temperature, top_k)])
    with generating(model.network, settings):
        output = model.network.generate(
            input_ids=inputs.to(model.device), attention_mask=seen.to(model.device),
            generation_config=settings, logits_processor=dice)
    new = output[:, longest:].tolist()
    return [row[:row.index(end) + 1] if end in row else row for row in new]


def _table(model: LanguageModel, prompts: list[str], written: list[list[int]]) -> pd.DataFrame:
    end = model.tokenizer.eos_token_id
    ended = [row[-1:] == [end] for row in written]
    bodies = [row[:-1] if over else row for row, over in zip(written, ended, strict=True)]
    return pd.DataFrame({"prompt": prompts, "text": [model.tokenizer.decode(body)
                                                     for body in bodies],
                         "tokens": [len(body) for body in bodies], "ended": ended})


def fill_in(model: LanguageModel, text: str, top: int = 5) -> pd.DataFrame:
    """What a masked model puts in the blanks of a text, reading both sides of each.

    Args:
        model: a masked LanguageModel.
        text: holds one or more "[MASK]" (or the tokenizer's own mask token).
        top: likeliest tokens to list for each blank.

    Returns:
        `top` rows a blank, likeliest first: `blank` (0, 1, …), `token` as it is written (most
        begin with the space before the word) and `probability`.

    Raises:
        DataError: no blank in the text.
        ModelError: a causal model, or a text longer than its context.
    """
    check_objective(model, "masked")
    mask = mask_token(model)
    pieces = text.replace(model.tokenizer.mask_token, MASK).split(MASK)
    if len(pieces) == 1:
        raise DataError("There is no blank to fill.", where=f"{text!r:.60}",
                        fix=f"Write {MASK} where a word is missing.")
    # A word's token holds the space before it, so the blank takes that space along.
    pieces = [piece.removesuffix(" ") for piece in pieces[:-1]] + pieces[-1:]
    row = [document_start(model)]
    for piece in pieces:
        row += [*model.tokenizer(piece, add_special_tokens=False)["input_ids"], mask]
    row.pop()  # no blank after the last piece
    longest = longest_input(model)
    if longest is not None and len(row) > longest:
        raise ModelError(f"A text of {len(row)} tokens does not fit this model's context of "
                         f"{longest}.", fix="Shorten the text.")
    inputs = torch.tensor([row])
    with evaluating(model.network):
        logits = model.network(inputs.to(model.device)).logits[0].float().cpu()
    best = torch.softmax(logits[inputs[0] == mask], dim=-1).topk(top)  # (blanks, top)
    return pd.DataFrame({"blank": np.repeat(np.arange(len(best.values)), top),
                         "token": [model.tokenizer.decode([token])
                                   for token in best.indices.flatten().tolist()],
                         "probability": best.values.flatten().tolist()})
