"""The formats a fine-tuning record comes in, read strictly into one: a list of messages.

Three are known: a prompt with its completion (also Amazon Bedrock's older format), messages (as
OpenAI and TRL have them) and Bedrock's conversations. A record that is almost right is refused and
told what is wrong, never mended by a guess: nobody looks at record 4,711 again after training.
The readers see parsed JSON and name a fault by its path; only then is the text scanned for the
place, so that good records, which are nearly all, cost one pass of the C parser.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from fmcourse.data.strict_json import MisreadError, Path, parse, places, quoted
from fmcourse.errors import DataError

PAIR, CHAT, BEDROCK = "prompt and completion", "messages", "Bedrock conversation"
SCHEMA = "bedrock-conversation-2024"
ROLES = ("system", "user", "assistant")

_KEYS = {  # required, optional
    PAIR: (("prompt", "completion"), ("system",)),
    CHAT: (("messages",), ()),
    BEDROCK: (("schemaVersion", "messages"), ("system",)),
}
_EXAMPLE = 'Write {"prompt": …, "completion": …} or {"messages": […]}.'
_ELSEWHERE = {  # what other collections call these keys
    "prompt": ("question", "instruction", "input", "query"),
    "completion": ("answer", "response", "output", "reply"),
    "messages": ("conversations", "conversation", "turns", "dialogue")}
# What chat templates write around turns: ChatML's and Llama 3's <|…|>, Gemma's, Mistral's.
_CONTROL = re.compile(r"<[|｜][^\s|｜<>]{1,64}[|｜]>|<(?:start|end)_of_turn>|\[/?INST\]")
_TYPES = {str: "a string", dict: "an object", list: "a list", float: "a number",
          int: "a number", bool: "true or false", type(None): "null"}

Message = dict[str, str]


class RecordError(DataError):
    """One fault of a record: `path` leads to the value, or to its key if `at_key`."""

    def __init__(self, what: str, path: Path, fix: str, at_key: bool = False):
        super().__init__(what, where=_shown(path) or "the record", fix=fix)
        self.path, self.at_key = path, at_key


def read(text: str, expected: str | None = None) -> tuple[list[Message], str]:
    """The messages of one JSON text, and the format they were in.

    Args:
        text: one record.
        expected: the only format to accept; None accepts each.

    Raises:
        MisreadError: it is not JSON, or not such a record.

    >>> read('{"prompt": "Hi", "completion": "Hello"}')[1]
    'prompt and completion'
    """
    record = parse(text)
    try:
        return _messages(record, expected)
    except RecordError as error:
        raise MisreadError(error.what, _offset(text, error), error.fix) from error


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
    messages = _chat({"messages": messages})
    system = [{"text": m["content"]} for m in messages if m["role"] == "system"]
    turns = [{"role": m["role"], "content": [{"text": m["content"]}]}
             for m in messages if m["role"] != "system"]
    return {"schemaVersion": SCHEMA, **({"system": system} if system else {}), "messages": turns}


def _messages(record: Any, expected: str | None) -> tuple[list[Message], str]:
    if not isinstance(record, dict):
        raise RecordError(f"A record is an object, not {_type(record)}.", (), _EXAMPLE)
    found = _recognised(record) or expected
    if found is None:
        has = ", ".join(map(quoted, list(record)[:5])) or "nothing"
        raise RecordError(f"This is no known record: it has {has}.", (), _renamed(record))
    if expected and found != expected:
        raise RecordError(f"This record's format is {found}, the file's is {expected}.", (),
                          "Keep records of one format in a file.")
    _check_keys(record, (), *_KEYS[found])
    return {PAIR: _pair, CHAT: _chat, BEDROCK: _bedrock}[found](record), found


def _renamed(record: dict[str, Any]) -> str:
    """What to call the keys of a record that has the usual names of elsewhere."""
    meant = {name: key for name, others in _ELSEWHERE.items() for key in reversed(record)
             if str(key).lower() in others}
    named = " and ".join(f'"{key}" to "{name}"' for name, key in meant.items())
    return f"Rename {named}." if named else _EXAMPLE


def _recognised(record: dict[str, Any]) -> str | None:
    """The format a record is in, or was meant to be."""
    keys = {near: key for key in record if (near := _near(key, "prompt", "completion", "messages",
                                                         "schemaVersion"))}
    if "schemaVersion" in keys:
        return BEDROCK
    if "messages" in keys:
        turns = record[keys["messages"]]
        return BEDROCK if isinstance(turns, list) and any(map(_in_blocks, turns)) else CHAT
    return PAIR if keys else None


def _in_blocks(turn: Any) -> bool:
    """Whether a message has Bedrock's blocks for content; OpenAI's have a "type"."""
    content = turn.get("content") if isinstance(turn, dict) else None
    return isinstance(content, list) and not any(
        isinstance(block, dict) and "type" in block for block in content)


def _pair(record: dict[str, Any]) -> list[Message]:
    keys = {"system": "system", "user": "prompt", "assistant": "completion"}
    return [{"role": role, "content": _text(record[key], (key,))}
            for role, key in keys.items() if key in record]


def _chat(record: dict[str, Any]) -> list[Message]:
    turns = _turns(record, ROLES)
    return [{"role": turn["role"], "content": _text(turn["content"], ("messages", i, "content"))}
            for i, turn in enumerate(turns)]


def _bedrock(record: dict[str, Any]) -> list[Message]:
    if record["schemaVersion"] != SCHEMA:
        raise RecordError("This version of the schema is unknown.", ("schemaVersion",),
                          f'Write "{SCHEMA}".')
    system = [{"role": "system", "content": _blocks(record["system"], ("system",))}
              ] if "system" in record else []
    return system + [
        {"role": turn["role"], "content": _blocks(turn["content"], ("messages", i, "content"))}
        for i, turn in enumerate(_turns(record, ROLES[1:]))]


def _turns(record: dict[str, Any], roles: tuple[str, ...]) -> list[dict[str, Any]]:
    """The messages, with the roles of a conversation: a system message or none, then user and
    assistant by turns, the assistant last."""
    turns = _list(record["messages"], ("messages",))
    for i, turn in enumerate(turns):
        place = ("messages", i)
        _check_keys(turn, place, ("role", "content"))
        _check_role(turn["role"], roles, (*place, "role"))
        if turn["role"] not in (allowed := _next(turns[i - 1]["role"] if i else None, roles)):
            raise RecordError(f'The role "{turn["role"]}" cannot stand here.', (*place, "role"),
                              f"Here the role is {_either(allowed)}; user and assistant "
                              "take turns.")
    if turns[-1]["role"] != "assistant":
        raise RecordError("The last message is not the assistant's: there is nothing to learn "
                          "to say.", ("messages", len(turns) - 1, "role"),
                          "End with the assistant's answer.")
    return turns


def _check_role(role: Any, roles: tuple[str, ...], path: Path) -> None:
    if not isinstance(role, str):
        raise RecordError(f'"role" is {_type(role)}, not a string.', path, f"Use {_either(roles)}.")
    if role not in roles:
        near = _near(role, *roles)
        fix = f'Write "{near}".' if near else f"Use {_either(roles)}."
        if role == "system":
            fix = 'Write its text as the record\'s "system": [{"text": …}].'
        raise RecordError(f"The role {quoted(role)} is unknown here.", path, fix)


def _next(role: str | None, roles: tuple[str, ...]) -> tuple[str, ...]:
    """The roles that may follow one, or None: at the beginning."""
    if role is None:
        return tuple(r for r in roles if r != "assistant")
    return ("assistant",) if role == "user" else ("user",)


def _blocks(value: Any, path: Path) -> str:
    texts = []
    for i, block in enumerate(_list(value, path)):
        if isinstance(block, dict) and (media := {"image", "video", "document"} & block.keys()):
            raise RecordError("Only text can be learnt from here.", (*path, i, min(media)),
                              "Remove this block, or the record.", at_key=True)
        _check_keys(block, (*path, i), ("text",))
        texts.append(_text(block["text"], (*path, i, "text")))
    return "\n".join(texts)


def _check_keys(record: Any, path: Path, required: tuple[str, ...],
                optional: tuple[str, ...] = ()) -> None:
    if not isinstance(record, dict):
        raise RecordError(f"This is {_type(record)}, not an object.", path,
                          f"Write an object with {_listed(required)}.")
    for key in record:
        if key not in (*required, *optional):
            near = _near(key, *(name for name in (*required, *optional) if name not in record))
            fix = f'Write "{near}".' if near else f"Remove it; there are {_listed(required)}."
            if any(str(key).lower() in _ELSEWHERE.get(name, ()) and name not in record
                   for name in required):
                fix = _renamed({key: None})
            if key == "system" and not path:  # as Claude 3 had it
                fix = 'Make it the first message, with the role "system".'
            raise RecordError(f"The key {quoted(key)} is unknown.", (*path, key), fix, at_key=True)
    for key in required:
        if key not in record:
            raise RecordError(f'The key "{key}" is missing.', path,
                              f'Add "{key}"' + f': "{SCHEMA}"' * (key == "schemaVersion") + ".")


def _list(value: Any, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise RecordError(f'"{path[-1]}" is {_type(value)}, not a list.', path,
                          "Write a list, with one object or more in it.")
    if not value:
        raise RecordError(f'"{path[-1]}" is empty.', path, "Fill it, or remove the record.")
    return value


def _text(value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise RecordError(f'"{path[-1]}" is {_type(value)}, not a string.', path,
                          'Write a string, in "double quotes".')
    if not value.strip():
        raise RecordError(f'"{path[-1]}" is {"blank" if value else "empty"}.', path,
                          "Fill it, or remove the record.")
    if "\0" in value:
        raise RecordError(f'"{path[-1]}" has a NUL in it.', path, "Remove it: \\u0000.")
    if half := re.search("[\ud800-\udfff]", value):
        raise RecordError(f'"{path[-1]}" has half a character in it (a lone surrogate).', path,
                          f"Remove it, or complete the pair: \\u{ord(half[0]):04x}.")
    if token := _CONTROL.search(value):
        raise RecordError(f'"{path[-1]}" has {quoted(token[0])} in it, with which a text could '
                          "pass for another's turn.", path, "Remove it, or spell it otherwise.")
    return value


def _offset(text: str, error: RecordError) -> int:
    return next(key_at if error.at_key else at for path, key_at, at in places(text)
                if path == error.path)


def _near(key: str, *names: str) -> str | None:
    """The name that a key was probably meant to be."""
    if key in names:  # difflib takes its time, and this is nearly always so
        return key
    lower = {name.lower(): name for name in names}
    found = get_close_matches(str(key)[:40].lower(), lower, 1, 0.75)
    return lower[found[0]] if found else None


def _shown(path: Path) -> str:
    """
    >>> _shown(("messages", 2, "role"))
    'messages[2].role'
    """
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def _type(value: Any) -> str:
    return _TYPES.get(type(value), f"a {type(value).__name__}")


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(f'"{name}"' for name in names)


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(f'"{name}"' for name in names)
