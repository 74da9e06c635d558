"""Preferences: two answers to one prompt, one chosen and one rejected, as TRL and SageMaker want.

Answers are strings, or messages; the prompt stands before them under its own key, or both begin
with it ("implicit"). Nothing else holds a rejected answer, so this format converts to no other.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from fmcourse.data.record_checks import Message, RecordError, check_keys, check_text
from fmcourse.data.record_formats import SAGEMAKER, Format
from fmcourse.data.record_turns import ROLES, spoken
from fmcourse.data.strict_json import Path

_ANSWERS = ("chosen", "rejected")


def _preference(record: dict[str, Any]) -> list[Message]:
    """The prompt's messages, or one of the role "prompt", and the answers by their names."""
    in_messages = any(isinstance(record.get(key), list) for key in ("prompt", *_ANSWERS))
    check_keys(record, (), _ANSWERS, ("prompt",) if in_messages else ("prompt", "system"))
    if not in_messages:
        roles = [key for key in ("system", "prompt", *_ANSWERS) if key in record]
        parts = [{"role": role, "content": check_text(record[role], (role,))} for role in roles]
    elif "prompt" in record:
        prompt = spoken(record["prompt"], ("prompt",), ROLES, last=("user",))
        parts = prompt + [
            {"role": key, "content": message["content"]} for key in _ANSWERS
            for message in spoken(record[key], (key,), ROLES[1:], after="user")]
    else:
        parts = _implicit(*(spoken(record[key], (key,), ROLES) for key in _ANSWERS))
    if record["chosen"] == record["rejected"]:
        raise RecordError("The rejected answer is the chosen one: there is nothing to prefer.",
                          ("rejected",), "Write a worse answer, or remove the record.")
    return parts


def _implicit(chosen: list[Message], rejected: list[Message]) -> list[Message]:
    """Two whole conversations, cut where they part."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1],
                                      zip(chosen, rejected, strict=False)))
    for key, whole in zip(_ANSWERS, (chosen, rejected), strict=True):
        if shared < len(whole) and whole[shared]["role"] != "assistant":
            path: Path = ("rejected", min(shared, len(rejected) - 1))
            raise RecordError(f"The {key} and the other conversation part at a message that is not "
                              "the assistant's: they answer different prompts.", path,
                              "Begin both with the same messages.")
    return chosen[:shared] + [
        {"role": key, "content": message["content"]}
        for key, whole in zip(_ANSWERS, (chosen, rejected), strict=True)
        for message in whole[shared:]]


PREFERENCE = Format(
    "preference", "preference", "preference",
    ("https://huggingface.co/docs/trl/dataset_formats", f"{SAGEMAKER}customizing-models-dpo.html"),
    _preference, None)
