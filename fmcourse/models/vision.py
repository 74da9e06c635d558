"""A small convolutional network for images, in plain PyTorch: transfer learning began with these.

Two convolutions and a wide layer make features; one linear layer reads the classes from them.
Early layers find strokes and corners, which every digit has, so they are worth keeping when the
classes change; so is what was learnt about where on the page a digit may lie.
"""

from __future__ import annotations

import copy

import torch
from torch import nn


class ConvNet(nn.Module):
    """Images (batch, 1, 16, 16) → scores (batch, classes).

    Args:
        classes: to tell apart.
        channels: of the first convolution; the second has twice as many.
        width: number of features.
        seed: of the initial weights; the global random state is left alone.

    >>> ConvNet(classes=5)(torch.zeros(2, 1, 16, 16)).shape
    torch.Size([2, 5])
    """

    def __init__(self, classes: int, channels: int = 12, width: int = 64, seed: int = 0):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.body = nn.Sequential(
                nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),  # 8 × 8
                nn.Conv2d(channels, 2 * channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(32 * channels, width), nn.ReLU())
            self.head = nn.Linear(width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Scores of each class. (batch, 1, 16, 16) → (batch, classes)"""
        return self.head(self.body(images))

    @torch.no_grad()
    def features(self, images: torch.Tensor) -> torch.Tensor:
        """What the body makes of each image. (batch, 1, 16, 16) → (batch, width)"""
        return self.body(images)

    def with_classes(self, classes: int) -> ConvNet:
        """A copy of this network's body under a new head: new classes, old features."""
        made = ConvNet(classes, self.body[0].out_channels, self.head.in_features)
        made.body = copy.deepcopy(self.body)
        return made
