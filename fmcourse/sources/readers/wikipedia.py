"""Wikipedia articles: from a compressed XML dump with wiki markup to paragraphs of prose.

The dump is the 106-article excerpt in gensim's test data. Markup is parsed by mwparserfromhell;
what is not prose (tables, references, galleries, lists, captions, headings, end matter) is dropped
rather than rendered. One text a section, one document an article. A document type declaration, the
only door to external and exploding entities, is refused.
"""

from __future__ import annotations

import bz2
import contextlib
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import mwparserfromhell

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.clean import encyclopedic, is_prose, whole_sentences

MEMBER = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
SHORTEST = 200
_END_MATTER = re.compile(
    r"(?i)\W*(?:references|external links|see also|further reading|notes|bibliography|sources|"
    r"footnotes|citations|works|gallery|publications|discography|filmography|awards|"
    r"(?:works|references) cited|selected .*|list of .*|notes and references)\W*"
)
_DROP_TAGS = {"ref", "table", "gallery", "math", "timeline", "imagemap", "code", "source", "pre",
              "syntaxhighlight", "references", "score", "hiero", "includeonly", "div", "center"}
_FILES = re.compile(r"(?i)\s*(?:file|image|category|media|wikt|[a-z]{2,3}(?:-[a-z]+)?):")
# templates that stand inside sentences, and which of their values is what the reader sees
_SAID = {"lang": 1, "nowrap": 0, "nobr": 0, "transl": -1, "quote": 0, "sic": 0, "mvar": 0,
         "abbr": 0, "small": 0, "smallcaps": 0}


def pages(blob: bytes, where: str) -> Iterator[tuple[str, str]]:
    """Title and wiki markup of each article (name space 0, not a redirect) in a bz2 XML dump."""
    try:
        xml = bz2.decompress(blob)
        if b"<!DOCTYPE" in xml or b"\0" in xml:  # NUL: UTF-16 would hide the declaration
            raise SourceError("This dump declares a document type, which no real dump does.",
                              where=where, fix="Use an untouched Wikipedia export.")
        for _, page in ElementTree.iterparse(BytesIO(xml)):
            if not page.tag.endswith("}page") and page.tag != "page":
                continue
            plain = {node.tag.rpartition("}")[2]: node.text or "" for node in page.iter()}
            if plain.get("ns") == "0" and "redirect" not in plain:
                yield plain["title"], plain["text"]
            page.clear()
    except (OSError, ValueError, EOFError, KeyError, ElementTree.ParseError) as error:
        raise SourceError(f"This Wikipedia dump cannot be read: {error}.", where=where,
                          fix="Fetch the source again.") from error


def _template_text(template: Any) -> str:
    """What the few templates that stand inside sentences say; every other one says nothing."""
    name = str(template.name).strip().lower()
    values = [str(p.value).strip() for p in template.params if not p.showkey]
    if name in {"convert", "cvt"} and len(values) > 1:
        if values[1] in {"-", "to", "and", "–"} and len(values) > 3:
            return f"{values[0]}–{values[2]} {values[3]}"
        return f"{values[0]} {values[1]}"
    if name in {"circa", "c."}:
        return f"c. {values[0]}" if values else "c."
    if name == "as of":
        return f"As of {values[0]}" if values else ""
    position = 0 if name.startswith("lang-") else _SAID.get(name)
    return values[position] if position is not None and len(values) > max(position, 0) else ""


def prose(markup: str) -> list[str]:
    """Paragraphs of plain text in one stretch of wiki markup.

    >>> prose("'''Rain''' is [[water|wet]].<ref>x</ref> " * 20)[0][:25]
    'Rain is wet. Rain is wet.'
    """
    code = mwparserfromhell.parse(markup, skip_style_tags=True)
    for tag in code.filter_tags(recursive=True):
        if str(tag.tag).lower() in _DROP_TAGS:
            _remove(code, tag, "")
    for link in code.filter_wikilinks(recursive=True):
        if _FILES.match(str(link.title)):
            _remove(code, link, "")
    for template in reversed(code.filter_templates(recursive=True)):  # the innermost come last
        _remove(code, template, _template_text(template))
    plain = code.strip_code(normalize=True, collapse=True, keep_template_params=False)
    plain = re.sub(r"'{2,5}", "", plain)
    lines = (line.strip() for line in plain.split("\n"))
    kept = (encyclopedic(line) for line in lines if line and line[0] not in "*#:;|!{}=<")
    return [text for line in kept if is_prose(text := whole_sentences(line), SHORTEST)]


def _remove(code: Any, node: Any, replacement: str) -> None:
    with contextlib.suppress(ValueError):  # it went away with the node around it
        code.replace(node, replacement)


def articles(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `text` (a section's prose), `document` (the article), `title`."""
    for row in sections(archive):
        head = re.match(r"={2,3}([^=\n]+)=", row["text"])
        if head and _END_MATTER.fullmatch(head[1].strip()):
            continue
        paragraphs = prose(re.sub(r"(?m)^=+[^\n]*=+\s*$", "", row["text"]))
        if paragraphs:
            yield {**row, "text": "\n\n".join(paragraphs)}


def sections(archive: Archive) -> Iterator[dict[str, Any]]:
    """Rows `text` (a section as its authors wrote it, markup and all), `document`, `title`."""
    members = [name for name in archive.names() if name.endswith("/" + MEMBER)]
    blob = archive.read(members[0] if members else MEMBER)
    for title, markup in pages(blob, f"{archive.path.name}/{MEMBER}"):
        for section in re.split(r"(?m)^(?=={2,3}[^=])", markup):
            if section.strip():
                yield {"text": section, "document": title, "title": title}
