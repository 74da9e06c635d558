"""Bits per byte and other likelihoods of text under a causal language model.

*Bits per byte* is the total surprise of a text, -log2 p(each token | the tokens before it), over
its length in UTF-8 bytes. Unlike a loss per token or a perplexity it doesn't depend on how the
tokenizer cuts, so models with different vocabularies can be compared on the same text (Gao et al.
2020, "The Pile", arXiv:2101.00027, section 3.1). It is also a compression rate: 1.6 bits per byte
is what an arithmetic coder driven by the model would need, against 8 uncompressed.

Trade-off: float32 throughout unless asked. bfloat16 autocast is about twice as fast where the
processor has it, and moves the result a little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd

from fmcourse.errors import DataError
from fmcourse.evaluate.windows import (
    as_texts,
    check_objective,
    encode,
    longest_input,
    score_tokens,
)

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel

_LONGEST_SEQUENCE = 2048  # window of `sequence_log_likelihood` when the network states no limit


@overload
def bits_per_byte(model: LanguageModel, texts: Mapping[str, Sequence[str]], context: int = 256,
                  batch: int = 16, stride: int | None = None,
                  dtype: str = "float32") -> dict[str, float]: ...
@overload
def bits_per_byte(model: LanguageModel, texts: Sequence[str], context: int = 256,
                  batch: int = 16, stride: int | None = None, dtype: str = "float32") -> float: ...
def bits_per_byte(model, texts, context=256, batch=16, stride=None, dtype="float32"):
    """Surprise of a model at some texts, in bits per UTF-8 byte; lower is better.

    Each text is one document: the beginning-of-text token is read first and not predicted, and
    nothing carries over from one document to the next. A document longer than `context` tokens
    is read in windows (see `fmcourse.evaluate.windows`); every token counts exactly once.

    Args:
        model: a causal LanguageModel.
        texts: documents (strings, or a dataset with a `text` column), or several named groups.
        context: tokens the model sees at once; compare models only at the same context.
        batch: windows a forward pass; changes the speed, not the result.
        stride: new tokens a window; smaller than `context` re-reads the rest as context.
        dtype: "bfloat16" runs the network under autocast.

    Returns:
        One number, or one a group.

    Raises:
        DataError: no text, or an empty one.
        ModelError: a masked model, no beginning-of-text token, or a context it cannot read.
    """
    check_objective(model, "causal")
    if isinstance(texts, Mapping):
        if not texts:
            raise DataError("There is no group of texts to evaluate.")
        return {name: bits_per_byte(model, group, context, batch, stride, dtype)
                for name, group in texts.items()}
    texts = as_texts(texts)
    nats = score_tokens(model, encode(model.tokenizer, texts), context, stride or context, batch,
                        dtype=dtype)
    return per_byte(nats, texts)


def bits_per_byte_each(model: LanguageModel, texts: Sequence[str], context: int = 256,
                       batch: int = 16, dtype: str = "float32") -> list[float]:
    """Bits per byte of each text alone, as a score of its quality; lower is less surprising.

    Args:
        model, texts, context, batch, dtype: as in `bits_per_byte`.

    Raises:
        DataError, ModelError: as `bits_per_byte`.
    """
    check_objective(model, "causal")
    texts = as_texts(texts)
    nats = score_tokens(model, encode(model.tokenizer, texts), context, context, batch, dtype=dtype)
    return [per_byte([values], [text]) for values, text in zip(nats, texts, strict=True)]


def per_byte(nats: Sequence[np.ndarray], texts: Sequence[str]) -> float:
    """Bits per UTF-8 byte from each text's token losses in nats.

    >>> per_byte([np.log([2.0, 4.0])], ["abé"])  # 1 + 2 bits over 4 bytes
    0.75
    """
    size = sum(len(text.encode("utf-8")) for text in texts)
    return float(sum(values.sum() for values in nats) / np.log(2) / size)


def token_losses(model: LanguageModel, text: str, context: int = 256,
                 stride: int | None = None) -> pd.DataFrame:
    """How surprised the model is by each token of one text, for a heat map.

    Returns:
        A row a token: `token` (as it is written; a piece of a character shows as "�") and
        `nats` (-ln p given what came before).

    Raises:
        DataError: the text is empty.
        ModelError: as `bits_per_byte`.
    """
    check_objective(model, "causal")
    documents = encode(model.tokenizer, as_texts(text))
    nats = score_tokens(model, documents, context, stride or context, batch=16)
    tokens = [model.tokenizer.decode([token]) for token in documents[0].tolist()]
    return pd.DataFrame({"token": tokens, "nats": nats[0]})


def sequence_log_likelihood(model: LanguageModel, texts: Sequence[str] | str,
                            completions: Sequence[str] | None = None,
                            batch: int = 16) -> list[float]:
    """ln p of whole texts, or of completions given their prompts; nats, higher is likelier.

    A token may straddle the end of the prompt ("is " + "Paris" reads as " is", " Paris"). So
    prompt and completion are tokenised together, and scoring starts where the tokens of the
    prompt and of *all* its completions stop being the same: candidates for one prompt are scored
    from the same character on, and their difference is fair.

    Args:
        model: a causal LanguageModel.
        texts: whole texts; or, with `completions`, one prompt shared by all of them or a prompt
            for each.
        completions: texts that continue the prompts, leading space included.
        batch: texts a forward pass.

    Returns:
        A sum over tokens for each text (or completion), in order.

    Raises:
        DataError: an empty text or completion, or prompts and completions that don't pair up.
        ModelError: as `bits_per_byte`.
    """
    check_objective(model, "causal")
    if completions is None:
        documents = encode(model.tokenizer, as_texts(texts))
        starts = [0] * len(documents)
    else:
        documents, starts = join(model, texts, as_texts(completions))
    context = longest_input(model) or _LONGEST_SEQUENCE
    nats = score_tokens(model, documents, context, max(1, context // 2), batch)
    return [-float(values[start:].sum()) for values, start in zip(nats, starts, strict=True)]


def join(model: LanguageModel, prompts: Sequence[str] | str,
         completions: list[str]) -> tuple[list[np.ndarray], list[int]]:
    """Tokens of prompt + completion, and the index that the scoring of each starts from.

    Raises:
        DataError: prompts and completions don't pair up.
    """
    prompts = [prompts] * len(completions) if isinstance(prompts, str) else list(prompts)
    if len(prompts) != len(completions):
        raise DataError(f"{len(prompts)} prompts do not pair with {len(completions)} completions.",
                        fix="Pass one prompt for all, or one for each completion.")
    joined = encode(model.tokenizer, [prompt + rest for prompt, rest in zip(prompts, completions,
                                                                  strict=True)])
    distinct = [prompt for prompt in dict.fromkeys(prompts) if prompt]
    alone = dict(zip(distinct, encode(model.tokenizer, distinct) if distinct else [], strict=True))
    shared = {"": 0}
    for prompt, tokens in zip(prompts, joined, strict=True):
        if prompt:
            agreed = _agreement(alone[prompt], tokens)
            shared[prompt] = min(shared.get(prompt, agreed), agreed)
    return joined, [shared[prompt] for prompt in prompts]


def _agreement(one: np.ndarray, other: np.ndarray) -> int:
    """Number of leading tokens that are the same.

    >>> _agreement(np.array([1, 2, 3]), np.array([1, 2, 4, 5]))
    2
    """
    size = min(len(one), len(other))
    differing = np.flatnonzero(one[:size] != other[:size])
    return int(differing[0]) if len(differing) else size
