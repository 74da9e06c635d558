"""A request for erasure: which data sets, runs and models somebody's data is in.

Records of the data sets and sources in a folder are searched for the person's words (or one is
looked up by its hash), and lineage says what was made of them. Deleting the record from data is
simple. A model that was trained on it is another matter: weights hold no records that could be
taken out, so the honest answer is to train it again without them.

What could not be searched is in the answer too. Files that no card names are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fmcourse.data.governance.graph import DATA, RUN, SOURCE, TOKENS, Lineage, Node, reached
from fmcourse.data.governance.searching import Search, in_dataset, in_source
from fmcourse.errors import DataError

ADVICE = {
    SOURCE: "delete it there, or ask whoever keeps it to",
    DATA: "delete the records, and make again what was made of it",
    TOKENS: "delete; it is made again from the data",
}
RETRAIN = "train again without the records; nothing takes them out of weights"
LOOK = "not found in it: look whether it is there in other words, such as a pseudonym"
JUDGE = "learnt only from data in which it was not found: a person has to judge"
FIND = "find it, and search it"
FINISH = "finish it and ask again, or delete its folder: its checkpoints may have learnt from it"
FILE = "file"  # the kind of what can no longer say what it is


@dataclass(frozen=True)
class Unsearched:
    """What could not be looked at, or not all of it: why, and what to do."""

    node: Node
    why: str
    what_to_do: str = FIND


@dataclass(frozen=True)
class Touched:
    """Where somebody's data is, or may be.

    Attributes:
        holds: ids of things in which it was found, with how many records, over all their copies.
        learnt: what was trained on those, or made of what was; data that was made of them, too, if
            it could not be searched.
        derived: made of what holds it, while it was not found in there, and nothing that learnt
            from it stands between.
        unsearched: data known by hash alone; files that are of another type or broken, of which
            the rest was searched; descriptions that cannot be read; runs that are not finished.
    """

    holds: dict[str, int]
    learnt: tuple[Node, ...]
    derived: tuple[Node, ...]
    unsearched: tuple[Unsearched, ...]
    graph: Lineage

    def rows(self) -> list[dict[str, Any]]:
        """One row a thing: what it is, where it lies, why it is touched, what to do."""
        nodes = self.graph.nodes
        rows = [_row(nodes[key], f"{count:,} record{'s' * (count != 1)}", ADVICE[nodes[key].kind],
                     self.graph) for key, count in self.holds.items()]
        rows += [_row(node, "may hold it" if node.kind == DATA else "learnt from it",
                      ADVICE.get(node.kind, RETRAIN), self.graph) for node in self.learnt]
        rows += [_row(node, "made of what holds it", LOOK if node.kind == DATA else JUDGE,
                      self.graph) for node in self.derived]
        return rows + [_row(one.node, f"not searched, for {one.why}", one.what_to_do, self.graph)
                       for one in self.unsearched]

    def __bool__(self) -> bool:
        return bool(self.holds)

    def __str__(self) -> str:
        searched = sum(node.kind in (DATA, SOURCE) and bool(node.paths)
                       for node in self.graph.nodes.values())
        nowhere = "There is no data here that could be searched."
        if searched:
            nowhere = f"Nothing {'that could be searched ' * bool(self.unsearched)}here holds it."
        return "\n".join([*([] if self else [nowhere]), *(
            f"{row['kind']:9} {row['name']:20} {row['why'] + ':':22} {row['what to do']}"
            for row in self.rows())])


def touched_by(graph: Lineage, words: str = "", *, record: str = "") -> Touched:
    """What a person's request concerns.

    Args:
        graph: of the folder, as `lineage` reads it.
        words: what names the person: an address, a name, a number. Found within any one value of a
            record, in any case and with any white space between words; somebody who is called in
            several ways is asked for several times.
        record: instead, the SHA-256 of a whole record's text (`store.sha256_text`).

    Raises:
        DataError: neither is given, or both are; or the hash is none.
    """
    if bool((words or "").strip()) == bool(record):
        raise DataError("A request names a person's words, or a record's hash.",
                        where="governance.touched_by",
                        fix='touched_by(graph, "ann@example.org"), or record=….')
    if record and not re.fullmatch("[0-9a-fA-F]{64}", record):
        raise DataError(f"{record!r} is not the hash of a record: 64 digits, 0 to 9 and a to f.",
                        where="governance.touched_by",
                        fix="Use store.sha256_text of the record's whole text.")
    holds, clean, dark = {}, set(), []
    for key, node in graph.nodes.items():
        if node.kind not in (DATA, SOURCE):
            continue
        search = Search(words or "", record.lower())
        for path in node.paths:
            if node.kind == DATA:
                in_dataset(path.parent, search)
            else:
                in_source(node.name, path, search)
        if search.records:
            holds[key] = search.records
        elif node.kind == DATA and node.paths and not search.faults:
            clean.add(key)
        if search.faults or (node.kind == SOURCE and not node.paths):
            dark.append(Unsearched(node, search.why() or "it is not here"))
    return _sorted(graph, holds, clean, [*dark, *_silent(graph)])


def _silent(graph: Lineage) -> Iterator[Unsearched]:
    """Things here that are not in the graph, for they cannot say what they are, or not yet."""
    for path in graph.broken:
        yield Unsearched(Node("", FILE, path.parent.name, (path,)), "it cannot be read",
                         "look what it was; make it again, or delete it")
    for plan in sorted(graph.folder.rglob("plan.json")):
        if not (plan.parent / "run.json").exists():
            yield Unsearched(Node("", RUN, plan.parent.name, (plan.parent,)),
                             "it is not finished", FINISH)


def _sorted(graph: Lineage, holds: dict[str, int], clean: set[str],
            dark: list[Unsearched]) -> Touched:
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


def _row(node: Node, why: str, what_to_do: str, graph: Lineage) -> dict[str, Any]:
    where = ", ".join((path.relative_to(graph.folder) if path.is_relative_to(graph.folder)
                       else path).as_posix() for path in node.paths)
    return {"kind": node.kind, "name": node.name, "where": where, "sha256": node.id[:12],
            "why": why, "what to do": what_to_do}
