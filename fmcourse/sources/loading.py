"""From a name or a path to a `datasets.Dataset` that knows where it came from.

Every row has `text`, `document` (what a split must not cut through) and `source`; a reader may add
columns. Readers that take more than about three seconds keep their rows as Parquet, named by the
archive's hash and the reader's version, so a changed archive or reader is never served stale rows.
A learner's own text can be of any size, so its rows are always kept (`kept`).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset

from fmcourse import store
from fmcourse.data.card import Card, card, hash_texts, with_card
from fmcourse.errors import CourseWarning, SourceError
from fmcourse.sources import local
from fmcourse.sources.archive import Archive
from fmcourse.sources.fetching import fetch
from fmcourse.sources.hub import hub_rows
from fmcourse.sources.kept import kept, table
from fmcourse.sources.readers import (
    aws_docs,
    aws_examples,
    bible,
    boolq,
    messages,
    multi_lexsum,
    pubmedqa,
    pydocs,
    shakespeare,
    wikipedia,
)
from fmcourse.sources.registered import Source, get, registry


@dataclass(frozen=True)
class Reader:
    """A function from an archive (or file) to rows, its version, and whether rows are kept."""

    rows: Callable[[Any], Iterator[dict[str, Any]]]
    version: int
    keep: bool


ROWS_VERSION = 1  # of a learner's own rows; raise it when they are read differently

READERS = {
    "boolq_passages": Reader(boolq.passages, 1, True),
    "boolq": Reader(boolq.questions, 1, True),
    "web_bible": Reader(bible.chapters, 1, False),
    "shakespeare": Reader(shakespeare.works, 1, False),
    "wikipedia": Reader(wikipedia.articles, 1, True),
    "wikipedia_sections": Reader(wikipedia.sections, 1, False),
    "python_docs": Reader(pydocs.topics, 1, False),
    "aws_docs": Reader(aws_docs.texts, 3, True),
    "aws_fragments": Reader(aws_docs.fragments, 1, True),
    "aws_examples": Reader(aws_examples.examples, 2, True),
    "pubmedqa": Reader(pubmedqa.questions, 1, False),
    "multi_lexsum": Reader(multi_lexsum.cases, 1, False),
    "messages": Reader(messages.messages, 1, False),
}


def load(name: str | Path, limit: int | None = None, text_only: bool = False) -> Dataset:
    """Rows of a registered source, of a file or folder, or of a hub data set ('hub:owner/name').

    A learner's own rows are kept on disk and mapped, whatever their size; with a `limit` they are
    read into memory instead. What of a folder cannot be read is left out, with a warning, and is
    on the card. A row holds at most a million characters; a longer text becomes several.

    Args:
        name: a registered name, a path (.txt, .md, .rst, .jsonl, .parquet or a folder of them), or
            a hub id.
        limit: at most this many rows, from the start.
        text_only: leave out other columns than text, document and source.

    Returns:
        A data set with at least the columns text, document and source, and a card.

    Raises:
        SourceError: nothing by that name, or it cannot be fetched or read.
    """
    if name in registry():
        whole = _registered(get(str(name)), limit)
        return whole.select_columns(["text", "document", "source"]) if text_only else whole
    if isinstance(name, str) and name.startswith("hub:"):
        return _hub(name, limit, text_only)
    path = Path(name).expanduser()
    if os.path.exists(path):  # unlike Path.exists, false for a path that may not be looked at
        return _local(path, limit, text_only)
    if path.suffix or len(path.parts) > 1:
        raise SourceError("There is no such file or folder.", where=path,
                          fix="Check the path; it is relative to where Python was started.")
    return _registered(get(str(name)), limit)  # raises, with the nearest registered names


def _hub(name: str, limit: int | None, text_only: bool) -> Dataset:
    found = hub_rows(name.removeprefix("hub:"), limit, text_only)
    if limit is not None or not found.files:
        rows = list(found.rows)
        return _dataset(rows, name, _digest(rows), found.licence, name)
    contents = [store.sha256_file(file) for file in found.files]
    key = store.sha256_json([ROWS_VERSION, name, contents, text_only])
    dataset, digest, _ = kept(found.rows, name, key, local.Skipped())
    return _with_new_card(dataset, name, digest, found.licence, name)


def _local(path: Path, limit: int | None, text_only: bool) -> Dataset:
    path = Path(os.path.abspath(path))  # "." has a name
    name, skipped = local.label(path, path), local.Skipped()
    rows = local.rows(path, skipped, text_only)
    if limit is not None:
        first = list(islice(rows, limit))
        dataset = _dataset(first, name, local.digest(path), "yours", "")
    else:
        key = store.sha256_json([ROWS_VERSION, name, local.contents(path), text_only])
        dataset, _, skipped = kept(local.unchanging(rows, path), name, key, skipped)
        dataset = _with_new_card(dataset, name, local.digest(path), "yours", "")
    if not skipped:
        return dataset
    if skipped.files or skipped.partly:
        warnings.warn(f"Not all of '{name}' could be read: {skipped}.", CourseWarning, stacklevel=3)
    noted = card(dataset).step("skipped", skipped.read, len(skipped.files),
                               f"files; left out: {skipped}")
    return with_card(dataset, replace(noted, notes={"skipped": asdict(skipped)}))


def _registered(source: Source, limit: int | None) -> Dataset:
    if source.reader not in READERS:
        raise SourceError(f"Source '{source.name}' is a model, not a text.", where=source.name,
                          fix=f"Use fmcourse.models.load('{source.name}').")
    reader, path = READERS[source.reader], fetch(source.name)
    digest = source.sha256 or store.sha256_file(path)
    original = path if source.kind == "package" else Archive(path, source.name)
    if not reader.keep:
        rows = list(islice(reader.rows(original), limit))
        return _dataset(rows, source.name, digest, source.licence,
                        source.attribution)
    named = f"{source.name}-{digest[:16]}-v{reader.version}.parquet"
    place = store.folder("data", "sources") / named
    if not place.exists():
        with store.lock(place):
            if not place.exists():
                _keep(table(list(reader.rows(original)), source.name), place)
    return _dataset(_read(place).slice(0, limit), source.name, digest, source.licence,
                        source.attribution)


def _keep(rows: pa.Table, path: Path) -> None:
    buffer = pa.BufferOutputStream()
    pq.write_table(rows, buffer)
    store.atomic_write(path, buffer.getvalue().to_pybytes())


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"The kept rows are damaged: {error}.", where=path,
                          fix="Delete this file; it is made again.") from error


def _digest(rows: list[dict[str, Any]]) -> str:
    return hash_texts(row["text"] for row in rows)


def _dataset(rows: list[dict[str, Any]] | pa.Table, name: str, digest: str, licence: str,
             attribution: str) -> Dataset:
    found = rows if isinstance(rows, pa.Table) else table(rows, name)
    if not found.num_rows:
        raise SourceError(f"Source '{name}' has no text in it.", where=name,
                          fix="Give it at least one non-empty text.")
    dataset = Dataset(found.append_column("source", pa.array([name] * found.num_rows)))
    return _with_new_card(dataset, name, digest, licence, attribution)


def _with_new_card(dataset: Dataset, name: str, digest: str, licence: str, attribution: str
                   ) -> Dataset:
    steps = ({"step": "read", "kept": len(dataset), "dropped": 0, "note": ""},)
    return with_card(dataset, Card(name=name, sources={name: digest}, licence=(licence,),
                                   attribution=(attribution,), steps=steps))


def fingerprint(name: str) -> str:
    """What a registered source's rows depend on, for cache keys: its hash and reader's version."""
    source = get(name)
    return f"{source.name}:{source.sha256}:{READERS[source.reader].version}"
