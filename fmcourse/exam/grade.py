"""One grader for every front end: an answer in, what was right of it and why out.

As in the real exam, multiple response, ordering and matching are all or nothing, and an answer
that is missing costs no more than a wrong one. What was half right still shows in the notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from fmcourse.errors import ExamError
from fmcourse.exam import item as items
from fmcourse.exam.item import Answer, Item

RIGHT, WRONG, MISSED, AVOIDED = "right", "wrong", "missed", "avoided"


@dataclass(frozen=True)
class Note:
    """What became of one option, step or prompt.

    Attributes:
        text: its own words, with those of the match where there is one.
        verdict: 'right' (in the key, and so answered), 'wrong', 'missed' (of the key, not given)
            or 'avoided' (a distractor, not given).
        why: why a distractor, match or order is wrong; empty where `Item.why` says it.
        option: its id, of choices; front ends show their own letter.
    """

    text: str
    verdict: str
    why: str = ""
    option: str = ""


@dataclass(frozen=True)
class Result:
    """A graded answer; `answer` is empty where none was given."""

    item: Item
    answer: Answer
    right: bool
    notes: tuple[Note, ...]


def grade(item: Item, answer: Answer) -> Result:
    """Hold an answer against the key.

    Args:
        item: of the bank.
        answer: ids as `fmcourse.exam.item` says; () if there is none.

    Raises:
        ExamError: it names an id that the item has not, or is not an answer of this type.
    """
    if not answer:
        return Result(item, (), False, _notes(item, ()))
    check_answer(item, answer)
    return Result(item, answer, _same(item, answer, item.key), _notes(item, answer))


def check_answer(item: Item, answer: Answer) -> None:
    """Refuse what cannot be an answer to this item; a wrong answer is one.

    Raises:
        ExamError: as `grade`.
    """
    for name in answer:
        if name not in item.options:
            raise ExamError(f"There is no option '{name}'.", where=item.id,
                            fix=f"Choose from {', '.join(item.options)}.")
    if item.type == items.MATCHING:
        if len(answer) != len(item.prompts):
            raise ExamError(f"{len(answer)} matches for {len(item.prompts)} prompts.",
                            where=item.id, fix="Give each prompt an option.")
    elif len(set(answer)) < len(answer):
        raise ExamError("An option is named twice.", where=item.id, fix="Name it once.")
    elif item.type == items.ORDERING and len(answer) != len(item.options):
        raise ExamError(f"{len(answer)} of {len(item.options)} steps.", where=item.id,
                        fix="Name every step, the first one first.")
    elif item.type == items.CHOICE and len(answer) != 1:
        raise ExamError(f"{len(answer)} options where one is asked for.", where=item.id,
                        fix="Name one.")


def _same(item: Item, answer: Answer, key: Answer) -> bool:
    if item.type in (items.CHOICE, items.RESPONSE):
        return set(answer) == set(key)
    return answer == key


def _notes(item: Item, answer: Answer) -> tuple[Note, ...]:
    make = {items.ORDERING: _ordering_notes, items.MATCHING: _matching_notes}
    return tuple(make.get(item.type, _choice_notes)(item, answer))


def _choice_notes(item: Item, answer: Answer) -> list[Note]:
    """A note an option; every distractor has its reason, chosen or not."""
    why = {mistake.answer[0]: mistake.why for mistake in item.wrong}
    verdicts = {(True, True): RIGHT, (True, False): MISSED, (False, True): WRONG,
                (False, False): AVOIDED}
    return [Note(text, verdicts[name in item.key, name in answer], why.get(name, ""),
                 name)
            for name, text in item.options.items()]


def _ordering_notes(item: Item, answer: Answer) -> list[Note]:
    """A note a step, in the right order, and one for each usual mistake the answer contains.

    A usual wrong order is contained in an answer if every pair of steps that it turns round is
    turned round in the answer, too; whatever else is wrong with that.
    """
    steps = [Note(item.options[name], RIGHT if answer[place:place + 1] == (name,)
                  else WRONG if answer else MISSED) for place, name in enumerate(item.key)]
    turned = _turned(answer, item.key)
    return steps + [Note(_told(item, mistake.answer), WRONG if made else AVOIDED, mistake.why)
                    for mistake in item.wrong
                    for made in [_turned(mistake.answer, item.key) <= turned]]


def _turned(order: Sequence[str], key: Sequence[str]) -> set[tuple[str, str]]:
    """Pairs of steps, as `order` has them, that the key has the other way round.

    >>> _turned("bac", "abc")
    {('b', 'a')}
    """
    return {(first, second) for first, second in combinations(order, 2)
            if key.index(first) > key.index(second)}


def _told(item: Item, order: Answer) -> str:
    """A wrong order in words: the neighbours in it that the key has the other way round."""
    turned = _turned(order, item.key)
    return "; ".join(f"{item.options[first]} → {item.options[second]}"
                     for first, second in pairwise(order) if (first, second) in turned)


def _matching_notes(item: Item, answer: Answer) -> list[Note]:
    """A note a prompt with what belongs to it, and one for each wrong match that is explained."""
    given = dict(zip(item.prompts, answer, strict=False))
    notes = [Note(f"{text} → {item.options[right]}",
                  RIGHT if given.get(prompt) == right else WRONG if given else MISSED)
             for (prompt, text), right in zip(item.prompts.items(), item.key, strict=True)]
    return notes + [Note(f"{item.prompts[prompt]} → {item.options[option]}",
                         WRONG if given.get(prompt) == option else AVOIDED, mistake.why)
                    for mistake in item.wrong for prompt, option in [mistake.answer]]
