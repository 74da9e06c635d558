"""Which language a text is in, by py3langid (a kept fork of Lui and Baldwin 2012, langid.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from fmcourse.data.curation.pipeline import Decision, Drop, Step

LONGEST = 1_000  # characters that are read of a text


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def identify(text: str) -> tuple[str, float]:
    """ISO 639-1 code of the likeliest of 97 languages, and its probability.

    >>> identify("Das ist ein kurzer deutscher Satz.")[0]
    'de'
    """
    code, probability = _identifier().classify(text[:LONGEST])
    return str(code), float(probability)


def language(wanted: str = "en", least: float = 0.5) -> Step:
    """Texts in one language stay: those it is likeliest for, with a probability of `least`."""
    def decide(texts: Sequence[str]) -> Iterator[Decision]:
        for text in texts:
            code, probability = identify(text)
            if code != wanted:
                yield Drop(f"language {code}", f"probability {probability:.2f}")
            elif probability < least:
                yield Drop("language uncertain", f"{code} {probability:.2f}")
            else:
                yield text

    return Step("language", decide)
