"""Rows of a domain task: the same columns for each, every dropped row on the card.

A task is trained with as a chat (`messages`), or as a prompt and its completion; both are the same
words, so results can be compared. `text`, both together, is what cards and leaks are counted by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fmcourse.data.card import Card
from fmcourse.data.chat import conversation
from fmcourse.data.near_duplicates import near_duplicates

Row = dict[str, Any]


def task_row(prompt: str, completion: str, document: str, **more: str) -> Row:
    """One row: `messages`, `prompt`, `completion`, `document`, `text`, and what else is given.

    >>> row = task_row("Is it so?", "yes", "case 1", source="made up")
    >>> row["text"], [turn["role"] for turn in row["messages"]], row["source"]
    ('Is it so?\\nyes', ['user', 'assistant'], 'made up')
    """
    return {"messages": conversation(prompt, completion), "prompt": prompt,
            "completion": completion, "document": document, "text": f"{prompt}\n{completion}",
            **more}


def only(rows: list[Row], log: Card, name: str, wanted: Callable[[Row], bool], note: str = ""
         ) -> tuple[list[Row], Card]:
    """The wanted rows, and the card with one more step: how many were not, and a note on why."""
    kept = [row for row in rows if wanted(row)]
    return kept, log.step(name, len(kept), len(rows) - len(kept), note)


def distinct(rows: list[Row], log: Card, column: str, threshold: float = 0.8
             ) -> tuple[list[Row], Card]:
    """Rows without those whose column nearly repeats an earlier row's, and the card that says so.

    Args:
        threshold: Jaccard similarity of three-word shingles.
    """
    originals = near_duplicates([row[column] for row in rows], threshold)
    kept = [row for row, original in zip(rows, originals, strict=True) if original is None]
    return kept, log.step(f"near duplicates of a {column}", len(kept), len(rows) - len(kept),
                          f"(Jaccard >= {threshold:g})")
