"""Sentences are worth their order; the same words shuffled are not."""

import random

import pytest

from fmcourse import data, evaluate, models

pytestmark = pytest.mark.data


def test_sentences_score_below_their_shuffled_words():
    score = evaluate.word_order_score(models.load("base"), characters=300_000)
    texts = data.held_out(0, 6_000, source="boolq-passages")[:8]
    draw = random.Random(0)
    salad = [" ".join(draw.sample(text.split(), len(text.split()))) for text in texts]
    sentences, shuffled = score(texts), score(salad)
    assert all(own < other for own, other in zip(sentences, shuffled, strict=True))
    assert max(sentences) < 0.97 < sum(shuffled) / len(shuffled) < 1.05
