"""Train, validation and test parts that share no document.

Splitting by text would leak: two passages of one article repeat each other's names and phrases,
and a model that has read the one is tested on the other. So whole documents (an article, a book
of the Bible, a play) go to one part. Which one depends on a hash of the document's name, not on
a random state: the same corpus is split the same on every machine. A document added or grown can
move others, since parts are filled up to a size; never compare models across such a change.
"""

from __future__ import annotations

from collections import Counter

from datasets import Dataset, DatasetDict

from fmcourse import store
from fmcourse.data.card import card, values, with_card
from fmcourse.errors import DataError

PARTS = ("train", "validation", "test")


def split_by_document(dataset: Dataset, held_out: float = 0.025, seed: int = 0) -> DatasetDict:
    """Split into train, validation and test by the column `document`, source by source.

    Args:
        dataset: columns `text`, `document`, `source`.
        held_out: share of each source's characters wanted in validation, and again in test. A
            document too big for what is still wanted stays in train, so a part can fall short.
        seed: changes which documents are held out.

    Raises:
        DataError: a column is missing, or a source has too few documents to hold any out.
    """
    for column in ("text", "document", "source"):
        if column not in dataset.column_names:
            raise DataError(f"The column {column!r} is missing.", where=dataset.column_names,
                            fix="Load the dataset with fmcourse.sources.load.")
    sources, documents = dataset["source"][:], dataset["document"][:]
    sizes: dict[str, Counter[str]] = {}
    for source, document, text in zip(sources, documents, values(dataset), strict=True):
        sizes.setdefault(source, Counter())[document] += len(text)
    part_of = {source: _assign(source, counts, held_out, seed) for source, counts in sizes.items()}
    rows: dict[str, list[int]] = {part: [] for part in PARTS}
    for i, (source, document) in enumerate(zip(sources, documents, strict=True)):
        rows[part_of[source][document]].append(i)
    whole = card(dataset)
    parts = DatasetDict({
        part: with_card(dataset.select(index),
                        whole.step(f"{part} part", len(index), len(dataset) - len(index),
                                   "by document"))
        for part, index in rows.items()
    })
    check_no_leak(parts)
    return parts


def drawn(seed: int, name: str) -> float:
    """A number from 0 to 1, decided by seed and name alone: what is held out stays held out."""
    return int(store.sha256_json([seed, name])[:8], 16) / 16**8


def _assign(source: str, sizes: Counter[str], share: float, seed: int) -> dict[str, str]:
    wanted = share * sizes.total()
    order = sorted(sizes, key=lambda name: store.sha256_json([seed, source, name]))
    part_of = dict.fromkeys(order, "train")
    for part in ("validation", "test"):
        taken = 0
        for name in order:
            if part_of[name] == "train" and taken + sizes[name] <= 1.2 * wanted:
                part_of[name] = part
                taken += sizes[name]
        if not taken:
            raise DataError(f"No document is small enough for the {part} part.", where=source,
                            fix="Use a larger held_out share or a source with more documents.")
    return part_of


def check_no_leak(parts: DatasetDict) -> None:
    """Raise `DataError` if two parts share a document or a text, word for word."""
    names = list(parts)
    for i, first in enumerate(names):
        for second in names[i + 1:]:
            few, many = sorted((parts[first], parts[second]), key=len)
            for column in ("document", "text"):
                shared = set(values(few, column)).intersection(values(many, column))
                if shared:
                    raise DataError(
                        f"{len(shared)} values of {column!r} are in both {first} and {second}.",
                        where=repr(sorted(shared)[0][:80]),
                        fix="Deduplicate first, then split by document.",
                    )
