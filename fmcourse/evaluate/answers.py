"""How surprised a model is by the right replies, given what they reply to.

The same quantity that fine-tuning lowers, measured on conversations it has not seen; per byte, so
that models with different tokenizers can be compared. It says whether a model *could* have given
the reply, not whether it would: for that, let it answer and check (`instruction_rate`).
"""

from __future__ import annotations

import math

import numpy as np
from datasets import Dataset

from fmcourse.data.chat import IGNORE, chat_tokens, reply_spans
from fmcourse.errors import DataError
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
    check_objective(model, "causal")
    if "messages" not in records.column_names or not len(records):
        raise DataError("There are no conversations to evaluate.", where="reply_bits_per_byte",
                        fix="Use records with a column messages.")
    model = with_chat(model)
    opening, documents, graded, size = document_start(model), [], [], 0
    for messages in records["messages"]:
        coded = chat_tokens(messages, model.tokenizer)
        first = int(coded["input_ids"][0] == opening)  # it is given, not predicted
        documents.append(np.array(coded["input_ids"][first:]))
        graded.append(np.array(coded["labels"][first:]) != IGNORE)
        text, spans = reply_spans(messages, model.tokenizer)
        size += sum(len(text[begin:end].encode()) for begin, end in spans)
    nats = score_tokens(model, documents, model.context, max(1, model.context // 2), batch,
                        dtype=dtype)
    total = sum(float(values[mask].sum()) for values, mask in zip(nats, graded, strict=True))
    return total / math.log(2) / size
