"""What an experiment returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """One seed's result.

    Attributes:
        arms: arm → metric → value.
        data: name → SHA-256 of what was read.
        details: curves and samples that a lesson draws, as plain values.
    """

    arms: dict[str, dict[str, float]]
    data: dict[str, str]
    details: dict[str, Any] = field(default_factory=dict)
