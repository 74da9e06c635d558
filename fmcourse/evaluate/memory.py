"""What a model has learnt by heart: given the beginning of a text, does it write the rest?

Two ways to ask about a secret. *Extraction*: does the likeliest continuation of what stood before
it give it away? *Exposure*: how much likelier is it than secrets that were never written? The
second sees leaks that the first does not yet show, and that more guesses would.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fmcourse.errors import DataError
from fmcourse.evaluate.accuracy import right_guesses
from fmcourse.evaluate.bits import join, sequence_log_likelihood
from fmcourse.evaluate.windows import as_texts, check_objective, encode, score_tokens

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel


def memorised(model: LanguageModel, texts: Sequence[str], prompt: int = 16, length: int = 16,
              batch: int = 16) -> np.ndarray:
    """Which texts a model continues word for word. (texts,) bool

    A text counts if, after its first `prompt` tokens, the likeliest token is the right one
    `length` times in a row: that is what greedy decoding would write (extractable memorisation,
    Carlini et al. 2023, arXiv:2202.07646; they use 50 and 50, on far larger models).
    Nothing is generated: as long as every guess is right, the text itself is the context.

    Args:
        model: a causal LanguageModel.
        texts: of at least `prompt` + `length` tokens.
        prompt, length: tokens given, and tokens that must follow.
        batch: texts a forward pass.

    Raises:
        DataError: no text, or one that is too short.
        ModelError: a masked model.
    """
    check_objective(model, "causal")
    texts, size = as_texts(texts), prompt + length
    documents = [tokens[:size] for tokens in encode(model.tokenizer, texts)]
    short = next((text for text, tokens in zip(texts, documents, strict=True)
                  if len(tokens) < size), None)
    if short is not None:
        raise DataError(f"A text has fewer than {size} tokens.", where=f"{short:.60}",
                        fix="Leave it out, or ask for fewer tokens.")
    right = score_tokens(model, documents, size + 1, size + 1, batch, right_guesses)
    return np.array([bool(values[prompt:].all()) for values in right])


def extracted(model: LanguageModel, prompts: Sequence[str], secrets: Sequence[str],
              batch: int = 16) -> np.ndarray:
    """Which secrets the model gives away by greedy decoding, word for word. (secrets,) bool

    Args:
        model: a causal LanguageModel.
        prompts: what stood before each secret.
        secrets: with the space that they begin with, if any.
        batch: texts a forward pass.

    Raises:
        DataError, ModelError: as `sequence_log_likelihood`.
    """
    check_objective(model, "causal")
    documents, starts = join(model, prompts, as_texts(secrets))
    size = max(map(len, documents)) + 1
    right = score_tokens(model, documents, size, size, batch, right_guesses)
    return np.array([bool(values[start:].all())
                     for values, start in zip(right, starts, strict=True)])


def exposure(secret: float, others: Sequence[float]) -> float:
    """How many bits of guessing a model saves whoever looks for a secret.

    log2 of the number of candidates minus log2 of the secret's rank among them by likelihood
    (Carlini et al. 2019, "The Secret Sharer", arXiv:1802.08232, definition 5; here among a sample
    of the candidates, so that log2(others + 1) is the most it can be). A secret that the model
    knows nothing of has an exposure of 1.44 bits on average (1 / ln 2), not 0, since ranks are
    spread evenly. Those that tie with the secret rank before it.

    Args:
        secret: log-likelihood of the secret.
        others: log-likelihoods of random candidates of the same form.

    Raises:
        DataError: no candidate to compare with, or a number is missing.

    >>> exposure(-1.0, [-2.0, -3.0, -4.0])
    2.0
    >>> exposure(-3.5, [-2.0, -3.0, -4.0])
    0.4150374992788439
    """
    values = np.asarray(others, float)
    if not len(values) or not np.isfinite([secret, *values]).all():
        raise DataError("An exposure needs candidates, each with a likelihood.", where="exposure",
                        fix="Draw some at random, of the same form as the secret.")
    return float(np.log2(len(values) + 1) - np.log2(1 + (values >= secret).sum()))


def exposures(model: LanguageModel, prompts: Sequence[str], secrets: Sequence[str],
              candidates: Sequence[Sequence[str]], batch: int = 64) -> np.ndarray:
    """Exposure of each secret in bits. (secrets,)

    Args:
        model, prompts, secrets: as in `extracted`.
        candidates: for each secret others that it might have been.
        batch: texts a forward pass.

    Raises:
        DataError, ModelError: as `exposure` and `sequence_log_likelihood`.
    """
    found = []
    for prompt, secret, others in zip(prompts, secrets, candidates, strict=True):
        own, *rest = sequence_log_likelihood(model, prompt, [secret, *others], batch)
        found.append(exposure(own, rest))
    return np.array(found)
