"""A score decides, and its bounds are both meant."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.data import curation
from fmcourse.data.curation import Drop
from fmcourse.errors import DataError


def test_what_surprises_too_much_or_too_little_goes():
    step = curation.quality(lambda texts: [len(text) for text in texts], highest=3, lowest=2)
    assert list(step.decide(["a", "ab", "abc", "abcd"])) == [
        Drop("too predictable", "1.00"), "ab", "abc", Drop("too surprising", "4.00")]


def test_no_texts_need_no_score():
    assert list(curation.quality(lambda texts: 1 / 0, highest=1).decide([])) == []


@pytest.mark.parametrize("scores", [[1.0], [1.0, math.nan]])
def test_a_text_without_a_score_is_an_error(scores):
    with pytest.raises(DataError, match="no score"):
        list(curation.quality(lambda _: scores, highest=1).decide(["a", "b"]))


def test_bounds_that_exclude_everything_are_refused():
    with pytest.raises(DataError, match="No score is between"):
        curation.quality(len, highest=1, lowest=1)


SENTENCES = ("the fox ran over the hill and the owl saw the fox run over the hill",
             "the owl flew over the mill and the fox saw the owl fly over the mill")


def pairs_unseen(texts):
    """Stands for a language model: 1 + the share of neighbours that the sentences do not have."""
    seen = {pair for text in SENTENCES for pair in pairwise(text.split())}
    each = [list(pairwise(text.split())) for text in texts]
    return [1 + sum(pair not in seen for pair in pairs) / (len(pairs) or 1) for pairs in each]


def test_order_is_worth_something_in_sentences_and_nothing_in_shuffled_ones():
    sentence, salad = SENTENCES[0], " ".join(sorted(SENTENCES[0].split()))
    good, bad = curation.against_shuffled(pairs_unseen)([sentence, salad])
    assert good < 0.8
    assert bad > 0.85
    step = curation.quality(curation.against_shuffled(pairs_unseen), highest=0.8)
    assert list(step.decide([sentence])) == [sentence]


@given(st.lists(st.text(max_size=30)))
def test_any_text_can_be_compared_with_its_words_shuffled(texts):
    lengths = curation.against_shuffled(lambda some: [float(len(text)) for text in some])
    assert all(value >= 1 for value in lengths(texts))  # only white space can be lost
