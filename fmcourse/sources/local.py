"""A learner's own text: files, folders, and data sets on the hub, in the same shape as the rest.

Text files become one document each; JSON lines and Parquet need a `text` column and may bring a
`document` column. The hub is asked only when a name starts with 'hub:'; the course never needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fmcourse.errors import SourceError
from fmcourse.sources.archive import json_lines

SUFFIXES = (".txt", ".jsonl", ".parquet")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows `text` and `document` (and what else the file has) of a file or a folder.

    Raises:
        SourceError: unknown file type, bad line (named file:line), no text column, not UTF-8.
    """
    if path.is_dir():
        files = [p for p in sorted(path.rglob("*")) if p.suffix in SUFFIXES and p.is_file()]
        if not files:
            raise SourceError("This folder has no text in it.", where=path,
                              fix=f"Put {', '.join(SUFFIXES)} files in it.")
        for file in files:
            yield from _file(file, file.relative_to(path).as_posix())
    else:
        yield from _file(path, path.name)


def _file(path: Path, label: str) -> Iterator[dict[str, Any]]:
    if path.suffix == ".txt":
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(f"This file is not UTF-8 at byte {error.start}.", where=path,
                              fix="Save it again as UTF-8.") from error
        if text.strip():
            yield {"text": text, "document": label}
        return
    if path.suffix == ".jsonl":
        records = json_lines(path.read_bytes(), str(path), path.name)
    elif path.suffix == ".parquet":
        records = _parquet(path)
    else:
        raise SourceError(f"Files of type '{path.suffix}' cannot be read.", where=path,
                          fix=f"Use one of {', '.join(SUFFIXES)}.")
    yield from checked(records, str(path), label)


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"This Parquet file cannot be read: {error}.", where=path,
                          fix="Write it again.") from error


def checked(records: Iterator[dict[str, Any]], where: str, label: str) -> Iterator[dict[str, Any]]:
    """Records with a text, each given a `document` when it brings none."""
    for number, record in enumerate(records, 1):
        if not isinstance(record.get("text"), str):
            has = ", ".join(sorted(record)) or "nothing"
            raise SourceError(f"Record {number} has no text column (it has: {has}).", where=where,
                              fix="Name the column with the text 'text'.")
        if not _encodable(record["text"]):
            raise SourceError(f"Record {number} holds half a character (a lone surrogate).",
                              where=where, fix="Write the file again as UTF-8.")
        if record["text"].strip():
            document = record.get("document")
            record["document"] = f"{label}:{number}" if document is None else str(document)
            record.pop("source", None)  # ours says which source this is
            yield record


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def hub_rows(identity: str, limit: int | None) -> tuple[list[dict[str, Any]], str]:
    """Rows of a hub data set's first split (train if it has one), and its licence as declared."""
    from datasets import load_dataset  # here, because a learner with files needs no hub client
    from huggingface_hub import HfApi, constants

    try:
        if not constants.HF_HUB_OFFLINE:  # ask once, briefly: loading retries for most of a minute
            HfApi().dataset_info(identity, timeout=10)
        splits = load_dataset(identity, streaming=limit is not None)
        split = splits["train"] if "train" in splits else next(iter(splits.values()))
        found = list(checked(islice(iter(split), limit), f"hub:{identity}", identity))
    except SourceError:
        raise
    except Exception as error:  # the hub client raises its transport's own types, dozens of them
        raise SourceError(f"Hub data set '{identity}' could not be loaded: {type(error).__name__}.",
                          where=f"hub:{identity}",
                          fix="Check the name and the connection; set HF_HUB_OFFLINE=1 to use one "
                              "fetched earlier; or load a local file.",
                          ) from error
    return found, split.info.license or "unknown"
