"""Small named steps that make text uniform and drop what is there twice.

Each step takes and returns a `datasets.Dataset` and writes what it kept and dropped on the card.
Only what every corpus of the course needs is here; the full curation pipeline is lesson 07's.
"""

from __future__ import annotations

import re
import unicodedata

from datasets import Dataset

from fmcourse.data.card import card, hash_texts, values, with_card
from fmcourse.sources.group import folded

_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200b\u202f\u3000]+")
_BREAKS = re.compile(r"\n{3,}")
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"',
                         "\u2013": "-", "\u2014": " - ", "\u2026": "...", "\ufeff": ""})


def normalise_text(text: str) -> str:
    """One spelling for what looks the same: Unicode NFC, plain quotes and dashes, single spaces.

    Idempotent. Paragraph breaks stay.

    >>> normalise_text("caf\\u0065\\u0301 \\u201ctoo\\u201d  late")
    'café "too" late'
    """
    text = unicodedata.normalize("NFC", text.translate(_QUOTES))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BREAKS.sub("\n\n", "\n".join(lines)).strip()


def normalise(dataset: Dataset, minimum: int = 40) -> Dataset:
    """Apply `normalise_text` to every text and drop those shorter than `minimum` characters."""
    before = card(dataset)
    texts = [normalise_text(text) for text in dataset["text"][:]]
    keep = [i for i, text in enumerate(texts) if len(text) >= minimum]
    rest = dataset.select(keep).remove_columns("text")
    cleaned = rest.add_column("text", [texts[i] for i in keep])
    entry = before.step("normalise", len(keep), len(texts) - len(keep), f"(< {minimum} characters)")
    return with_card(cleaned, entry)


def deduplicate(dataset: Dataset) -> Dataset:
    """Keep the first of texts that are equal after folding case and white space."""
    before, seen, keep = card(dataset), set(), []
    for i, text in enumerate(values(dataset)):
        key = hash_texts([folded(text)])
        if key not in seen:
            seen.add(key)
            keep.append(i)
    kept = dataset.select(keep)
    return with_card(kept, before.step("exact duplicates", len(keep), len(dataset) - len(keep)))
