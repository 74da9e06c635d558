"""How much memory training will take, told in advance by a dry run on tensors without contents.

PyTorch's fake tensors have a shape and a type and no numbers, so one step of training a model of
any size, 405 billion weights included, runs on a laptop. A counter adds up what is alive at every
moment. That is the arithmetic of the textbooks (weights, gradients, two moments of AdamW, whatever
the backward pass needs of the forward pass), done for each tensor of the real code and not by a
formula. Claim M7 holds it against measured peaks.

Trade-off: libraries, thread stacks and kernels' own workspace are no tensors. A process takes about
0.7 GB before it trains anything; on a GPU, the CUDA context takes its own share.
"""

from __future__ import annotations

import warnings
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fmcourse.errors import CourseWarning, ModelError
from fmcourse.hardware import gpus
from fmcourse.models import Adapter, compat
from fmcourse.models.adapters import inject
from fmcourse.models.four_bits import BLOCK, linear_layers
from fmcourse.train.loss import linear_cross_entropy

LARGEST = 2**20  # tokens of a forward pass; the dry run takes as many steps as the real one
FORMATS = ("float32", "bfloat16", "float16")
PUBLISHED = {  # config.json of Llama 3.2 1B and 3B, Llama 2 7B and 13B, Llama 3.1 8B, 70B and 405B
    "1b": (2048, 16, 8192, 32, 8, 128_256, True, 131_072),
    "3b": (3072, 28, 8192, 24, 8, 128_256, True, 131_072),
    "7b": (4096, 32, 11_008, 32, 32, 32_000, False, 4096),
    "8b": (4096, 32, 14_336, 32, 8, 128_256, False, 131_072),
    "13b": (5120, 40, 13_824, 40, 40, 32_000, False, 4096),
    "70b": (8192, 80, 28_672, 64, 8, 128_256, False, 131_072),
    "405b": (16_384, 126, 53_248, 128, 8, 128_256, False, 131_072),
}


