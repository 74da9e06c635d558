"""Limits that pages of documentation state, and which of them two releases both state.

A limit is a number in a sentence with a word for limits near it ("up to 50 tags"), asked for by
leaving the number out. Left out are: sentences that give an example, numbers that the sentence has
said before (the question would hold its answer), parts of a number, of a date or of a name, and 0,
which no page says as a limit of interest. And a sentence that pages of one service complete
differently in the same year: one of them may be old, or it says too little to be a question.

Trade-off: rules of this kind miss limits and let a few other numbers through; read some.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from fmcourse.data.sentences import sentences
from fmcourse.data.task_rows import Row

BLANK = "___"
SHORTEST, LONGEST = 40, 220  # characters of a sentence
BEFORE = 20  # characters of a sentence that stand before its number, at least
ALIKE = 0.8  # least share of words that a sentence and its rewording have in common
_NUMBER = re.compile(
    r"(?<![\w.,:/$#*^=+({\[\"'-])(?<!\d[ ])(?<!\d,[ ])"
    r"([1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,8})(?=[ ;)%]|[.,;](?:\s|$))(?! \d)")
_NAME_BEFORE = re.compile(  # Route 53, ISO 8601, states 1 and 2: no limit but a name
    r"[a-z,;)] [A-Z]\w*\s$|\b(?:states?|versions?) (?:\d+ and )?$")
_EXAMPLE = re.compile(r"\bexamples?\b|\be\.g\.|\bsuppose\b|\bsuch as\b|\b\dXX\b", re.I)
_FAR = (
    r"up to|at least|at most|as (?:much|many|few|little|long|large|low|high) as|max|min|maximum|"
    r"minimum|limit(?:s|ed)?|quotas?|defaults?|exceeds?|MTU|within|last|past|next|(?:more|greater|"
    r"less|fewer|longer|larger|older|higher|lower|smaller|later|earlier|shorter) than")
_NEAR = r"between|ranges?|from|can be|after|every|under|below|above"
_AFTER = r"or (?:fewer|less|more|greater|older)|(?:is|are) the (?:maximum|default|limit)"
_LIMIT = re.compile(
    rf"\b(?:{_FAR})\b[^.;()]{{0,80}}{BLANK}|\b(?:{_NEAR})\b[^.;()]{{0,20}}{BLANK}|"
    rf"\d(?: \w+)? (?:to|and|through) {BLANK}|{BLANK}%?(?: [\w/]+){{0,2}} (?:{_AFTER})\b|"
    rf"\bfor {BLANK} (?:seconds|minutes|hours|days|months|years)\b", re.I)


class Stated(NamedTuple):
    """A limit that a page states: the number, and the sentence with a blank in its place."""

    number: str
    question: str
    page: str
    document: str
    service: str


Place = tuple[str, ...]  # document, kind and name of a page, and the words of a sentence on it


def blanks(sentence: str) -> list[tuple[str, str]]:
    """The sentence with each of its limits left out, and the number; none if it states no limit.

    >>> blanks("Route 53 returns a maximum of 1,000 items.")
    [('Route 53 returns a maximum of ___ items.', '1000')]
    """
    found = []
    if SHORTEST <= len(sentence) <= LONGEST and not _EXAMPLE.search(sentence):
        for number in _NUMBER.finditer(sentence):
            before = sentence[:number.start()]
            asked = f"{before}{BLANK}{sentence[number.end():]}"
            told = re.search(rf"(?<![\w,]){number[1]}(?![\w,])", before)
            named = _NAME_BEFORE.search(before)
            if len(before) >= BEFORE and not (told or named) and _LIMIT.search(asked):
                found.append((asked, number[1].replace(",", "")))
    return found


def page_of(row: Row) -> str:
    """How a page is called in a question."""
    return f"{row['name']} of {row['service']}" if row["name"] else row["service"]


def stated(rows: Sequence[Row]) -> dict[Place, Stated]:
    """What pages of a release state, without sentences that have more than one answer."""
    found: dict[Place, Stated] = {}
    numbers = defaultdict(set)  # by service and words
    for row in rows:
        for sentence in sentences(row["text"]):
            for asked, number in blanks(sentence.removeprefix("- ")):
                words = _words(asked)
                numbers[row["document"], words].add(number)
                found[row["document"], row["kind"], row["name"], words] = Stated(
                    number, asked, page_of(row), row["document"], row["service"])
    return {place: one for place, one in found.items() if len(numbers[place[0], place[3]]) == 1}


def in_both(old: dict[Place, Stated], new: dict[Place, Stated]) -> list[tuple[Stated, str]]:
    """What both releases state on the same page: as it is now, and the number of the old one.

    In the same words, or in words so like each other that no other sentence of the page may be
    meant: the same unit, the same names, the blank at the same place.
    """
    pairs = [(one, old[place].number) for place, one in new.items() if place in old]
    pages: dict[Place, tuple[list[Stated], list[Stated]]] = defaultdict(lambda: ([], []))
    for half, (these, those) in enumerate(((old, new), (new, old))):
        for place, one in these.items():
            if place not in those:
                pages[place[:3]][half].append(one)
    for before, now in pages.values():
        like = [(a, b) for a in before for b in now if _alike(a.question, b.question)]
        pairs += [(b, a.number) for a, b in like
                  if sum(a is other or b is one for other, one in like) == 1]
    return pairs


def _alike(old: str, new: str) -> bool:
    """Is one sentence, with its blank, a rewording of the other?"""
    before, now = (sentence.partition(BLANK)[::2] for sentence in (old, new))
    if _unit(before[1]) != _unit(now[1]) or _names(old) != _names(new):
        return False
    if _plain(before[0]).count("0") != _plain(now[0]).count("0"):  # another number of the sentence
        return False
    a, b = ([*_plain(first), BLANK, *_plain(rest)] for first, rest in (before, now))
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    place, offset = a.index(BLANK), a.index(BLANK) - b.index(BLANK)
    meets = any(one.a <= place < one.a + one.size and one.a - one.b == offset
                for one in matcher.get_matching_blocks())
    return meets and matcher.ratio() >= ALIKE


def _unit(after: str) -> str:
    """The first word after a blank."""
    return re.sub(r"[^a-z%/]", "", (after.split() or [""])[0].lower())


def _names(text: str) -> list[str]:
    """Words with a capital, a digit or an underscore in them: what a sentence speaks of."""
    return sorted(re.findall(r"\b(?=\w*[A-Za-z])\w+[A-Z_0-9]\w*", text.replace(BLANK, "")))


def _plain(text: str) -> list[str]:
    """Words, and 0 for every number."""
    return re.findall(r"[a-z]+|0", re.sub(r"\d[\d,.]*", "0", text.lower()))


def _words(text: str) -> str:
    """What stays of a sentence when its typography, or the name of the company, is changed."""
    brief = re.sub(r"\b(amazon web services|amazon|aws)\b", "", text.lower())
    return re.sub(r"[^a-z0-9_]", "", brief)
