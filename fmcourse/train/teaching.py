"""What a teacher has said, kept: each teacher is asked once for each set of questions.

A teacher is the expensive half of distillation, and several students learn of the same one. So what
it says lies in the store under the hash of all that decides it, and its price beside it: a run that
finds it there counts it as if it had asked itself. It is written part by part; after a kill it goes
on with the next, and a second process waits for the first. The trade-off is room on the disk, told
in `train.soft_labels`; and that records are copied into the store: lineage finds them there by the
runs that learnt of them, so that a request for erasure does, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fmcourse import store
from fmcourse.errors import StoreError
from fmcourse.models import LanguageModel

ABOUT, PROGRESS = "about.json", "progress.json"


@dataclass(frozen=True)
class Price:
    """What asking a teacher took: tokens read and written, operations, seconds."""

    tokens: int = 0
    flops: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Price) -> Price:
        return Price(self.tokens + other.tokens, self.flops + other.flops,
                     self.seconds + other.seconds)


@dataclass
class Asking:
    """A teacher that is being asked, part by part.

    Attributes:
        folder: where what it says is written.
        files: pattern of the names it is written to.
        done: parts that are finished.
        price: of these.
    """

    folder: Path
    files: str
    done: int = 0
    price: Price = Price()
    began: float = 0.0

    def begin(self) -> None:
        """Start the clock of a part."""
        self.began = time.perf_counter()

    def finish(self, teacher: LanguageModel, tokens: int, texts: int) -> None:
        """A part is written: it will not be asked for again.

        Args:
            tokens: read and written by the teacher.
            texts: in which they are.
        """
        seconds = time.perf_counter() - self.began
        flops = tokens * forward_flops(teacher, tokens / texts)
        self.price += Price(tokens, flops, seconds)
        self.done += 1
        store.write_json(self.folder / PROGRESS, {
            "done": self.done, "price": asdict(self.price), "bytes": self.sizes()})

    def sizes(self) -> dict[str, int]:
        """Bytes of what is written so far."""
        return {path.name: path.stat().st_size for path in self.folder.glob(self.files)}


@dataclass(frozen=True)
class Said:
    """What a teacher said, whole and unchanged.

    Attributes:
        folder: where it lies; its name ends with the beginning of the hash.
        sha256: of all that decided it.
        price: what it took.
    """

    folder: Path
    sha256: str
    price: Price


def asked(kind: str, recipe: list[Any], ask: Callable[[Asking], None], files: str) -> Said:
    """What a teacher says, made or made before.

    Args:
        kind: of what is asked, part of the folder's name.
        recipe: all that decides the result, as plain values.
        ask: writes what is missing; after each part it calls `finish`.
        files: pattern of the names it writes, to be sealed.

    Raises:
        StoreError: what lies there was changed.
    """
    key = store.sha256_json([kind, *recipe])
    folder = store.folder("teachers") / f"{kind}-{key[:16]}"
    with store.lock(folder):  # another process that asks the same waits here
        if not (folder / ABOUT).exists():
            folder.mkdir(exist_ok=True)
            asking = _begun(Asking(folder, files))
            ask(asking)
            store.seal(folder / ABOUT, {"sha256": key, "price": asdict(asking.price)},
                       folder.glob(files))
            (folder / PROGRESS).unlink(missing_ok=True)
        elif broken := store.broken_seal(folder / ABOUT):
            raise StoreError(f"What the teacher said was changed: {', '.join(broken)}.",
                             where=folder, fix="Delete this folder: the teacher is asked again.")
    return Said(folder, key, Price(**store.read_json(folder / ABOUT)["price"]))


def _begun(new: Asking) -> Asking:
    """Where an earlier process got to; nowhere, if a file that it wrote is gone or cut short."""
    if not (new.folder / PROGRESS).exists():
        return new
    found = store.read_json(new.folder / PROGRESS)
    if not found["bytes"].items() <= new.sizes().items():
        return new
    return replace(new, done=found["done"], price=Price(**found["price"]))


def forward_flops(model: LanguageModel, context: float) -> float:
    """Operations to read or write one token: 2 for each weight, 2 · layers · width · context.

    A third of `flops_per_token`, for a backward pass costs two forward ones.
    """
    config = model.network.config
    attention = 2 * config.num_hidden_layers * config.hidden_size * context
    return 2 * model.parameters + attention
