"""How surprised a model is by the right replies, given what they reply to; which it has by heart.

The same quantity that fine-tuning lowers, measured on conversations it has not seen; per byte, so
that models with different tokenizers can be compared. It says whether a model *could* have given
the reply, not whether it would: for that, let it answer and check (`instruction_rate`). Where the
replies were trained on, `recited` tells which of them it gives word for word.
"""

from __future__ import annotations

import math

import numpy as np
from datasets import Dataset

from fmcourse.data.chat import IGNORE, chat_tokens, reply_spans
from fmcourse.errors import DataError
from fmcourse.evaluate.accuracy import right_guesses
from fmcourse.evaluate.windows import check_objective, document_start, score_tokens
from fmcourse.models import LanguageModel, with_chat


def reply_bits_per_byte(model: LanguageModel, records: Dataset, batch: int = 32,
                        dtype: str = "float32") -> float:
    """Bits per byte of the assistant's replies in conversations; lower is better.

    The ends of turns are predicted too, and count as part of the replies. A conversation longer
    than the model's context is read in windows.

    Args:
        model: a causal model; without a chat template it reads ours.
        records: with a column `messages`.
        batch: conversations a forward pass, at most.
        dtype: as in `bits_per_byte`.

    Raises:
        DataError: no conversations.
        ModelError: a masked model, or a template that cannot be used.
    """
    model, documents, graded = _read(model, records, "reply_bits_per_byte")
    size = 0
    for messages in records["messages"]:
        text, spans = reply_spans(messages, model.tokenizer)
        size += sum(len(text[begin:end].encode()) for begin, end in spans)
    nats = score_tokens(model, documents, model.context, max(1, model.context // 2), batch,
                        dtype=dtype)
    total = sum(float(values[mask].sum()) for values, mask in zip(nats, graded, strict=True))
    return total / math.log(2) / size


def recited(model: LanguageModel, records: Dataset, batch: int = 32) -> np.ndarray:
    """Which conversations' replies a model gives word for word. (records,) bool

    True where, after each prompt, the likeliest token is the right one all the way to the turn's
    end: what greedy decoding would write. Of pairs that were trained on it is the share learnt by
    heart; some replies can be guessed, so ask it of unseen pairs too. See also `memorised`, which
    is about the beginning of any text.

    Args:
        model: a causal model; without a chat template it reads ours.
        records: with a column `messages`.
        batch: conversations a forward pass, at most.

    Raises:
        DataError: no conversations.
        ModelError: a masked model, or a template that cannot be used.
    """
    model, documents, graded = _read(model, records, "recited")
    right = score_tokens(model, documents, model.context, max(1, model.context // 2), batch,
                         right_guesses)
    return np.array([bool(values[mask].all())
                     for values, mask in zip(right, graded, strict=True)])


def _read(model: LanguageModel, records: Dataset, where: str
          ) -> tuple[LanguageModel, list[np.ndarray], list[np.ndarray]]:
    """The model with a template; each conversation's tokens, and which of them are graded."""
    check_objective(model, "causal")
    if "messages" not in records.column_names or not len(records):
        raise DataError("There are no conversations to evaluate.", where=where,
                        fix="Use records with a column messages.")
    model = with_chat(model)
    opening, documents, graded = document_start(model), [], []
    for messages in records["messages"]:
        coded = chat_tokens(messages, model.tokenizer)
        first = int(coded["input_ids"][0] == opening)  # it is given, not predicted
        documents.append(np.array(coded["input_ids"][first:]))
        graded.append(np.array(coded["labels"][first:]) != IGNORE)
    return model, documents, graded
