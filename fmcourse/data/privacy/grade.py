"""The grade of a detector of personal data on texts in which the truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from fmcourse.data.privacy.spans import KINDS, PersonalSpan, covered
from fmcourse.errors import DataError


def grade_spans(found: Sequence[Sequence[PersonalSpan]], truth: Sequence[Sequence[PersonalSpan]],
                texts: Sequence[str]) -> pd.DataFrame:
    """How much was found, and how much of what was found was there: a row a kind.

    Strict about leaks: a planted span counts as found if spans of its kind cover every letter and
    digit of it. A found span is right if at least half of it is planted data of its kind.

    Args:
        found, truth: spans of each text.
        texts: the texts.

    Returns:
        kind, planted, recall, found, precision; kinds that were neither planted nor found have no
        row.

    Raises:
        DataError: the three do not fit together.
    """
    if not len(found) == len(truth) == len(texts):
        raise DataError(f"{len(found)} and {len(truth)} lists of spans for {len(texts)} texts.",
                        where="grade_spans", fix="Give one of each a text, in order.")
    rows = []
    for kind in dict.fromkeys((*KINDS, *(span.kind for own in found for span in own))):
        hits = [covered(span, text, own)
                for text, own, true in zip(texts, found, truth, strict=True)
                for span in true if span.kind == kind]
        right = [_mostly(span, true) for own, true in zip(found, truth, strict=True)
                 for span in own if span.kind == kind]
        if hits or right:
            rows.append((kind, len(hits), sum(hits) / len(hits) if hits else None, len(right),
                         sum(right) / len(right) if right else None))
    return pd.DataFrame(rows, columns=["kind", "planted", "recall", "found", "precision"])


def _mostly(span: PersonalSpan, truth: Sequence[PersonalSpan]) -> bool:
    inside = sum(max(0, min(span.end, other.end) - max(span.start, other.start))
                 for other in truth if other.kind == span.kind)
    return 2 * inside >= span.end - span.start
