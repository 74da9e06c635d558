"""Text turned into token ids once, and rows of fixed length read from them without padding.

All documents are laid end to end in one memory-mapped file, each opened by the tokenizer's
beginning-of-text token. A training row is a window of that stream, so no position is wasted on
padding. A window can hold the end of one document and the start of the next; `segments` says
which is which, and attention is not let across (see `train.objectives`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from datasets import Dataset
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from fmcourse import store
from fmcourse.data.card import Card, card, tally, values
from fmcourse.errors import DataError

ABOUT = "tokens.json"
BATCH, CHARACTERS = 1_000, 4_000_000  # texts and characters encoded at once


@dataclass(frozen=True)
class TokenFile:
    """Token ids of a dataset, on disk.

    Attributes:
        ids: memory-mapped, shape (tokens,), uint16 or uint32.
        starts: index of each document's first token, shape (documents,), int64.
        card: the dataset's card.
        sha256: hash of dataset and tokenizer together.
        characters: of the text, so that tokens per character can be told.
        tokenizer: hash of the tokenizer alone.
    """

    ids: np.ndarray
    starts: np.ndarray
    card: Card
    sha256: str
    characters: int
    tokenizer: str = ""

    @property
    def cards(self) -> tuple[Card, ...]:
        """Cards of what is read: one."""
        return (self.card,)

    @property
    def sources(self) -> dict[str, str]:
        """Source name → SHA-256 of the file it was read from."""
        return self.card.sources

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        ratio = self.characters / max(len(self), 1)
        return f"TokenFile({len(self):,} tokens, {len(self.starts):,} documents, " \
               f"{ratio:.2f} characters a token)"


def _whole(tokenizer: PreTrainedTokenizerFast) -> Tokenizer:
    """A copy that forgets the truncation or padding which an earlier call left switched on."""
    copy = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def tokenizer_hash(tokenizer: PreTrainedTokenizerFast) -> str:
    """SHA-256 of a tokenizer's whole definition."""
    return store.sha256_text(_whole(tokenizer).to_str())


def tokens(dataset: Dataset, tokenizer: PreTrainedTokenizerFast) -> TokenFile:
    """Tokenise a dataset's texts, or open the result if it was done before.

    Raises:
        DataError: the dataset is empty.
    """
    about, counted = card(dataset), tally(values(dataset))
    if not counted.texts:
        raise DataError("There is no text to tokenise.", where=about.name)
    # select, filter and map carry the card along unchanged: the texts themselves must decide
    about = replace(about, sha256=counted.sha256, characters=counted.characters)
    made_by = tokenizer_hash(tokenizer)
    key = store.sha256_json([about.sha256, made_by, 1])
    folder = store.folder("tokens") / key[:16]
    with store.lock(folder):
        if not folder.exists():
            with store.atomic_folder(folder) as draft:
                _write(draft, values(dataset), tokenizer)
                store.seal(draft / ABOUT, {"sha256": key, "text": about.sha256,
                                           "tokenizer": made_by}, draft.glob("*.npy"))
    ids = np.load(folder / "ids.npy", mmap_mode="r")
    starts = np.load(folder / "starts.npy")
    return TokenFile(ids, starts, about, key, about.characters, made_by)


def _write(folder: Path, texts: Iterable[str], tokenizer: PreTrainedTokenizerFast) -> None:
    """Ids are appended as they are made; the header, which says how many, is written over last."""
    kind = np.dtype(np.uint16 if len(tokenizer) <= 2**16 else np.uint32)
    opening, starts, total = tokenizer.bos_token_id, array("q"), 0
    encoder = _whole(tokenizer)
    encoder.encode_special_tokens = True  # "<|endoftext|>" in a text is text, and ends nothing
    with open(folder / "ids.npy", "wb") as file:
        _write_header(file, kind, 0)
        for batch in _batches(texts):
            for encoded in encoder.encode_batch_fast(batch, add_special_tokens=False):
                starts.append(total)
                file.write(np.array([opening, *encoded.ids], dtype=kind).data)
                total += 1 + len(encoded)
        file.seek(0)
        _write_header(file, kind, total)
    np.save(folder / "starts.npy", np.array(starts, dtype=np.int64))


def _write_header(file: BinaryIO, kind: np.dtype, length: int) -> None:
    """The header of a NumPy file; NumPy pads it to the same size for any length."""
    np.lib.format.write_array_header_1_0(file, {
        "descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (length,)})


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Enough texts to keep all cores busy, few enough characters for a small machine's memory."""
    batch, characters = [], 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if len(batch) >= BATCH or characters >= CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


class PackedRows(torch.utils.data.Dataset):
    """Rows of `context` inputs and their targets, enough of them for a token budget.

    Row i is `{"tokens": (context + 1,) int64, "segments": (context,) int32}`: targets are the
    tokens moved by one, and segments number the documents in the row. With a `mask_share` there is
    also `"hidden": (context,) bool`, the positions a masked model must fill in. An epoch visits
    every window once in an order drawn from `seed`; the next epoch starts its windows elsewhere,
    so that boundaries move. Row i depends on nothing but i and the arguments, which is what lets
    an interrupted run continue exactly.

    Raises:
        DataError: the file is shorter than one row.
    """

    def __init__(self, file: TokenFile, context: int, rows: int, seed: int = 0,
                 mask_share: float = 0.0):
        if len(file) < context + 2:
            raise DataError(
                f"The data has {len(file)} tokens, too few for one row of {context}.",
                where=file.card.name, fix="Use more text or a shorter context.")
        self.file, self.context, self.rows, self.seed = file, context, rows, seed
        self.mask_share = mask_share
        self.windows = max(1, (len(file) - 1) // context - 1)
        self._epoch, self._order, self._shift = -1, np.empty(0, np.int64), 0

    def __len__(self) -> int:
        return self.rows

    def _turn_to(self, epoch: int) -> None:
        if epoch != self._epoch:
            random = np.random.default_rng([self.seed, epoch])
            room = len(self.file) - 1 - self.windows * self.context
            self._shift = int(random.integers(0, min(room, self.context) + 1))
            self._order, self._epoch = random.permutation(self.windows), epoch

    def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
        if not 0 <= row < self.rows:
            raise IndexError(row)
        self._turn_to(row // self.windows)
        begin = self._shift + int(self._order[row % self.windows]) * self.context
        window = self.file.ids[begin:begin + self.context + 1].astype(np.int64)
        first = np.searchsorted(self.file.starts, begin, side="right")
        last = np.searchsorted(self.file.starts, begin + self.context, side="left")
        segments = np.zeros(self.context, dtype=np.int32)
        segments[self.file.starts[first:last] - begin] = 1
        item = {"tokens": torch.from_numpy(window),
                "segments": torch.from_numpy(np.cumsum(segments, dtype=np.int32))}
        if self.mask_share:
            chance = np.random.default_rng([self.seed, row, 1]).random(self.context)
            item["hidden"] = torch.from_numpy(chance < self.mask_share)
        return item
