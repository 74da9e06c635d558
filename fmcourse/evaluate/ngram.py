"""N-gram language models: what counting alone achieves, the baseline under every network.

Interpolated modified Kneser–Ney (Chen & Goodman 1999, "An empirical study of smoothing
techniques for language modeling"), with KenLM's conventions (Heafield et al. 2013): a document
opens with one beginning-of-text symbol that is context but never predicted, n-grams that start
with it keep their raw counts, and the unigrams are interpolated with the uniform distribution, so
every token has some probability. `order=1` is the unigram baseline.

An n-gram is identified by a number: its rank among the distinct pairs (number of its first n-1
tokens, last token). Counting is then sorting integers, one order after the other, and all of it
is numpy. Trade-off: everything is in memory, about 40 bytes a distinct n-gram; no pruning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate.bits import per_byte
from fmcourse.evaluate.windows import as_texts, encode

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from fmcourse.data import TokenFile

# Where counts are too few to estimate discounts from: KenLM's --discount_fallback.
_FALLBACK = (0.5, 1.0, 1.5)
_UNSEEN = -1


@dataclass(frozen=True)
class _Level:
    """All distinct n-grams of one order n ≥ 2, sorted by context, then by last token."""

    keys: np.ndarray  # (ngrams,) int64: number of the context · (vocabulary + 1) + last token
    kept: np.ndarray  # (ngrams,) discounted count over the total of its context
    passed: np.ndarray  # (contexts,) mass left to the shorter context; 1 if nothing followed


class NGram:
    """Interpolated modified Kneser–Ney model over token ids.

    Args:
        order: longest n-gram, 1 to 5: the context is `order` - 1 tokens.

    Raises:
        ModelError: `order` is outside 1 … 5.

    >>> model = NGram(2).fit([[0, 1, 0, 1], [0, 1]], vocab_size=3)
    >>> model.distribution([0]).round(3).tolist()  # 1 has followed 0 three times out of three
    [0.25, 0.667, 0.083]
    """

    def __init__(self, order: int):
        if not 1 <= order <= 5:
            raise ModelError(f"An n-gram model of order {order} is not offered.",
                             fix="Use an order from 1 to 5.")
        self.order = order
        self.vocab_size = 0

    def fit(self, documents: Sequence[Sequence[int]] | TokenFile, vocab_size: int) -> NGram:
        """Count the n-grams of tokenised documents.

        Args:
            documents: token ids of each document without the beginning-of-text token, or a
                TokenFile made by `fmcourse.data.tokens`.
            vocab_size: number of ids the tokenizer can produce.

        Returns:
            Itself.

        Raises:
            DataError: no tokens, or an id outside the vocabulary.
        """
        self.vocab_size = vocab_size
        tokens, position = self._stream(documents)
        raw = np.bincount(tokens[position > 0], minlength=vocab_size + 1)
        keys = np.arange(vocab_size + 1)  # the number of a unigram is its id
        numbers = tokens  # (tokens,) number of the n-gram that ends here
        self._levels: list[_Level] = []
        for order in range(2, self.order + 1):
            ends = np.flatnonzero(position >= order - 1)
            below, raw_below, numbers_below = keys, raw, numbers
            keys, first, inverse, raw = np.unique(
                self._pairs(numbers_below[ends - 1], tokens[ends]),
                return_index=True, return_inverse=True, return_counts=True)
            counts_below = _continuations(numbers_below[ends[first]], raw_below)
            self._store(order - 1, below, counts_below)
            numbers = np.full(len(tokens), _UNSEEN)
            numbers[ends] = inverse
        self._store(self.order, keys, raw)
        return self

    def nats(self, documents: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """-ln p of every token of every document, in nats. List of (tokens,) float64.

        Raises:
            ModelError: the model has not been fitted.
            DataError: as `fit`.
        """
        if not self.vocab_size:
            raise ModelError("This n-gram model has counted nothing yet.", fix="Call fit first.")
        tokens, position = self._stream(documents)
        probability = self._unigram[np.minimum(tokens, self.vocab_size - 1)]  # BOS is cut below
        numbers = tokens
        for order, level in enumerate(self._levels, start=2):
            ends = np.flatnonzero(position >= order - 1)
            contexts = numbers[ends - 1]
            ends, contexts = ends[contexts != _UNSEEN], contexts[contexts != _UNSEEN]
            pairs = self._pairs(contexts, tokens[ends])
            found = np.searchsorted(level.keys, pairs)
            seen = np.append(level.keys, _UNSEEN)[found] == pairs
            probability[ends] *= level.passed[contexts]
            probability[ends[seen]] += level.kept[found[seen]]
            numbers = np.full(len(tokens), _UNSEEN)
            numbers[ends[seen]] = found[seen]
        starts = np.flatnonzero(position == 0)
        return np.split(-np.log(probability[position > 0]),
                        starts[1:] - np.arange(1, len(starts)))

    def bits_per_byte(self, texts: Mapping[str, Sequence[str]] | Sequence[str],
                      tokenizer: PreTrainedTokenizerFast) -> dict[str, float] | float:
        """Surprise in bits per UTF-8 byte, defined as in `evaluate.bits_per_byte`.

        Args:
            texts: documents, or several named groups of them.
            tokenizer: the one that made the documents the model was fitted to.

        Returns:
            One number, or one a group.

        Raises:
            DataError: no text, or an empty one.
            ModelError: the model has not been fitted.
        """
        if isinstance(texts, Mapping):
            return {name: self.bits_per_byte(group, tokenizer) for name, group in texts.items()}
        texts = as_texts(texts)
        return per_byte(self.nats(encode(tokenizer, texts)), texts)

    def distribution(self, context: Sequence[int]) -> np.ndarray:
        """Probability of every token after the first tokens of a document. (vocabulary,)

        An empty context is the beginning of a document.
        """
        reach = list(context[max(0, len(context) - self.order + 1):])
        candidates = [[*reach, token] for token in range(self.vocab_size)]
        return np.exp([-values[-1] for values in self.nats(candidates)])

    def _stream(self, documents: Sequence[Sequence[int]] | TokenFile
                ) -> tuple[np.ndarray, np.ndarray]:
        """All documents end to end, each opened by BOS = `vocab_size`, and places in them (int)."""
        if hasattr(documents, "starts"):
            tokens, starts = np.array(documents.ids, dtype=np.int64), np.asarray(documents.starts)
        else:
            pieces = [np.asarray(document, dtype=np.int64) for document in documents]
            lengths = np.array([len(piece) + 1 for piece in pieces], dtype=np.int64)
            starts = np.cumsum(lengths) - lengths
            tokens = np.concatenate([part for piece in pieces for part in ([0], piece)] or [[]])
            tokens = tokens.astype(np.int64)
        if len(tokens) == len(starts):
            raise DataError("There are no tokens to count.", fix="Pass at least one document.")
        tokens[starts] = 0
        if tokens.min() < 0 or tokens.max() >= self.vocab_size:
            raise DataError(f"Token id {tokens.max()} is outside a vocabulary of "
                            f"{self.vocab_size}.", fix="Pass len(tokenizer) as vocab_size.")
        tokens[starts] = self.vocab_size
        lengths = np.diff(np.append(starts, len(tokens)))
        return tokens, np.arange(len(tokens)) - np.repeat(starts, lengths)

    def _pairs(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        return contexts * (self.vocab_size + 1) + tokens

    def _store(self, order: int, keys: np.ndarray, counts: np.ndarray) -> None:
        """Turn the counts of one order into probabilities."""
        taken = _discounts(counts)[np.minimum(counts, 3)]  # (ngrams,)
        if order == 1:
            uniform = taken.sum() / self.vocab_size
            self._unigram = (counts - taken + uniform)[:-1] / counts.sum()
            self._contexts = len(counts)
            return
        contexts = keys // (self.vocab_size + 1)
        total = np.bincount(contexts, weights=counts, minlength=self._contexts)
        freed = np.bincount(contexts, weights=taken, minlength=self._contexts)
        passed = np.divide(freed, total, out=np.ones(self._contexts), where=total > 0)
        self._levels.append(_Level(keys, (counts - taken) / total[contexts], passed))
        self._contexts = len(keys)


def _continuations(suffixes: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Kneser–Ney counts: how many different tokens an n-gram has been seen after. (ngrams,)

    Args:
        suffixes: for each distinct (n+1)-gram, the number of its last n tokens.
        raw: occurrences of each n-gram, kept where nothing can come before (a document starts).
    """
    before = np.bincount(suffixes, minlength=len(raw))
    return np.where(before > 0, before, raw)


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What to take from counts of 0, 1, 2 and 3 or more (Chen & Goodman 1999, equation 26). (4,)"""
    n1, n2, n3, n4 = (int((counts == n).sum()) for n in (1, 2, 3, 4))
    if n1 and n2 and n3 and n4:
        y = n1 / (n1 + 2 * n2)
        found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if all(0 < taken <= n for n, taken in enumerate(found, start=1)):
            return np.array([0, *found])
    return np.array([0, *_FALLBACK])
