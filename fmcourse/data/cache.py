"""Data sets made once: kept on disk under a name that changes with what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from datasets import DatasetDict, load_from_disk

from fmcourse import store


def cached(name: str, recipe: list[Any], make: Callable[[], DatasetDict]) -> DatasetDict:
    """What `make` makes, or made before of the same recipe.

    Args:
        name: of the folder, in the store's `data`.
        recipe: all that decides the result, as plain values: fingerprints of sources, a version
            of the steps, seeds.
    """
    folder = store.folder("data") / f"{name}-{store.sha256_json(recipe)[:12]}"
    with store.lock(folder):
        if not folder.exists():
            parts = make()
            with store.atomic_folder(folder) as draft:
                parts.save_to_disk(draft)
    return load_from_disk(folder)
