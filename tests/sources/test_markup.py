"""HTML to text: nothing glued, nothing lost, no tag left."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.sources.markup import plain

WORD = st.from_regex(r"[A-Za-z0-9é][A-Za-z0-9é<&'\"$.,-]{0,7}", fullmatch=True)
WORDS = st.lists(WORD, min_size=1, max_size=6).map(" ".join)
INLINE = st.sampled_from(["b", "i", "code", "a href='https://example.org'", "replaceable"])
BLOCK = st.sampled_from(["p", "note", "important", "div", "h2", "ul", "dl", "xhtml"])


def element(tags, inside):
    return st.builds(lambda tag, content: f"<{tag}>{content}</{tag.split()[0]}>", tags, inside)


def joined(parts):
    return st.lists(parts, min_size=1, max_size=4).map(" ".join)


ESCAPED = WORDS.map(lambda words: html.escape(words, quote=False))
PHRASE = joined(st.one_of(ESCAPED, element(INLINE, ESCAPED)))
ITEMS = joined(element(st.just("li"), PHRASE))
FRAGMENTS = joined(st.one_of(PHRASE, element(BLOCK, PHRASE), element(st.just("ul"), ITEMS)))


def words(fragment: str) -> list[str]:
    """What a fragment says, by a method of its own: tags out, entities decoded."""
    return html.unescape(re.sub(r"<[^>]*>", " ", fragment)).split()


def said(text: str) -> list[str]:
    return re.sub(r"^- ", "", text, flags=re.M).split()


@pytest.mark.parametrize(("fragment", "text"), [
    ("<p>one word</p><p>word two</p>", "one word\n\nword two"),
    ("<p>Either:</p> <ul> <li> <p> <code>a</code> - first</p> <p>more</p> </li> <li>b</li> </ul>"
     " <p>End.</p>", "Either:\n- a - first\nmore\n- b\n\nEnd."),
    ("<ol><li>one<ul><li>inner</li></ul></li><li></li><li>two</li></ol>",
     "- one\n- inner\n- two"),
    ('See <a href="https://example.org">What is it</a>, <b>now</b>.', "See What is it, now."),
    ("<p>Text.</p> <note> <p>Mind <i>this</i>.</p> </note>", "Text.\n\nMind this."),
    ("a &lt;b&gt; &amp; &quot;c&quot; &#x2028;d", 'a <b> & "c" d'),
    ("arn:aws:<account-id>:role/<name> if 1 <2", "arn:aws:<account-id>:role/<name> if 1 <2"),
    ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", "Term\nMeaning"),
    ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
    ("one<br/>two<!-- never said -->", "one\ntwo"),
    ("One.&lt;/p&gt; &lt;p&gt;Escaped &lt;code&gt;twice&lt;/code&gt;.", "One.\n\nEscaped twice."),
    ("<p>open <b>never closed", "open never closed"),
    ("<p/>", ""),
    ("", ""),
])
def test_fragments_as_a_person_reads_them(fragment, text):
    assert plain(fragment) == text


@given(FRAGMENTS)
def test_every_word_is_kept_in_order_and_none_glued(fragment):
    assert said(plain(fragment)) == words(fragment)


@given(joined(element(BLOCK, st.from_regex(r"[a-z]{1,9}( [a-z]{1,9}){0,4}", fullmatch=True))))
def test_no_tag_is_left(fragment):
    assert not re.search("[<>]", plain(fragment))


@given(WORDS)
def test_text_without_markup_stays_and_is_stable(text):
    once = plain(html.escape(text, quote=False))
    assert once == text
    assert plain(html.escape(once, quote=False)) == once


@given(st.from_regex(r"[A-Za-z,.'-]{1,9}([ \n\t]+[A-Za-z,.'-]{1,9}){0,5}", fullmatch=True))
def test_the_short_way_for_plain_text_agrees_with_the_parser(text):
    assert plain(text) == plain(f"<b>{text}</b>") == " ".join(text.split())
