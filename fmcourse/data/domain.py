"""The domain corpora: what makes a general model a specialist.

AWS documentation in two releases (`aws`, `aws-2022`: the same domain as it changes) and medical
abstracts (`medical`: small, and far from both). AWS is split by an explicit list of services,
`services.toml`, because operations of one service repeat each other's words; held-out services come
first when duplicates are dropped, so what train shares with them leaves train. The price: one list
judged by people, to be looked at again when a release adds a sibling of a held-out service.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.cache import cached
from fmcourse.data.card import card, with_card
from fmcourse.data.clean import deduplicate, normalise
from fmcourse.data.near_duplicates import drop_near_duplicates
from fmcourse.data.split import check_no_leak, split_by_document
from fmcourse.errors import DataError

DOMAINS = {"aws": "aws-docs", "aws-2022": "aws-docs-2022", "medical": "pubmed"}
HELD_OUT = ("test", "task", "validation")  # in the order in which they keep what they share
RECIPE = "domain-2"  # raise it when a step below changes, so that caches are made anew
SHORTEST = 40  # characters of documentation below which a text says nothing
_SERVICES = Path(__file__).with_name("services.toml")


def domain(name: str) -> DatasetDict:
    """A domain corpus, clean, without near duplicates, and split; cached on disk.

    Args:
        name: 'aws' or 'aws-2022' (parts train, validation, test and task, by service), or
            'medical' (train, validation and test, by article).

    Raises:
        DataError: no domain of that name.
    """
    if name not in DOMAINS:
        raise DataError(f"There is no domain {name!r}.", where="data.domain",
                        fix=f"Domains: {', '.join(DOMAINS)}")
    recipe = [RECIPE, sources.fingerprint(DOMAINS[name]), services()]

    def make() -> DatasetDict:
        corpus = sources.load(DOMAINS[name])
        corpus = with_card(corpus, replace(card(corpus), name=name))
        return _articles(corpus) if name == "medical" else by_service(corpus, services())

    return cached(f"domain-{name}", recipe, make)


@cache
def services() -> dict[str, list[str]]:
    """The services of each held-out part, and those `aside`, which no part has."""
    return tomllib.loads(_SERVICES.read_text(encoding="utf-8"))


def _articles(corpus: Dataset) -> DatasetDict:
    """A tenth held out for each part: the corpus is so small that less would measure nothing."""
    texts = drop_near_duplicates(deduplicate(normalise(corpus)))
    return split_by_document(texts, held_out=0.1)


def by_service(corpus: Dataset, lists: Mapping[str, Sequence[str]]) -> DatasetDict:
    """Clean AWS documentation and split it by lists of services; the rest is train.

    Args:
        corpus: rows of the reader `aws_docs`.
        lists: services of `test`, `task`, `validation` and `aside`; ones not in the corpus are
            ignored.

    Raises:
        DataError: a part would be empty, or two parts share a document or a text.
    """
    part_of = {service: part for part in (*HELD_OUT, "aside") for service in lists[part]}
    texts = _held_out_first(normalise(_documented(corpus)), part_of)
    texts = drop_near_duplicates(deduplicate(texts), compared=body)
    whole, rows = card(texts), {part: [] for part in ("train", *reversed(HELD_OUT))}
    for i, document in enumerate(texts["document"][:]):
        rows[part_of.get(document, "train")].append(i)
    for part, index in rows.items():
        if not index:
            raise DataError(f"The {part} part is empty.", where=whole.name,
                            fix="Name services of this corpus in services.toml.")
    parts = DatasetDict({
        part: with_card(texts.select(index), whole.step(
            f"{part} part", len(index), len(texts) - len(index), "by service"))
        for part, index in rows.items()})
    check_no_leak(parts)
    return parts


def body(text: str) -> str:
    """A text without its first paragraph, the heading that names it.

    Hundreds of services describe `ThrottlingException` in the same words under their own name.

    >>> body("Halt, an exception of AWS Lamp.\\n\\nIt is off.")
    'It is off.'
    """
    heading, _, rest = text.partition("\n\n")
    return rest or heading


def _documented(corpus: Dataset) -> Dataset:
    keep = [i for i, prose in enumerate(corpus["prose"][:]) if prose >= SHORTEST]
    entry = card(corpus).step("documented", len(keep), len(corpus) - len(keep),
                              f"(>= {SHORTEST} characters of documentation)")
    return with_card(corpus.select(keep).remove_columns("prose"), entry)


def _held_out_first(corpus: Dataset, part_of: Mapping[str, str]) -> Dataset:
    """Without the services set aside; test first, then task, validation and train."""
    order = {part: number for number, part in enumerate((*HELD_OUT, "train"))}
    part = [part_of.get(document, "train") for document in corpus["document"][:]]
    keep = sorted((i for i in range(len(part)) if part[i] in order), key=lambda i: order[part[i]])
    entry = card(corpus).step("siblings aside", len(keep), len(corpus) - len(keep),
                              "(other interfaces to held-out services)")
    return with_card(corpus.select(keep), entry)
