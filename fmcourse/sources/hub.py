"""Data sets on the model hub, for people who have one; the course itself never needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from fmcourse.errors import SourceError
from fmcourse.sources.records import checked, strict


@dataclass(frozen=True)
class HubRows:
    """A hub data set's rows, the files they were stored in (if any), and its declared licence."""

    rows: Iterator[dict[str, Any]]
    files: list[Path]
    licence: str


def hub_rows(identity: str, limit: int | None = None, text_only: bool = False) -> HubRows:
    """Rows of a hub data set's first split (train if it has one), read as they are asked for.

    Raises:
        SourceError: it cannot be loaded, or a record has no text.
    """
    from datasets import load_dataset  # here, because a learner with files needs no hub client
    from huggingface_hub import HfApi, constants

    with _named(identity):
        if not constants.HF_HUB_OFFLINE:  # ask once, briefly: loading retries for most of a minute
            HfApi().dataset_info(identity, timeout=10)
        splits = load_dataset(identity, streaming=limit is not None)
        split = splits["train"] if "train" in splits else next(iter(splits.values()))
    files = [Path(file["filename"]) for file in getattr(split, "cache_files", [])]
    return HubRows(_rows(split, identity, limit, text_only), files, split.info.license or "unknown")


def _rows(split: Any, identity: str, limit: int | None, text_only: bool
          ) -> Iterator[dict[str, Any]]:
    with _named(identity):
        records = ((f"hub:{identity}", record) for record in islice(iter(split), limit))
        yield from islice(strict(checked(records, identity, text_only)), limit)


@contextmanager
def _named(identity: str) -> Iterator[None]:
    """The hub client raises its transport's own types, dozens of them; here they become one."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(f"Hub data set '{identity}' could not be loaded: {type(error).__name__}.",
                          where=f"hub:{identity}",
                          fix="Check the name and the connection; set HF_HUB_OFFLINE=1 to use one "
                              "fetched earlier; or load a local file.",
                          ) from error
