"""Other languages: the messages of Django, a web framework, as its translators wrote them.

The wheel carries a compiled gettext catalogue (`.mo`) a language; babel parses them, nothing is
imported from Django. Messages with placeholders are left out and the rest of a catalogue joined to
texts of a paragraph's length, since a language is not to be told from three words. Trade-off: one
subject, and a few hundred characters a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from babel.messages.mofile import read_mo

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive

SHORTEST, TEXT = 25, 300  # characters of a message that is used, and of a text at least
_CATALOGUE = re.compile(r"django/.+/locale/(\w+)/LC_MESSAGES/django\.mo")
_PLACEHOLDER = re.compile(r"%[(\w]|\{\w*\}|<")


def messages(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `text`, `document` (the locale, such as 'pt_BR'), `language` ('pt'); none is English.

    Raises:
        SourceError: no catalogues in the archive, or one that cannot be read.
    """
    members: dict[str, list[str]] = {}
    for found in filter(None, map(_CATALOGUE.fullmatch, archive.names())):
        members.setdefault(found[1], []).append(found[0])
    if not members:
        raise SourceError("There are no message catalogues in this archive.", where=archive.path,
                          fix="Register a Django wheel for the reader 'messages'.")
    blobs = archive.many([name for names in members.values() for name in names])
    for locale, names in members.items():
        if not locale.startswith("en"):
            said = dict.fromkeys(
                text for name in names
                for text in _translated(blobs[name], f"{archive.path.name}/{name}"))
            for text in _joined(said):
                yield {"text": text, "document": locale, "language": locale.split("_")[0]}


def _translated(blob: bytes, where: str) -> Iterator[str]:
    """Whole messages of a catalogue that are translated, without placeholders."""
    try:
        catalogue = list(read_mo(BytesIO(blob)))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise SourceError(f"This is not a message catalogue: {error!r}.", where=where,
                          fix="Delete the archive and fetch the source again.") from error
    for message in catalogue:
        text = message.string
        if (isinstance(text, str) and message.id and text != message.id
                and len(text) >= SHORTEST and not _PLACEHOLDER.search(text)):
            yield " ".join(text.split())


def _joined(said: dict[str, None]) -> Iterator[str]:
    """Messages one after the other until they make a text; what is left over at the end is not."""
    text = ""
    for message in said:
        text = f"{text} {message}".strip()
        if len(text) >= TEXT:
            yield text
            text = ""
