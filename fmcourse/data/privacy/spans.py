"""Where personal data stands in a text: what a detector finds, and what a grade compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STRUCTURED = ("email", "card", "ssn", "iban", "phone", "ip")  # forms and check digits tell them
KINDS = (*STRUCTURED, "name")
CHECKED, FORM, CONTEXT, TAGGER = "check digits", "form", "context", "tagger"
_CERTAINTY = {CHECKED: 0, FORM: 1, CONTEXT: 2, TAGGER: 3}


@dataclass(frozen=True, order=True)
class PersonalSpan:
    """A piece of personal data in a text.

    Attributes:
        start, end: characters; the end is not in it.
        kind: 'email', 'card', 'ssn', 'iban', 'phone', 'ip', 'secret' or 'name'.
        by: what told it: 'check digits', 'form' (how it is written), 'context' (a word before it)
            or 'tagger'.
    """

    start: int
    end: int
    kind: str
    by: str = ""

    def overlaps(self, other: PersonalSpan) -> bool:
        """Whether any character is in both."""
        return self.start < other.end and other.start < self.end


def resolved(spans: Iterable[PersonalSpan]) -> list[PersonalSpan]:
    """Spans of which no two overlap, in order: the most certain stays, among equals the longest.

    >>> resolved([PersonalSpan(0, 4, "name", TAGGER), PersonalSpan(2, 9, "email", FORM)])
    [PersonalSpan(start=2, end=9, kind='email', by='form')]
    """
    kept: list[PersonalSpan] = []
    for span in sorted(spans, key=lambda s: (_CERTAINTY[s.by], s.start - s.end, s.start)):
        if not any(span.overlaps(other) for other in kept):
            kept.append(span)
    return sorted(kept)


def covered(span: PersonalSpan, text: str, by: Sequence[PersonalSpan]) -> bool:
    """Whether spans of the same kind hold every letter and digit of this one."""
    own = {place for other in by if other.kind == span.kind and span.overlaps(other)
           for place in range(other.start, other.end)}
    return all(place in own for place in range(span.start, span.end) if text[place].isalnum())
