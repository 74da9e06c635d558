"""Messages in the order of a conversation: who may speak when, in every format that has roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fmcourse.data.record_checks import (
    Message,
    RecordError,
    check_keys,
    check_list,
    check_text,
    either,
    near,
    type_name,
)
from fmcourse.data.strict_json import Path, quoted

ROLES = ("system", "user", "assistant")


def spoken(value: Any, path: Path, roles: Sequence[str], after: str | None = None,
           last: Sequence[str] = ("assistant",)) -> list[Message]:
    """Messages whose content is a string, in the order that `turns` demands."""
    return [{"role": turn["role"], "content": check_text(turn["content"], (*path, i, "content"))}
            for i, turn in enumerate(turns(value, path, roles, after, last))]


def turns(value: Any, path: Path, roles: Sequence[str], after: str | None = None,
          last: Sequence[str] = ("assistant",)) -> list[dict[str, Any]]:
    """Messages with the roles of a conversation: a system message or none, then user and assistant
    by turns.

    Args:
        value: what stands at `path`.
        path: leads to it.
        roles: those allowed.
        after: the role of the message before the first; None: this is the beginning.
        last: roles that may end it.
    """
    messages = check_list(value, path)
    for i, turn in enumerate(messages):
        place = (*path, i)
        check_keys(turn, place, ("role", "content"))
        _check_role(turn["role"], roles, (*place, "role"))
        if turn["role"] not in (allowed := _next(messages[i - 1]["role"] if i else after, roles)):
            raise RecordError(f'The role "{turn["role"]}" cannot stand here.', (*place, "role"),
                              f"Here the role is {either(allowed)}; user and assistant "
                              "take turns.")
    if (role := messages[-1]["role"]) not in last:
        place = (*path, len(messages) - 1, "role")
        if "assistant" in last:
            raise RecordError("The last message is not the assistant's: there is nothing to learn "
                              "to say.", place, "End with the assistant's answer.")
        raise RecordError(f"The last message is the {role}'s: a prompt ends with the user's.",
                          place, "End with the user's question.")
    return messages


def _check_role(role: Any, roles: Sequence[str], path: Path) -> None:
    if not isinstance(role, str):
        raise RecordError(f'"role" is {type_name(role)}, not a string.', path,
                          f"Use {either(roles)}.")
    if role not in roles:
        meant = near(role, *roles)
        fix = f'Write "{meant}".' if meant else f"Use {either(roles)}."
        if role == "system" and path[0] == "messages":
            fix = 'Write its text as the record\'s "system": [{"text": …}].'
        raise RecordError(f"The role {quoted(role)} is unknown here.", path, fix)


def _next(role: str | None, roles: Sequence[str]) -> tuple[str, ...]:
    """The roles that may follow one, or None: at the beginning."""
    if role is None:
        return tuple(r for r in roles if r != "assistant")
    return ("assistant",) if role == "user" else ("user",)
