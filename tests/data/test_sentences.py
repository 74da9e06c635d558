"""Sentences: what ends one, and that shortening cuts none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.data.sentences import leading, sentences, trailing


@pytest.mark.parametrize(("text", "count"), [
    ("The U.S. District Court agreed.", 1), ("Doe v. Roe was heard. It ended.", 2),
    ("Sears, Inc. 5 won.", 1), ("It rose (p = .05). Then it fell.", 2),
    ("He said \"no.\" So be it.", 2),
    ("No. 5 is here. No. 6 is not.", 2), ("Filed in 1964. 50 years passed.", 2),
    ("One\nTwo", 2), ("See Fig. 2 and W.D. Wash. rules.", 1), ("e.g. Rome. Then on.", 2),
    ("See the casino. Later on.", 2), ("Is it? Yes! Done.", 3), ("", 0), ("  \n ", 0)])
def test_what_ends_a_sentence(text, count):
    assert len(sentences(text)) == count


@given(st.text(alphabet="AbU.?! \n", max_size=60), st.integers(0, 60))
def test_shortened_texts_are_whole_sentences_and_short_enough(text, longest):
    pieces = sentences(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    first, last = leading(text, longest), trailing(text, longest)
    assert max(len(first), len(last)) <= longest
    assert first in [" ".join(pieces[:n]) for n in range(len(pieces) + 1)]
    assert last in [" ".join(pieces[n:]) for n in range(len(pieces) + 1)]


def test_as_many_as_fit():
    assert leading("Aa. Bb. Cc.", 7) == "Aa. Bb."
    assert leading("Aa. Bb. Cc.", 6) == "Aa."
    assert trailing("Aa. Bb. Cc.", 11) == "Aa. Bb. Cc."
    assert trailing("Aa. Bb. Cc.", 2) == ""
