"""Repairs: what is wrong with the writing of a text and can be undone.

Each takes a text and returns it repaired; a text with nothing to repair comes back as it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import ftfy
from mwparserfromhell.parser import ParserError

from fmcourse.data.clean import normalise_text
from fmcourse.data.curation.pipeline import Decision, Drop, Step, each
from fmcourse.sources.markup import plain
from fmcourse.sources.readers.wikipedia import prose

REPEATED = 5  # texts that a line has to begin or end before it counts as boilerplate
# What pages say of themselves: C4's phrases (Raffel et al. 2020, arXiv:1910.10683, section 2.2), of
# JavaScript only what asks for it, since documentation may be about it; and rights.
_NOTICE = re.compile(r"(?i)\bjavascript\b.*\b(?:enable|turn|activate|disabled)|"
                     r"\benable\b.*\bjavascript\b|\bterms of use\b|\bprivacy policy\b|"
                     r"\bcookie policy\b|\buses? (?:of )?cookies\b|\ball rights reserved\b")
_SHORT_LINE = 200  # characters; a longer line that speaks of cookies may be an article about them
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|&(?:[A-Za-z]+|#\d+);")
_WIKI = re.compile(r"\[\[[^\[\]]+\]\]|^'''|\{\{[^{}]+\|", re.M)


def encoding() -> Step:
    """Bytes once read as another encoding (mojibake) are read right, by ftfy (Speer 2019).

    >>> list(encoding().decide(["cafÃ©"]))
    ['café']
    """
    settings = ftfy.TextFixerConfig(unescape_html=False)  # entities are the next step's
    return each("encoding", lambda text: ftfy.fix_text(text, settings))


def markup() -> Step:
    """HTML and wiki markup are taken away; of a wiki page only its prose is left.

    >>> list(markup().decide(["<p>Use <code>a &lt; b</code></p>"]))
    ['Use a < b']
    """
    return each("markup", _without_markup)


def _without_markup(text: str) -> Decision:
    try:
        if _WIKI.search(text):
            return "\n\n".join(prose(text)) or Drop("wiki markup without prose")
        return plain(text) if _TAG.search(text) else text
    except (RecursionError, ParserError):  # nobody writes a thousand levels of tags
        return Drop("markup that cannot be parsed")


def unicode_form() -> Step:
    """Unicode NFC, plain quotes and dashes, single spaces: see `data.normalise_text`."""
    return each("Unicode form", normalise_text)


def boilerplate(repeated: int = REPEATED) -> Step:
    """Lines that pages carry and nobody reads are taken away.

    Short notices about cookies, JavaScript and rights go wherever they stand; a first or last line
    goes if as many as `repeated` texts begin or end with it. A text of a single line is left
    alone: if it is there twice, it is a duplicate.
    """
    return Step("boilerplate", lambda texts: _without_boilerplate(texts, repeated))


def _without_boilerplate(texts: Sequence[str], repeated: int) -> Iterator[Decision]:
    lines = [text.split("\n") for text in texts]
    edges = Counter(line for own in lines if len(own) > 1
                    for line in {own[0].strip(), own[-1].strip()})
    common = {line for line, count in edges.items() if count >= repeated}
    for text, own in zip(texts, lines, strict=True):
        if len(own) == 1:
            yield text
            continue
        kept = [line for line in own
                if len(line) > _SHORT_LINE or not _NOTICE.search(line)]
        while kept and kept[0].strip() in common:
            kept.pop(0)
        while kept and kept[-1].strip() in common:
            kept.pop()
        yield text if len(kept) == len(own) else "\n".join(kept).strip() or Drop("only boilerplate")
