"""A learner's own text, ready to train on: a part to learn from and a part to measure on.

Whole documents are held out where there are enough of them. Often there are not: one book, three
manuals. Then the text is cut into consecutive blocks and some of those are held out. A model has
read what stands before and after such a block, so the measure flatters it, and the card says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.card import card, values, with_card
from fmcourse.data.clean import deduplicate
from fmcourse.errors import DataError
from fmcourse.sources.pieces import pieces

LEAST = 2_000  # characters; less is a page, and a twentieth of it a sentence
DOCUMENTS = 20  # fewer cannot be split by document without losing one that matters
BLOCKS = 50  # fewer rows are cut again, in memory: 50 million characters at most


def own(name: str | Path, held_out: float = 0.05, seed: int = 0) -> DatasetDict:
    """Parts train and validation of a file, a folder, a hub data set or a registered source.

    Texts that are there twice are read once. Nothing else is changed.

    Args:
        name: as for `fmcourse.sources.load`.
        held_out: share of the characters wanted in validation.
        seed: changes which documents, or blocks, are held out.

    Raises:
        DataError: there is too little text, or no such share.
        SourceError: it cannot be read.
    """
    if not 0.01 <= held_out <= 0.5:
        raise DataError(f"A share of {held_out} cannot be held out.", where="held_out",
                        fix="Use a share between 0.01 and 0.5, such as 0.05.")
    whole = deduplicate(sources.load(name, text_only=True))
    about = card(whole)
    if about.characters < LEAST:
        raise DataError(f"There are only {about.characters:,} characters of text here, too few to "
                        "learn from.", where=about.name,
                        fix=f"Give at least {LEAST:,}; a short book has 200,000.")
    sizes = np.fromiter(map(len, values(whole)), np.int64, len(whole))
    documents = _keys(values(whole, "document"), seed)
    chosen = _chosen(documents, sizes, held_out)
    enough_held = sizes[chosen].sum() >= held_out * sizes.sum() / 2
    enough_left = len(np.unique(documents[chosen])) <= about.documents / 2
    if about.documents >= DOCUMENTS and enough_held and enough_left:
        return _parts(whole, chosen, "by document")
    if len(whole) < BLOCKS or sizes.max() > held_out * sizes.sum():
        whole = _cut_again(whole, int(held_out * about.characters / 10))
        sizes = np.fromiter(map(len, values(whole)), np.int64, len(whole))
    numbers = map(str, range(len(whole)))
    chosen = _chosen(_keys(numbers, seed), sizes, max(held_out, sizes.max() / sizes.sum()))
    return _parts(whole, chosen, "by blocks of text, for want of documents to hold out whole: "
                                 "what stands around a validation block is in train")


def _keys(names: Iterator[str], seed: int) -> np.ndarray:
    """A number for each name that is the same on every machine, in no order."""
    hashes = (hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest() for name in names)
    return np.fromiter((int.from_bytes(digest) for digest in hashes), np.uint64)


def _chosen(keys: np.ndarray, sizes: np.ndarray, share: float) -> np.ndarray:
    """Which rows to hold out: those of keys in ascending order, till about `share` is reached."""
    units, unit_of = np.unique(keys, return_inverse=True)
    room = 1.2 * share * sizes.sum()
    held = np.zeros(len(units), dtype=bool)
    for unit, size in enumerate(np.bincount(unit_of, sizes)):
        if size <= room:
            held[unit] = True
            room -= size
        if room <= 0.2 * share * sizes.sum():
            break
    return held[unit_of]


def _cut_again(dataset: Dataset, size: int) -> Dataset:
    """The same text in blocks of `size` characters, within bounds."""
    size = min(max(size, 500), 100_000)
    rows = [{**row, "text": block} for row in dataset for block in pieces([row["text"]], size)
            if block.strip()]
    cut = Dataset.from_list(rows)
    return with_card(cut, card(dataset).step("blocks", len(cut), 0, f"{size:,} characters"))


def _parts(whole: Dataset, held: np.ndarray, how: str) -> DatasetDict:
    index = {"train": np.flatnonzero(~held), "validation": np.flatnonzero(held)}
    return DatasetDict({
        part: with_card(whole.select(rows), card(whole).step(
            f"{part} part", len(rows), len(whole) - len(rows), how))
        for part, rows in index.items()})
