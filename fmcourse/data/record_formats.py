"""The formats of conversations to fine-tune on, read strictly into one: a list of messages.

Three are known: a prompt with its completion (also Amazon Bedrock's older format), messages (as
OpenAI and TRL have them) and Bedrock's conversations. A record that is almost right is refused and
told what is wrong, never mended by a guess: nobody looks at record 4,711 again after training.
`Format` is what a format is, here and in the modules beside this one; `formats` knows them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fmcourse.data.record_checks import (
    SCHEMA,
    Message,
    RecordError,
    check_keys,
    check_list,
    check_text,
    located,
    near,
    renamed,
    type_name,
)
from fmcourse.data.record_turns import ROLES, spoken, turns
from fmcourse.data.strict_json import Path, parse, quoted

BEDROCK_DATA = "https://docs.aws.amazon.com/bedrock/latest/userguide/"
SAGEMAKER = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
_EXAMPLE = 'Write {"prompt": …, "completion": …} or {"messages": […]}.'


def _whole(record: dict[str, Any]) -> None:
    """The parts of a record of most formats say all that it does."""


@dataclass(frozen=True)
class Format:
    """A format of records.

    Attributes:
        name: what the command line calls it.
        title: what messages call it.
        kind: what its records hold: a "conversation", a "preference" or a "text".
        sources: pages with its rules.
        parts: what a parsed record says, as messages in order: each with its role (in records
            without roles, the name of the part) and its content. Raises `RecordError` at a fault.
        record: such messages as a record; undoes `parts`. Raises `RecordError` where this format
            has no place for them. None: nothing converts to it.
        whole: raises `RecordError` where the parts say less than a good record does.
        longest: characters that a record may have, as it stands in the file.
    """

    name: str
    title: str
    kind: str
    sources: tuple[str, ...]
    parts: Callable[[dict[str, Any]], list[Message]]
    record: Callable[[list[Message]], dict[str, Any]] | None
    whole: Callable[[dict[str, Any]], None] = _whole
    longest: int | None = None


def read(text: str, expected: str | None = None) -> tuple[list[Message], str]:
    """The messages of one JSON text, and the title of the format they were in.

    Args:
        text: one record.
        expected: the title of the only format to accept; None accepts each of the three.

    Raises:
        MisreadError: it is not JSON, or not such a record.

    >>> read('{"prompt": "Hi", "completion": "Hello"}')[1]
    'prompt and completion'
    """
    record = parse(text)
    try:
        return _messages(record, expected)
    except RecordError as error:
        raise located(text, error) from error


def to_messages(record: dict[str, Any]) -> list[Message]:
    """A record of any of the three formats as messages; undoes `to_bedrock`.

    Several blocks of text in a Bedrock turn are joined by line ends.

    Raises:
        DataError: the record has a fault, named by its path.

    >>> to_messages({"system": "Be brief.", "prompt": "2 + 2?", "completion": "4"})[1:]
    [{'role': 'user', 'content': '2 + 2?'}, {'role': 'assistant', 'content': '4'}]
    """
    return _messages(record, None)[0]


def to_bedrock(messages: list[Message]) -> dict[str, Any]:
    """Messages as a Bedrock conversation record, for fine-tuning Nova or Llama 3.2 and later.

    Source: docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html

    Raises:
        DataError: the messages are no conversation that one could train on.

    >>> record = to_bedrock([{"role": "user", "content": "Hi"},
    ...                      {"role": "assistant", "content": "Hello"}])
    >>> record["messages"][1]
    {'role': 'assistant', 'content': [{'text': 'Hello'}]}
    """
    return in_blocks(_chat({"messages": messages}))


def in_blocks(messages: list[Message]) -> dict[str, Any]:
    """Messages in the shape of Bedrock's conversations, unchecked."""
    system = [{"text": m["content"]} for m in messages if m["role"] == "system"]
    turns = [{"role": m["role"], "content": [{"text": m["content"]}]}
             for m in messages if m["role"] != "system"]
    return {"schemaVersion": SCHEMA, **({"system": system} if system else {}), "messages": turns}


def _messages(record: Any, expected: str | None) -> tuple[list[Message], str]:
    if not isinstance(record, dict):
        raise RecordError(f"A record is an object, not {type_name(record)}.", (), _EXAMPLE)
    found = recognised(record)
    title = found.title if found else expected
    if title is None:
        has = ", ".join(map(quoted, list(record)[:5])) or "nothing"
        raise RecordError(f"This is no known record: it has {has}.", (),
                          renamed(record) or _EXAMPLE)
    if expected and title != expected:
        raise RecordError(f"This record's format is {title}, the file's is {expected}.", (),
                          "Keep records of one format in a file.")
    return _TITLED[title].parts(record), title


