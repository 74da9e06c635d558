"""Turn tokenised or marked-up text back into what a person would read.

Trade-off: regular expressions for the artefacts counted in our own sources, not a parser;
everything else is left alone. Each function is idempotent: text cleaned twice is text cleaned once.
Fallback: a text nothing can be rescued from comes back empty, and the readers drop it.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufffd"
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_TREEBANK = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "``": '"', "''": '"'}
_IPA = re.compile("[\u0250-\u02af\u02c8\u02cc\u02d0]")
_FOREIGN = re.compile(
    "[\u0370-\u1cff\u1f00-\u1fff\u2c00-\u2dff\u2e80-\ufaff\ufb1d-\ufdff\ufe70-\uffdc"
    "\U00010000-\U0003ffff]"
)
_PARENTHESIS = re.compile(r"[^\S\n]?\(([^()\n]*)\)")
_SLASHED = re.compile(r"[^\S\n]?/[^/\n()]{1,80}/(?![\w/])")
_RAGGED = re.compile(r"(?i)^\s*(?:[,;:]|$)|\blisten\b|[,;]\s*$")
_LABEL = re.compile(
    r"(?i)(?:listen|audio|help|info|speaker icon|pronounced|pronunciation|ipa|lit|or|and|also|"
    r"from|in|the|[a-z]+ pronunciation|pronounced [a-z]+)?[\s:.·]*"
)
_LANGUAGE = re.compile(r"(?:from )?(?:[A-Z][a-z]+ )*[A-Z][a-z]+(?: \w+)?:")
_UNREADABLE = re.compile(rf"{_IPA.pattern}|\\(?:text|display)style|https?://")
_SENTENCE_END = re.compile(r"[.!?][\"')\]”’]*(?=\s|$)")
_RULES = [
    (re.compile(r"\d{10,}[♠♥]"), ""),  # Wikipedia's invisible sort keys
    (re.compile(r"\[(?:\d{1,3}|(?:note|nb|N) ?\d+|citation needed|when\?|who\?)\]"), ""),
    (re.compile(r" --(?= |$)", re.M), " –"),
    (re.compile(r"-{2,}"), "–"),
    (re.compile(r"(?<=[(\[]) +"), ""),
    (re.compile(r" +(?=[,;!?)\]](?:[\s,.;:)\]\"]|$))", re.M), ""),
    (re.compile(r" +(?=[.:](?:[\s\")]|$))", re.M), ""),
    (re.compile(r" +(?='(?:s|re|ve|ll|d|m)\b)"), ""),
    (re.compile(r"(?<=[a-z]) +(?=n't\b)"), ""),
    (re.compile(r"[,;]\s*(?=[,;.)](?:\s|$))"), ""),
    (re.compile(r"(?<=[a-z]{3}\.)[,.](?= )"), ""),
    (re.compile(r"(?<=\()[,;:\s]+"), ""),
    (re.compile(r"[^\S\n]?\(\s*\)|[^\S\n]?\[\s*\]"), ""),
    (re.compile(r"[^\S\n]+"), " "),
    (re.compile(r" ?\n ?"), "\n"),
    (re.compile(r"\n{3,}"), "\n\n"),
]


def tidy(text: str) -> str:
    """Canonical Unicode, no invisible characters, single spaces, at most one blank line.

    >>> tidy("a\\u200b  b\\r\\n\\r\\n\\r\\nc ")
    'a b\\n\\nc'
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", _BREAKS.sub("\n", text)))
    text = re.sub(r" ?\n ?", "\n", re.sub(r"[^\S\n]+", " ", unicodedata.normalize("NFC", text)))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _keep_segment(segment: str) -> bool:
    """A part of a parenthesis worth keeping: not a pronunciation, not another script."""
    letters = sum(map(str.isalpha, segment))
    foreign = len(_FOREIGN.findall(segment))
    if _IPA.search(segment) or (foreign and foreign * 4 > letters):
        return False
    return not _LABEL.fullmatch(segment)


def _parenthesis(match: re.Match[str]) -> str:
    """A parenthesis without the parts no reader could pronounce; nothing when none is left."""
    inside = match[1]
    spoken = bool(_IPA.search(inside) or _FOREIGN.search(inside))
    if not spoken and not _RAGGED.search(inside):
        return match[0]
    pieces = [p.strip(" ,:") for p in re.split("[;,]" if spoken else ";", inside)]
    kept = [p for p in pieces if _keep_segment(p)]
    if len(kept) < len(pieces):  # "Greek:" means nothing once the Greek word is gone
        kept = [p for p in kept if not _LANGUAGE.fullmatch(p + ":")]
    lead = " " if match[0][0].isspace() else ""
    return f"{lead}({'; '.join(kept)})" if kept else ""


def _once(text: str) -> str:
    for mark, plain in _TREEBANK.items():
        text = text.replace(mark, plain)
    text = _SLASHED.sub(lambda m: "" if _IPA.search(m[0]) else m[0], text)
    text = _PARENTHESIS.sub(_parenthesis, text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()


def encyclopedic(text: str) -> str:
    """Undo Treebank tokens and drop pronunciations, empty brackets and footnote marks.

    >>> encyclopedic("Rome ( /roʊm/ ; Italian: Roma ) is ``eternal'' , they say .")
    'Rome (Italian: Roma) is "eternal", they say.'
    """
    text = tidy(text)
    for _ in range(20):  # removing one artefact can expose another: repeat until nothing changes
        cleaned = tidy(_once(text))
        if cleaned == text:
            break
        text = cleaned
    return text


def whole_sentences(text: str) -> str:
    """Cut what follows the last complete sentence; empty when there is none.

    >>> whole_sentences("It rained. The host said:")
    'It rained.'
    """
    ends = list(_SENTENCE_END.finditer(text))
    return text[: ends[-1].end()] if ends else ""


def is_prose(text: str, shortest: int) -> bool:
    """Long enough, ending a sentence, and made of words rather than of table cells or symbols."""
    if len(text) < shortest or not _SENTENCE_END.search(text):
        return False
    if _UNREADABLE.search(text):
        return False
    letters = sum(map(str.isalpha, text))
    foreign = len(_FOREIGN.findall(text))
    digits = sum(map(str.isdigit, text))
    return letters > 0.68 * len(text) and digits < 0.16 * len(text) and foreign < 0.05 * letters
