"""Transfer between images: learn some digits, then others from a few labelled examples.

Real handwriting (scikit-learn's `load_digits`: 1,797 images of 8 × 8 pixels, Alpaydin and Kaynak
1998), laid at a random place on a page of 16 × 16, at every step another one. As features, what was
learnt on other digits is worth much; fine-tuned in full, a start from scratch does as well (three
seeds): moving the digits about teaches it the same. Digits that fill their page transferred worse
still. So this shows what can transfer, not that it always pays.

A plain loop, all images at a step: everything fits in a processor's cache, and a Trainer would take
longer to set up than this takes to train.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from fmcourse.errors import DataError
from fmcourse.models.vision import ConvNet
from fmcourse.train.classify import regression

PAGE, DIGIT = 16, 8  # pixels
PLACES = 8  # of each example, for the features of a frozen network


@dataclass(frozen=True)
class Images:
    """Digits (n, 1, 8, 8) in [0, 1] with labels from 0, in a training and a test part."""

    train: torch.Tensor
    train_labels: torch.Tensor
    test: torch.Tensor
    test_labels: torch.Tensor

    def few(self, per_class: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """So many training digits of each class, drawn at random; fewer are among more.

        Raises:
            DataError: there are not so many.
        """
        draw, chosen = np.random.default_rng(seed), []
        for label in self.train_labels.unique().tolist():
            own = np.flatnonzero(self.train_labels == label)
            if not 1 <= per_class <= len(own):
                raise DataError(f"Class {label} has {len(own)} training images, not {per_class}.",
                                where="Images.few", fix=f"Ask for 1 to {len(own)}.")
            chosen.append(draw.permutation(own)[:per_class])
        index = torch.from_numpy(np.concatenate(chosen))
        return self.train[index], self.train_labels[index]


def digits(low: int, high: int, held_out: float = 0.4, seed: int = 0) -> Images:
    """Handwritten digits from `low` to `high`, labelled from 0, a share of each held out."""
    bunch = load_digits()
    kept = (bunch.target >= low) & (bunch.target <= high)
    images = torch.tensor(bunch.images[kept] / 16, dtype=torch.float32)[:, None]
    labels = torch.tensor(bunch.target[kept] - low)
    train, test = train_test_split(np.arange(len(labels)), test_size=held_out, random_state=seed,
                                   stratify=labels)
    return Images(images[train], labels[train], images[test], labels[test])


def on_page(images: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Each digit at a random place of an empty page. (n, 1, 8, 8) → (n, 1, 16, 16)"""
    pages, span = torch.zeros(len(images), 1, PAGE, PAGE), torch.arange(DIGIT)
    corner = torch.randint(0, PAGE - DIGIT + 1, (len(images), 2), generator=draw)
    rows, columns = (corner[:, axis, None] + span for axis in (0, 1))  # (n, 8) each
    number = torch.arange(len(images))[:, None, None]
    pages[number, 0, rows[:, :, None], columns[:, None, :]] = images[:, 0]
    return pages


def pretrain_images(
    network: ConvNet, images: torch.Tensor, labels: torch.Tensor, draw: torch.Generator,
    steps: int = 200,
) -> ConvNet:
    """A trained copy: every digit at every step, at a new place each time."""
    network = copy.deepcopy(network)
    _descend(network, lambda: on_page(images, draw), labels, steps, learning_rate=3e-3)
    return network


def fine_tune_images(
    start: ConvNet, images: torch.Tensor, labels: torch.Tensor, draw: torch.Generator,
    steps: int = 200, frozen: bool = False,
) -> ConvNet:
    """A copy of a network taught other classes: a new head by regression, then every weight.

    The examples lie at a new place at every step, as in pre-training: without that, an arm from
    scratch would lack not the pre-training but the many places.

    Args:
        images, labels: the few examples. (n, 1, 8, 8), (n,)
        draw: of the places.
        frozen: stop after the head.
    """
    tuned = start.with_classes(int(labels.max()) + 1)
    pages = on_page(images.repeat(PLACES, 1, 1, 1), draw)
    tuned.head = regression(start.features(pages), labels.repeat(PLACES).numpy(), penalty=1.0)
    if not frozen:
        _descend(tuned, lambda: on_page(images, draw), labels, steps, learning_rate=3e-3)
    return tuned


def image_transfer(per_class: Sequence[int] = (1, 4, 16, 64), seed: int = 0) -> pd.DataFrame:
    """Learn 0–4, then 5–9 from a few images of each: pre-trained against random, full and frozen.

    Returns:
        A row an arm and size: arm, labels (over the five classes), accuracy, seed.
    """
    old, new = digits(0, 4, seed=seed), digits(5, 9, seed=seed)
    fresh = ConvNet(classes=5, seed=seed)
    taught = pretrain_images(fresh, old.train, old.train_labels, _places(seed))
    test, rows = on_page(new.test, _places(seed)), []
    for count in per_class:
        few, labels = new.few(count, seed)
        for name, start in (("base", taught), ("scratch", fresh)):
            for arm in ("full", "frozen"):
                tuned = fine_tune_images(start, few, labels, _places(seed + 1),
                                         frozen=arm == "frozen")
                with torch.no_grad():
                    right = (tuned(test).argmax(1) == new.test_labels).float().mean().item()
                rows.append({"arm": f"{name}, {arm}", "labels": 5 * count, "accuracy": right,
                             "seed": seed})
    return pd.DataFrame(rows)


def _places(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _descend(network: ConvNet, pages: Callable[[], torch.Tensor], labels: torch.Tensor, steps: int,
             learning_rate: float) -> None:
    """Gradient descent in place, on what `pages()` gives at each step."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(network(pages()), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
