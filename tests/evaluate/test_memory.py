"""Learnt by heart means what greedy decoding would write."""

import pytest
import tiny

from fmcourse import data, train
from fmcourse.errors import DataError
from fmcourse.evaluate import (
    bits_per_byte,
    bits_per_byte_each,
    exposure,
    exposures,
    extracted,
    memorised,
    sample,
)


@pytest.fixture(scope="module")
def reader():
    """A tiny model that has read three texts a hundred times."""
    texts = tiny.dataset().select(range(3))
    recipe = train.PretrainRecipe(tokens=60_000, context=tiny.CONTEXT, batch_tokens=512,
                                  micro_batch_tokens=512, learning_rate=1e-2, compile=False)
    texts = data.with_card(texts, data.card(tiny.dataset()))
    return train.pretrain(tiny.model(), data.tokens(texts, tiny.tokenizer()), recipe,
                          show_progress=False).model


def test_what_was_read_often_is_known_and_what_was_not_is_not(reader):
    read, unread = tiny.texts()[:3], tiny.texts()[60:80]
    assert memorised(reader, read, prompt=8, length=8).mean() >= 2 / 3
    assert memorised(reader, unread, prompt=8, length=8).mean() <= 0.2
    assert memorised(tiny.model(), read, prompt=8, length=8).sum() == 0


def test_it_agrees_with_greedy_decoding(reader):
    texts = [*tiny.texts()[:3], *tiny.texts()[30:50:4]]
    encode = reader.tokenizer
    for text, known in zip(texts, memorised(reader, texts, prompt=8, length=8, batch=2),
                           strict=True):
        ids = encode(text, add_special_tokens=False)["input_ids"]
        prompt = encode.decode(ids[:8])
        if encode(prompt, add_special_tokens=False)["input_ids"] == ids[:8]:
            written = sample(reader, prompt, tokens=8, temperature=0)["text"][0]
            assert known == (written == encode.decode(ids[8:16]))


def test_a_text_that_is_too_short_is_named(reader):
    with pytest.raises(DataError, match="fewer than 16 tokens"):
        memorised(reader, ["The fox."], prompt=8, length=8)


def test_each_text_has_its_own_bits(reader):
    texts = tiny.texts()[:4]
    each = bits_per_byte_each(reader, texts, context=tiny.CONTEXT)
    assert each == pytest.approx(
        [bits_per_byte(reader, [text], context=tiny.CONTEXT) for text in texts])


def test_a_secret_read_often_is_given_away_and_exposed(reader):
    text = tiny.texts()[0]
    ids = reader.tokenizer(text, add_special_tokens=False)["input_ids"]
    prompt, whole = reader.tokenizer.decode(ids[:8]), reader.tokenizer.decode(ids[:12])
    secret, others = whole[len(prompt):], [f" {other}" for other in tiny.texts()[30:45]]
    assert extracted(reader, [prompt], [secret]).tolist() == [True]
    assert extracted(tiny.model(), [prompt], [secret]).tolist() == [False]
    others = [other[:len(secret)] for other in others]
    assert extracted(reader, [prompt], [others[0]]).tolist() == [False]
    assert exposures(reader, [prompt], [secret], [others])[0] == pytest.approx(4)


def test_exposure_is_the_rank_in_bits():
    assert exposure(0.0, [-1.0] * 7) == 3
    assert exposure(-2.0, [-1.0] * 7) == 0
    assert exposure(-1.0, [-1.0] * 7) == 0  # a tie is no knowledge
    ranks = [exposure(value, [other for other in range(1024) if other != value])
             for value in range(1024)]
    assert sum(ranks) / len(ranks) == pytest.approx(1.44, abs=0.02)  # of no knowledge at all


@pytest.mark.parametrize(("secret", "others"), [(0.0, []), (float("nan"), [1.0]),
                                                (0.0, [float("inf")])])
def test_an_exposure_needs_candidates(secret, others):
    with pytest.raises(DataError, match="needs candidates"):
        exposure(secret, others)
