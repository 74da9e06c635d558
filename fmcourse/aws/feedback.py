"""Where the pieces of human feedback live on AWS, in older notes and today: `feedback.toml`.

Notes about AWS age faster than those about methods. So what changed is data with its sources and
the day they were read, and a lesson's heading takes the month from there.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def feedback_table() -> pd.DataFrame:
    """Every piece, what older notes say of it and what AWS says today.

    Returns:
        Columns `what`, `older notes say` ("—" where they say nothing), `today (…)` with the month
        in which AWS's pages were read, and `source`, their addresses.

    >>> feedback_table()["what"].tolist()[:2]
    ['collecting rankings', 'supervised fine-tuning']
    """
    import pandas as pd

    text = files("fmcourse.aws").joinpath("feedback.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    today = f"today ({found['read']:%B %Y})"
    return pd.DataFrame([{"what": piece["what"], "older notes say": piece.get("then", "—"),
                          today: piece["now"], "source": " ".join(piece["sources"])}
                         for piece in found["pieces"]])
