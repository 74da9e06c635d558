"""Records in, records out: cards, cleaning, splitting, tokenising.

Everything takes and returns `datasets.Dataset`; provenance rides along as a card.
"""

from fmcourse.data.card import Card, card, with_card
from fmcourse.data.clean import deduplicate, normalise, normalise_text
from fmcourse.data.corpus import combine, excerpt, general, held_out, only, sample, shuffle_words
from fmcourse.data.mixture import Mixture, packed_rows
from fmcourse.data.split import check_no_leak, split_by_document
from fmcourse.data.tokens import PackedRows, TokenFile, tokenizer_hash, tokens

__all__ = [
    "Card", "Mixture", "PackedRows", "TokenFile", "card", "check_no_leak", "combine",
    "deduplicate", "excerpt", "general", "held_out", "normalise", "normalise_text", "only",
    "packed_rows", "sample", "shuffle_words", "split_by_document", "tokenizer_hash", "tokens",
    "with_card",
]