@dataclass(frozen=True)
class Memory:
    """Bytes of one training step.

    Attributes:
        weights, gradients, optimizer: of all weights; of those that are trained.
        activations: what the forward pass keeps for the backward pass.
        peak: most that is alive at once. It is less than the sum, for activations go as gradients
            come, and more where a step needs room to work in.
        parameters, trainable: how many weights.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    peak: int
    parameters: int
    trainable: int

    def __str__(self) -> str:
        rows = [("weights", self.weights), ("gradients", self.gradients),
                ("optimiser", self.optimizer), ("activations", self.activations),
                ("at the peak", self.peak)]
        states = self.weights + self.gradients + self.optimizer
        return "\n".join([
            f"{self.trainable:,} of {self.parameters:,} weights are trained",
            *(f"{name:<12}{size / 1e9:>9,.2f} GB" for name, size in rows),
            gpus.advice(self.peak, states)])


def shape(model: str) -> compat.LlamaConfig:
    """The configuration of a published size ('7b'), of 'base' or 'smollm2', or of a folder.

    Raises:
        ModelError: there is none of this name.
    """
    if model.lower() in PUBLISHED:
        width, layers, inner, heads, shared, vocabulary, tied, context = PUBLISHED[model.lower()]
        return compat.LlamaConfig(
            hidden_size=width, num_hidden_layers=layers, intermediate_size=inner,
            num_attention_heads=heads, num_key_value_heads=shared, vocab_size=vocabulary,
            tie_word_embeddings=tied, max_position_embeddings=context)
    from fmcourse import models

    try:
        return models.load(model).network.config
    except ModelError as error:
        if Path(model).exists():
            raise
        raise ModelError(f"There is no size or model called {model!r}.", where="model",
                         fix=f"{', '.join(PUBLISHED)}; base, smollm2, or a folder.") from error


def memory(
    model: str | Any,
    adapter: Adapter | None = None,
    *,
    sequence: int = 512,
    batch: int = 1,
    frozen: str = "float32",
    compute: str = "bfloat16",
    attention: str = "sdpa",
    checkpointing: bool = False,
) -> Memory:
    """What one step of training takes.

    Args:
        model: as for `shape`, or a configuration of transformers.
        adapter: what is trained; None trains every weight.
        sequence, batch: tokens in a row, rows in a forward pass.
        frozen: type of the weights that are not trained; those that are have float32.
        compute: type of the arithmetic; another one than float32 means autocast.
        attention: 'sdpa', as on a GPU, or 'eager', as the course trains on a CPU.
        checkpointing: keep only each layer's input and compute the rest again: less memory, a
            third more time.

    Raises:
        ModelError: no such model or number format; or less than a row of a token.
    """
    if sequence < 1 or batch < 1:
        raise ModelError(f"{batch} rows of {sequence} tokens are nothing to train on.",
                         where="memory", fix="At least one row of one token.")
    if sequence * batch > LARGEST:
        raise ModelError(
            f"{batch:,} rows of {sequence:,} tokens are more than a forward pass reads.",
            where="memory",
            fix=f"Up to {LARGEST:,} tokens in all; memory grows evenly with the rows.")
    for kind in (frozen, compute):
        if kind not in FORMATS:
            raise ModelError(f"Nothing is computed in {kind!r} here.", where="memory",
                             fix=f"Use {', '.join(FORMATS)}; four bits are the method qlora.")
    config = shape(model) if isinstance(model, str) else model
    if sequence > config.max_position_embeddings:
        warnings.warn(CourseWarning(
            f"{sequence:,} tokens are more than this model's context of "
            f"{config.max_position_embeddings:,}; it was never trained on such rows."),
            stacklevel=2)
    adapter = adapter or Adapter("full")
    runs = [_dry_run(compat.with_layers(config, layers), adapter, frozen, sequence=sequence,
                     batch=batch, compute=compute, attention=attention,
                     checkpointing=checkpointing) for layers in (2, 4)]
    depth = config.num_hidden_layers  # every layer takes the same, so two runs tell of any depth
    grown = {name: two + (four - two) * (depth - 2) // 2
             for (name, two), four in zip(runs[0].items(), runs[1].values(), strict=True)}
    return Memory(**{name: grown[name] for name in (
        "weights", "gradients", "optimizer", "activations", "parameters", "trainable")},
        peak=max(grown["forward"], grown["backward"], grown["update"]))


class _Alive(TorchDispatchMode):
    """Counts the bytes of tensors that are alive, and their most since `peak` was reset."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: dict[int, weakref.ref] = {}

    def add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = id(storage), storage.nbytes()
        if key in self.known:
            return

        def gone(_: Any) -> None:
            self.now -= size
            self.known.pop(key, None)

        self.known[key] = weakref.ref(storage, gone)
        self.now += size
        self.peak = max(self.peak, self.now)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self.add(tensor)
        return made

    def most(self, work: Any) -> int:
        """The most that is alive while this is done."""
        self.peak = self.now
        work()
        return self.peak


class Step:
    """One step of training in three phases: `forward`, `backward`, `update`.

    Args:
        network: with its adapter in place; a copy of it is not made.
        sequence, batch, compute, attention, checkpointing: as in `memory`.
    """

    def __init__(self, network: nn.Module, sequence: int, batch: int, compute: str,
                 attention: str = "eager", checkpointing: bool = False):
        self.network, self.plain = network, compat.plain_network(network)
        if self.plain is not None:
            compat.attention(self.plain, attention)
        if checkpointing:
            compat.checkpoint(network)
        self.ids = torch.zeros(batch, sequence, dtype=torch.long)
        self.compute = getattr(torch, compute)
        self.trained = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, foreach=False)
        self.loss: Tensor | None = None

    def forward(self) -> None:
        with torch.autocast("cpu", self.compute, enabled=self.compute != torch.float32):
            if self.plain is None:  # virtual tokens
                self.loss = self.network(input_ids=self.ids, labels=self.ids, use_cache=False).loss
                return
            hidden = self.plain.base_model(input_ids=self.ids, use_cache=False).last_hidden_state
            self.loss = linear_cross_entropy(hidden.flatten(0, 1),
                                             self.plain.get_output_embeddings().weight,
                                             self.ids.flatten())

    def backward(self) -> None:
        self.loss.backward()
        self.loss = None

    def update(self) -> None:
        self.optimizer.step()


