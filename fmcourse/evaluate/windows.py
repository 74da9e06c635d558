"""Texts cut into windows, batched, and scored token by token: the engine under every measure.

A document of any length is cut so that *every token is predicted exactly once*. Each window is the
beginning-of-text token (BOS) followed by at most `context` - 1 tokens of the document; its last
`stride` positions are scored. With `stride == context` (the default) windows share nothing and the
measure costs one reading; with a smaller stride a window re-reads earlier tokens as context, so
tokens near a cut are predicted better and the measure costs `context / stride` readings.

Trade-off: whole logits are computed one micro-batch at a time, whose size follows from the
vocabulary, instead of splitting the network before its output matrix. That holds the memory down
with a vocabulary of 49k, and is right for any architecture, adapters and soft prompts included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from fmcourse.errors import DataError, ModelError
from fmcourse.models.stored import evaluating

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from fmcourse.models import LanguageModel

_BATCH_LOGITS = 2**26  # logits alive at once: 256 MB in float32
_CHUNK_LOGITS = 2**20  # logits normalised at once: 4 MB, which stays in a core's cache
_IGNORED = -100

# (rows, vocabulary) float32 logits, (rows,) targets → (rows,) values
Score = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Window:
    """Inputs of one row, and which tokens of which document its last positions predict."""

    document: int
    start: int  # index, in the document, of the first token it predicts
    inputs: np.ndarray  # (length,) int64, BOS first
    targets: np.ndarray  # (scored,) int64: the document's tokens from `start` on


def as_texts(texts: Sequence[str] | str) -> list[str]:
    """A list of texts from a list, one text, or a dataset with a `text` column.

    Raises:
        DataError: nothing there, something that is not text, or an empty text.
    """
    if isinstance(texts, str):
        texts = [texts]
    elif "text" in getattr(texts, "column_names", []):
        texts = texts["text"]
    texts = list(texts)
    if not texts:
        raise DataError("There is no text to evaluate.", fix="Pass at least one document.")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"A text must be a string, not {type(text).__name__}.",
                            where=f"text {index}")
        if not text:
            raise DataError("An empty text has no tokens to predict and no bytes to divide by.",
                            where=f"text {index}", fix="Drop empty texts first.")
    return texts


def encode(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[np.ndarray]:
    """Token ids of each text, BOS not included. List of (tokens,) int64.

    Raises:
        DataError: the tokenizer makes no token at all of a text.
    """
    # verbose=False: no advice about texts longer than the model reads, they are cut later.
    rows = tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False,
                     verbose=False)["input_ids"]
    for index, row in enumerate(rows):
        if not row:
            raise DataError("The tokenizer makes no token of this text.",
                            where=f"text {index}: {texts[index]!r:.60}")
    return [np.array(row, dtype=np.int64) for row in rows]


def document_start(model: LanguageModel) -> int:
    """Id of the token that opens every document.

    Raises:
        ModelError: the tokenizer names none.
    """
    if model.tokenizer.bos_token_id is None:
        raise ModelError("The tokenizer has no beginning-of-text token, so the first token of a "
                         "text cannot be predicted.", fix="Set model.tokenizer.bos_token.")
    return model.tokenizer.bos_token_id


def mask_token(model: LanguageModel) -> int:
    """Id of the token that hides another.

    Raises:
        ModelError: the tokenizer names none.
    """
    if model.tokenizer.mask_token_id is None:
        raise ModelError("The tokenizer has no mask token.", fix="Set model.tokenizer.mask_token.")
    return model.tokenizer.mask_token_id


def longest_input(model: LanguageModel) -> int | None:
    """Number of positions the network was built for, if it says so."""
    return getattr(model.network.config, "max_position_embeddings", None)


def check_objective(model: LanguageModel, objective: str) -> None:
    """Refuse a masked model where a causal one is needed, and the other way round.

    Raises:
        ModelError: the model has the other objective.
    """
    if model.objective != objective:
        raise ModelError(f"This measure needs a {objective} model; this one is {model.objective}.",
                         where=getattr(model, "name", None))


def check_context(model: LanguageModel, context: int, stride: int) -> None:
    """Refuse windows that the network cannot read or that would skip tokens.

    Raises:
        ModelError: `context` is longer than the network's positions.
        DataError: `stride` is not in 1 … `context`.
    """
    longest = longest_input(model)
    if longest is not None and context > longest:
        raise ModelError(f"A context of {context} tokens does not fit this model.",
                         where=getattr(model, "name", None), fix=f"Use at most {longest}.")
    if not 1 <= stride <= context:
        raise DataError(f"A stride of {stride} would skip or never reach tokens.",
                        fix=f"Use 1 to {context} (the context).")


def cut(document: int, tokens: np.ndarray, bos: int, context: int, stride: int) -> list[Window]:
    """Windows of one document. Tokens (n,) are each the target of exactly one window.

    >>> [(w.inputs.tolist(), w.targets.tolist())
    ...  for w in cut(0, np.array([1, 2, 3, 4, 5]), bos=0, context=3, stride=2)]
    [([0, 1, 2], [1, 2, 3]), ([0, 3, 4], [4, 5])]
    """
    windows, start, scored = [], 0, context
    while start < len(tokens):
        targets = tokens[start:start + scored]
        opening = start + scored - context  # first token that is re-read
        inputs = np.concatenate(([bos], tokens[opening:start + len(targets) - 1]))
        windows.append(Window(document, start, inputs, targets))
        start, scored = start + scored, stride
    return windows


def precision(model: LanguageModel, dtype: str) -> AbstractContextManager:
    """Autocast to `dtype`, or nothing for float32.

    Raises:
        DataError: a number format that is none of the three.
    """
    if dtype not in ("float32", "bfloat16", "float16"):
        raise DataError(f"{dtype!r} is not a number format to evaluate in.",
                        fix='Use "float32", "bfloat16" or "float16".')
    if dtype == "float32":
        return nullcontext()
    return torch.autocast(model.device.type, dtype=getattr(torch, dtype))


def negative_log_probability(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """-ln p(target) of each row, in nats; 0 where the target is ignored. (rows,)"""
    return torch.nn.functional.cross_entropy(logits, targets, reduction="none",
                                             ignore_index=_IGNORED)


def score_tokens(model: LanguageModel, documents: Sequence[np.ndarray], context: int, stride: int,
                 batch: int, score: Score = negative_log_probability,
                 dtype: str = "float32") -> list[np.ndarray]:
    """Value of `score` for every token of every document, in order. List of (tokens,) float64.

    Args:
        documents: token ids without BOS, as `encode` gives them.
        batch: windows a forward pass at most; fewer when the vocabulary is large.
        dtype: "bfloat16" or "float16" run the network under autocast. Logits are normalised in
            float32 whatever it is.
    """
    check_context(model, context, stride)
    bos = document_start(model)
    windows = [window for index, tokens in enumerate(documents)
               for window in cut(index, tokens, bos, context, stride)]
    windows.sort(key=lambda window: len(window.inputs))  # rows of like length: little padding
    values = [np.zeros(len(tokens)) for tokens in documents]
    with evaluating(model.network), precision(model, dtype):
        while windows:
            a_row = len(windows[-1].inputs) * model.network.config.vocab_size
            size = max(1, min(batch, _BATCH_LOGITS // a_row))
            some, windows = windows[-size:], windows[:-size]
            for window, row in zip(some, _score_batch(model, some, bos, score), strict=True):
                end, scored = len(window.inputs), len(window.targets)
                values[window.document][window.start:window.start + scored] = row[end - scored:end]
    return values


def _score_batch(model: LanguageModel, windows: Sequence[Window], filler: int,
                 score: Score) -> np.ndarray:
    """Values at every position of the batch, padding included. (windows, time)

    Padding is on the right, where a causal network cannot see it from any real position, so no
    attention mask is needed and attention takes its fast path.
    """
    shape = (len(windows), max(len(window.inputs) for window in windows))
    inputs, targets = np.full(shape, filler), np.full(shape, _IGNORED)
    for row, window in enumerate(windows):
        end = len(window.inputs)
        inputs[row, :end] = window.inputs
        targets[row, end - len(window.targets):end] = window.targets
    logits = model.network(torch.from_numpy(inputs).to(model.device), use_cache=False).logits
    logits = logits[:, -shape[1]:].flatten(0, 1)  # (windows · time, vocabulary); soft prompts off
    aims = torch.from_numpy(targets).flatten().to(model.device)
    size = max(1, _CHUNK_LOGITS // logits.shape[1])
    parts = [score(some.float(), aim)
             for some, aim in zip(logits.split(size), aims.split(size), strict=True)]
    # to the CPU first: Apple's GPU has no float64
    return torch.cat(parts).cpu().double().numpy().reshape(shape)
