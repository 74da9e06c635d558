"""Tables as what a ledger entry can hold."""

from __future__ import annotations

from typing import Any

import pandas as pd


def plain(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Column → values, as JSON can hold them: what was not measured is None."""
    return table.astype(object).where(table.notna(), None).to_dict("list")
