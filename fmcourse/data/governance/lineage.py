"""Lineage: from any model back to the bytes it was made of, and from any byte to what it touched.

Nothing is written down for it. Cards of data sets name their sources and every data set that their
texts came through; token files name their texts; runs name what they read, the model they started
from, the teacher they learnt of and what it said; adapters and models saved on their own name
theirs. All of it by hash, so a graph (`graph.Lineage`) is read from whatever lies in a folder, and
files may be moved or copied about.

A data set is known by its texts: two with the same texts and other columns count as copies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fmcourse import sources, store
from fmcourse.data.card import Card
from fmcourse.data.governance.graph import (
    ADAPTER,
    DATA,
    MODEL,
    RUN,
    SOURCE,
    TOKENS,
    Lineage,
    Node,
    hashed,
    reached,
)
from fmcourse.errors import CourseError, StoreError
from fmcourse.sources.fetching import place

_MODELS = {"start": "the model it started from", "teacher": "the teacher it learnt of"}
HIDDEN = "."  # names that begin so are locks and drafts


def lineage(folder: Path | str) -> Lineage:
    """The graph of all that lies in a folder, and what it names in the course's own store.

    A thing whose own description was damaged can no longer say what it is. To keep watch over
    those, too, keep the graph that was read while all was well: its `changed` and `stale` look at
    the files anew each time.

    Raises:
        StoreError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise StoreError("There is no such folder." if not folder.exists() else
                         "This is a file, not a folder.", where=folder,
                         fix="Name the folder of a project, or any with data sets and runs.")
    found, broken = _things(folder)
    nodes = _merged(found)
    nodes = _merged([*nodes.values(), *_named_elsewhere(nodes, folder)])
    ordered = _in_order(nodes)
    return Lineage(folder, ordered, tuple(_edges(ordered)), tuple(broken))


def _things(folder: Path) -> tuple[list[Node], list[Path]]:
    """What describes itself, below a folder; a run's model is part of the run."""
    found, broken = [], []
    for path in sorted(folder.rglob("*.json")):
        if path.name not in READERS or any(
                part.startswith(HIDDEN) for part in path.relative_to(folder).parts):
            continue
        if path.parent.name == "model" and (path.parent.parent / "run.json").is_file():
            continue
        try:
            made = READERS[path.name](path, json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, CourseError):
            broken.append(path)
            continue
        if made and not all(type(one) is str for one in (made.id, made.name, *made.before)):
            broken.append(path)
        elif made:
            found.append(made)
    return found, broken


def _of_card(path: Path, told: dict[str, Any]) -> Node | None:
    """A data set, an adapter or a model, by what its card says."""
    if "settings" in told:
        run = path.parent.parent / "run.json"
        made_by = {json.loads(run.read_text(encoding="utf-8"))["model"]} if (
            path.parent.name == "adapter" and run.is_file()) else set()
        return Node(told["sha256"], ADAPTER, told["name"], (path,),
                    frozenset({told["base"], *made_by}))
    if "objective" in told:
        return Node(told["sha256"], MODEL, told["name"], (path,),
                    frozenset(told.get("made_of", ())), {"name": told["name"]}
                    ) if "sha256" in told else None
    return Node(told["sha256"], DATA, path.parent.name, (path,), _of_data(told) - {told["sha256"]},
                told) if "sources" in told else None


def _of_run(path: Path, told: dict[str, Any]) -> Node | None:
    """A run, which stands for the model that it made."""
    if "model" not in told:
        return None  # of an earlier version of the course
    before = {told["parents"].get(name) for name in ("data", "said", *_MODELS)}
    for card in told["reads"]:
        before |= {card["sha256"], *_of_data(card)}
    return Node(told["model"], RUN, told["name"], (path,),
                frozenset(before - {None, told["model"]}), told)


def _of_tokens(path: Path, told: dict[str, Any]) -> Node:
    return Node(told["sha256"], TOKENS, "tokens", (path,), frozenset({told["text"]}), told)


def _of_data(told: Mapping[str, Any]) -> frozenset[str]:
    """What a card names; one that is none, as it stands, is an error."""
    about = Card.of({key: value for key, value in told.items()
                     if key not in (store.FILES, store.SEAL)})
    return frozenset([*about.made_of, *about.sources.values()])


