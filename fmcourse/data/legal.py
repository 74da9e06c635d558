"""Legal summaries: how a lawsuit went, in a sentence or two.

Multi-LexSum's cases as they were told by lawyers, each with a summary by the same project. A small
model reads little and writes less, so the narrative is its first sentences and the summary its
first one or two. That keeps the two in step, since both begin with who sued whom for what; how a
case ended is often past the cut and then in neither.

Trade-off: a summary that takes its words from the beginning is easily matched by copying the
beginning. What the narrative's first sentence earns (`lead`) is therefore shown beside every score.
Some campaigns brought the same case many times; near repeats, of a narrative or a summary, are
kept once.
"""

from __future__ import annotations

import re
from dataclasses import replace

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.cache import cached
from fmcourse.data.card import card, with_card
from fmcourse.data.sentences import leading, sentences
from fmcourse.data.split import split_by_document
from fmcourse.data.task_rows import Row, distinct, only, task_row
from fmcourse.sources.clean import whole_sentences

RECIPE = "legal-3"  # raise it when a step below changes, so that caches are made anew
TASK = "Summarise this case in one or two sentences."
HELD_OUT = 0.15  # share of the characters in test, and again in validation
SHORTEST, LONGEST = 60, 400  # characters of a summary
_ASIDE = re.compile(r"\W*(?:notes?\b|covid(?:-19)? summary)", re.I)  # would give the answer away


def case_summaries(seed: int = 0, longest: int = 1200) -> DatasetDict:
    """Case narratives and their summaries; cached on disk.

    Args:
        seed: which cases are held out.
        longest: characters of a narrative; its first whole sentences.

    Returns:
        Parts train, validation and test, by case; columns `messages`, `prompt`, `completion` (the
        summary: one or two sentences), `lead` (the narrative's first sentence), `document`,
        `source` and `text`.
    """
    recipe = [RECIPE, sources.fingerprint("multi-lexsum"), seed, longest]
    return cached("case-summaries", recipe,
                  lambda: by_case(sources.load("multi-lexsum"), seed, longest))


def by_case(cases: Dataset, seed: int = 0, longest: int = 1200, held_out: float = HELD_OUT
            ) -> DatasetDict:
    """`case_summaries` from rows of the reader `multi_lexsum`.

    Raises:
        DataError: too few cases to hold any out.
    """
    rows, log = cases.to_list(), replace(card(cases), name="case_summaries")
    rows = [{**row, "summary": brief(_told(row["summary"])),
             "narrative": whole_sentences(leading(_told(row["text"]), longest))} for row in rows]
    rows, log = only(rows, log, "narrative longer than its summary",
                     lambda row: len(row["narrative"]) > len(row["summary"]))
    rows, log = only(rows, log, f"summary of {SHORTEST} to {LONGEST} characters",
                     lambda row: len(row["summary"]) >= SHORTEST)
    for column in ("narrative", "summary"):
        rows, log = distinct(rows, log, column, 0.5)
    made = Dataset.from_list([_row(row) for row in rows])
    return split_by_document(with_card(made, log), held_out, seed)


def brief(summary: str) -> str:
    """The first two sentences of a summary, or the first, or nothing if that one is too long.

    >>> brief("They sued. They won. They were paid.")
    'They sued. They won.'
    """
    return leading(" ".join(sentences(summary)[:2]), LONGEST)


def _told(text: str) -> str:
    """Without a note or an up-to-date summary in front."""
    return "\n\n".join(part for part in text.split("\n\n") if not _ASIDE.match(part))


def _row(row: Row) -> Row:
    return task_row(f"{row['narrative']}\n\n{TASK}", row["summary"], row["document"],
                    lead=sentences(row["narrative"])[0], source=row["source"])
