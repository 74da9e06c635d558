"""The real corpora, word for word: the shipped base model was trained on exactly these texts."""

import re

import pytest

from fmcourse.data.card import card
from fmcourse.sources import fetch, load, verify

pytestmark = pytest.mark.data

FROZEN = {
    "web-bible": ("d187bdbc91d147a30b29ff29cd60e66fc7ed5a85f156edca1f8ab5c09addb579", 66),
    "shakespeare": ("bb2abbee6a99fdddb7eb4b45b4ba0715e5aa75cd92460db4f9d11192ab92ad31", 42),
    "wikipedia-articles": ("be50c5c0358f834b39e9411438900b21fd165d523902b041c30961579da89b85", 97),
    "boolq-passages": ("7f31cda0184714599992799317048ef724faacd6104039a8e8e0e3b714c2448a", 9441),
}


@pytest.mark.parametrize("name", FROZEN)
def test_the_text_is_the_text_the_base_model_read(name):
    data = load(name)
    assert verify(name)
    assert (card(data).sha256, card(data).documents) == FROZEN[name]
    texts = data["text"][:]
    assert all(text == text.strip() and text for text in texts)
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("name", "artefact"), [
    ("boolq-passages", r"``|-LRB-|\( |\(\)| ,|[\u0250-\u02af]|textstyle"),
    ("wikipedia-articles", r"\{\{|\}\}|\[\[|\]\]|<ref|thumb\||={2,}|https?://"),
    ("shakespeare", r"Gutenberg|[A-HJ-UWYZ]{4,}|\r"),
    ("web-bible", r"[`\[\]]|Psalm \d| {2}"),
])
def test_artefacts_are_gone(name, artefact):
    texts = load(name)["text"][:]
    assert sum(bool(re.search(artefact, text)) for text in texts) <= len(texts) / 200


def test_boolq_questions_have_answers():
    rows = load("boolq")
    labels = rows["label"][:]
    assert sum(label is not None for label in labels) > 12_000
    assert 0.55 < sum(label is True for label in labels) / sum(v is not None for v in labels) < 0.7


def test_smollm2_is_one_gguf_file():
    (weights,) = fetch("smollm2").glob("*.gguf")
    assert weights.read_bytes()[:4] == b"GGUF"