def recognised(record: dict[str, Any]) -> Format | None:
    """Which of the three formats a record is in, or was meant to be."""
    keys = {meant: key for key in record if (meant := near(key, "prompt", "completion", "messages",
                                                           "schemaVersion"))}
    if "schemaVersion" in keys:
        return BEDROCK
    if "messages" in keys:
        turns = record[keys["messages"]]
        return BEDROCK if isinstance(turns, list) and any(map(_has_blocks, turns)) else CHAT
    return PAIR if keys else None


def _has_blocks(turn: Any) -> bool:
    """Whether a message has Bedrock's blocks for content; OpenAI's have a "type"."""
    content = turn.get("content") if isinstance(turn, dict) else None
    return isinstance(content, list) and not any(
        isinstance(block, dict) and "type" in block for block in content)


# --- prompt and completion ------------------------------------------------------------------

_PAIR_KEYS = {"system": "system", "user": "prompt", "assistant": "completion"}


def _pair(record: dict[str, Any]) -> list[Message]:
    check_keys(record, (), ("prompt", "completion"), ("system",))
    return [{"role": role, "content": check_text(record[key], (key,))}
            for role, key in _PAIR_KEYS.items() if key in record]


def _as_pair(messages: list[Message]) -> dict[str, Any]:
    check_one_turn(messages, PAIR.title)
    return {_PAIR_KEYS[message["role"]]: message["content"] for message in messages}


def check_one_turn(messages: list[Message], title: str) -> None:
    """There is one question and its answer, and with them at most a system message."""
    turns = [message for message in messages if message["role"] != "system"]
    if turns[-1]["role"] != "assistant":
        raise RecordError(f"There is no answer here, and {title} needs one.", (),
                          "Add the assistant's answer.")
    if len(turns) > 2:
        raise RecordError(f"There are {len(turns)} messages; in {title} all but two of them "
                          "would be lost.", (), "Choose a format with turns, such as messages.")


# --- messages -------------------------------------------------------------------------------

def _chat(record: dict[str, Any]) -> list[Message]:
    check_keys(record, (), ("messages",))
    return spoken(record["messages"], ("messages",), ROLES)


def _as_chat(messages: list[Message]) -> dict[str, Any]:
    return {"messages": messages}


# --- Bedrock conversation -------------------------------------------------------------------

def _bedrock(record: dict[str, Any]) -> list[Message]:
    return with_blocks(record, ("assistant",))


def with_blocks(record: dict[str, Any], last: Sequence[str]) -> list[Message]:
    """The messages of a Bedrock conversation that ends with one of the roles `last`."""
    check_keys(record, (), ("schemaVersion", "messages"), ("system",))
    if record["schemaVersion"] != SCHEMA:
        raise RecordError("This version of the schema is unknown.", ("schemaVersion",),
                          f'Write "{SCHEMA}".')
    system = [{"role": "system", "content": _blocks(record["system"], ("system",))}
              ] if "system" in record else []
    return system + [
        {"role": turn["role"], "content": _blocks(turn["content"], ("messages", i, "content"))}
        for i, turn in enumerate(turns(record["messages"], ("messages",), ROLES[1:], last=last))]


def contents(record: dict[str, Any]) -> Iterator[tuple[str, Path, list[dict[str, str]]]]:
    """Role, path and blocks of each message of a good Bedrock conversation."""
    if "system" in record:
        yield "system", ("system",), record["system"]
    for i, turn in enumerate(record["messages"]):
        yield turn["role"], ("messages", i, "content"), turn["content"]


def _blocks(value: Any, path: Path) -> str:
    texts = []
    for i, block in enumerate(check_list(value, path)):
        if isinstance(block, dict) and (media := {"image", "video", "document"} & block.keys()):
            raise RecordError("Only text can be learnt from here.", (*path, i, min(media)),
                              "Remove this block, or the record.", at_key=True)
        check_keys(block, (*path, i), ("text",))
        texts.append(check_text(block["text"], (*path, i, "text")))
    return "\n".join(texts)


def check_one_block(record: dict[str, Any]) -> None:
    """Each content is one block of text; where several begin and end would be lost."""
    for _, path, blocks in contents(record):
        if len(blocks) > 1:
            raise RecordError(f"Here are {len(blocks)} blocks of text; where one ends and the next "
                              "begins would be lost.", (*path, 1), "Join them into one.")


PAIR = Format("prompt-completion", "prompt and completion", "conversation",
              (f"{BEDROCK_DATA}model-customization-prepare.html",
               f"{SAGEMAKER}customizing-models-sft.html"), _pair, _as_pair)
CHAT = Format("messages", "messages", "conversation",
              (f"{SAGEMAKER}customizing-models-sft.html",
               "https://huggingface.co/docs/trl/dataset_formats"), _chat, _as_chat)
BEDROCK = Format("bedrock-conversation", "Bedrock conversation", "conversation",
                 (f"{BEDROCK_DATA}model-customization-prepare.html",
                  "https://docs.aws.amazon.com/nova/latest/userguide/"
                  "fine-tune-prepare-data-understanding.html"), _bedrock, in_blocks,
                 check_one_block)
_TITLED = {form.title: form for form in (PAIR, CHAT, BEDROCK)}
