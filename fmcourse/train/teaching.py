"""What a teacher has said, kept: each teacher is asked once for each set of questions.

A teacher is the expensive half of distillation, and several students learn of the same one. So what
it says lies in the store under the hash of all that decides it, and its price beside it: a run that
finds it there counts it as if it had asked itself. It is written part by part; after a kill it goes
on with the next. The trade-off is room on the disk, told in `train.soft_labels`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
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
        done: parts that are finished.
        price: of these.
    """

    folder: Path
    done: int = 0
    price: Price = Price()
    began: float = 0.0

    def begin(self) -> None:
        """Start the clock of a part."""
        self.began = time.perf_counter()

    def finish(self, teacher: LanguageModel, tokens: int, length: float) -> None:
        """A part is written: it will not be asked for again.

        Args:
            tokens: read and written by the teacher.
            length: of a text, on average.
        """
        seconds = time.perf_counter() - self.began
        self.price += Price(tokens, tokens * forward_flops(teacher, length), seconds)
        self.done += 1
        store.write_json(self.folder / PROGRESS, {"done": self.done, **asdict(self.price)})


def asked(kind: str, recipe: list[Any], ask: Callable[[Asking], None], files: str
          ) -> tuple[Path, Price]:
    """The folder with what a teacher says, made or made before, and what it took.

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
    with store.lock(folder):
        if not (folder / ABOUT).exists():
            folder.mkdir(exist_ok=True)
            asking = _begun(folder)
            ask(asking)
            store.seal(folder / ABOUT, {"recipe": key, "price": asdict(asking.price)},
                       folder.glob(files))
            (folder / PROGRESS).unlink(missing_ok=True)
        elif broken := store.broken_seal(folder / ABOUT):
            raise StoreError(f"What the teacher said was changed: {', '.join(broken)}.",
                             where=folder, fix="Delete this folder: the teacher is asked again.")
    return folder, Price(**store.read_json(folder / ABOUT)["price"])


def _begun(folder: Path) -> Asking:
    """Nothing asked yet, or what an earlier process got to."""
    if not (folder / PROGRESS).exists():
        return Asking(folder)
    found = store.read_json(folder / PROGRESS)
    return Asking(folder, found.pop("done"), Price(**found))


def forward_flops(model: LanguageModel, context: float) -> float:
    """Operations to read or write one token: 2 for each weight, 2 · layers · width · context.

    A third of `flops_per_token`, for a backward pass costs two forward ones.
    """
    config = model.network.config
    attention = 2 * config.num_hidden_layers * config.hidden_size * context
    return 2 * model.parameters + attention
