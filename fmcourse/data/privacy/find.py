"""Finding personal data: structured kinds by their form, names by a tagger, overlaps resolved."""

from __future__ import annotations

from fmcourse.data.privacy.names import NameTagger
from fmcourse.data.privacy.patterns import structured
from fmcourse.data.privacy.spans import PersonalSpan, resolved


def find(text: str, names: NameTagger | None = None) -> list[PersonalSpan]:
    """The personal data in a text, in order, no two overlapping.

    Args:
        text: any.
        names: finds the names; without it none are looked for.

    >>> [span.kind for span in find("ann@example.com called from +44 20 7946 0958")]
    ['email', 'phone']
    """
    found = list(structured(text))
    return resolved(found + (names.find(text) if names is not None else []))
