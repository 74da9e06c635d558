"""A request for erasure: which data sets, runs and models somebody's data is in.

Texts of the data sets in a folder are searched for the person's words (or a record is looked up by
its hash), and lineage says what was made of them. Deleting the record from data is simple. A model
that was trained on it is another matter: weights hold no records that could be taken out, so the
honest answer is to train it again without them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import load_from_disk

from fmcourse import store
from fmcourse.data.governance.lineage import DATA, SOURCE, TOKENS, Lineage, Node, reached
from fmcourse.errors import DataError

ADVICE = {
    SOURCE: "delete it there, or ask whoever keeps it to",
    DATA: "delete the records, and make again what was made of it",
    TOKENS: "delete; it is made again from the data",
}
RETRAIN = "train again without the records; nothing takes them out of weights"
LOOK = "not found in it: look whether it is there in other words, such as a pseudonym"
JUDGE = "learnt only from data in which it was not found: a person has to judge"


@dataclass(frozen=True)
class Touched:
    """Where somebody's data is, or may be.

    Attributes:
        holds: things in which it was found, with how many records.
        learnt: what was trained on those, or made of what was.
        derived: made of what holds it, while it was not found in there, and nothing that learnt
            from it stands between.
        unsearched: data known by hash alone, which could not be looked at.
    """

    holds: dict[str, int]
    learnt: tuple[Node, ...]
    derived: tuple[Node, ...]
    unsearched: tuple[Node, ...]
    graph: Lineage

    def rows(self) -> list[dict[str, Any]]:
        """One row a thing: what it is, where it lies, why it is touched, what to do."""
        rows = [_row(self.graph.nodes[key], f"{count:,} records" if count else "is read from",
                     ADVICE.get(self.graph.nodes[key].kind, RETRAIN), self.graph)
                for key, count in self.holds.items()]
        rows += [_row(node, "learnt from it", ADVICE.get(node.kind, RETRAIN), self.graph)
                 for node in self.learnt]
        rows += [_row(node, "made of what holds it", LOOK if node.kind == DATA else JUDGE,
                      self.graph) for node in self.derived]
        return rows + [_row(node, "could not be searched", "find it, and search it", self.graph)
                       for node in self.unsearched]

    def __bool__(self) -> bool:
        return bool(self.holds)

    def __str__(self) -> str:
        lines = [f"{row['kind']:9} {row['name']:20} {row['why']:21} {row['what to do']}"
                 for row in self.rows()]
        return "\n".join(lines) or "Nothing here holds it."


def touched_by(graph: Lineage, words: str = "", *, record: str = "") -> Touched:
    """What a person's request concerns.

    Args:
        graph: of the folder, as `lineage` reads it.
        words: what names the person: an address, a name, a number. Found as it stands, but for
            case; somebody who is called in several ways is asked for several times.
        record: instead, the SHA-256 of a whole record's text (`store.sha256_text`).

    Raises:
        DataError: neither is given, or both are.
    """
    if bool(words.strip()) == bool(record):
        raise DataError("A request names a person's words, or a record's hash.",
                        where="governance.touched_by",
                        fix='touched_by(graph, "ann@example.org"), or record=….')
    holds, clean, dark = {}, [], []
    for key, node in graph.nodes.items():
        if node.kind != DATA or not node.paths:
            continue
        count = sum(_found(text, words, record) for text in _texts(node.paths[0].parent))
        if count:
            holds[key] = count
        else:
            clean.append(key)
    for key, node in graph.nodes.items():
        if node.kind == SOURCE and node.paths and words and _in_file(node, words):
            holds[key] = 0
        elif node.kind == SOURCE and not node.paths:
            dark.append(node)
    return _sorted(graph, holds, set(clean), dark)


def _sorted(graph: Lineage, holds: dict[str, int], clean: set[str], dark: list[Node]) -> Touched:
    """What descends from a holder: it learnt from it, unless only by way of clean data."""
    below = graph.descendants(*holds) - holds.keys()
    onward = {one: [newer for older, newer in graph.edges if older == one and newer not in clean]
              for one in graph.nodes}
    learnt = reached(onward, holds) - holds.keys()
    ordered = [key for key in graph.nodes if key in below]
    return Touched({key: holds[key] for key in graph.nodes if key in holds},
                   tuple(graph.nodes[key] for key in ordered if key in learnt),
                   tuple(graph.nodes[key] for key in ordered if key not in learnt),
                   tuple(dark), graph)


def _found(text: str, words: str, record: str) -> bool:
    return store.sha256_text(text) == record if record else words.casefold() in text.casefold()


def _texts(folder: Path) -> Iterator[str]:
    """A text for each record: its text column, or all that it says, as JSON."""
    for row in load_from_disk(str(folder)):
        text = row.get("text")
        yield text if isinstance(text, str) else json.dumps(row, ensure_ascii=False, default=str)


def _in_file(node: Node, words: str) -> bool:
    files = [file for path in node.paths for file in (path, *path.rglob("*")) if file.is_file()]
    return any(words.casefold() in file.read_text(encoding="utf-8", errors="replace").casefold()
               for file in files if file.suffix in (".txt", ".md", ".rst", ".jsonl", ".json"))


def _row(node: Node, why: str, what_to_do: str, graph: Lineage) -> dict[str, Any]:
    where = node.paths[0] if node.paths else None
    if where is not None and where.is_relative_to(graph.folder):
        where = where.relative_to(graph.folder)
    return {"kind": node.kind, "name": node.name, "where": where.as_posix() if where else "",
            "sha256": node.id[:12], "why": why, "what to do": what_to_do}
