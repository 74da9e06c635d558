"""Other languages go, each by its name; English stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.data import curation

ENGLISH = "The cat sat on the mat, and nobody in the house had the heart to disturb it."
OTHERS = {
    "de": "Die Katze saß auf der Matte, und niemand im Haus brachte es übers Herz, sie zu stören.",
    "fr": "Le chat était assis sur le tapis et personne dans la maison n'osait le déranger.",
    "es": "El gato estaba sentado en la alfombra y nadie en la casa se atrevía a molestarlo.",
    "ja": "猫はマットの上に座っていて、家の誰もそれを邪魔する気にはなれませんでした。"}


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_is_named(code):
    assert curation.identify(OTHERS[code])[0] == code
    english, other = curation.language().decide([ENGLISH, OTHERS[code]])
    assert english == ENGLISH
    assert other.why == f"language {code}"
    assert other.found.startswith("probability ")


def test_another_language_can_be_wanted():
    english, german = curation.language("de").decide([ENGLISH, OTHERS["de"]])
    assert english.why == "language en"
    assert german == OTHERS["de"]


def test_a_text_that_could_be_anything_is_uncertain():
    (sure,) = curation.language(least=0.0).decide([ENGLISH])
    (unsure,) = curation.language(least=1.01).decide([ENGLISH])
    assert sure == ENGLISH
    assert unsure.why == "language uncertain"


@given(st.text(max_size=100))
def test_any_text_has_a_code_and_a_probability(text):
    code, probability = curation.identify(text)
    assert code
    assert 0 <= probability <= 1 + 1e-6
