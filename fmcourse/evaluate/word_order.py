"""What the order of a text's words is worth to a simple model that has read good text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fmcourse import data
from fmcourse.data.curation.quality import Score, against_shuffled
from fmcourse.evaluate.ngram import NGram

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel


def word_order_score(base: LanguageModel, characters: int = 4_000_000) -> Score:
    """A scorer for `curation.quality`: 1 for words in no order, less for sentences.

    Bits per byte of three-grams of the general corpus, over those of the same words shuffled. The
    corpus has encyclopaedia passages in it: of texts from there the scorer has read some.

    Args:
        base: whose tokenizer is used.
        characters: of good text to read.
    """
    good = data.tokens(data.sized(data.general()["train"], characters), base.tokenizer)
    grams = NGram(3).fit(good, len(base.tokenizer))

    def bits(texts: Sequence[str]) -> list[float]:
        named = {str(i): [text] for i, text in enumerate(texts)}
        return list(grams.bits_per_byte(named, base.tokenizer).values())

    return against_shuffled(bits)
