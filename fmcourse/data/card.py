"""The card that travels with a dataset: where its records came from and what was done to them.

A `datasets.Dataset` has no room for provenance of its own, so the card is kept as JSON in
`dataset.info.description`, which survives `select`, `filter`, `map` and `save_to_disk`. That way
the course needs no private container type; the price is that code which overwrites the
description loses the card, and `card()` then says so.

A card may also say who answers for the data and what it may be used for (`Governance`); where it
does, training asks the policy first (`fmcourse.data.governance`).
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from datasets import Dataset

from fmcourse.data.facts import Governance
from fmcourse.errors import DataError


@dataclass(frozen=True)
class Card:
    """Provenance of a dataset.

    `sources` maps a source's name to the SHA-256 of the file it was read from; `steps` lists what
    was done, in order, as dicts of `step`, `kept`, `dropped` and `note`; `sha256` is the hash of
    the texts themselves, and `made_of` holds the hashes of all the data sets they came through, and
    of models that wrote any of them.
    """

    name: str
    sources: dict[str, str]
    licence: tuple[str, ...] = ()
    attribution: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    documents: int = 0
    texts: int = 0
    characters: int = 0
    sha256: str = ""
    notes: dict[str, Any] = field(default_factory=dict)
    made_of: tuple[str, ...] = ()
    governance: Governance | None = None

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Card:
        """A card of what `asdict` made of it, whatever JSON has made of that."""
        raw = {**raw, **{name: tuple(raw[name]) for name in ("licence", "attribution", "steps")}}
        raw["made_of"] = tuple(raw.get("made_of", ()))
        if raw.get("governance"):
            raw["governance"] = Governance(**raw["governance"])
        return cls(**raw)

    def step(self, name: str, kept: int, dropped: int, note: str = "") -> Card:
        """A copy with one more step on record."""
        entry = {"step": name, "kept": kept, "dropped": dropped, "note": note}
        come_through = dict.fromkeys([*self.made_of, *filter(None, [self.sha256])])
        return replace(self, steps=(*self.steps, entry), made_of=tuple(come_through))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it: lists, no tuples."""
        return json.loads(json.dumps(asdict(self)))

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("dataset", self.name), ("documents", f"{self.documents:,}"),
                ("texts", f"{self.texts:,}"), ("characters", f"{self.characters:,}"),
                ("licence", ", ".join(self.licence)), ("sources", ", ".join(self.sources)),
                ("SHA-256", self.sha256[:12])]
        rows += [(s["step"], f"kept {s['kept']:,}, dropped {s['dropped']:,} {s['note']}".strip())
                 for s in self.steps]
        if self.governance:
            facts = asdict(self.governance)
            rows += [(name.replace("_", " "), value if isinstance(value, str) else
                      ", ".join(value)) for name, value in facts.items()]
        return rows

    def __str__(self) -> str:
        return "\n".join(f"{key:<14} {value}" for key, value in self._rows())

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(key)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for key, value in self._rows()
        )
        return f"<table>{cells}</table>"


class Tally:
    """Texts counted, measured and hashed one at a time; `sha256` is that of their JSON list.

    >>> tally = Tally()
    >>> for text in ("one", "two"):
    ...     tally.add(text)
    >>> tally.texts, tally.characters, tally.sha256[:8]
    (2, 6, '298a9912')
    """

    _json = json.JSONEncoder(ensure_ascii=False).encode

    def __init__(self) -> None:
        self.texts, self.characters, self._hash = 0, 0, hashlib.sha256(b"[")

    def add(self, text: str | None) -> None:
        """Count one more; one that is missing has no characters."""
        self._hash.update((", " * bool(self.texts) + self._json(text)).encode())
        self.texts += 1
        self.characters += len(text or "")

    @property
    def sha256(self) -> str:
        """Hash of the texts so far."""
        whole = self._hash.copy()
        whole.update(b"]")
        return whole.hexdigest()


def tally(texts: Iterable[str]) -> Tally:
    """Texts counted, measured and hashed, however many."""
    counted = Tally()
    for text in texts:
        counted.add(text)
    return counted


def hash_texts(texts: Iterable[str]) -> str:
    """SHA-256 over texts in order; two datasets with equal hashes hold the same words."""
    return tally(texts).sha256


def values(dataset: Dataset, column: str = "text") -> Iterator[Any]:
    """One column's values in order, read from disk as they are asked for."""
    for table in dataset.select_columns(column).with_format("arrow").iter(1000):
        for value in table.column(column):
            yield value.as_py()


def with_card(dataset: Dataset, card: Card) -> Dataset:
    """Attach a card to a dataset, with its counts and hash brought up to date.

    Records that have no column `text` yet have no texts to count: see `curation.standardise`.
    """
    counted, documents = tally(values(dataset) if "text" in dataset.column_names else ()), 0
    if "document" in dataset.column_names:  # 64-bit hashes, for names would fill the memory
        names = (hash(name) for name in values(dataset, "document"))
        documents = len(np.unique(np.fromiter(names, np.int64, len(dataset))))
    card = replace(card, documents=documents, texts=counted.texts,
                   characters=counted.characters, sha256=counted.sha256)
    dataset.info.description = json.dumps(card.plain())
    return dataset


def attached(dataset: Dataset, card: Card) -> Dataset:
    """The data set with this card as it stands; the one given keeps its own."""
    made = dataset.select(range(len(dataset)))  # shares the rows, but not the description
    made.info.description = json.dumps(card.plain())
    return made


def card(dataset: Dataset) -> Card:
    """The card of a dataset.

    Raises:
        DataError: the dataset has none, or something overwrote it.
    """
    try:
        return Card.of(json.loads(dataset.info.description))
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            "This dataset has no card, so nobody can say where it came from.",
            where=type(dataset).__name__,
            fix="Load it with fmcourse.sources.load, or attach one with fmcourse.data.with_card.",
        ) from error


def cards_of(*datasets: Dataset | None) -> list[Card]:
    """The cards of those that are there; for one without a card, an empty one."""
    found = []
    for dataset in filter(None.__ne__, datasets):
        try:
            found.append(card(dataset))
        except DataError:
            found.append(Card("a data set without a card", {}))
    return found
