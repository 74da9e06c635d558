# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Exercises: parameter-efficient tuning
# LoRA from an empty cell, merged and counted; why an adapter may learn nothing at all; weights in few bits; and the sums that
# tell you which GPU to rent.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("LoRA")` gives a hint,
# `sheet.hint("LoRA", 2)` the last one.

# %%
import copy

import torch
from torch import nn

import fmcourse as fm

sheet = fm.classroom.sheet("06")

# %% [markdown] exercise="LoRA" kind="implement" difficulty=5 minutes=25 claims=["M6", "M7"]
# ## A layer with LoRA
# The layer stays as it is, frozen. Beside it run two thin matrices: `down` (rank, inputs) and `up` (outputs, rank). Their
# product is scaled by `alpha / rank`. At the start nothing may change; merged, there is one plain layer again.

# %%
class LoRA(nn.Module):
    """A linear layer that learns by two thin matrices.

    Parameters `down`, random, and `up` are trained; nothing else is.

    >>> layer = nn.Linear(4, 3)
    >>> adapted, x = LoRA(layer, rank=2, alpha=4.0), torch.ones(1, 4)
    >>> torch.equal(adapted(x), layer(x))
    True
    """

    def __init__(self, layer: nn.Linear, rank: int, alpha: float):
        super().__init__()
        ### BEGIN SOLUTION
        self.layer = layer.requires_grad_(False)
        self.scale = alpha / rank
        self.down = nn.Parameter(torch.randn(rank, layer.in_features) / rank)
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) to (batch, outputs)."""
        ### BEGIN SOLUTION
        return self.layer(x) + x @ self.down.T @ self.up.T * self.scale
        ### END SOLUTION

    def merged(self) -> nn.Linear:
        """A new layer that says the same, without adapter; this one stays as it is."""
        ### BEGIN SOLUTION
        plain = copy.deepcopy(self.layer)
        plain.weight.data += self.up.data @ self.down.data * self.scale
        return plain
        ### END SOLUTION


# %%
sheet.check(LoRA)

# %% [markdown] tags=["commentary"]
# **How it works.** `x @ down.T @ up.T` goes through the thin middle: two small products, never the big matrix. `up @ down` is
# that big matrix, made once when merging. The scale divides by the rank so that another rank needs no other learning rate.
# Only `up` starts at zero; the third exercise says why not both. Merging into a copy matters: with a merged *and* an active
# adapter it counts twice, which looks like a model gone slightly mad.

# %% [markdown] exercise="lora_parameters" kind="implement" difficulty=1 minutes=5 claims=["M6"]
# ## How many numbers is that?
# The share of weights trained is the first thing anybody asks about LoRA.

# %%
def lora_parameters(shapes: list[tuple[int, int]], rank: int) -> int:
    """Numbers that LoRA trains.

    Args:
        shapes: (outputs, inputs) of each linear layer that gets it.

    >>> lora_parameters([(512, 512)], rank=8)
    8192
    """
    ### BEGIN SOLUTION
    return sum(rank * (outputs + inputs) for outputs, inputs in shapes)
    ### END SOLUTION


# %%
sheet.check(lora_parameters)

# %% [markdown]
# **Investigate.** The seven layers of a block of our base. At which rank does LoRA have as many numbers as the layers
# themselves? What would be the sense in it?

# %%
base = fm.models.load("base")
block = base.network.model.layers[0]
shapes = [tuple(m.weight.shape) for m in block.modules() if isinstance(m, nn.Linear)]
whole = sum(outputs * inputs for outputs, inputs in shapes)
for rank in (1, 8, 64, 256):
    print(f"rank {rank}: {lora_parameters(shapes, rank) / whole:.1%} of the block's {whole:,}")

# %% [markdown] tags=["commentary"]
# **How it works.** The sum of the sides instead of their product: that is the whole saving. For a square layer it ends at half
# the width; beyond that rank the "thin" pair is larger than what it adapts.

# %% [markdown] exercise="start" kind="debug" difficulty=2 minutes=15 claims=["M6"]
# ## The adapter that learns nothing
# "It should not change anything at the start", said a colleague, and began with zeros. Run it: no error, and no progress.

# %%
def faulty_start(rank, inputs, outputs):
    return torch.zeros(rank, inputs), torch.zeros(outputs, rank)


torch.manual_seed(0)
x, away = torch.randn(64, 8), torch.randn(6, 8)  # away: how far the layer is from its goal
down, up = (part.requires_grad_() for part in faulty_start(2, 8, 6))
for step in range(61):
    loss = (x @ (up @ down - away).T).square().mean()
    slopes = torch.autograd.grad(loss, (down, up))
    down.data, up.data = down.data - 0.05 * slopes[0], up.data - 0.05 * slopes[1]
    if step % 20 == 0:
        print(f"step {step}: loss {loss.item():.3f}, largest gradient {slopes[0].abs().max():.3f}")

# %% [markdown]
# He then tried random numbers in both, and the untrained model was spoilt. Find the start that does neither.

# %%
def start(rank: int, inputs: int, outputs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """down (rank, inputs) and up (outputs, rank), before training.

    >>> down, up = start(2, 4, 3)
    >>> down.shape, up.shape
    (torch.Size([2, 4]), torch.Size([3, 2]))
    """
    ### BEGIN SOLUTION
    return torch.randn(rank, inputs) / rank, torch.zeros(outputs, rank)
    ### END SOLUTION


# %%
sheet.check(start)

# %% [markdown] tags=["commentary"]
# **What was wrong.** The gradient of `up` is a product with `down`, and that of `down` a product with `up`. Both zero: both
# gradients are zero, for ever. One random, one zero: the product is zero, so nothing changes at first, and the zero one gets a
# gradient at once. After one step the other one does, too.

# %% [markdown] exercise="four_bits" kind="implement" difficulty=4 minutes=25 claims=["M7"]
# ## Weights in few bits
# Frozen weights are only read, so they may be stored coarsely: each as the number of its nearest *level*, each block with a
# scale of its own, which is its largest absolute weight. (NF4 has sixteen levels; the check has other ones.)

# %%
def four_bits(weights: torch.Tensor, levels: torch.Tensor,
              block: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights as levels and scales.

    Args:
        weights: any shape; as many as fill whole blocks, in the order of reshape; no block is all
            zeros.
        levels: (count,), rising, from -1 to 1.
        block: weights that share a scale.

    Returns:
        codes (blocks, block) int64: the place of the nearest level; scales (blocks,).

    >>> codes, scales = four_bits(torch.tensor([1.0, -4.0]), torch.tensor([-1.0, 0.0, 1.0]), 2)
    >>> codes.tolist(), scales.tolist()
    ([[1, 0]], [4.0])
    """
    ### BEGIN SOLUTION
    blocks = weights.reshape(-1, block)
    scales = blocks.abs().amax(dim=1)
    shares = blocks / scales[:, None]  # from -1 to 1
    return (shares[..., None] - levels).abs().argmin(dim=-1), scales
    ### END SOLUTION


