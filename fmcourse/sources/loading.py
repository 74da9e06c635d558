"""From a name or a path to a `datasets.Dataset` that knows where it came from.

Every row has `text`, `document` (what a split must not cut through) and `source`; a reader may add
columns. Readers that take more than about three seconds keep their rows as Parquet, named by the
archive's hash and the reader's version, so a changed archive or reader is never served stale rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset

from fmcourse import store
from fmcourse.data.card import Card, with_card
from fmcourse.errors import SourceError
from fmcourse.sources import local
from fmcourse.sources.archive import Archive
from fmcourse.sources.fetching import fetch
from fmcourse.sources.readers import bible, boolq, pydocs, shakespeare, wikipedia
from fmcourse.sources.registered import Source, get, registry


@dataclass(frozen=True)
class Reader:
    """A function from an archive (or file) to rows, its version, and whether rows are kept."""

    rows: Callable[[Any], Iterator[dict[str, Any]]]
    version: int
    keep: bool


READERS = {
    "boolq_passages": Reader(boolq.passages, 1, True),
    "boolq": Reader(boolq.questions, 1, True),
    "web_bible": Reader(bible.chapters, 1, False),
    "shakespeare": Reader(shakespeare.works, 1, False),
    "wikipedia": Reader(wikipedia.articles, 1, True),
    "python_docs": Reader(pydocs.topics, 1, False),
}


def load(name: str | Path, limit: int | None = None) -> Dataset:
    """Rows of a registered source, of a file or folder, or of a hub data set ('hub:owner/name').

    Args:
        name: a registered name, a path (.txt, .jsonl, .parquet or a folder of them), or a hub id.
        limit: at most this many rows, from the start.

    Returns:
        A data set with at least the columns text, document and source, and a card.

    Raises:
        SourceError: nothing by that name, or it cannot be fetched or read.
    """
    if name in registry():
        return _registered(get(str(name)), limit)
    if isinstance(name, str) and name.startswith("hub:"):
        rows, licence = local.hub_rows(name.removeprefix("hub:"), limit)
        return _dataset(rows, name, _digest(rows), licence, name)
    path = Path(name).expanduser()
    if path.exists():
        rows = list(islice(local.rows(path), limit))
        return _dataset(rows, str(path.name), _digest(rows), "yours", "")
    if path.suffix or len(path.parts) > 1:
        raise SourceError("There is no such file or folder.", where=path,
                          fix="Check the path; it is relative to where Python was started.")
    return _registered(get(str(name)), limit)  # raises, with the nearest registered names


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
    kept = store.folder("data", "sources") / named
    if not kept.exists():
        with store.lock(kept):
            if not kept.exists():
                _keep(list(reader.rows(original)), kept)
    return _dataset(_read(kept).slice(0, limit), source.name, digest, source.licence,
                        source.attribution)


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as columns; pyarrow's own `from_pylist` drops keys that the first row lacks."""
    columns = dict.fromkeys(key for row in rows for key in row)
    return pa.table({column: [row.get(column) for row in rows] for column in columns})


def _keep(rows: list[dict[str, Any]], path: Path) -> None:
    buffer = pa.BufferOutputStream()
    pq.write_table(_table(rows), buffer)
    store.atomic_write(path, buffer.getvalue().to_pybytes())


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"The kept rows are damaged: {error}.", where=path,
                          fix="Delete this file; it is made again.") from error


def _digest(rows: list[dict[str, Any]]) -> str:
    return store.sha256_json([row["text"] for row in rows])


def _dataset(rows: list[dict[str, Any]] | pa.Table, name: str, digest: str, licence: str,
             attribution: str) -> Dataset:
    try:
        table = rows if isinstance(rows, pa.Table) else _table(rows)
    except (pa.ArrowException, UnicodeEncodeError) as error:
        raise SourceError(f"A column of source '{name}' does not hold one type: {error}.",
                          where=name, fix="Give every record the same columns and types.",
                          ) from error
    if not table.num_rows:
        raise SourceError(f"Source '{name}' has no text in it.", where=name,
                          fix="Give it at least one non-empty text.")
    dataset = Dataset(table.append_column("source", pa.array([name] * table.num_rows)))
    steps = ({"step": "read", "kept": len(dataset), "dropped": 0, "note": ""},)
    return with_card(dataset, Card(name=name, sources={name: digest}, licence=(licence,),
                                   attribution=(attribution,), steps=steps))


def fingerprint(name: str) -> str:
    """What a registered source's rows depend on, for cache keys: its hash and reader's version."""
    source = get(name)
    return f"{source.name}:{source.sha256}:{READERS[source.reader].version}"
