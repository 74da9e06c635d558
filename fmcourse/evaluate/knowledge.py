"""Cloze items written from documents: what a model knows of a domain, beyond how well it reads it.

Bits per byte fall when a model has learnt how a domain writes. Whether it learnt what the domain
*says* is another question, asked here as in `evaluate.facts`: four answers, one right, ranked by
likelihood. The items are made of the documentation itself:

- operations: "CreateHsm is an operation of" → the service, among services with names as long;
- acronyms: "The acronym ARN stands for" → its expansion, among expansions as long.

The right answers of a block are each other's wrong ones, so a model that doesn't read the question
earns 25 %. An operation that several services have, or whose name gives its service away, is left
out. An acronym's letters do give its expansion away, to a reader of letters; a small model reads
tokens, and earns what guessing does before it has read the documents. Score with `score_facts`.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from datasets import Dataset, DatasetInfo, concatenate_datasets

from fmcourse.errors import DataError

OPERATIONS, ACRONYMS = "operations", "acronyms"
_BLOCK, _LENGTHS_APART = 4, 3  # answers in a block; characters between its longest and shortest
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+")
_EXPANSION = re.compile(r"((?:[A-Z][a-z]+[ -]){2,6})\(([A-Z]{2,6})\)")


def operation_items(operations: Iterable[tuple[str, str]], limit: int = 120, seed: int = 0,
                    topic: str = OPERATIONS) -> Dataset:
    """Which service does an operation belong to?

    Args:
        operations: (operation, full name of its service), as the documents have them.
        limit: at most this many, whole blocks of four.
        seed: which operations are asked about.
        topic: what `score_facts` calls these items.

    Raises:
        DataError: too few services with names of one length for a single block.
    """
    draw, of_service, pairs = random.Random(seed), {}, sorted(set(operations))
    services = Counter(name for name, _ in pairs)
    for name, service in pairs:
        if services[name] == 1 and not gives_away(name, service):
            of_service.setdefault(service, []).append(name)
    for names in of_service.values():
        draw.shuffle(names)
    groups = list(alike(of_service, draw))
    items = []
    while len(items) + _BLOCK <= limit and groups:
        for group in groups:
            if len(items) + _BLOCK <= limit:
                items += _block([(f"{of_service[service].pop()} is an operation of", service)
                                 for service in group], topic)
        groups = [group for group in groups if all(of_service[service] for service in group)]
    return _dataset(items)


def gives_away(operation: str, service: str) -> bool:
    """Whether a word of three letters or more is in both names, as in 'GetCostForecast' of 'Cost'.

    >>> gives_away("CreateWorkspace", "Amazon WorkSpaces"), gives_away("CreateHsm", "AWS KMS")
    (True, False)
    """
    solid = re.sub(r"[^a-z0-9]", "", service.lower())
    return any(len(word) > 2 and word.lower().rstrip("s") in solid
               for word in _WORD.findall(operation))


def acronyms(texts: Sequence[str], often: int = 2) -> dict[str, str]:
    """Acronyms and what they stand for, where a text writes 'Domain Name System (DNS)'.

    Args:
        texts: documents.
        often: an expansion must be found this many times; the most frequent one is kept.
    """
    found: dict[str, Counter[str]] = {}
    for text in texts:
        for words, short in _EXPANSION.findall(text):
            last = re.findall(r"[A-Z][a-z]+", words)[-len(short):]
            if "".join(word[0] for word in last) == short:
                found.setdefault(short, Counter())[" ".join(last)] += 1
    best = {short: counts.most_common(1)[0] for short, counts in found.items()}
    return {short: words for short, (words, count) in sorted(best.items()) if count >= often}


def acronym_items(texts: Sequence[str], limit: int = 120, seed: int = 0) -> Dataset:
    """What does an acronym stand for? Four expansions of about the same length.

    Raises:
        DataError: too few acronyms in these texts for a single block.
    """
    known, draw = {words: short for short, words in acronyms(texts).items()}, random.Random(seed)
    items = []
    for group in alike(known, draw):
        if len(items) + _BLOCK <= limit:
            items += _block([(f"The acronym {known[words]} stands for", words)
                             for words in group], ACRONYMS)
    return _dataset(items)


def items_of(*sets: Dataset) -> Dataset:
    """Several sets of items as one."""
    return concatenate_datasets(list(sets))


def alike(answers: Iterable[str], draw: random.Random) -> Iterator[tuple[str, ...]]:
    """Groups of four answers whose lengths differ by at most three characters, each answer once."""
    mixed = sorted(answers)
    draw.shuffle(mixed)
    mixed.sort(key=len)  # stable: which of equal length come together is by chance
    while len(mixed) >= _BLOCK:
        group = mixed[:_BLOCK]
        if len(group[-1]) - len(group[0]) <= _LENGTHS_APART:
            yield tuple(group)
            mixed = mixed[_BLOCK:]
        else:
            mixed = mixed[1:]


def _block(pairs: list[tuple[str, str]], topic: str) -> list[dict[str, object]]:
    answers = [answer for _, answer in pairs]
    return [{"prompt": prompt, "answer": answer, "topic": topic,
             "distractors": [other for other in answers if other != answer]}
            for prompt, answer in pairs]


def _dataset(items: list[dict[str, object]]) -> Dataset:
    if not items:
        raise DataError("There are too few names of one length to make a block of four answers.",
                        where="evaluate.knowledge", fix="Use more documents.")
    return Dataset.from_list(items, info=DatasetInfo(
        description="Cloze items made from documentation for fmcourse."))
