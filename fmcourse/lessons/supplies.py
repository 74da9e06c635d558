"""What the course keeps on disk: bring it, carry it to a machine without network, throw it away.

Thin over `sources` and `store`: this module only decides what a damaged copy is worth (nothing:
fetch again) and which folders `fmcourse clean` may delete (those the course made, never others
that happen to lie in FMCOURSE_HOME).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from fmcourse import sources, store
from fmcourse.errors import SourceError
from fmcourse.sources import Source, Status, fetching, index

ROOMS = {
    "sources": "fetched archives, verified by hash",
    "data": "cleaned and split texts",
    "tokens": "texts as token numbers",
    "models": "models converted once, such as SmolLM2",
    "teachers": "what teachers said to the students that learn of them",
    "runs": "models you trained, with their checkpoints",
    "labels": "labels you gave in a notebook",
    "rankings": "choices between two replies that you made in a notebook",
    "progress": "your answers to exam items, when each comes back, and your mock exams",
    "logs": "what experiment trackers wrote of runs without a folder",
    "evidence": "results of single seeds, so that a ledger run can go on",
    "served": "models written out to be served",
    "keys": "the key that you sign shipped models with",
    "executed": "notebooks of smoke, GPU and failed runs",
}
BY_HAND = ("labels", "rankings", "progress", "keys")  # nothing makes these again: only by name


def bring(name: str) -> Status:
    """Fetch a source unless it is here and whole; a damaged copy is replaced.

    Raises:
        SourceError: unknown source, or it cannot be fetched.
    """
    status = sources.verify(name)
    if status.state == "damaged" and status.path:
        shutil.rmtree(status.path)
    if not status:
        sources.fetch(name)
        status = sources.verify(name)
    return status


def bring_all(names: Iterable[str]) -> Iterator[tuple[str, Status | SourceError]]:
    """Bring several sources side by side, since most of it is waiting; answers in their order.

    Sources read from one archive share its folder, and are brought one after the other: each
    would delete a damaged copy, perhaps while the other fetches it.
    """
    shelves: dict[Path, Lock] = {}

    def attempt(name: str) -> Status | SourceError:
        try:
            place = fetching.place(sources.get(name))
            with shelves.setdefault(place, Lock()):  # one step, so two threads get the same lock
                return bring(name)
        except SourceError as error:
            return error

    names = list(names)
    with ThreadPoolExecutor(4) as pool:
        yield from zip(names, pool.map(attempt, names), strict=True)


def size(path: Path | None) -> int:
    """Bytes of a file or of everything below a folder."""
    if path is None or path.is_file():
        return path.stat().st_size if path else 0
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def megabytes(count: int) -> str:
    """A size for people.

    >>> megabytes(1_234_567)
    '1.2 MB'
    """
    return f"{count / 1e6:,.1f} MB"


def carry(source: Source, wheelhouse: Path) -> Path | None:
    """Put a source's archive into a folder that FMCOURSE_WHEELHOUSE can point to elsewhere.

    Returns:
        Its path; None for what is part of Python itself.

    Raises:
        SourceError: it cannot be fetched, or is not the registered file.
    """
    if source.kind == "package":
        return None
    target = wheelhouse / source.file
    if target.exists() and store.sha256_file(target) == source.sha256:
        return target
    wheelhouse.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=store.PARTIAL, dir=wheelhouse) as draft:
        cached = fetching.place(source) / source.file
        file = Path(shutil.copyfile(cached, Path(draft, source.file))) if cached.exists() else (
            index.download(source, Path(draft)))
        if store.sha256_file(file) != source.sha256:
            raise SourceError("This archive is not the registered one (SHA-256 differs).",
                              where=cached if cached.exists() else source.file,
                              fix=f"fmcourse fetch {source.name}, then try again.")
        return file.replace(target)


def kept() -> dict[str, int]:
    """What the course made below `store.home()`: folder name -> bytes."""
    return {name: size(store.home() / name) for name in ROOMS if (store.home() / name).is_dir()}


def delete(names: list[str]) -> None:
    """Delete these folders of the course."""
    for name in names:
        shutil.rmtree(store.home() / name)
