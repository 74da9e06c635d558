"""Genuinely dirty text: what three archives hold before anybody cleans it, mixed as a crawl would.

HTML of AWS documentation, every piece as often as it is there; wiki markup; messages in eighty
languages; and clean encyclopaedia passages with planted dirt (simulated, and the only ones whose
truth is known: elsewhere `planted` is None).
"""

from __future__ import annotations

from collections.abc import Sequence

from datasets import Dataset, Value

from fmcourse import sources
from fmcourse.data.corpus import combine, general, only, sized
from fmcourse.data.curation.dirt import plant
from fmcourse.data.domain import services

PASSAGES, HTML, MARKUP, MESSAGES = ("boolq-passages", "aws-docs-html", "wikipedia-markup",
                                    "django-messages")
SHARES = {PASSAGES: 0.3, HTML: 0.4, MARKUP: 0.2, MESSAGES: 0.1}  # of the characters


def raw(characters: int = 4_000_000, seed: int = 0, tests: Sequence[str] = ()) -> Dataset:
    """About so many characters of dirty text.

    Services that the domain corpus holds out are not in it.

    Args:
        characters: of all sources together; one may have fewer than its share.
        seed: which texts.
        tests: texts of an evaluation set, some of which leak into it.

    Returns:
        Columns text, document, source, planted, truth: see `plant`.
    """
    parts = {PASSAGES: only(general()["train"], PASSAGES)}
    parts |= {name: sources.load(name, text_only=True) for name in (HTML, MARKUP, MESSAGES)}
    parts[HTML] = _without(parts[HTML], {name for names in services().values() for name in names})
    drawn = {name: sized(parts[name], round(share * characters), seed)
             for name, share in SHARES.items()}
    drawn[PASSAGES] = plant(drawn[PASSAGES], drawn[MESSAGES]["text"][:], tests, seed=seed)
    return combine("raw", [part if "planted" in part.column_names else _unknown(part)
                           for part in drawn.values()])


def _without(dataset: Dataset, documents: set[str]) -> Dataset:
    keep = [i for i, name in enumerate(dataset["document"][:]) if name not in documents]
    return dataset.select(keep)


def _unknown(dataset: Dataset) -> Dataset:
    for name in ("planted", "truth"):
        dataset = dataset.add_column(name, [None] * len(dataset), feature=Value("string"))
    return dataset
