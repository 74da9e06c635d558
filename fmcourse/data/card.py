"""The card that travels with a dataset: where its records came from and what was done to them.

A `datasets.Dataset` has no room for provenance of its own, so the card is kept as JSON in
`dataset.info.description`, which survives `select`, `filter`, `map` and `save_to_disk`. That way
the course needs no private container type; the price is that code which overwrites the
description loses the card, and `card()` then says so.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from datasets import Dataset

from fmcourse import store
from fmcourse.errors import DataError


@dataclass(frozen=True)
class Card:
    """Provenance of a dataset.

    `sources` maps a source's name to the SHA-256 of the file it was read from; `steps` lists what
    was done, in order, as dicts of `step`, `kept`, `dropped` and `note`; `sha256` is the hash of
    the texts themselves.
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

    def step(self, name: str, kept: int, dropped: int, note: str = "") -> Card:
        """A copy with one more step on record."""
        entry = {"step": name, "kept": kept, "dropped": dropped, "note": note}
        return replace(self, steps=(*self.steps, entry))

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("dataset", self.name), ("documents", f"{self.documents:,}"),
                ("texts", f"{self.texts:,}"), ("characters", f"{self.characters:,}"),
                ("licence", ", ".join(self.licence)), ("sources", ", ".join(self.sources)),
                ("SHA-256", self.sha256[:12])]
        rows += [(s["step"], f"kept {s['kept']:,}, dropped {s['dropped']:,} {s['note']}".strip())
                 for s in self.steps]
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


def with_card(dataset: Dataset, card: Card) -> Dataset:
    """Attach a card to a dataset, with its counts and hash brought up to date."""
    texts = dataset["text"][:]
    documents = len(set(dataset["document"][:])) if "document" in dataset.column_names else 0
    card = replace(card, documents=documents, texts=len(texts),
                   characters=sum(map(len, texts)), sha256=hash_texts(texts))
    dataset.info.description = json.dumps(asdict(card))
    return dataset


def hash_texts(texts: Sequence[str]) -> str:
    """SHA-256 over texts in order; two datasets with equal hashes hold the same words."""
    return store.sha256_json(list(texts))


def card(dataset: Dataset) -> Card:
    """The card of a dataset.

    Raises:
        DataError: the dataset has none, or something overwrote it.
    """
    try:
        raw = json.loads(dataset.info.description)
        for name in ("licence", "attribution", "steps"):
            raw[name] = tuple(raw[name])
        return Card(**raw)
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            "This dataset has no card, so nobody can say where it came from.",
            where=type(dataset).__name__,
            fix="Load it with fmcourse.sources.load, or attach one with fmcourse.data.with_card.",
        ) from error
