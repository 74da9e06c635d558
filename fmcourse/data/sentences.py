"""Where sentences end, well enough to shorten a text without cutting one.

Lawyers and doctors are full of full stops that end nothing: "U.S. District Court", "Doe v. Roe",
"No. 5", "p = .05". So a sentence ends where white space and a capital, a digit, a quotation mark or
a bracket follow, but not after an initial or a known abbreviation. Trade-off: a sentence that does
end with one ("… in the U.S. The court …") is joined to the next, which costs length and cuts none.
"""

from __future__ import annotations

import re

_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*(\s+)(?=[\"'“‘(\[]?[A-Z0-9])|(\n+)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"“])(?:(?:[A-Za-z]\.)+|(?:[A-Z]\.)*(?:Inc|Corp|Co|Ltd|Bros|Nos?|vs?|Mrs?|Ms|Dr|"
    r"Jr|Sr|St|Hon|Rev|Gov|Sen|Rep|Gen|Lt|Sgt|Dept|Dist|Cir|Ct|Supp|Stat|Fed|Reg|Cal|Mass|Pa|Fla|"
    r"Jan|Feb|Mar|Apr|Aug|Sept|Oct|Nov|Dec|seq|al|approx|ca|cf|Figs?|Ex|ex|Pub|Sec|Art|C\.F\.R|"
    r"Ph\.D|resp|incl)\.)$")


def sentences(text: str) -> list[str]:
    """The sentences of a text in order; a line end ends one too.

    >>> sentences("He sued Roe, Inc. He won. The U.S. Court of No. 5 agreed.")
    ['He sued Roe, Inc. He won.', 'The U.S. Court of No. 5 agreed.']
    """
    found, start = [], 0
    for end in _END.finditer(text):
        space = max(end.span(1), end.span(2))
        piece = text[start:space[0]]
        if end[1] and "\n" not in end[1] and _ABBREVIATION.search(piece):
            continue
        found.append(piece.strip())
        start = space[1]
    return [piece for piece in (*found, text[start:].strip()) if piece]


def leading(text: str, longest: int) -> str:
    """As many whole sentences from the start as fit in `longest` characters, on one line.

    >>> leading("One came. Two left. Three stayed.", 20)
    'One came. Two left.'
    """
    return " ".join(_fitting(sentences(text), longest))


def trailing(text: str, longest: int) -> str:
    """As many whole sentences from the end as fit in `longest` characters, on one line.

    >>> trailing("One came. Two left. Three stayed.", 25)
    'Two left. Three stayed.'
    """
    return " ".join(_fitting(sentences(text)[::-1], longest)[::-1])


def _fitting(pieces: list[str], longest: int) -> list[str]:
    room = longest + 1  # the first needs no space before it
    for count, piece in enumerate(pieces):
        room -= len(piece) + 1
        if room < 0:
            return pieces[:count]
    return pieces
