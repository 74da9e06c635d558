"""One task over five years: whose documentation is this, in the releases of 2022 to 2026.

AWS's API documentation as shipped every November: services appear, texts are rewritten. The labels
are real and the time is real; what is simulated is the traffic: that questions come about every
documented service alike. A year's release takes a minute to read for the first time.
"""

from __future__ import annotations

import random
from collections import Counter

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.cache import cached
from fmcourse.data.card import card, with_card
from fmcourse.data.domain import SHORTEST, services
from fmcourse.data.labels import masked_paragraphs, of_part, once
from fmcourse.errors import DataError

YEARS = {2022: "aws-docs-2022", 2023: "aws-docs-2023", 2024: "aws-docs-2024",
         2025: "aws-docs-2025", 2026: "aws-docs"}
RECIPE = "yearly-1"  # raise it when a step below changes, so that caches are made anew
DOCUMENTED = 60  # texts that a service has in the last release, to be among those drawn


def yearly_paragraphs(seed: int = 0, count: int = 40, each: int = 24, test: int = 12,
                      years: tuple[int, ...] = tuple(YEARS)) -> dict[int, DatasetDict]:
    """Paragraphs of the same services in the release of every year, labelled with the service.

    The services are drawn from all that the last of the years documents well, old and new ones in
    the proportion in which they are there; a service is in the years that have enough of it.

    Args:
        seed: which services, which paragraphs, and which of them are held out.
        count: services drawn.
        each: paragraphs of a service to train on, a year. Twice as many come where there are:
            the first `each` of a service are in the part train, the next in the part more.
        test: of a service, from operations and structures that no year's training has.
        years: of `YEARS`, the first one first.

    Returns:
        Year → parts train, more and test, columns text, label (the service's id) and document;
        in random order.

    Raises:
        DataError: unknown years, or too few services.
    """
    if not years or set(years) - set(YEARS) or list(years) != sorted(set(years)):
        raise DataError(f"These are not years in order: {years}.", where="data.yearly_paragraphs",
                        fix=f"Choose from {', '.join(map(str, YEARS))}.")
    prints = [sources.fingerprint(YEARS[year]) for year in years]

    def make() -> DatasetDict:
        chosen = _services(sources.load(YEARS[years[-1]]), count, seed)
        return _once_taught(DatasetDict({
            f"{part}-{year}": rows for year in years for part, rows in
            _parts(sources.load(YEARS[year]), chosen, each, test, seed).items()}))

    parts = cached("yearly", [RECIPE, prints, list(years), seed, count, each, test], make)
    return {year: DatasetDict({part: parts[f"{part}-{year}"] for part in ("train", "more", "test")})
            for year in years}


def _once_taught(parts: DatasetDict) -> DatasetDict:
    """Without test texts that some year's training has word for word."""
    taught = {text for name, rows in parts.items() if not name.startswith("test")
              for text in rows["text"][:]}
    for name, rows in parts.items():
        if name.startswith("test"):
            keep = [i for i, text in enumerate(rows["text"][:]) if text not in taught]
            parts[name] = with_card(rows.select(keep), card(rows).step(
                "not in training", len(keep), len(rows) - len(keep)))
    return parts


def _services(release: Dataset, count: int, seed: int) -> list[str]:
    aside = set(services()["aside"])
    texts = Counter(document for document, prose in zip(
        release["document"][:], release["prose"][:], strict=True) if prose >= SHORTEST)
    able = sorted(name for name, n in texts.items() if n >= DOCUMENTED and name not in aside)
    if not 2 <= count <= len(able):
        raise DataError(f"{count} services cannot be drawn of {len(able)}.",
                        where="data.yearly_paragraphs", fix=f"Ask for 2 to {len(able)}.")
    return random.Random(seed).sample(able, count)


def _parts(release: Dataset, chosen: list[str], each: int, test: int, seed: int
           ) -> dict[str, Dataset]:
    own = set(chosen)
    few = release.select([i for i, name in enumerate(release["document"][:]) if name in own])
    rows = once(masked_paragraphs(few))
    sides = {side: of_part(rows, side, seed, 0.25) for side in ("train", "test")}
    draw = random.Random(f"{seed} {card(release).name}")
    found: dict[str, list[dict[str, str]]] = {"train": [], "more": [], "test": []}
    for name in chosen:
        able = {side: [{"text": row["text"], "label": name, "document": row["document"]}
                       for row in rows if row["service"] == name] for side, rows in sides.items()}
        if len(able["train"]) < each or len(able["test"]) < test:
            continue  # not there yet, or hardly documented
        drawn = draw.sample(able["train"], min(2 * each, len(able["train"])))
        found["train"] += drawn[:each]
        found["more"] += drawn[each:]
        found["test"] += draw.sample(able["test"], test)
    return {part: with_card(Dataset.from_list(draw.sample(some, len(some))), card(release).step(
        part, len(some), len(few) - len(some), f"{len(chosen)} services drawn, seed {seed}"))
        for part, some in found.items()}
