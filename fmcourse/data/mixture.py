"""Replay: rows of one corpus with a fixed share of another's among them.

A model that goes on reading only new documents forgets what it read before; a few rows of the old
corpus in every batch hold it back (experience replay; Ibrahim et al. 2024, arXiv:2403.08763). The
old rows are spread evenly, not drawn: each batch then has the share asked for, and row i is the
same in every run, which is what lets an interrupted one continue exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fmcourse import store
from fmcourse.data.card import Card
from fmcourse.data.tokens import PackedRows, TokenFile
from fmcourse.errors import DataError


@dataclass(frozen=True)
class Mixture:
    """Two token files and the share of rows that come from the second.

    Attributes:
        new: what is to be learnt.
        old: what is not to be forgotten.
        share: of the rows, from 0 to below 1.
    """

    new: TokenFile
    old: TokenFile
    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise DataError(f"A replay share of {self.share} is not possible.",
                            where="Mixture.share", fix="From 0 (none) to below 1.")
        if self.new.tokenizer != self.old.tokenizer:
            raise DataError("The two corpora were cut by different tokenizers.",
                            where=f"{self.new.card.name}, {self.old.card.name}",
                            fix="Make both with data.tokens(…, model.tokenizer).")

    @property
    def sha256(self) -> str:
        """Hash of both files and the share."""
        return store.sha256_json([self.new.sha256, self.old.sha256, self.share])

    @property
    def tokenizer(self) -> str:
        """Hash of the tokenizer."""
        return self.new.tokenizer

    @property
    def cards(self) -> tuple[Card, ...]:
        """Cards of what is read: of both, if there is any replay."""
        return (self.new.card, self.old.card) if self.share else (self.new.card,)

    @property
    def sources(self) -> dict[str, str]:
        """Source name → SHA-256, of both."""
        return {**self.old.card.sources, **self.new.card.sources}


def packed_rows(
    data: TokenFile | Mixture, context: int, rows: int, seed: int = 0, mask_share: float = 0.0
) -> torch.utils.data.Dataset:
    """The rows to train on: of one file, or of a mixture; see `PackedRows`.

    Raises:
        DataError: a file is shorter than one row.
    """
    if isinstance(data, TokenFile):
        return PackedRows(data, context, rows, seed, mask_share)
    if not data.share:
        return PackedRows(data.new, context, rows, seed, mask_share)
    return MixedRows(data, context, rows, seed, mask_share)


class MixedRows(torch.utils.data.Dataset):
    """Rows as `PackedRows` gives them, with every so many from the old corpus."""

    def __init__(self, mixture: Mixture, context: int, rows: int, seed: int = 0,
                 mask_share: float = 0.0):
        self.share, self.rows = mixture.share, rows
        self.new = PackedRows(mixture.new, context, rows, seed, mask_share)
        self.old = PackedRows(mixture.old, context, rows, seed, mask_share)

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
        if not 0 <= row < self.rows:
            raise IndexError(row)
        before, after = (round(place * self.share, 9) // 1 for place in (row, row + 1))
        replayed = int(before)  # old rows among those before this one
        return self.old[replayed] if after > before else self.new[row - replayed]
