"""The picture of a ledger entry: every value of its main measure, arm by arm.

SVG, which stays sharp at any size and in print. Its bytes depend on the entry alone, so that a
book made again differs only where a result does.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from statistics import fmean
from typing import Any

import matplotlib as mpl

from fmcourse import show
from fmcourse.evidence import ledger


def picture(record: Mapping[str, Any]) -> show.Picture:
    """All values of the first measure, control last; without chance, one value an arm.

    Args:
        record: a ledger entry.
    """
    measured = record["measures"][0]
    arms = measured["arms"]
    if measured["over"] == "nothing":
        arms = {arm: [fmean(values)] for arm, values in arms.items()}
    drawn = show.seeds(arms, control=measured["control"], unit=measured["metric"],
                       better=measured["better"])
    means = ", ".join(f"{arm} {fmean(values):.3g}" for arm, values in arms.items())
    drawn.alt = (f"{measured['metric']}, {measured['better']} is better; means over "
                 f"{ledger.over(record, measured)}: {means}. The control is "
                 f"{measured['control']}."
                 ).replace("means over no chance in it", "values, with no chance in them")
    return drawn


def svg(drawn: show.Picture) -> str:
    """A picture as SVG, without the day on which it was drawn."""
    file = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "fmcourse"}):
        drawn.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
