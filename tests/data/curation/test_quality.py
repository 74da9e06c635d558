"""A score decides, and its bounds are both meant."""

import math

import pytest

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
