"""What a model has learnt by heart: given the beginning of a text, does it write the rest?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fmcourse.errors import DataError
from fmcourse.evaluate.accuracy import right_guesses
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
