"""The instruction collection: many tasks phrased as instructions, as conversations to train on.

Made for one question (syllabus M1): does tuning on many tasks generalise to tasks never trained
on? So families are trained or held out as a whole, every family gets an equal share of the rows,
and `ladder` names nested sets of training families to compare at equal tokens.

Trade-off: our held-out tasks are nearer to the trained ones than in FLAN, which holds out whole
clusters. 'The last sentence' is a new task to a model that has learnt 'the first sentence' and 'the
last word', but every word of it has been read; a model of twelve million weights can't be asked
for more. What it shows is whether the instruction is read, not whether new skills arise.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from datasets import Dataset

from fmcourse import sources
from fmcourse.data.card import Card, with_card
from fmcourse.data.tasks.choosing import CHOOSING
from fmcourse.data.tasks.family import Family
from fmcourse.data.tasks.form import FORM
from fmcourse.data.tasks.lists import LISTS
from fmcourse.data.tasks.material import Material, material
from fmcourse.data.tasks.reading import READING
from fmcourse.data.tasks.records import RECORDS
from fmcourse.errors import DataError

FAMILIES: tuple[Family, ...] = (*READING, *LISTS, *FORM, *CHOOSING, *RECORDS)
TRAINED: tuple[str, ...] = tuple(family.name for family in FAMILIES if not family.held_out)
HELD_OUT: tuple[str, ...] = tuple(family.name for family in FAMILIES if family.held_out)
RUNGS = (1, 2, 4, 8, 16)
_TRIES = 20  # draws for each item before a family is said to be exhausted


def families() -> pd.DataFrame:
    """The families in a table: `name`, `kind`, `held_out`, `hard`, `phrasings` (their number),
    `checker`, `chance`, `licence` (of the texts).

    >>> len(families()) == len(TRAINED) + len(HELD_OUT)
    True
    """
    return pd.DataFrame([{
        "name": family.name, "kind": family.kind, "held_out": family.held_out,
        "hard": family.hard, "phrasings": len(family.phrasings), "checker": family.checker,
        "chance": family.chance, "licence": ", ".join(_licences(family.origins)),
    } for family in FAMILIES])


def ladder(seed: int = 0, rungs: Sequence[int] = RUNGS) -> dict[int, tuple[str, ...]]:
    """Nested sets of training families: the first 1, 2, 4 … of them in an order drawn by seed.

    The hard families are left out: at one family of one, nothing could be learnt.

    Raises:
        DataError: a rung above the number of families.

    >>> steps = ladder(seed=0)
    >>> set(steps[4]) < set(steps[8]), len(steps[16])
    (True, 16)
    """
    names = [family.name for family in FAMILIES if not family.held_out and not family.hard]
    if not 0 < min(rungs) <= max(rungs) <= len(names):
        raise DataError(f"There are {len(names)} families to train on.", where="tasks.ladder",
                        fix=f"Use rungs from 1 to {len(names)}.")
    random.Random(seed).shuffle(names)
    return {rung: tuple(names[:rung]) for rung in rungs}


def task_records(names: Sequence[str] | None = None, rows: int = 4096, seed: int = 0,
                 part: str = "train", turns: int = 1) -> Dataset:
    """Conversations in which the user gives instructions of some task families.

    A family's items depend on the seed and the part, not on the other families: an arm with more
    families has the same items, only fewer of each.

    Args:
        names: families; by default all that are trained on. A held-out one can be named, to see
            what training on the task itself would give.
        rows: conversations, an equal share of their turns for each family.
        seed: which items, in which wording and order.
        part: 'train', 'validation' or 'test'; they share no document. The last phrasing of each
            family occurs only in the latter two.
        turns: instructions, each with its answer, in one conversation.

    Returns:
        Columns `messages` (of the user and the assistant in turn) and, of the last turn, `kind`
        (the family), `instruction`, `answer`, `checker`, `parameters` (JSON), `unseen_phrasing`
        (bool), `document` and `source`; `text` is the whole conversation. With one turn,
        `evaluate.instruction_rate` takes the rows as they are.

    Raises:
        DataError: no such family or part, less than one row a family, or not so many different
            items.
    """
    chosen = [_family(name) for name in dict.fromkeys(TRAINED if names is None else names)]
    return records_from(material(part), chosen, rows, seed, part, turns)


def records_from(given: Material, chosen: Sequence[Family], rows: int, seed: int, part: str,
                 turns: int = 1) -> Dataset:
    """`task_records` from given material and families."""
    if not chosen or turns < 1 or rows * turns < len(chosen):
        raise DataError(f"{rows} rows can't be shared by {len(chosen)} families.",
                        where="data.task_records", fix="Ask for at least one turn of each.")
    shares = [rows * turns // len(chosen) + (i < rows * turns % len(chosen))
              for i in range(len(chosen))]
    items = [item for family, share in zip(chosen, shares, strict=True)
             for item in _items(family, given, share, seed, part)]
    random.Random(f"{seed} {part}").shuffle(items)
    talks = [_conversation(items[i:i + turns]) for i in range(0, len(items), turns)]
    return with_card(Dataset.from_list(talks), _card(items, part, seed))


def _items(family: Family, given: Material, count: int, seed: int, part: str
           ) -> Iterator[dict[str, Any]]:
    """So many different items of a family, its phrasings in turn."""
    draw, seen = random.Random(f"{seed} {part} {family.name}"), set()
    usable = family.phrasings[:-1] if part == "train" else family.phrasings
    phrasings = draw.sample(usable, len(usable))
    for _ in range(_TRIES * count):
        if len(seen) == count:
            return
        item, phrasing = family.make(draw, given), phrasings[len(seen) % len(phrasings)]
        instruction = phrasing.format(**item.places)
        if instruction not in seen:
            seen.add(instruction)
            yield {"kind": family.name, "instruction": instruction, "answer": item.answer,
                   "checker": family.checker,
                   "parameters": json.dumps(dict(item.parameters), ensure_ascii=False),
                   "unseen_phrasing": phrasing == family.phrasings[-1],
                   "document": item.document, "source": item.source}
    if len(seen) < count:
        raise DataError(f"There are only {len(seen)} different items of {family.name!r} here, "
                        f"not {count}.", where=f"part {part}", fix="Ask for fewer rows.")


def _conversation(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Items as the turns of one conversation; the columns describe the last."""
    messages = [message for item in items for message in (
        {"role": "user", "content": item["instruction"]},
        {"role": "assistant", "content": item["answer"]})]
    text = "\n\n".join(message["content"] for message in messages)
    return {"messages": messages, **items[-1], "text": text}


def _card(items: Sequence[dict[str, Any]], part: str, seed: int) -> Card:
    used = sorted({item["source"] for item in items})
    step = {"step": "tasks", "kept": len(items), "dropped": 0,
            "note": f"{len({item['kind'] for item in items})} families, {part}, seed {seed}"}
    return Card("tasks", {name: sources.get(name).sha256 for name in used}, _licences(used),
                tuple(dict.fromkeys(sources.get(name).attribution for name in used)), (step,))


def _licences(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sources.get(name).licence for name in names))


def _family(name: str) -> Family:
    for family in FAMILIES:
        if family.name == name:
            return family
    raise DataError(f"There is no task family {name!r}.", where="data.task_records",
                    fix=f"Families: {', '.join(family.name for family in FAMILIES)}")
