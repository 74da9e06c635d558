"""How sure a score on a few items is: Wilson intervals and the table that reports them.

A probe of 48 items that scores 60 % may have come from a coin. Every accuracy of the course that
is a share of right answers is printed with its 95 % Wilson interval (Wilson 1927, "Probable
inference, the law of succession, and statistical inference", JASA 22), which unlike the textbook
p ± 1.96·√(p(1-p)/n) stays inside [0, 1] and doesn't shrink to nothing at 0 % or 100 %.

Trade-off: it speaks of *other items of this kind*, one model held fixed. How far training itself
varies is another question, and only several seeds answer it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from fmcourse.errors import DataError

ALL = "all"  # the last row of a table of shares: every item, whatever its group
_Z = 1.959964  # 97.5 % point of the standard normal distribution


def wilson(successes: float, n: int) -> tuple[float, float]:
    """95 % Wilson interval of a share.

    Args:
        successes: right answers, 0 to `n`; a tie may count as a fraction.
        n: answers in all, at least 1.

    Raises:
        DataError: no answers, or more successes than answers.

    >>> low, high = wilson(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if n < 1 or not 0 <= successes <= n:
        raise DataError(f"There is no interval for {successes} successes in {n} answers.")
    share, spread = successes / n, _Z**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def share_table(groups: Sequence[str], credits: Sequence[float], label: str,
                value: str = "accuracy", chance: Sequence[float] | None = None) -> pd.DataFrame:
    """One row a group, and a last row 'all'.

    Args:
        groups: the group each item belongs to; rows come in order of first appearance.
        credits: 1 for a right answer, 0 for a wrong one, a fraction for a tie.
        label: name of the first column, such as "phenomenon".
        value: name of the column that holds the share.
        chance: what guessing would earn on each item; adds a column `chance`.

    Returns:
        Columns `label`, `n`, `value`, `low`, `high` and, where given, `chance`; all in [0, 1].

    >>> share_table(["a", "a", "b"], [1, 0, 1], "kind")["accuracy"].tolist()
    [0.5, 1.0, 0.6666666666666666]
    """
    items = pd.DataFrame({label: list(groups), "credit": list(credits)})
    items["chance"] = 0.0 if chance is None else list(chance)
    rows = []
    parts = [*items.groupby(label, sort=False), (ALL, items)]
    for name, part in parts:
        total, n = float(part["credit"].sum()), len(part)
        low, high = wilson(total, n)
        rows.append({label: name, "n": n, value: total / n, "low": low, "high": high,
                     "chance": float(part["chance"].mean())})
    table = pd.DataFrame(rows)
    return table.drop(columns="chance") if chance is None else table


def overall(table: pd.DataFrame) -> float:
    """The share over all items of a table made by `share_table`.

    >>> overall(share_table(["a", "b"], [1, 0], "kind"))
    0.5
    """
    label, value = table.columns[0], table.columns[2]
    return float(table.loc[table[label] == ALL, value].iloc[0])
