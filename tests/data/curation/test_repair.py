"""What can be undone is undone, what is right is left alone, and a second time changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.data import curation
from fmcourse.data.curation import Drop

REPAIRS = (curation.encoding, curation.markup, curation.unicode_form)
PROSE = ("Rain is liquid water in the form of droplets that have condensed from atmospheric water "
         "vapour and then become heavy enough to fall under gravity, and it is a major component "
         "of the water cycle and is responsible for depositing most of the fresh water on Earth.")


def one(step, text):
    (decision,) = step.decide([text])
    return decision


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(REPAIRS), st.text(max_size=80))
def test_repairing_again_changes_nothing(repair, text):
    once = one(repair(), text)
    if isinstance(once, str) and repair is not curation.markup:  # "&amp;lt;" takes two readings
        assert one(repair(), once) == once


@pytest.mark.parametrize("text", [PROSE, "a < b and c > d", "R&D, AT&T", "x = [[1, 2], [3]]",
                                  "café", "first line\nsecond line", "Use {{ssm:name}} here."])
def test_what_needs_no_repair_is_left_alone(text):
    assert [one(step(), text) for step in (*REPAIRS, curation.boilerplate)] == [text] * 4


@pytest.mark.parametrize(("broken", "right"), [
    ("cafÃ©", "café"), ("donâ€™t", "don't"), ("naÃ¯ve â€“ yes", "naïve – yes"),
    ("&amp; stays for the next step", "&amp; stays for the next step")])
def test_encoding(broken, right):
    assert one(curation.encoding(), broken) == right


@pytest.mark.parametrize(("marked", "plain"), [
    ("<p>Use <code>a &lt; b</code>:</p><ul><li>one</li></ul>", "Use a < b:\n- one"),
    ("fish &amp; chips", "fish & chips"),
    (f"{{{{Infobox|x}}}}\n'''{PROSE[:4]}''' {PROSE[5:]}<ref>[[x]]</ref>", PROSE)])
def test_markup(marked, plain):
    assert one(curation.markup(), marked) == plain


@pytest.mark.parametrize("text", ["<b>" * 3000 + "x", "{{a|" * 5 + "[[Category:Rain]]"])
def test_markup_without_a_text_in_it_is_dropped_and_no_crash(text):
    assert isinstance(one(curation.markup(), text), Drop)


def test_lines_that_many_texts_begin_or_end_with_go_and_others_stay():
    pages = [f"Home > Docs\nText number {i} says this.\nShare | Tweet" for i in range(5)]
    found = list(curation.boilerplate().decide([*pages, "Home > Docs", "Home > Docs\nalone"]))
    assert found == [*(f"Text number {i} says this." for i in range(5)), "Home > Docs", "alone"]
    assert list(curation.boilerplate().decide(pages[:4])) == pages[:4]  # four are not many


def test_notices_go_but_an_article_about_cookies_stays():
    notice = "This site uses cookies to serve you."
    article = f"A site uses cookies. {PROSE}\nAnd {PROSE}"
    empty = f"{notice}\nPlease enable JavaScript."
    found = list(curation.boilerplate().decide([f"{notice}\n{PROSE}", article, empty, notice]))
    assert found == [PROSE, article, Drop("only boilerplate"), notice]
