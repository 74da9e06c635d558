"""Tokenizers and networks: build one, load one, save one.

Everything is an ordinary transformers model; `LanguageModel` only keeps it with its tokenizer.
"""

from fmcourse.models.adapters import METHODS, Adapter, adapt, adapted, bare, mergeable, merged
from fmcourse.models.build import SIZES, Shape, build, untrained
from fmcourse.models.chat import Chat, continuations, replies, reply, with_chat
from fmcourse.models.four_bits import is_quantized, linear_layers, quantized, stored_bytes
from fmcourse.models.language_model import LanguageModel
from fmcourse.models.load import BASE, load
from fmcourse.models.reward_model import RewardModel
from fmcourse.models.rollout import Rollouts, roll_out
from fmcourse.models.stored import Stored
from fmcourse.models.student import student
from fmcourse.models.tokenizer import train_tokenizer
from fmcourse.models.trained_adapter import (
    TrainedAdapter,
    attach,
    attach_all,
    blend,
    using,
    while_merged,
)
from fmcourse.models.vision import ConvNet

__all__ = [
    "BASE",
    "METHODS",
    "SIZES",
    "Adapter",
    "Chat",
    "ConvNet",
    "LanguageModel",
    "RewardModel",
    "Rollouts",
    "Shape",
    "Stored",
    "TrainedAdapter",
    "adapt",
    "adapted",
    "attach",
    "attach_all",
    "bare",
    "blend",
    "build",
    "continuations",
    "is_quantized",
    "linear_layers",
    "load",
    "mergeable",
    "merged",
    "quantized",
    "replies",
    "reply",
    "roll_out",
    "stored_bytes",
    "student",
    "train_tokenizer",
    "untrained",
    "using",
    "while_merged",
    "with_chat",
]