# %%
sheet.check(four_bits)

# %% [markdown]
# **Now see the price.** A layer of the base, in sixteen evenly spaced levels, by size of block. Then plant one huge weight
# (`weights[0, 0] = 50`) and run it again: whom does it hurt?

# %%
weights = block.self_attn.q_proj.weight.data.clone()
levels = torch.linspace(-1, 1, 16)
for size in (32, 64, weights.numel()):
    codes, scales = four_bits(weights, levels, size)
    back = (levels[codes] * scales[:, None]).reshape(weights.shape)
    error = (back - weights).norm() / weights.norm()
    print(f"{size:,} weights a scale: off by {error:.1%}, {4 + 32 / size:.2f} bits a weight")

# %% [markdown] tags=["commentary"]
# **How it works.** An axis more, and each weight meets each level. A scale for each block costs half a bit or a bit and keeps
# an outlier's damage at home. NF4 puts its levels where weights are dense, as quantiles of a normal distribution; QLoRA
# stores the scales in eight bits, too.

# %% [markdown] exercise="training_gigabytes" kind="implement" difficulty=2 minutes=10 claims=["M7"]
# ## Will it fit?
# Weights, gradients and AdamW's two running averages; activations come on top. A trained weight has four bytes for each of
# the four; a frozen one only has its bits.

# %%
def training_gigabytes(frozen: float, bits: float, trained: float) -> float:
    """Memory of training without activations, in 10⁹ bytes.

    Args:
        frozen: weights that are only read; bits: of each.
        trained: weights that are trained, in float32 with AdamW.

    >>> training_gigabytes(frozen=0, bits=32, trained=1e9)
    16.0
    """
    ### BEGIN SOLUTION
    return (frozen * bits / 8 + trained * (4 + 4 + 4 + 4)) / 1e9
    ### END SOLUTION


# %%
sheet.check(training_gigabytes)

# %% [markdown]
# A model of 7 billion, three ways. `fmcourse memory --model 7b --method qlora` does it with activations, and names a GPU.

# %%
for name, case in {"full": (0, 32, 7e9), "LoRA": (7e9, 16, 2e7), "QLoRA": (7e9, 4, 2e7)}.items():
    print(f"{name}: {training_gigabytes(*case):.1f} GB")

# %% [markdown] tags=["commentary"]
# **How it works.** Three quarters of full tuning's memory are not weights but what *moves* them. LoRA takes those away for all
# but a few; what is left are the frozen weights, and those QLoRA shrinks. Neither does anything for activations: for those
# there are shorter sequences and checkpointing.

# %% [markdown] exercise="predicted_gigabytes" kind="predict" difficulty=1 minutes=5 claims=["M7"]
# ## Twenty customers
# A model of 7 billion weights in bfloat16, tuned for twenty customers. How many gigabytes (10⁹ bytes) must be in memory to serve
# them all: as twenty fully tuned `copies`? As twenty `adapters` of 50 megabytes on one base?

# %%
def predicted_gigabytes() -> dict[str, float]:
    """{"copies": gigabytes, "adapters": gigabytes}.

    >>> ", ".join(sorted(predicted_gigabytes()))
    'adapters, copies'
    """
    ### BEGIN SOLUTION
    base = 7e9 * 2 / 1e9
    return {"copies": 20 * base, "adapters": base + 20 * 0.05}
    ### END SOLUTION


# %%
sheet.check(predicted_gigabytes)

# %% [markdown]
# **Now count**, with our base and an adapter as lesson 06 makes them:

# %%
adapted = fm.models.adapt(base, fm.models.Adapter(rank=8))
added = adapted.parameters - base.parameters
print(f"copies {20 * base.parameters:,} weights, adapters {base.parameters + 20 * added:,}")

# %% [markdown] tags=["commentary"]
# **Why.** The base is shared because nobody writes into it. A server keeps it once and chooses the adapter for each request; a
# merged adapter gives that up, for a little speed.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/06_parameter_efficient_tuning.ipynb`.
