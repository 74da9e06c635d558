"""A lesson's claim must fail when its cause is taken away: words shuffled, or nothing learnt.

The same steps as lesson 01's control, on a world small enough to train in while a test waits.
"""

from __future__ import annotations

import pytest
import tiny

import fmcourse
from fmcourse import data, evaluate, train
from fmcourse.errors import EvidenceError


@pytest.fixture(scope="module")
def bits_after():
    """A function: bits per byte on real text, after training on some texts at some rate."""
    texts = tiny.dataset()

    def measure(words, learning_rate=1e-2, seed=0):
        recipe = train.PretrainRecipe(tokens=100_000, context=tiny.CONTEXT, batch_tokens=1024,
                                      micro_batch_tokens=1024, learning_rate=learning_rate,
                                      seed=seed, compile=False)
        run = train.pretrain(tiny.model(), data.tokens(words, tiny.tokenizer()), recipe,
                             show_progress=False)
        return evaluate.bits_per_byte(run.model, texts["text"][:], context=tiny.CONTEXT)

    return measure


@pytest.fixture(scope="module")
def control(bits_after):
    return bits_after(data.shuffle_words(tiny.dataset()))


@pytest.fixture
def course(monkeypatch):
    monkeypatch.setenv("FMCOURSE_SCALE", "cpu")
    monkeypatch.delenv("FMCOURSE_CLAIMS", raising=False)
    return fmcourse.start("01", claims=["K1"])


def test_real_text_shows_the_effect(bits_after, control, course):
    assert course.claim("K1", bits_after(tiny.dataset()), control).verdict == "shown"


def test_shuffled_words_as_the_treatment_fail_the_lesson(bits_after, control, course):
    again = bits_after(data.shuffle_words(tiny.dataset(), 1), seed=1)
    with pytest.raises(EvidenceError, match="K1 did not show"):
        course.claim("K1", again, control)


def test_a_learning_rate_of_nothing_fails_the_lesson(bits_after, control, course):
    with pytest.raises(EvidenceError, match="K1 did not show"):
        course.claim("K1", bits_after(tiny.dataset(), learning_rate=0.0), control)
