"""What a teacher finds likely at each graded token: its k likeliest tokens, on disk.

Hinton's "dark knowledge": beside the token that was written, which others would have been nearly as
good. Of a vocabulary of 8,192, 64 tokens at 4 bytes each are 256 bytes a position instead of 16 kB;
log-probabilities are kept in float16 (an error of at most a 2,000th of their value; a forward pass
in bfloat16 leaves more open) and add up to one again when they are read. They are those at one
temperature: how much the rest weighs at another cannot be told from what is kept, so that is asked
anew.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor
from torch.nn.functional import linear, log_softmax

from fmcourse import hardware
from fmcourse.data.chat import IGNORE
from fmcourse.errors import ModelError, StoreError
from fmcourse.models import LanguageModel, compat
from fmcourse.models.stored import evaluating
from fmcourse.train.losses import Likeliest, likeliest
from fmcourse.train.teaching import Asking, Said, asked

ROWS = 16  # texts a forward pass
SPARE = 50_000_000  # bytes of the disk that are left to others
NAMES = ("tokens", "log_probs", "rest")


@dataclass(frozen=True)
class SoftLabels:
    """What a teacher finds likely at the graded tokens of some rows, in their order.

    Attributes:
        tokens: (positions, k) uint16 or uint32, memory-mapped.
        log_probs: (positions, k) float16, nats, memory-mapped.
        rest: (positions,) float32, nats, memory-mapped.
        labels: (positions,) int64, the tokens that were written.
        said: where it is kept, and what the teacher took.
    """

    tokens: np.ndarray
    log_probs: np.ndarray
    rest: np.ndarray
    labels: Tensor
    said: Said

    def at(self, places: Tensor) -> tuple[Likeliest, Tensor]:
        """The teacher's opinion at some positions, and what was written there.

        Args:
            places: (positions,) int64; the result is on their device.
        """
        where, device = places.cpu().numpy(), places.device
        written = self.labels[places.cpu()].to(device)
        values = np.concatenate([self.log_probs[where].astype(np.float32),
                                 self.rest[where, None]], axis=1)
        values = log_softmax(torch.from_numpy(values).to(device), -1)  # of rounded ones, the sum
        tokens = torch.from_numpy(self.tokens[where].astype(np.int64)).to(device)
        return Likeliest(tokens, values[:, :-1], values[:, -1]), written


def placed(rows: Dataset) -> Dataset:
    """Rows whose labels are not tokens but the places of these in `SoftLabels`; else -100."""
    places = count()
    found = [[IGNORE if label == IGNORE else next(places) for label in labels]
             for labels in rows["labels"]]
    return rows.remove_columns("labels").add_column("labels", found)


def soft_labels(teacher: LanguageModel, rows: Dataset, top_k: int, temperature: float
                ) -> SoftLabels:
    """Ask a teacher about every graded token of rows, or open what it said before.

    Args:
        teacher: a causal model of the rows' tokens.
        rows: as `data.chat_rows` gives them.
        top_k: tokens that are kept.
        temperature: of the probabilities.

    Raises:
        ModelError: a logit is no number, or infinite.
        StoreError: what lies there was changed, or there is no room for it.
    """
    ids, labels = rows["input_ids"][:], rows["labels"][:]
    machine = hardware.detect()
    recipe = [teacher.sha256(), len(teacher.tokenizer), ids, labels, top_k, temperature,
              machine.dtype, 1]
    said = asked("logits", recipe, partial(_ask, teacher, ids, labels, top_k, temperature), "*.npy")
    files = (np.load(said.folder / f"{name}.npy", mmap_mode="r") for name in NAMES)
    written = torch.tensor([label for row in labels for label in row if label != IGNORE])
    return SoftLabels(*files, written, said)


def _ask(teacher: LanguageModel, ids: Sequence[list[int]], labels: Sequence[list[int]], top_k: int,
         temperature: float, asking: Asking) -> None:
    graded = [sum(label != IGNORE for label in row) for row in labels]
    starts = np.cumsum([0, *graded])
    files = _files(asking, int(starts[-1]), top_k, len(teacher.tokenizer))
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    parts = [order[begin:begin + ROWS] for begin in range(0, len(order), ROWS)]
    for some in parts[asking.done:]:
        asking.begin()
        logits = _logits(teacher, [ids[i] for i in some], [labels[i] for i in some])
        if not logits.isfinite().all():
            raise ModelError("The teacher's logits are not finite: nothing can be learnt of them.",
                             where=f"{teacher.name}, conversations {sorted(some)}",
                             fix="Look at how it was trained, or use float32: FMCOURSE_DTYPE.")
        found = likeliest(logits, top_k, temperature)
        places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in some])
        lowest = np.finfo(np.float16).min
        for file, values in zip(files, found, strict=True):
            values = values.cpu().numpy()
            file[places] = values.clip(lowest) if file.dtype == np.float16 else values
            file.flush()
        tokens = sum(len(ids[i]) for i in some)
        asking.finish(teacher, tokens, len(some))


def _files(asking: Asking, positions: int, top_k: int, vocabulary: int) -> list[np.memmap]:
    """The three files, made at their full size; those of an earlier process are gone on with.

    Room is asked for first: writing to a mapped file on a full disk would end the process without
    a word.

    Raises:
        StoreError: the disk has no room for them.
    """
    ids = np.uint16 if vocabulary <= 2**16 else np.uint32
    kinds = ((positions, top_k), ids), ((positions, top_k), np.float16), ((positions,), np.float32)
    needed = sum(math.prod(shape) * np.dtype(kind).itemsize for shape, kind in kinds)
    if not asking.done and shutil.disk_usage(asking.folder).free < needed + SPARE:
        raise StoreError(f"What the teacher finds likely takes {needed / 1e6:,.0f} MB, and there "
                         "is no room for it.", where=asking.folder,
                         fix="Free some room, lower top_k, or set FMCOURSE_HOME to another disk.")

    def opened(path: Path, shape: tuple[int, ...], kind: type) -> np.memmap:
        if asking.done:
            return np.lib.format.open_memmap(path, mode="r+")
        return np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)

    return [opened(asking.folder / f"{name}.npy", *kind)
            for name, kind in zip(NAMES, kinds, strict=True)]


def _logits(teacher: LanguageModel, ids: list[list[int]], labels: list[list[int]]) -> Tensor:
    """(positions, vocabulary) float32, of the graded tokens in order.

    Padding is on the right, where no position of a causal network can see it.
    """
    def rectangle(rows: list[list[int]], filling: int) -> Tensor:
        return torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(row) for row in rows], True, filling).to(teacher.device)

    read, graded = rectangle(ids, teacher.padding()), rectangle(labels, IGNORE)[:, 1:] != IGNORE
    with evaluating(teacher.network), hardware.detect().autocast():
        if network := compat.plain_network(teacher.network):
            hidden = network.base_model(input_ids=read, use_cache=False).last_hidden_state[:, :-1]
            output = network.get_output_embeddings()
            logits = linear(hidden[graded], output.weight, output.bias)
        else:
            logits = teacher.network(input_ids=read, use_cache=False).logits[:, :-1][graded]
    return logits[:, :len(teacher.tokenizer)].float()