def _dry_run(config: Any, adapter: Adapter, frozen: str, **setting: Any) -> dict[str, int]:
    network = _meta(config, adapter, getattr(torch, frozen))
    with compat.fake_tensors():
        _materialise(network)
        return alive_in(network, **setting)


def alive_in(network: nn.Module, sequence: int, batch: int, compute: str, attention: str,
             checkpointing: bool) -> dict[str, int]:
    """Bytes that are alive in the phases of a step of this network, fake or real.

    Args:
        network: with its adapter in place; it is trained.
        sequence, batch, compute, attention, checkpointing: as in `memory`.

    Returns:
        The most in 'forward', 'backward' and 'update', and the fields of `Memory` but its peak.
    """
    step = Step(network, sequence, batch, compute, attention, checkpointing)
    alive = _Alive()
    for tensor in [*network.parameters(), *network.buffers()]:
        alive.add(tensor)
    weights = alive.now
    with alive:
        for _ in range(2):  # the first step makes the optimiser's moments
            resting = alive.now
            peaks = {"forward": alive.most(step.forward)}
            kept = alive.now - resting
            peaks |= {"backward": alive.most(step.backward), "update": alive.most(step.update)}
            step.optimizer.zero_grad()
    gradients = sum(p.numel() * p.element_size() for p in step.trained)
    return {**peaks, "weights": weights, "gradients": gradients, "optimizer": 2 * gradients,
            "activations": kept, "parameters": sum(map(compat.numbers, network.parameters())),
            "trainable": sum(p.numel() for p in step.trained)}


def _meta(config: Any, adapter: Adapter, frozen: torch.dtype) -> nn.Module:
    """The network with its adapter on the device that has shapes only."""
    with torch.device("meta"):
        network = compat.AutoModelForCausalLM.from_config(config).train()
        if adapter.method == "qlora":
            frozen = torch.bfloat16
            for name, layer in linear_layers(network).items():
                network.set_submodule(name, _FourBits(layer))
        network = inject(network, adapter)
    for parameter in network.parameters():
        if not parameter.requires_grad and parameter.is_floating_point():
            parameter.data = parameter.data.to(frozen)
    return network


def _materialise(network: nn.Module) -> None:
    """Fake tensors on the CPU in place of the meta device's; shared ones stay shared."""
    made: dict[int, Any] = {}
    for module in network.modules():
        for name, value in module._parameters.items():
            if value is not None:
                made.setdefault(id(value), (value, nn.Parameter(
                    torch.empty(value.shape, dtype=value.dtype), value.requires_grad)))
                module._parameters[name] = made[id(value)][1]
        for name, value in module._buffers.items():
            if value is not None:
                module._buffers[name] = torch.zeros(value.shape, dtype=value.dtype)
    for name, ids in getattr(network, "prompt_tokens", {}).items():  # of virtual tokens
        network.prompt_tokens[name] = torch.arange(len(ids))


class _FourBits(nn.Linear):
    """A linear layer as bitsandbytes stores it: half a byte a weight, and scales in eight bits."""

    def __init__(self, layer: nn.Linear):
        super().__init__(layer.in_features, layer.out_features, bias=False)
        size = layer.weight.numel()
        self.weight = nn.Parameter(torch.empty(size // 2, dtype=torch.uint8), requires_grad=False)
        self.register_buffer("scales", torch.empty(size // BLOCK, dtype=torch.uint8))
        self.register_buffer("scales_of_scales", torch.empty(size // BLOCK // 256))

    def forward(self, given: Tensor) -> Tensor:
        return _Multiply.apply(given, self.weight, self.out_features)


class _Multiply(torch.autograd.Function):
    """The weights become numbers for as long as a product takes, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, weight: Tensor, out: int) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.shape, ctx.dtype = (out, given.shape[-1]), given.dtype
        numbers = torch.empty(ctx.shape, dtype=torch.bfloat16, device=given.device)
        return given.to(torch.bfloat16) @ numbers.t()

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        numbers = torch.empty(ctx.shape, dtype=torch.bfloat16, device=slope.device)
        return (slope.to(torch.bfloat16) @ numbers).to(ctx.dtype), None, None
