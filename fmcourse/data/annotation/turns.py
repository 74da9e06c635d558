"""What one person says turn by turn: each choice saved before the next is asked for, none lost.

What is kept is only the list of choices: what each belongs to follows from the order of the turns,
so undoing is forgetting the last one. The file is written anew with each choice, whole or not at
all, so that a crash leaves the one before; for some sixty short lines that costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fmcourse import store
from fmcourse.errors import StoreError


class Turns:
    """Turns in a fixed order, and what has been chosen at each so far.

    Subclasses say what a choice looks like in the file (`_line`), and read it back (`_choice`).

    Args:
        order: what each turn is about.
        path: a JSONL file that keeps the choices, and is gone on with; None keeps nothing.

    Attributes:
        given: the choices so far, in the order of giving.
        simulated: whether a simulated annotator gave them.

    Raises:
        StoreError: the file cannot be read, or holds choices about something else.
    """

    foreign = "This is no choice of these turns."

    def __init__(self, order: Sequence[Any], path: Path | str | None = None):
        self.order, self.simulated = list(order), False
        self.path = None if path is None else Path(path).expanduser()
        self.given: list[Any] = [] if self.path is None else self._read()

    @property
    def done(self) -> bool:
        """Whether nothing is left to choose."""
        return len(self.given) == len(self.order)

    def undo(self) -> None:
        """Take back the last choice; without one, nothing happens.

        Raises:
            StoreError: that cannot be saved; nothing has changed then.
        """
        if self.given:
            self._keep(self.given[:-1])

    def _line(self, turn: int, choice: Any) -> dict[str, Any]:
        """A choice as the file holds it; whatever shows that it belongs to this turn is in it."""
        raise NotImplementedError

    def _choice(self, row: dict[str, Any]) -> Any:
        """What was chosen, from a line of the file; any ValueError or KeyError refuses it."""
        raise NotImplementedError

    def _keep(self, given: list[Any]) -> None:
        """Save these choices, and only then hold them."""
        if self.path is not None:
            lines = (json.dumps(self._line(turn, choice)) for turn, choice in enumerate(given))
            try:
                store.atomic_write(self.path, "".join(f"{line}\n" for line in lines))
            except OSError as error:
                raise StoreError(f"This choice cannot be saved: {error.strerror}.",
                                 where=self.path,
                                 fix="Name a file that you can write to, as path=.") from error
        self.given = given

    def _read(self) -> list[Any]:
        """The choices of an earlier sitting."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError("This file of choices cannot be read.", where=self.path,
                             fix="Name another file, as path=.") from error
        given: list[Any] = []
        for turn, line in enumerate(lines):
            try:
                row = json.loads(line)
                given.append(self._choice(row))
                if row != self._line(turn, given[-1]):
                    raise ValueError("of another turn")
            except (ValueError, KeyError, IndexError, TypeError) as error:
                raise StoreError(self.foreign, where=f"{self.path}:{turn + 1}",
                                 fix="Name another file, as path=, or delete this one.") from error
        return given
