"""Records in, records out: cards, cleaning, splitting, tokenising.

Everything takes and returns `datasets.Dataset`; provenance rides along as a card.
"""

from fmcourse.data.card import Card, card, with_card
from fmcourse.data.clean import deduplicate, normalise, normalise_text
from fmcourse.data.corpus import combine, general, held_out, only, sample, shuffle_words
from fmcourse.data.split import check_no_leak, split_by_document
from fmcourse.data.tokens import PackedRows, TokenFile, tokenizer_hash, tokens

__all__ = [
    "Card", "PackedRows", "TokenFile", "card", "check_no_leak", "combine", "deduplicate",
    "general", "held_out", "normalise", "normalise_text", "only", "sample", "shuffle_words",
    "split_by_document", "tokenizer_hash", "tokens", "with_card",
]
