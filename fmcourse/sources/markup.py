"""HTML fragments to the text a person would read.

A real parser (selectolax, lexbor) repairs what writers left open; this module only decides where
lines break. Paragraphs are separated by a blank line, list items are lines beginning with "- ",
links and code keep their words. Authors also write placeholders such as <account-id>, which a
parser would swallow: an angle bracket that opens no tag we know is text. Trade-off: nested lists
are flattened and tables become lines.
"""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from fmcourse.sources.clean import tidy

_BLOCKS = frozenset((
    "p", "para", "div", "pre", "blockquote", "ul", "ol", "dl", "table", "note", "important",
    "caution", "warning", "fullname", "h1", "h2", "h3", "h4", "h5", "h6"))
_LINES = frozenset(("dt", "dd", "tr", "br", "hr"))
_INLINE = ("a", "b", "i", "u", "em", "strong", "code", "span", "sub", "sup", "small", "tt", "li",
           "td", "th", "thead", "tbody", "caption", "emphasis", "filename", "function", "link",
           "literal", "replaceable", "ulink", "xhtml", "zonbook")
_KNOWN = "|".join((*_BLOCKS, *_LINES, *_INLINE))
_NOT_A_TAG = re.compile(rf"<(?!/?(?:{_KNOWN})(?:[\s/>])|!--)", re.I)
_ESCAPED_TWICE = re.compile(r"&lt;/?(?:p|code)&gt;")  # some writers' tools do
_SPACE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n\s*\n")
_BEFORE_ITEM = re.compile(r"\s*\n\s*(?=- )")


def plain(fragment: str) -> str:
    """A fragment's text: paragraphs, list items and lines; the same for text without markup.

    >>> plain("<p>Use <code>a &lt; b</code>:</p><ul><li><p>one</p></li><li>two</li></ul><p>End")
    'Use a < b:\\n- one\\n- two\\n\\nEnd'
    """
    if "<" not in fragment and "&" not in fragment:
        return tidy(_SPACE.sub(" ", fragment))
    if _ESCAPED_TWICE.search(fragment):
        fragment = html.unescape(fragment)
    body = LexborHTMLParser(_NOT_A_TAG.sub("&lt;", fragment)).body
    return _BEFORE_ITEM.sub("\n", tidy(_inside(body))) if body else ""


def _inside(node: LexborNode) -> str:
    pieces, child = [], node.first_child
    while child is not None:
        pieces.append(_piece(child))
        child = child.next
    return "".join(pieces)


def _piece(node: LexborNode) -> str:
    if node.is_text_node:
        return _SPACE.sub(" ", node.text_content)
    if not node.is_element_node:
        return ""  # a comment
    tag, inside = node.tag, _inside(node)
    if tag == "li":
        item = _BLANK_LINES.sub("\n", inside.strip())
        return f"\n- {item}\n" if item else ""
    if tag in _BLOCKS:
        return f"\n\n{inside}\n\n"
    if tag in _LINES:
        return f"\n{inside} "
    return f"{inside} " if tag in ("td", "th") else inside
