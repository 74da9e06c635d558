"""How often a model's first guess at a hidden token is right: next tokens and filled blanks.

The two objectives cannot be compared by loss: a causal model predicts every token from the left
alone, a masked one a few hidden tokens from both sides. The share of right first guesses is a
unit that both have, and the gap between them is what the right-hand side is worth (with fewer
tokens to learn from in each training text: only the hidden ones).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from fmcourse.errors import DataError
from fmcourse.evaluate.windows import (
    as_texts,
    check_context,
    check_objective,
    document_start,
    encode,
    evaluating,
    mask_token,
    score_tokens,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from fmcourse.data import TokenFile
    from fmcourse.models import LanguageModel


def next_token_accuracy(model: LanguageModel, texts: Sequence[str], context: int = 256,
                        batch: int = 16) -> float:
    """Share of tokens that a causal model's first guess gets right, from the left alone.

    Windows are those of `bits_per_byte`: every token of every text counts once.

    Raises:
        DataError: no text, or an empty one.
        ModelError: a masked model, or a context it cannot read.
    """
    check_objective(model, "causal")
    texts = as_texts(texts)
    hits = score_tokens(model, encode(model.tokenizer, texts), context, context, batch,
                        right_guesses)
    return float(np.concatenate(hits).mean())


def masked_accuracy(model: LanguageModel, texts: Sequence[str], seed: int = 0,
                    share: float = 0.15, context: int = 256, batch: int = 16) -> float:
    """Share of hidden tokens that a masked model's first guess gets right, from both sides.

    In each window of `context` - 1 tokens a random `share` (at least one) is replaced by the
    mask token, always: not left as it is or swapped for another token, as training may do.

    Args:
        model: a masked LanguageModel.
        texts: documents.
        seed: which tokens are hidden; the choice depends on nothing else but the texts.
        share: of the tokens that is hidden, above 0 and at most 1.

    Raises:
        DataError: no text, an empty one, or a share that hides nothing.
        ModelError: a causal model, or a context it cannot read.
    """
    check_objective(model, "masked")
    check_context(model, context, context)
    if not 0 < share <= 1 or context < 2:
        raise DataError(f"Nothing can be hidden with a share of {share} and a context of "
                        f"{context}.", fix="Use a share above 0 (at most 1), a context above 1.")
    rows = _hidden(model, encode(model.tokenizer, as_texts(texts)), seed, share, context)
    rows.sort(key=lambda row: len(row[0]))
    right = total = 0
    with evaluating(model.network):
        for begin in range(0, len(rows), batch):
            hits = _guess(model, rows[begin:begin + batch])
            right, total = right + int(hits.sum()), total + len(hits)
    return right / total


def favourite_accuracy(train: TokenFile, texts: Sequence[str],
                       tokenizer: PreTrainedTokenizerFast) -> float:
    """Share of right guesses by always naming the training text's most frequent token.

    The baseline of the other accuracies here: what knowing word frequencies alone is worth.

    Raises:
        DataError: no text, or an empty one.
    """
    favourite = np.bincount(train.ids).argmax()
    return float((np.concatenate(encode(tokenizer, as_texts(texts))) == favourite).mean())


def one_blank_accuracy(model: LanguageModel, texts: Sequence[str], right_side: bool = True,
                       seed: int = 0, blanks: int = 1000, context: int = 128,
                       batch: int = 32) -> float:
    """Share of lone blanks that a masked model fills rightly, with or without what follows.

    Each blank is the only one in its window. Without the right side the window ends at the blank,
    as if the text stopped there: the comparison shows whether the model uses what comes later.

    Args:
        model: a masked LanguageModel.
        texts: documents.
        right_side: let the model see what follows the blank.
        seed: which tokens are hidden; the same ones with and without the right side.
        blanks: at most so many.

    Raises:
        DataError: no text, or an empty one.
        ModelError: a causal model, or a context it cannot read.
    """
    check_objective(model, "masked")
    check_context(model, context, context)
    documents = encode(model.tokenizer, as_texts(texts))
    random, rows = np.random.default_rng(seed), []
    for window, _ in _hidden(model, documents, seed, 0.01, context):
        place = int(random.integers(1, len(window)))
        end = len(window) if right_side else place + 1
        rows.append((window[:end], np.arange(end) == place))
    rows = [rows[i] for i in random.permutation(len(rows))[:blanks]]
    rows.sort(key=lambda row: len(row[0]))
    with evaluating(model.network):
        hits = [_guess(model, rows[i:i + batch]) for i in range(0, len(rows), batch)]
    return float(torch.cat(hits).float().mean())


def right_guesses(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (logits.argmax(dim=-1) == targets).float()


def _hidden(model: LanguageModel, documents: list[np.ndarray], seed: int, share: float,
            context: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Windows, BOS first, each with which of its positions are to be hidden (bool)."""
    rows = []
    for index, tokens in enumerate(documents):
        random = np.random.default_rng([seed, index])
        for begin in range(0, len(tokens), context - 1):
            window = np.append(document_start(model), tokens[begin:begin + context - 1])
            chosen = np.zeros(len(window), dtype=bool)
            count = max(1, round(share * (len(window) - 1)))
            chosen[1 + random.permutation(len(window) - 1)[:count]] = True
            rows.append((window, chosen))
    return rows


def _guess(model: LanguageModel, rows: list[tuple[np.ndarray, np.ndarray]]) -> torch.Tensor:
    """Whether the first guess at each hidden token of a batch is right. (hidden,)"""
    shape = (len(rows), max(len(window) for window, _ in rows))
    tokens, hidden, seen = np.zeros(shape, np.int64), np.zeros(shape, bool), np.zeros(shape, int)
    for place, (window, chosen) in enumerate(rows):
        tokens[place, :len(window)] = window
        hidden[place, :len(window)] = chosen
        seen[place, :len(window)] = 1
    where = torch.from_numpy(hidden).to(model.device)
    truth = torch.from_numpy(tokens).to(model.device)
    inputs = truth.masked_fill(where, mask_token(model))
    logits = model.network(inputs, attention_mask=torch.from_numpy(seen).to(model.device)).logits
    return logits[where].argmax(dim=-1) == truth[where]
