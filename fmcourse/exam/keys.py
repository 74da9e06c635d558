"""Keys of the four types read from an item, and the mistakes it explains.

The numbers are the real exam's: 1 of 4; 2 or more of 5 or more; 3 to 5 steps; 3 to 7 prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fmcourse.errors import ExamError
from fmcourse.exam import item as items
from fmcourse.exam.item import Answer, Mistake

Texts = Mapping[str, str]
SIZES = {items.CHOICE: (4, 4), items.RESPONSE: (5, 6), items.ORDERING: (3, 5),
         items.MATCHING: (3, 8)}


def read_key(kind: str, options: Texts, prompts: Texts, key: Any, wrong: Any
             ) -> tuple[Answer, tuple[Mistake, ...]]:
    """The key and the explained mistakes of an item.

    Raises:
        ExamError: too few or many options, a key that is not among them, or a distractor whose
            fault nobody explains.

    >>> texts = {"a": "tokens", "b": "labels", "c": "prices", "d": "users"}
    >>> read_key("multiple_choice", texts, {}, "a", {"b": "No.", "c": "No.", "d": "No."})[0]
    ('a',)
    """
    low, high = SIZES[kind]
    if not low <= len(options) <= high:
        raise ExamError(f"{kind} with {len(options)} options.",
                        fix=f"Write {low}." if low == high else f"Write {low} to {high}.")
    if prompts and kind != items.MATCHING:
        raise ExamError("Only matching has prompts.", fix="Leave 'prompts' out.")
    if kind == items.ORDERING:
        right, mistakes = _ordering(options, key, wrong)
    elif kind == items.MATCHING:
        right, mistakes = _matching(options, prompts, key, wrong)
    else:
        right, mistakes = _choice(kind, options, key, wrong)
    if not all(isinstance(mistake.why, str) for mistake in mistakes):
        raise ExamError("A reason in 'wrong' is not text.", fix="Write a sentence for each.")
    return right, mistakes


def _choice(kind: str, options: Texts, key: Any, wrong: Any) -> tuple[Answer, tuple[Mistake, ...]]:
    several = kind == items.RESPONSE
    if not isinstance(key, list if several else str):
        raise ExamError(f"The key of {kind} is {'a list' if several else 'one option'}.",
                        fix="Write such as: key: [a, c]" if several else "Write such as: key: a")
    chosen = tuple(key) if several else (key,)
    _among(chosen, options)
    if several and not 2 <= len(set(chosen)) < len(options):
        raise ExamError("The key of multiple_response has fewer than two options, or all of them.",
                        fix="Make at least two right and one wrong.")
    if len(set(chosen)) < len(chosen):
        raise ExamError("The key names an option twice.", fix="Name it once.")
    rest = [name for name in options if name not in chosen]
    if not isinstance(wrong, dict) or set(wrong) != set(rest):
        raise ExamError("'wrong' does not explain each distractor, and nothing else.",
                        fix=f"Write a line for each of: {', '.join(rest)}.")
    return chosen, tuple(Mistake((name,), wrong[name]) for name in rest)


def _ordering(options: Texts, key: Any, wrong: Any) -> tuple[Answer, tuple[Mistake, ...]]:
    right = _order(key, options, "The key")
    if not isinstance(wrong, list) or not wrong:
        raise ExamError("'wrong' of an ordering is a list of the usual wrong orders.",
                        fix="Write at least one: - {order: [b, a, c], why: …}")
    mistakes = []
    for one in wrong:
        if not isinstance(one, dict) or set(one) != {"order", "why"}:
            raise ExamError("A wrong order has 'order' and 'why', and nothing else.",
                            fix="Write such as: - {order: [b, a, c], why: …}")
        mistakes.append(Mistake(_order(one["order"], options, "A wrong order"), one["why"]))
    if len({mistake.answer for mistake in mistakes} | {right}) <= len(mistakes):
        raise ExamError("A wrong order is the key, or is there twice.", fix="Change it.")
    return right, tuple(mistakes)


def _order(value: Any, options: Texts, what: str) -> Answer:
    if not isinstance(value, list) or sorted(map(str, value)) != sorted(options):
        raise ExamError(f"{what} is not an order of all options.",
                        fix=f"Write each once: {', '.join(options)}.")
    return tuple(value)


def _matching(options: Texts, prompts: Texts, key: Any, wrong: Any
              ) -> tuple[Answer, tuple[Mistake, ...]]:
    if not 3 <= len(prompts) <= 7:
        raise ExamError(f"matching with {len(prompts)} prompts.", fix="Write 3 to 7, from p on.")
    if not isinstance(key, dict) or set(key) != set(prompts):
        raise ExamError("The key of a matching gives each prompt an option.",
                        fix=f"Write one for each of: {', '.join(prompts)}.")
    _among(tuple(key.values()), options)
    if not isinstance(wrong, dict) or not all(isinstance(one, dict) for one in wrong.values()):
        raise ExamError("'wrong' of a matching says, prompt by prompt, which option and why.",
                        fix="Write such as: wrong: {p: {b: …}}")
    _among(tuple(wrong), prompts)
    pairs = {(prompt, option): why for prompt, found in wrong.items()
             for option, why in found.items()}
    _among(tuple(option for _, option in pairs), options)
    if any(key[prompt] == option for prompt, option in pairs):
        raise ExamError("A wrong match is the key's.", fix="Change it.")
    spare = set(options) - set(key.values()) - {option for _, option in pairs}
    if len(pairs) < 2 or spare:
        raise ExamError("Too few wrong matches are explained.",
                        fix="Explain at least two, and one for every option that matches nothing"
                            + (f": {', '.join(sorted(spare))}." if spare else "."))
    return (tuple(key[prompt] for prompt in prompts),
            tuple(Mistake(pair, why) for pair, why in pairs.items()))


def _among(names: tuple[Any, ...], known: Texts) -> None:
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise ExamError(f"'{name}' is not among {', '.join(known)}.",
                            fix="Correct the id, or add the text.")
