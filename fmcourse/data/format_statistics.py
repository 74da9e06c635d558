"""What a file of records is made of: counts and lengths, in one pass and constant memory."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmcourse.data.format_files import Reading
from fmcourse.data.model_limits import CHARACTERS
from fmcourse.data.record_checks import Message
from fmcourse.data.record_formats import Format

STEP = 1.02  # between the lengths that are told apart; 700 of them reach a million characters
NAMES = 20  # of parts that are told apart; a manifest can have a label of another name a line


@dataclass
class Statistics:
    """Counts over the good records of a file.

    Attributes:
        reading: format, and records kept and dropped.
        parts: how many there are by role or name.
        characters: of all parts, by role or name.
        lengths: characters of a record, as powers of `STEP`, and how many records have them.
        longest: characters of the longest record.
    """

    reading: Reading
    parts: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    longest: int = 0

    def add(self, parts: list[Message]) -> None:
        """Count one record."""
        length = 0
        for part in parts:
            role = part["role"]
            if role not in self.parts and len(self.parts) >= NAMES:
                role = "others"
            self.parts[role] += 1
            self.characters[role] += len(part["content"])
            length += len(part["content"])
        self.longest = max(self.longest, length)
        self.lengths[round(math.log(max(length, 1), STEP))] += 1

    def length(self, share: float) -> int:
        """Characters that a share of the records does not exceed, to within one per cent."""
        wanted, seen = share * self.reading.kept, 0
        for power in sorted(self.lengths):
            seen += self.lengths[power]
            if seen >= wanted:
                return min(round(STEP ** power), self.longest)
        return self.longest

    def __str__(self) -> str:
        reading = self.reading
        rows = [("format", reading.format.title if reading.format else "none"),
                ("records", f"{reading.read:,} read = {reading.kept:,} kept + "
                            f"{reading.dropped:,} dropped"),
                ("bytes", f"{reading.size:,}")]
        rows += [(role, f"{count:,} with {self.characters[role]:,} characters")
                 for role, count in self.parts.items()]
        rows.append(("characters", f"of a record: half have up to {self.length(0.5):,}, 95 % up to "
                                   f"{self.length(0.95):,}, the longest {self.longest:,}"))
        rows.append(("tokens", f"about {sum(self.characters.values()) // CHARACTERS:,} as AWS "
                               f"plans, {CHARACTERS} characters each"))
        return "\n".join(f"{name:<12} {value}" for name, value in rows)


def file_statistics(path: Path | str, form: Format | None = None) -> Statistics:
    """Counts and lengths of a file or instruction folder; what is wrong is in `reading`.

    Args:
        path: as for `check_file`.
        form: as for `check_file`.

    Raises:
        DataError: nothing can be read of it.
    """
    def make(form: Format, record: dict[str, Any], parts: list[Message]) -> list[Message]:
        return parts

    found = Statistics(Reading(Path(path), make, form))
    for _, parts in found.reading:
        found.add(parts)
    return found
