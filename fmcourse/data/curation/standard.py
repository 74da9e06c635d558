"""The steps of the course, in the order in which they help each other."""

from __future__ import annotations

from collections.abc import Sequence

from fmcourse.data.curation.duplicates import (
    decontaminated,
    exact_duplicates,
    near_duplicate_texts,
)
from fmcourse.data.curation.language import language
from fmcourse.data.curation.pipeline import Step
from fmcourse.data.curation.quality import HIGHEST, Score, quality
from fmcourse.data.curation.repair import boilerplate, encoding, markup, unicode_form
from fmcourse.data.curation.rules import heuristics


def repairs() -> list[Step]:
    """What undoes damage, and drops only what was never a text."""
    return [encoding(), markup(), unicode_form(), boilerplate()]


WORDS = 8  # of 5, 8, 12 and 20 the best for a small network, on validation text and at a seed that
# no ledger has; at 20, half of the documentation's records go


def standard(against: Sequence[str] = (), words: int = WORDS, score: Score | None = None,
             highest: float = HIGHEST) -> list[Step]:
    """Repairs first, since rules and duplicates are judged on what a reader sees; costly steps
    last, when little is left to judge.

    Args:
        against: texts of evaluation sets; none leaves decontamination out.
        words: least number of words of a text, for paragraphs.
        score, highest: of quality, as in `quality`; no score leaves that step out.
    """
    steps = [*repairs(), exact_duplicates(), language(), heuristics(words),
             near_duplicate_texts()]
    if against:
        steps.append(decontaminated(against))
    if score is not None:
        steps.append(quality(score, highest))
    return steps
