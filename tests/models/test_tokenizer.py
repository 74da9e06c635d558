"""Every text can be written and read back; digits stand alone; special tokens are reserved."""

from __future__ import annotations

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.errors import ModelError
from fmcourse.models import train_tokenizer
from fmcourse.models.tokenizer import SPECIAL


def ids(text: str) -> list[int]:
    return tiny.tokenizer()(text, add_special_tokens=False).input_ids


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_any_unicode_goes_round(text):
    if not any(token in text for token in SPECIAL):
        assert tiny.tokenizer().decode(ids(text)) == text


def test_digits_stand_alone_however_often_they_meet():
    tokenizer = train_tokenizer(["in 1984 and 1984"] * 50, vocabulary=300)
    for text in ("1984", "19841984", "84"):
        ids = tokenizer(text, add_special_tokens=False).input_ids
        assert tokenizer.convert_ids_to_tokens(ids) == list(text)


def test_digits_never_join_letters_or_spaces():
    pieces = tiny.tokenizer().convert_ids_to_tokens(ids("a1b 22 c"))
    assert [p for p in pieces if p.isdigit()] == ["1", "2", "2"]


def test_the_vocabulary_has_the_asked_size_and_words_in_it():
    tokenizer = tiny.tokenizer()
    assert len(tokenizer) == 384
    assert sorted(tokenizer.get_vocab().values()) == list(range(384))
    assert len(ids(" water")) == 1  # a frequent word is one token
    assert len(ids(" xylophone")) > 3


def test_special_tokens_come_first_and_whole():
    tokenizer = tiny.tokenizer()
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL)) == list(range(5))
    assert [ids(token) for token in SPECIAL] == [[n] for n in range(5)]
    assert tokenizer.bos_token == tokenizer.eos_token == "<|endoftext|>"
    assert (tokenizer.pad_token_id, tokenizer.mask_token_id) == (1, 2)
    assert tokenizer.decode([0, *ids("fox"), 1, 2], skip_special_tokens=True) == "fox"


def test_every_text_opens_with_the_same_token_once():
    tokenizer = tiny.tokenizer()
    assert tokenizer("fox").input_ids == [0, *ids("fox")]
    assert tokenizer("fox", "wren").input_ids == [0, *ids("fox"), *ids("wren")]
    assert tokenizer("").input_ids == [0]


def test_learning_is_deterministic():
    again = train_tokenizer(tiny.texts(), vocabulary=384, context=tiny.CONTEXT)
    assert again.backend_tokenizer.to_str() == tiny.tokenizer().backend_tokenizer.to_str()


def test_too_small_a_vocabulary_says_how_much_is_needed():
    with pytest.raises(ModelError, match="261"):
        train_tokenizer(tiny.texts(), vocabulary=260)
    assert len(train_tokenizer(tiny.texts(), vocabulary=261)) == 261


def test_no_text_is_an_error():
    with pytest.raises(ModelError, match="no text"):
        train_tokenizer([])


def test_little_text_makes_a_smaller_vocabulary():
    assert 261 < len(train_tokenizer(["the cat sat on the mat"] * 20, vocabulary=8192)) < 300


def test_one_text_is_taken_for_one_text():
    assert train_tokenizer("the cat sat on the mat, " * 20, vocabulary=300).tokenize("the cat")
    assert len(train_tokenizer("the cat sat, " * 20, vocabulary=300)) > 261
