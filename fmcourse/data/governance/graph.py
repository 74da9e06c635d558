"""A graph of things and what was made of them, and what of it is no longer as it was.

`lineage` reads it from the files in a folder; here is what can be asked of it. Every thing is
sealed with the hashes of its files (`store.seal`), a source by the cards that name it: a changed
byte shows at the thing itself, and whatever descends from it is stale. What is known by hash alone,
since it is kept elsewhere, is in the graph and cannot be checked; it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmcourse import store
from fmcourse.errors import SourceError, StoreError
from fmcourse.sources import local

SOURCE, DATA, TOKENS, RUN, ADAPTER, MODEL = (
    "source", "data set", "tokens", "run", "adapter", "model")


@dataclass(frozen=True)
class Node:
    """One thing in the graph.

    Attributes:
        id: its hash: of a source's bytes, a data set's texts, a model's weights.
        kind: source, data set, tokens, run (and the model that it made), adapter or model.
        name: for people.
        paths: where it lies; several, if there are copies; none, if it is known by hash alone.
        before: ids of all that it was made of, directly or not, as far as it says so itself.
        facts: what else it says of itself, such as its card or recipe.
    """

    id: str
    kind: str
    name: str
    paths: tuple[Path, ...] = ()
    before: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lineage:
    """Things by id, each after what it was made of, and how they hang together.

    Attributes:
        folder: where they were found.
        nodes: id → thing.
        edges: pairs of ids, from what is older to what was made of it; what follows from two
            others is left out.
        broken: files that say what they are, but cannot be read any more.
    """

    folder: Path
    nodes: dict[str, Node]
    edges: tuple[tuple[str, str], ...]
    broken: tuple[Path, ...] = ()

    def find(self, name: str) -> Node:
        """A thing by its name, path or the beginning of its hash.

        Raises:
            StoreError: none or several are called so.
        """
        named = [one for one in self.nodes.values() if name == one.name or any(
            path == self.folder / name for path in one.paths)]
        found = named or [one for key, one in self.nodes.items() if key.startswith(name)]
        if len(found) == 1:
            return found[0]
        what = "Several things are" if found else "Nothing here is"
        raise StoreError(f"{what} called {name!r}.", where=self.folder, fix="Known: " + ", ".join(
            f"{one.name} ({one.id[:8]})" for one in (found or self.nodes.values())))

    def ancestors(self, node: str) -> set[str]:
        """Ids of all that a thing was made of."""
        return reached({one: [a for a, b in self.edges if b == one] for one in self.nodes}, [node])

    def descendants(self, *ids: str) -> set[str]:
        """Ids of all that was made of these."""
        return reached({one: [b for a, b in self.edges if a == one] for one in self.nodes}, ids)

    def changed(self) -> set[str]:
        """Ids of things whose bytes are not those they were made with, or that are gone."""
        return {key for key, node in self.nodes.items() if not _whole(node)}

    def unchecked(self) -> set[str]:
        """Ids of things that are known by hash alone: they are not here to be looked at."""
        return {key for key, node in self.nodes.items() if not node.paths}

    def stale(self) -> set[str]:
        """Ids of all that descends from something changed; what changed itself not counted,
        unless it descends from another that did."""
        return self.descendants(*self.changed())

    def draw(self, title: str | None = None) -> Any:
        """The graph as a picture, with what changed and what is stale; see `show.lineage`."""
        from fmcourse import show

        return show.lineage(self, title=title)


def hashed(path: Path) -> str:
    """SHA-256 of a source's file or folder; nothing, if it cannot be read."""
    try:
        return local.digest(path)
    except (OSError, SourceError, IndexError):
        return ""


def _whole(node: Node) -> bool:
    if node.kind == SOURCE:
        return all(hashed(path) == node.id for path in node.paths)
    return not any(_broken(path) for path in node.paths)


def _broken(path: Path) -> bool:
    try:
        return not path.is_file() or bool(store.broken_seal(path))
    except StoreError:  # no seal at all
        return True


def reached(steps: Mapping[str, Iterable[str]], begin: Iterable[str]) -> set[str]:
    """All that some steps lead to from where one begins.

    >>> sorted(reached({"a": ["b"], "b": ["c"], "x": ["y"]}, ["a"]))
    ['b', 'c']
    """
    found, open_ = set(), list(begin)
    while open_:
        for one in steps.get(open_.pop(), ()):
            if one not in found:
                found.add(one)
                open_.append(one)
    return found
