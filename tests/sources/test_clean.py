"""Normalisers: idempotent on anything, and right about the artefacts they are for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.sources.clean import encyclopedic, is_prose, tidy, whole_sentences

# free text, and text built of exactly the pieces the rules are about
PIECES = st.sampled_from([
    *"([{}])/;,.:'\"- \n\tabcXY19əˈбא", "``", "''", "-LRB-", "-RRB-", "--", " ,", "( ", " )",
    "(listen)", "[1]", "/əb/", "n't", "'s", "12345678901♠", "\u200b", "e\u0301", "\u0301", "Greek:",
    "...", "\x00", "\x85", "\r\n"])
MESS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=30).map("".join))


@given(MESS)
def test_tidy_twice_is_tidy_once(text):
    once = tidy(text)
    assert tidy(once) == once
    assert once == once.strip()
    assert "\n\n\n" not in once
    assert "  " not in once


@given(MESS)
def test_encyclopedic_twice_is_encyclopedic_once(text):
    once = encyclopedic(text)
    assert encyclopedic(once) == once
    assert "``" not in once


@given(MESS)
def test_whole_sentences_is_a_prefix_and_stable(text):
    cut = whole_sentences(text)
    assert text.startswith(cut)
    assert whole_sentences(cut) == cut


@pytest.mark.parametrize(("dirty", "clean"), [
    ("He said , `` no '' .", 'He said, " no ".'),
    ("Rome (/roʊm/) is old.", "Rome is old."),
    ("Athens (Greek: Αθήνα) is old.", "Athens is old."),
    ("Kiev ( listen ) is old.", "Kiev is old."),
    ("It ( ; ) is () empty.", "It is empty."),
    ("Aspirin -LRB- or ASA -RRB- helps.", "Aspirin (or ASA) helps."),
    ("from 1990--95 -- or so", "from 1990–95 – or so"),
    ("Smith (born 5 May 1960; died 1999) sang.", "Smith (born 5 May 1960; died 1999) sang."),
    ("It did n't matter that John 's hat fell.", "It didn't matter that John's hat fell."),
    ("A claim.[12] Another.[citation needed]", "A claim. Another."),
    ("miles/hour and and/or stay", "miles/hour and and/or stay"),
])
def test_encyclopedic_mends(dirty, clean):
    assert encyclopedic(dirty) == clean


def test_is_prose_knows_tables_and_formulas_from_sentences():
    sentence = "The cat sat on the mat and looked at the rain outside."
    assert is_prose(sentence, 20)
    assert not is_prose(sentence, 200)
    assert not is_prose("1999 12 14 2000 13 15 2001 14 16 wins.", 20)
    assert not is_prose(r"the value x (\textstyle x) is given here by a formula.", 20)
    assert not is_prose("no sentence ends in here", 5)
