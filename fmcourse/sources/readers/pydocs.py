"""Python's own help topics: the language reference as every interpreter carries it.

The topics are a dictionary literal in `pydoc_data/topics.py`; it is parsed, not imported. The text
changes with the Python version, so it serves smoke tests and examples, never a shipped model.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fmcourse.errors import SourceError
from fmcourse.sources.clean import tidy

SHORTEST = 200
_MARKED = re.compile(r'(?<![\w*`"])(\*{1,2}|`{1,2}|")([^\s*`"][^*`"]*)\1(?![\w*`"])')  # *so*, "so"


def topics(path: Path) -> Iterator[dict[str, Any]]:
    """Rows `text` (one topic, paragraphs unwrapped), `document` and `title` (the topic)."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        table = next(ast.literal_eval(node.value) for node in tree.body
                     if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict))
    except (SyntaxError, ValueError, StopIteration, OSError) as error:
        raise SourceError(f"Python's help topics are not laid out as expected: {error}.",
                          where=path, fix="Use a registered source instead.") from error
    for topic, raw in sorted(table.items()):
        text = tidy("\n\n".join(_paragraphs(raw)))
        if len(text) >= SHORTEST:
            yield {"text": text, "document": topic, "title": topic}


def _paragraphs(raw: str) -> Iterator[str]:
    """Prose paragraphs on one line; underlines of headings and code examples left out."""
    for block in re.split(r"\n\s*\n", raw.replace("\r", "")):
        lines = [line for line in block.split("\n") if not re.fullmatch(r"\s*[*=~^-]{3,}\s*", line)]
        text = " ".join(line.strip() for line in lines)
        if ">>>" in text or "::=" in text or not re.search(r"[.:)]$", text) or len(text) < 60:
            continue
        yield _MARKED.sub(r"\2", text)
