"""Conversations as tokens: written out by the model's chat template, the replies marked.

A chat template turns a list of messages into the one text that a model reads. In fine-tuning only
the assistant's replies are graded, and the token that ends each of them; else a model learns to
ask, or never to stop. Which characters those are is found by writing the conversation out twice,
up to a reply and with it. So any template will do: the `{% generation %}` marks that TRL's own
mask needs are missing from most (equal to TRL's where they are there, tested).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from fmcourse.data.card import card, with_card
from fmcourse.errors import DataError, ModelError

IGNORE = -100  # a label that does not count, as everywhere in PyTorch
Message = Mapping[str, str]  # role (system, user, assistant) and content


def written(messages: Sequence[Message], tokenizer: PreTrainedTokenizerFast,
            to_be_answered: bool = False) -> str:
    """A conversation as the one text that the model reads.

    Args:
        to_be_answered: end with the opening of the assistant's next turn.

    Raises:
        ModelError: the tokenizer has no chat template, or its template refuses the messages.
    """
    if not tokenizer.chat_template:
        raise ModelError("The tokenizer has no chat template.", where="data.written",
                         fix="models.with_chat(model) gives it one.")
    try:
        return tokenizer.apply_chat_template(
            [dict(message) for message in messages], tokenize=False,
            add_generation_prompt=to_be_answered)
    except Exception as error:  # templates refuse with errors of Jinja's, of several kinds
        raise ModelError(f"The chat template refuses this conversation: {error}",
                         where="data.written",
                         fix="Let user and assistant take turns, after at most one system "
                             "message.") from error


def reply_spans(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerFast
) -> tuple[str, list[tuple[int, int]]]:
    """The written conversation, and where in it (from, to) the assistant's replies are.

    A reply begins where the model would have begun to write it, and ends with the end of its turn,
    that is before the white space that templates put between turns.

    Raises:
        ModelError: no template, or one that rewrites earlier messages when later ones come.
        DataError: nothing here was said by the assistant.
    """
    text, spans = written(messages, tokenizer), []
    for turn, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = written(messages[:turn], tokenizer, to_be_answered=True)
        after = written(messages[:turn + 1], tokenizer)
        if not after.startswith(before):
            raise ModelError("This chat template writes a prompt differently once it is answered.",
                             where="tokenizer.chat_template",
                             fix="Replace it, or train on single turns that it leaves alone.")
        if not text.startswith(after):
            raise ModelError("This chat template rewrites earlier messages when more is said.",
                             where="tokenizer.chat_template",
                             fix="Replace it, or train on single turns.")
        spans.append((len(before), len(after.rstrip())))
    if not spans:
        raise DataError("Nothing in this conversation is said by the assistant.",
                        where="data.reply_spans", fix="End it with the reply that is wanted.")
    return text, spans


def chat_tokens(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerFast
) -> dict[str, Any]:
    """A conversation as `text`, `input_ids` and `labels`: the same ids where graded, else -100.

    Raises:
        DataError: a message holds one of the tokenizer's special tokens, and so could pass for
            the end of a turn; or there is no reply.
        ModelError: as `reply_spans`.
    """
    for message in messages:
        if forged := [t for t in tokenizer.all_special_tokens if t in message["content"]]:
            raise DataError(f"A message holds {forged[0]}, which marks turns or ends texts.",
                            where=f"{message['role']}: {message['content'][:60]!r}",
                            fix="Remove it, or spell it otherwise.")
    text, spans = reply_spans(messages, tokenizer)
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True,
                      verbose=False)  # too long is said by whoever asked
    labels = [token if any(begin < end_of and start_of < end for start_of, end_of in spans)
              else IGNORE
              for token, (begin, end) in zip(coded.input_ids, coded.offset_mapping, strict=True)]
    return {"text": text, "input_ids": coded.input_ids, "labels": labels}


def conversations_in(records: Dataset, where: str) -> list[Sequence[Message]]:
    """The conversations of records, as they are: lists of {role, content}.

    Args:
        where: who asks, for the error.

    Raises:
        DataError: no column `messages`.
    """
    if "messages" not in records.column_names:
        raise DataError("These records have no conversations.", where=where,
                        fix="A column messages: a list of {role, content} for each record.")
    return records["messages"][:]


def chat_rows(records: Dataset, tokenizer: PreTrainedTokenizerFast, max_length: int) -> Dataset:
    """Conversations ready for training; those that are too long are left out, and counted.

    A conversation cut at the end would teach a reply without its end, so none is cut.

    Args:
        records: with a column `messages`.
        tokenizer: of the model, with a chat template.
        max_length: tokens of the longest conversation that is kept.

    Returns:
        Columns `text`, `input_ids` and `labels`; the last step on its card says how many were
        left out.

    Raises:
        DataError: no column `messages`, or nothing is short enough.
        ModelError: no chat template, or one that cannot be trained with.
    """
    rows = [chat_tokens(messages, tokenizer)
            for messages in conversations_in(records, "data.chat_rows")]
    kept = [row for row in rows if len(row["input_ids"]) <= max_length]
    if not kept:
        raise DataError(f"None of {len(rows)} conversations has {max_length} tokens or fewer.",
                        where=card(records).name, fix="Shorten them, or raise max_length.")
    step = card(records).step("written out", len(kept), len(rows) - len(kept),
                              f"(longer than {max_length} tokens left out)")
    return with_card(Dataset.from_list(kept), step)


def left_out(rows: Dataset) -> int:
    """How many conversations `chat_rows` left out."""
    return int(card(rows).steps[-1]["dropped"])


def conversation(prompt: str, completion: str, system: str = "") -> list[dict[str, Any]]:
    """A prompt and its answer as messages.

    >>> [message["role"] for message in conversation("Hello", "Hi.", system="Be brief.")]
    ['system', 'user', 'assistant']
    """
    opening = [{"role": "system", "content": system}] if system else []
    return [*opening, {"role": "user", "content": prompt},
            {"role": "assistant", "content": completion}]
