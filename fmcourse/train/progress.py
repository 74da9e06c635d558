"""One line that says how training goes: tokens a second, loss, minutes left.

In a terminal it is tqdm; in a log file a line every half minute; in Jupyter a single cell output
that is rewritten and ends as a one-line summary, so that a saved notebook is not littered.
`FMCOURSE_PROGRESS=0` silences all.
"""

from __future__ import annotations

import html
import os
import sys
import time
from typing import Any, Protocol


class Progress(Protocol):
    """Anything that can show a run's progress."""

    def update(self, share: float, text: str) -> None:
        """Show that `share` (0 to 1) is done."""

    def close(self, text: str) -> None:
        """Leave a last line."""


class _Silent:
    def update(self, share: float, text: str) -> None:
        pass

    def close(self, text: str) -> None:
        pass


class _Terminal:
    def __init__(self, name: str):
        from tqdm import tqdm

        self.name = name
        self.bar = tqdm(total=100, desc=name, bar_format="{desc} {percentage:3.0f}% |{bar}| "
                        "{postfix}", file=sys.stderr, leave=False)

    def update(self, share: float, text: str) -> None:
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(100 * share - self.bar.n)

    def close(self, text: str) -> None:
        self.bar.close()
        print(f"{self.name}: {text}", file=sys.stderr)


class _Log:
    """For a file: a line now and then, since nothing written can be taken back."""

    def __init__(self, name: str, seconds: float = 30.0):
        self.name, self.seconds, self.last = name, seconds, time.monotonic()

    def update(self, share: float, text: str) -> None:
        if time.monotonic() - self.last > self.seconds:
            self.last = time.monotonic()
            print(f"{self.name}: {share:.0%}, {text}", file=sys.stderr, flush=True)

    def close(self, text: str) -> None:
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)


class _Notebook:
    def __init__(self, name: str):
        from IPython.display import display

        self.name = name
        self.handle = display(self._line(0, "starting"), display_id=True)

    def _line(self, share: float, text: str) -> Any:
        from IPython.display import HTML

        bar = f"<progress value='{share:.3f}' max='1'></progress> " if share < 1 else "✓ "
        return HTML(f"<div>{bar}<b>{html.escape(self.name)}</b> {html.escape(text)}</div>")

    def update(self, share: float, text: str) -> None:
        self.handle.update(self._line(min(share, 0.999), text))

    def close(self, text: str) -> None:
        self.handle.update(self._line(1, text))


def in_notebook() -> bool:
    """True inside a Jupyter kernel."""
    shell = sys.modules.get("IPython")
    return bool(shell and getattr(shell.get_ipython(), "kernel", None))


def progress(name: str, show: bool = True) -> Progress:
    """The right kind of progress line for where this runs."""
    if not show or os.environ.get("FMCOURSE_PROGRESS") == "0":
        return _Silent()
    if in_notebook():
        return _Notebook(name)
    return _Terminal(name) if sys.stderr.isatty() else _Log(name)
