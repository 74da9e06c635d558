"""A learner's rows, written to disk as they are read and mapped from there.

Memory stays the same for any size of text. The rows are kept under a key that the caller derives
from the contents of the files, so what changed is never served stale; they lie below the course's
own folder, like everything it makes. A column's type is known only after the last row: rows go to
a first file until their columns grow, then to another, and if there were several they are copied
into one. That copy is the price of reading the learner's files once and holding none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset

from fmcourse import store
from fmcourse.data.card import Tally
from fmcourse.errors import SourceError
from fmcourse.sources.local import Skipped

ROWS, CHARACTERS = 1_000, 4_000_000  # written at once, whichever comes first


def kept(rows: Iterable[dict[str, Any]], name: str, key: str, skipped: Skipped
         ) -> tuple[Dataset, str, Skipped]:
    """Write rows under `key` unless they are there, and map them.

    Args:
        rows: with at least `text`; not touched when the key is known.
        name: of their source, which becomes the column `source`.
        key: changes whenever the rows would.
        skipped: what the reading of the rows fills in.

    Returns:
        The data set, the hash of its texts, and what was skipped when they were read.

    Raises:
        SourceError: there are no rows, a column holds several types, or the kept rows are damaged.
    """
    folder = store.folder("data", "own") / key[:16]
    with store.lock(folder):
        if not folder.exists():
            with store.atomic_folder(folder) as draft:
                digest = write(rows, name, draft / "rows.arrow")
                store.write_json(draft / "about.json",
                                 {"sha256": digest, "skipped": asdict(skipped)})
    try:
        dataset = Dataset.from_file(str(folder / "rows.arrow"))
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"The kept rows are damaged: {error}.", where=folder,
                          fix="Delete this folder; it is made again.") from error
    about = store.read_json(folder / "about.json")
    return dataset, about["sha256"], Skipped(**about["skipped"])


def table(rows: list[dict[str, Any]], name: str) -> pa.Table:
    """Rows as columns; pyarrow's own `from_pylist` drops keys that the first row lacks.

    Raises:
        SourceError: a column holds several types, or what Arrow has no place for.
    """
    columns = dict.fromkeys(key for row in rows for key in row)
    with _one_type(name):
        return pa.table({column: [row.get(column) for row in rows] for column in columns})


@contextmanager
def _one_type(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
        raise SourceError(f"A column of source '{name}' does not hold one type: {error}.",
                          where=name, fix="Give every record the same columns and types.",
                          ) from error


def write(rows: Iterable[dict[str, Any]], name: str, path: Path) -> str:
    """Write rows to one Arrow file, a batch at a time; returns the hash of their texts."""
    tally, schema, parts, writer = Tally(), pa.schema([]), [], None
    try:
        for batch in _batches(rows):
            for row in batch:
                tally.add(row["text"])
                row["source"] = name
            found = table(batch, name)
            with _one_type(name):
                wider = pa.unify_schemas([schema, found.schema], promote_options="permissive")
            if writer is None or wider != schema:
                if writer:
                    writer.close()
                parts.append(path.with_suffix(f".{len(parts)}"))
                schema, writer = wider, pa.ipc.new_stream(str(parts[-1]), wider)
            writer.write_table(_fitted(found, schema, name))
    finally:
        if writer:
            writer.close()
    if not parts:
        raise SourceError(f"Source '{name}' has no text in it.", where=name,
                          fix="Give it at least one non-empty text.")
    _join(parts, schema, name, path)
    return tally.sha256


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch, characters = [], 0
    for row in rows:
        batch.append(row)
        characters += len(row["text"])
        if len(batch) >= ROWS or characters >= CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _fitted(found: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    with _one_type(name):
        return pa.concat_tables([schema.empty_table(), found], promote_options="permissive")


def _join(parts: list[Path], schema: pa.Schema, name: str, path: Path) -> None:
    if len(parts) == 1:
        parts[0].rename(path)
        return
    with pa.ipc.new_stream(str(path), schema) as joined:
        for part in parts:
            with pa.OSFile(str(part)) as file, pa.ipc.open_stream(file) as stream:
                for batch in stream:
                    joined.write_table(_fitted(pa.Table.from_batches([batch]), schema, name))
            part.unlink()
