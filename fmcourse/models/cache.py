"""Keys and values of attention in memory laid out beforehand, for sampling many rows at once.

transformers' growing cache copies everything for each new token (`torch.cat`), and its static one
cannot take rows out. Here the room is made once, rows can be taken out and repeated, and all of it
is attended to, for the matrix product of a part that is not contiguous would copy it again.
"""

from __future__ import annotations

from typing import Any

import torch

from fmcourse.models import compat


class _RoomyLayer(compat.DynamicLayer):
    """A layer's keys and values, of which all is attended to: a mask hides what is not filled."""

    def __init__(self, room: int):
        super().__init__()
        self.room, self.filled = room, 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        self.keys, self.values = (
            new.new_zeros(*new.shape[:2], self.room, new.shape[-1])  # 0 times NaN would be NaN
            for new in (key_states, value_states))

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
               ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        place = slice(self.filled, self.filled + key_states.shape[-2])
        self.keys[:, :, place], self.values[:, :, place] = key_states, value_states
        self.filled = place.stop
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.filled

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.room, 0


def roomy_cache(network: torch.nn.Module, room: int) -> compat.DynamicCache:
    """A cache of keys and values for so many tokens; layers of other kinds have their own."""
    cache = compat.DynamicCache(config=network.config)
    cache.layers = [_RoomyLayer(room) if type(layer) is compat.DynamicLayer else layer
                    for layer in cache.layers]
    return cache
