"""Scores by slice: an average hides the slice that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from fmcourse.errors import DataError
from fmcourse.evaluate.intervals import share_table


def slice_rates(predicted: Sequence[Any], expected: Sequence[Any], slices: Sequence[str]
                ) -> pd.DataFrame:
    """Share of right answers in each slice, with its 95 % Wilson interval; last row 'all'.

    Args:
        predicted, expected, slices: of each item.

    Returns:
        Columns slice, n, accuracy, low, high.

    >>> slice_rates([1, 0, 1], [1, 1, 1], ["plain", "plain", "odd"])["accuracy"].round(2).tolist()
    [0.5, 1.0, 0.67]
    """
    if not len(predicted) == len(expected) == len(slices) or not len(slices):
        raise DataError(f"{len(predicted)} predictions, {len(expected)} answers and {len(slices)} "
                        "slices do not fit.", where="slice_rates", fix="Give one of each an item.")
    right = [one == other for one, other in zip(predicted, expected, strict=True)]
    return share_table(slices, right, "slice")


def slice_change(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Two tables of `slice_rates` side by side: slice, n, before, after and change.

    Raises:
        DataError: they are not of the same items.
    """
    if before[["slice", "n"]].values.tolist() != after[["slice", "n"]].values.tolist():
        raise DataError("The two tables are of different slices.", where="slice_change",
                        fix="Ask both models about the same suite.")
    return before[["slice", "n"]].assign(before=before["accuracy"], after=after["accuracy"],
                                         change=after["accuracy"] - before["accuracy"])
