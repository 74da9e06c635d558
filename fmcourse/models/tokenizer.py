"""A byte-level BPE tokenizer, trained by the `tokenizers` library on the corpus at hand.

Byte-level: every text can be written, none is "unknown". Digits are split one by one, so that
numbers have one spelling. Special tokens for a conversation are reserved from the start although
a base model never sees them; instruction tuning (lesson 04) needs no surgery on the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from fmcourse.errors import ModelError
from fmcourse.models.compat import PreTrainedTokenizerFast

TEXT = "<|endoftext|>"  # opens every document, and so also closes the one before
SPECIAL = (TEXT, "<|pad|>", "<|mask|>", "<|im_start|>", "<|im_end|>")


def train_tokenizer(
    texts: Iterable[str], vocabulary: int = 8192, context: int = 512
) -> PreTrainedTokenizerFast:
    """Learn a vocabulary from texts.

    Args:
        texts: what to learn from.
        vocabulary: number of tokens, the 256 bytes and the special tokens included.
        context: the length models will be built for; only recorded.

    Raises:
        ModelError: the vocabulary cannot hold the bytes, or there is no text.

    >>> tokenizer = train_tokenizer(["the cat sat on the mat"] * 20, vocabulary=300)
    >>> tokenizer.decode(tokenizer("the mat", add_special_tokens=False).input_ids)
    'the mat'
    """
    least = 256 + len(SPECIAL)
    if vocabulary < least:
        raise ModelError(f"A vocabulary of {vocabulary} cannot hold the {least} basic tokens.",
                         where="vocabulary", fix=f"Ask for {least} or more.")
    texts = iter([texts] if isinstance(texts, str) else texts)
    first = next(texts, None)
    if first is None:
        raise ModelError("There is no text to learn a vocabulary from.", where="texts")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(SPECIAL), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), min_frequency=2)
    tokenizer.train_from_iterator(chain([first], texts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{TEXT} $A", pair=f"{TEXT} $A $B", special_tokens=[(TEXT, 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=TEXT, eos_token=TEXT, pad_token="<|pad|>",
        mask_token="<|mask|>", model_max_length=context, padding_side="right",
        clean_up_tokenization_spaces=False,
        additional_special_tokens=["<|im_start|>", "<|im_end|>"])
