"""Tokenizers and networks: build one, load one, save one.

Everything is an ordinary transformers model; `LanguageModel` only keeps it with its tokenizer.
"""

from fmcourse.models.adapters import merged, with_lora
from fmcourse.models.build import SIZES, Shape, build, untrained
from fmcourse.models.chat import Chat, continuations, replies, reply, with_chat
from fmcourse.models.language_model import LanguageModel
from fmcourse.models.load import BASE, load
from fmcourse.models.tokenizer import train_tokenizer
from fmcourse.models.vision import ConvNet

__all__ = [
    "BASE",
    "SIZES",
    "Chat",
    "ConvNet",
    "LanguageModel",
    "Shape",
    "build",
    "continuations",
    "load",
    "merged",
    "replies",
    "reply",
    "train_tokenizer",
    "untrained",
    "with_chat",
    "with_lora",
]
