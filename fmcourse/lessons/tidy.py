"""Take this machine out of a notebook's outputs: its paths, and where a cell's code happened to be.

Committed outputs are read by others and compared by tests; a home folder or a process number in
them is noise at best. Text outputs only: a picture cannot be searched.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from fmcourse import store

TEXT = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml")


def tidy(notebook: NotebookNode, root: Path) -> None:
    """Rewrite the text outputs in place: the course's folders get short names, the home a ~."""
    clean = cleaner(root)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            _output(output, clean)


def cleaner(root: Path) -> Callable[[str], str]:
    """A function that replaces this machine's paths in a text, the longest first."""
    home = Path.home()
    names = {str(store.home()): "$FMCOURSE_HOME", str(root): "."}
    if len(home.parts) > 1:  # a home of "/" would turn every slash into a tilde
        names[str(home)] = "~"
        if store.home().is_relative_to(home):
            names[str(store.home())] = f"~/{store.home().relative_to(home).as_posix()}"
    cell = re.escape(tempfile.gettempdir()) + r"[/\\]ipykernel_\d+[/\\]\d+\.py"
    pattern = re.compile("|".join([rf"(?P<cell>{cell})", *(
        rf"{re.escape(name)}(?![\w-])" for name in sorted(names, key=len, reverse=True))]))
    return lambda text: pattern.sub(lambda m: "<cell>" if m["cell"] else names[m[0]], text)


def _output(output: Any, clean: Callable[[str], str]) -> None:
    if output.output_type == "stream":
        output.text = clean(output.text)
    elif output.output_type == "error":
        output.evalue = clean(output.evalue)
        output.traceback = [clean(line) for line in output.traceback]
    else:
        for kind in TEXT:
            if kind in output.data:
                output.data[kind] = clean(output.data[kind])