READERS = {"card.json": _of_card, "run.json": _of_run, "tokens.json": _of_tokens}


def _merged(found: Iterable[Node]) -> dict[str, Node]:
    """Each thing once: copies of a data set as one with several paths, copies of what a run made
    as things made of it, for the run never read those."""
    nodes: dict[str, Node] = {}
    for node in sorted(found, key=lambda one: not _in_a_run(one)):
        first = nodes.get(node.id)
        if first and node.paths != first.paths and node.kind in (MODEL, ADAPTER):
            node = replace(node, id=store.sha256_text(f"{node.id} {node.paths}"),
                           name=f"{node.name}, copy", before=frozenset({node.id}))
        elif first:
            node = replace(first, paths=tuple(dict.fromkeys([*first.paths, *node.paths])),
                           before=first.before | node.before)
        nodes[node.id] = node
    return nodes


def _in_a_run(node: Node) -> bool:
    return node.kind == RUN or any((path.parent.parent / "run.json").is_file()
                                   for path in node.paths)


def _named_elsewhere(nodes: Mapping[str, Node], folder: Path) -> Iterator[Node]:
    """Sources that cards name, what the store keeps for runs, and models that runs name."""
    seen: set[tuple[str, str]] = set()  # a source is looked for once, whoever names it
    for node in list(nodes.values()):
        for card in node.facts.get("reads", [node.facts] if node.kind == DATA else []):
            for name, digest in card["sources"].items():
                if digest not in nodes and (name, digest) not in seen:
                    seen.add((name, digest))
                    yield Node(digest, SOURCE, name, _places(name, digest, folder))
        if node.kind == RUN:
            yield from _tokens_of(node)
            yield from _said_to(node)
            for name, called in _MODELS.items():
                made = node.facts["parents"].get(name)
                if made and made not in nodes:
                    yield Node(made, MODEL, called)


def _tokens_of(run: Node) -> Iterator[Node]:
    made = run.facts["parents"].get("data", "")
    path = store.home() / "tokens" / made[:16] / "tokens.json"
    if made and path.is_file():
        with_text = {card["sha256"]: card["name"] for card in run.facts["reads"]}
        told = store.read_json(path)
        node = _of_tokens(path, told)
        yield replace(node, name=f"tokens of {with_text.get(told['text'], 'a data set')}")


def _said_to(run: Node) -> Iterator[Node]:
    """What a teacher said of the run's data: kept in the store, and made again if it is gone."""
    parents = run.facts["parents"]
    made = parents.get("said", "")
    for path in (store.home() / "teachers").glob(f"*-{made[:16]}/about.json") if made else ():
        read = run.facts["reads"][0]
        yield Node(made, TOKENS, f"what a teacher said of {read['name']}", (path,),
                   frozenset({parents["teacher"], read["sha256"]}))


def _places(name: str, digest: str, folder: Path) -> tuple[Path, ...]:
    """Where a source lies: in the folder under its name, or in the store if it is registered."""
    if name in sources.registry():
        source = sources.get(name)
        path = place(source) / source.file if source.file else None
        return (path,) if path and path.is_file() and source.sha256 == digest else ()
    if name.startswith("hub:"):
        return ()
    alike = [path for path in sorted(folder.rglob("*")) if path.name == Path(name).name
             and (path.is_file() or path.parent.name == "sources")]
    same = [path for path in alike if hashed(path) == digest]
    return tuple(same or alike[:1])  # one that was changed is still the one that was meant


def _in_order(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """Each after what it was made of; all that is before it, through others too, in `before`."""
    steps = {key: node.before & nodes.keys() for key, node in nodes.items()}
    above = {key: reached(steps, [key]) for key in nodes}
    order = sorted(nodes, key=lambda key: (len(above[key]), nodes[key].kind, nodes[key].name, key))
    return {key: replace(nodes[key], before=frozenset(above[key] - {key})) for key in order}


def _edges(nodes: Mapping[str, Node]) -> Iterator[tuple[str, str]]:
    """From a thing to what was made of it, unless another thing stands between."""
    for key, node in nodes.items():
        for one in nodes:
            if one in node.before and not any(one in nodes[other].before
                                              for other in node.before if other != one):
                yield one, key
