"""The two records of training text: a document to go on reading, a question with its answer.

Continued pre-training takes `{"text": …}` and grades every token. Fine-tuning takes
`{"prompt": …, "completion": …}` and grades the completion alone: the prompt is read, not learnt.
(On AWS, checked November 2026: Nova's continued pre-training takes `{"text": …}`, older Titan
records were `{"input": …}`; supervised fine-tuning takes prompt and completion, or messages.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from fmcourse.data.card import card, with_card
from fmcourse.data.chat import IGNORE, chat_tokens
from fmcourse.errors import DataError

_SENTENCE = re.compile(r"(.{20,300}?[.!?])(?=\s|$)", re.S)


def operation_pairs(dataset: Dataset) -> Dataset:
    """Records for fine-tuning, made of AWS documentation: what an operation does, in a sentence.

    Args:
        dataset: a part of `data.domain("aws")`.

    Returns:
        Columns `prompt`, `completion` (the documentation's first sentence), `document`, `service`,
        `text` (both together) and `page` (the whole text it was taken from).

    Raises:
        DataError: no operation in it has a sentence.
    """
    rows = []
    for row in dataset:
        _, _, about = row["text"].partition("\n\n")
        sentence = _SENTENCE.match(about)
        if row["kind"] == "operation" and sentence:
            prompt = f"What does {row['name']} of {row['service']} do?"
            rows.append({"prompt": prompt, "completion": sentence[1],
                         "document": row["document"], "service": row["service"],
                         "text": f"{prompt}\n{sentence[1]}", "page": row["text"]})
    if not rows:
        raise DataError("No operation here has a sentence about it.", where=card(dataset).name,
                        fix="Use a part of data.domain('aws').")
    entry = card(dataset).step("question-answer pairs", len(rows), len(dataset) - len(rows))
    return with_card(Dataset.from_list(rows), entry)


def graded_share(records: Dataset, tokenizer: PreTrainedTokenizerFast) -> float:
    """The share of the tokens of several records that are graded, opening tokens left out."""
    masks = [graded(record, tokenizer)["graded"][1:] for record in records]
    return float(sum(mask.sum() for mask in masks) / sum(map(len, masks)))


def graded(record: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast) -> pd.DataFrame:
    """Token by token, what counts in the loss when a model is trained on a record.

    Args:
        record: with `text` (every token counts); with `prompt` and `completion` (which are
            joined by a line end; only the completion counts, and the token that ends it); or
            with `messages` (only the assistant's count, and the ends of its turns).
        tokenizer: the model's.

    Returns:
        Columns `token` and `graded` (bool). The opening token is not: nothing precedes it, unless
        another document is packed in front.

    Raises:
        DataError: the record is of neither kind.
    """
    if "messages" in record:
        coded = chat_tokens(record["messages"], tokenizer)
        return pd.DataFrame({"token": [tokenizer.decode([token]) for token in coded["input_ids"]],
                             "graded": [label != IGNORE for label in coded["labels"]]})
    if "completion" in record and "prompt" in record:
        read, scored = record["prompt"] + "\n", record["completion"] + tokenizer.eos_token
    elif "text" in record:
        read, scored = "", record["text"]
    else:
        raise DataError("A record has text, prompt and completion, or messages, not "
                        f"{', '.join(record)}.", where="data.graded",
                        fix='Use {"text": …}, {"prompt": …, "completion": …} or {"messages": …}.')
    halves = [tokenizer(half, add_special_tokens=False).input_ids for half in (read, scored)]
    tokens = [tokenizer.decode([token]) for half in halves for token in half]
    mask = [False] * len(halves[0]) + [True] * len(halves[1])
    return pd.DataFrame({"token": [tokenizer.bos_token, *tokens], "graded": [False, *mask]})
