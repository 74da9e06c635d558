"""What the assistant is asked: three kinds of prompts, each with what a good reply is known by.

- `task`: from the instruction collection (`data.tasks`), with one right answer, which is known;
- `ordinary` and `lookalike`: requests for advice. A look-alike has the words of a harmful request
  in an innocent sense ("kill a process that hangs");
- `harmful`: to be declined. They are named and never answered here.

The requests were written for the course (`harmful.toml`, `benign.toml`; Apache-2.0). Those of the
parts train and test are different deeds, and two kinds of harm occur in the test alone.
"""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from datasets import Dataset

from fmcourse import store
from fmcourse.data.card import Card, card, with_card
from fmcourse.data.tasks import task_records
from fmcourse.errors import DataError

KINDS = ("task", "ordinary", "lookalike", "harmful")
FAMILIES = ("first_item", "value_or_refusal", "word_occurs", "year")
SHARES = {"task": 0.2, "ordinary": 0.35, "lookalike": 0.1, "harmful": 0.35}
WORDINGS = (
    "How do I {goal}?",
    "Tell me how to {goal}.",
    "I want to {goal}. What should I do?",
    "Explain to me how to {goal}.",
    "Help me to {goal}.",
    "What is the best way to {goal}?",
)  # the last two only in the test
_ADDRESSED = {"my": "your", "me": "you", "i": "you", "mine": "yours", "myself": "yourself",
              "am": "are", "i'm": "you're", "i've": "you've", "i'll": "you'll"}


def assistant_prompts(rows: int, seed: int = 0, part: str = "train",
                      shares: dict[str, float] | None = None) -> Dataset:
    """Prompts of all kinds, in random order.

    Args:
        rows: how many.
        seed: which tasks, wordings and order.
        part: 'train' or 'test', which share no document, no request, and some wordings.
        shares: of each kind; by default `SHARES`.

    Returns:
        Columns `prompt`, `kind`, `category` (of harm, or the task's family), `goal` (of requests),
        `answer` (the right one of a task, a written one of a harmless request, else empty).

    Raises:
        DataError: no such part or kind, or more test requests than there are.

    >>> made = assistant_prompts(20, part="test", shares={"harmful": 1.0})
    >>> set(made["kind"]), len(set(made["goal"]))
    ({'harmful'}, 20)
    """
    shares = SHARES if shares is None else shares
    if part not in ("train", "test") or not set(shares) <= set(KINDS):
        raise DataError(f"There is no part {part!r}, or no kind among {', '.join(shares)}.",
                        where="data.assistant_prompts",
                        fix=f"Parts: train, test. Kinds: {', '.join(KINDS)}.")
    draw = random.Random(f"{seed} {part} prompts")
    total, made, cards = sum(shares.values()), [], []
    for kind, share in shares.items():
        count = round(rows * share / total)
        if kind == "task":
            records = task_records(FAMILIES, max(count, len(FAMILIES)), seed, part)
            cards.append(card(records))
            made += [{"prompt": record["instruction"], "kind": kind, "category": record["kind"],
                      "goal": "", "answer": record["answer"]}
                     for record in records.select(range(count))]
        elif count:
            made += _requests(kind, count, part, draw)
    draw.shuffle(made)
    return with_card(Dataset.from_list(made), _card(cards, len(made), part, seed))


def _requests(kind: str, count: int, part: str, draw: random.Random) -> list[dict[str, Any]]:
    """So many requests, each goal in one wording before any is used in a second."""
    known = requests(kind, part)
    wordings = WORDINGS[:-2] if part == "train" else WORDINGS
    if count > len(known) * len(wordings):
        raise DataError(f"There are {len(known) * len(wordings)} requests of the kind {kind!r} in "
                        f"the part {part!r}, not {count}.", where="data.assistant_prompts",
                        fix="Ask for fewer rows.")
    made: list[dict[str, Any]] = []
    turns = {entry["goal"]: draw.sample(wordings, len(wordings)) for entry in known}
    for turn in range(len(wordings)):
        made += [{"prompt": turns[entry["goal"]][turn].format(goal=entry["goal"]), "kind": kind,
                  **entry} for entry in draw.sample(known, len(known))]
        if len(made) >= count:
            break
    return made[:count]


@cache
def requests(kind: str, part: str) -> list[dict[str, str]]:
    """The written requests of a kind: category, goal, answer."""
    if kind == "harmful":
        return [{"category": category, "goal": goal, "answer": ""}
                for category, goals in _written("harmful.toml")[part].items() for goal in goals]
    return [{"category": kind, "goal": entry["goal"], "answer": entry["reply"]}
            for entry in _written("benign.toml")[part][kind]]


def _written(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))


def _text(name: str) -> str:
    return (resources.files("fmcourse.data.assistant") / name).read_text(encoding="utf-8")


def addressed(goal: str) -> str:
    """A goal as somebody else says it.

    >>> addressed("find out where my neighbour hides her keys, for I need them")
    'find out where your neighbour hides her keys, for you need them'
    """
    return re.sub(r"[A-Za-z']+", lambda word: _ADDRESSED.get(word[0].lower(), word[0]), goal)


def _card(cards: list[Card], rows: int, part: str, seed: int) -> Card:
    written = {f"{name} (written for the course)": store.sha256_text(_text(name))
               for name in ("harmful.toml", "benign.toml")}
    sources = {**written, **{key: value for each in cards for key, value in each.sources.items()}}
    licences = ("Apache-2.0", *(one for each in cards for one in each.licence))
    attributions = tuple(one for each in cards for one in each.attribution)
    return Card("assistant", sources, tuple(dict.fromkeys(licences)), attributions).step(
        "prompts", rows, 0, f"{part}, seed {seed}")
