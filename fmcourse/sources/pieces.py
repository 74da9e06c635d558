"""A text file of any size as texts of a bounded size, read a block at a time.

A row holds at most `PIECE` characters, because what comes later (hashing, tokenising) takes whole
rows: with bounded rows, memory is bounded however large the file. The price is that a large
document is several rows, each of which will be opened by a beginning-of-text token of its own.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from fmcourse.errors import SourceError

PIECE = 1_000_000  # characters; a long novel stays one text
BLOCK = 1 << 20  # bytes read at once

_MARKS = {  # the first that fits: UTF-32's begins with UTF-16's
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}


def encoding(head: bytes) -> str:
    """The encoding that a file's byte order mark tells, UTF-8 where there is none.

    >>> encoding(b"plain"), encoding(b"\\xff\\xfea\\x00")
    ('utf-8', 'utf-16')
    """
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")


def blocks(path: Path) -> Iterator[str]:
    """A text file decoded as it is read, with plain line ends.

    Raises:
        SourceError: the bytes are not text, named by the place of the first that is not; or the
            file cannot be opened.
    """
    done = 0  # bytes read so far
    try:
        with open(path, "rb") as file:
            name = encoding(file.read(4))
            file.seek(0)
            lines = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(name)(), True)
            while chunk := file.read(BLOCK):
                if "utf-8" in name and 0 in chunk:
                    raise SourceError(f"This is binary: a NUL at byte {done + chunk.find(0)}.",
                                      where=path, fix="If it is text, save it again as UTF-8.")
                done += len(chunk)
                yield lines.decode(chunk)
            yield lines.decode(b"", final=True)
    except UnicodeDecodeError as error:  # its object is the end of what was read
        wrong = done - len(error.object) + error.start
        shown = "UTF-8" if "utf-8" in name else name.upper()
        raise SourceError(f"This file is not {shown} at byte {wrong}.", where=path,
                          fix="Save it again as UTF-8.") from error
    except OSError as error:
        raise SourceError(f"This file cannot be read: {error.strerror}.", where=path,
                          fix="Check its permissions, and where it links to.") from error


def pieces(parts: Iterable[str], limit: int = PIECE) -> Iterator[str]:
    """Join parts of a text and cut it again into pieces of at most `limit` characters.

    Nothing is lost: the pieces, joined, are the text. A piece ends after a paragraph or a line if
    one ends in its second half, else after the last white space, else at the limit.

    >>> list(pieces(["one two", " three"], limit=9))
    ['one two ', 'three']
    """
    rest = ""
    for part in parts:
        rest += part
        start = 0
        while len(rest) - start > limit:
            end = start + _cut(rest[start:start + limit])
            yield rest[start:end]
            start = end
        rest = rest[start:]
    if rest:
        yield rest


def _cut(window: str) -> int:
    for mark in ("\n\n", "\n"):
        found = window.rfind(mark, len(window) // 2)
        if found >= 0:
            return found + len(mark)
    if window[-1].isspace():
        return len(window)
    last_word = window.rsplit(maxsplit=1)[-1]
    return len(window) - len(last_word) or len(window)
