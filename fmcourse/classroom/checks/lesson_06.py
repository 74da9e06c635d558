"""Lesson 06, parameter-efficient tuning: LoRA, what it counts, four bits, and memory."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from fmcourse.classroom.check import Exercise, chosen
from fmcourse.classroom.uses import adapted


def _lora(scaled: bool = True, merged_scale: bool = True, zero: bool = True, frozen: bool = True,
          in_place: bool = False, random: bool = True,
          part: Callable[[Tensor], Tensor] = lambda weights: weights) -> type[nn.Module]:
    class Layer(nn.Module):
        def __init__(self, layer: nn.Linear, rank: int, alpha: float):
            super().__init__()
            self.layer = layer.requires_grad_(not frozen)
            self.scale = alpha / rank if scaled else alpha
            self.down = nn.Parameter(torch.randn(rank, layer.in_features) * random / rank)
            start = torch.zeros if zero else torch.ones
            self.up = nn.Parameter(start(layer.out_features, rank))

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x) + x @ part(self.down).T @ part(self.up).T * self.scale

        def merged(self) -> nn.Linear:
            made = self.layer if in_place else copy.deepcopy(self.layer)
            made.weight.data += self.up.data @ self.down.data * (self.scale if merged_scale else 1)
            return made
    return Layer


LORA = Exercise(
    "LoRA", _lora(), {"rank 2": (6, 4, 2, 8.0), "rank 3": (3, 5, 3, 6.0)},
    {"You multiply by alpha, not by alpha / rank: with a higher rank the same alpha would then "
     "move the layer more.": _lora(scaled=False),
     "Your merged layer lacks the scale: it does not say what the adapted one says.":
        _lora(merged_scale=False),
     "Your layer does not start as the one it was made of: `up` must begin at zero.":
        _lora(zero=False),
     "Both matrices begin at zero: each one's gradient is multiplied by the other, so this layer "
     "never learns anything.": _lora(random=False),
     "Nothing goes back through your forward(): what is `.data`, detached or under no_grad has no "
     "gradient, so neither matrix ever learns.": _lora(part=Tensor.detach),
     "The layer's own weights are still trained: freeze them with requires_grad_(False).":
        _lora(frozen=False),
     "Your merged() writes into the frozen layer, so the adapter counts twice from then on. Merge "
     "into a copy.": _lora(in_place=True)},
    ("What does the layer do to x? Add to that: x through `down`, then through `up`, then scaled.",
     "Both matrices lie as (out, in), like the weight of nn.Linear, so x meets them "
     "transposed. For merging multiply them with each other: which order gives the shape of "
     "the layer's weight? And who must not be written into?"), use=adapted)


def _count(each: Callable[[int, int, int], int]) -> Callable:
    return lambda shapes, rank: sum(each(o, i, rank) for o, i in shapes)


COUNT = Exercise(
    "lora_parameters", _count(lambda o, i, r: r * (o + i)),
    {"one layer": ([(512, 256)], 8), "a block of seven": (
        [(576, 576), (192, 576), (192, 576), (576, 576), (1536, 576), (1536, 576), (576, 1536)],
        16)},
    {"You multiplied all three: that is more than the layer itself has. Two *thin* matrices, side "
     "by side.": _count(lambda o, i, r: r * o * i),
     "You counted `down` alone.": _count(lambda o, i, r: r * i),
     "You counted `up` alone.": _count(lambda o, i, r: r * o),
     "You counted the frozen layer, too.": _count(lambda o, i, r: r * (o + i) + o * i),
     "You counted a pair of matrices for the first layer only.":
        lambda shapes, rank: rank * sum(shapes[0])},
    ("Two matrices for each layer. What are their shapes?",
     "down is (rank, inputs), up is (outputs, rank). How many numbers has each, and how do the "
     "two come together? Then the sum over layers."))


def _start(down: float, up: float, turned: bool = False) -> Callable:
    def start(rank: int, inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
        first, second = torch.randn(rank, inputs) * down, torch.randn(outputs, rank) * up
        return (first.T, second.T) if turned else (first, second)
    return start


def _learnt(answer: Callable, seed: int) -> dict[str, str]:
    """Whether a LoRA that starts like this leaves the layer alone at first, and then learns."""
    torch.manual_seed(seed)
    x, away = torch.randn(64, 8), torch.randn(6, 8)  # how far the layer is from its goal
    down, up = answer(2, 8, 6)
    if down.shape != (2, 8) or up.shape != (6, 2):
        return {"shapes": f"{tuple(down.shape)} and {tuple(up.shape)}"}
    down, up = (part.detach().clone().requires_grad_() for part in (down, up))
    begin = "changed" if (up @ down).any() else "as before"
    losses = []
    for _ in range(60):
        loss = (x @ (up @ down - away).T).square().mean()
        losses.append(loss.item())
        for part, slope in zip((down, up), torch.autograd.grad(loss, (down, up)), strict=True):
            part.data -= 0.05 * slope
    return {"shapes": "right", "layer at the start": begin,
            "loss": "falls" if losses[-1] < losses[0] else "stays"}


START = Exercise(
    "start", _start(0.5, 0.0), {"a small layer": (0,), "another": (1,)}, {},
    ("The gradient of one matrix is a product with the *other*. What is it if the other is zero?",
     "The gradient of one is a product with the other. So the product must be zero while not "
     "both factors are: how many of them may be?"),
    slips={"Both are zero: each one's gradient is multiplied by the other, so neither ever moves.":
           {"layer at the start": "as before", "loss": "stays"},
           "Both are random: before the first step the layer already says something else.":
           {"layer at the start": "changed"},
           "Your matrices lie on their sides: down is (rank, inputs), up is (outputs, rank).":
           {"shapes": "(8, 2) and (2, 6)"}},
    use=_learnt)

LEVELS = torch.tensor([-1.0, -0.5, -0.2, 0.0, 0.15, 0.4, 0.7, 1.0])


def _quantised(scale: Callable[[Tensor], Tensor], near: Callable[[Tensor], Tensor]) -> Callable:
    def four_bits(weights: Tensor, levels: Tensor, block: int) -> tuple[Tensor, Tensor]:
        blocks = weights.reshape(-1, block)
        scales = scale(blocks)
        return near((blocks / scales[:, None])[..., None] - levels), scales
    return four_bits


def _largest(blocks: Tensor) -> Tensor:
    return blocks.abs().amax(1)


def _nearest(distance: Tensor) -> Tensor:
    return distance.abs().argmin(-1)


_WEIGHTS = torch.randn(4, 8, generator=torch.Generator().manual_seed(3)) * torch.tensor(
    [[0.1], [2.0], [1.0], [0.3]])
_WEIGHTS[0, 2] = -0.9  # its largest is negative

FOUR_BITS = Exercise(
    "four_bits", _quantised(_largest, _nearest),
    {"four rows, a block of eight": (_WEIGHTS, LEVELS, 8),
     "a block of four": (_WEIGHTS, LEVELS, 4)},
    {"You have one scale for all. One large weight anywhere then makes all others coarse: give "
     "each block its own.": _quantised(
         lambda blocks: blocks.abs().max().expand(len(blocks)), _nearest),
     "Your scale is the largest weight, sign included. A block whose largest is negative then "
     "leaves the range: take abs() first.": _quantised(lambda blocks: blocks.amax(1), _nearest),
     "Your scale is the standard deviation: large weights then lie beyond the last level.":
        _quantised(lambda blocks: blocks.std(1), _nearest),
     "You round down to the level below. Take the *nearest*.": _quantised(
         _largest, lambda distance: (distance >= 0).sum(-1) - 1),
     "You took the smallest *signed* distance: everything goes to the highest level. Take abs() "
     "first.": _quantised(_largest, lambda distance: distance.argmin(-1))},
    ("One number for each block, then a comparison of every weight with every level.",
     "Reshape into rows of `block`. The scale is a row's largest number, sign aside. For the "
     "codes give the shares an axis more, so that each meets each level, and look for the "
     "smallest distance."))


def _memory(gradient: int = 4, averages: int = 8, own: int = 4, all_of_them: bool = False,
            unit: float = 1e9, bits: float = 8) -> Callable:
    def gigabytes(frozen: float, bits_each: float, trained: float) -> float:
        moving = frozen + trained if all_of_them else trained
        return (frozen * bits_each / bits + trained * own + moving * (gradient + averages)) / unit
    return gigabytes


MEMORY = Exercise(
    "training_gigabytes", _memory(),
    {"7 billion in full, float32": (0, 32, 7e9), "LoRA on bfloat16": (7e9, 16, 2e7),
     "QLoRA": (7e9, 4, 2e7)},
    {"You forgot the optimiser: AdamW keeps two running averages, 4 bytes each, for every weight "
     "that is trained.": _memory(averages=0),
     "AdamW keeps *two* averages for every weight that is trained.": _memory(averages=4),
     "You gave the frozen weights gradients and averages, too. Not having them is what LoRA is "
     "for.": _memory(all_of_them=True),
     "You took bits for bytes: eight bits are a byte.": _memory(bits=1),
     "Those are gibibytes (2³⁰). A gigabyte is 10⁹ bytes.": _memory(unit=2**30)},
    ("Two sums: what a frozen weight takes, and the four things that a trained one takes.",
     "A frozen weight: its bits, in bytes. A trained one: itself, a gradient and two averages, "
     "4 bytes each. At the end from bytes to 10⁹ bytes."))

SERVING = chosen(
    "predicted_gigabytes", {"copies": 280, "adapters": 15},
    ("How much is the base? How many times is it in memory, each way?",
     "7e9 weights of 2 bytes are 14 GB. Tuned in full, that is needed for each customer; with "
     "adapters once, and 0.05 GB for each."),
    slips={"Copies: those are 4 bytes a weight. bfloat16 has 2.": {"copies": 560},
           "Copies: that is one base. In full, each customer has weights of their own.":
           {"copies": 14},
           "Copies: that is a byte a weight. bfloat16 has 2.": {"copies": 140},
           "Adapters: you forgot the base, which they need to stand on.": {"adapters": 1},
           "Adapters: you gave each its own base. They share one: that is the point.":
           {"adapters": 281},
           "Adapters: that is one adapter. There are twenty.": {"adapters": 14.05}},
    tolerance=1e-3)

EXERCISES = (LORA, COUNT, START, FOUR_BITS, MEMORY, SERVING)
