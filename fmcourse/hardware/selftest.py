"""Does this device compute what the mathematics says?

A wrong kernel rarely raises; it returns a plausible number and a model that never learns. So each
operation the course relies on is run on the device as PyTorch ships it, forward and backward, and
compared with its formula written out plainly and computed in float64 on the CPU: two independent
paths, so that a fault of the CPU's own kernels shows as well. Then a two-layer Llama is trained for
three steps both ways. The trade-off is coverage: these are the operations and the awkward layouts
(strided operands, a product of 268 MB, ignored labels) that went wrong for others, not all there
are. On two CPU cores it takes about a second, plus the import of transformers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F

Tensors = tuple[torch.Tensor, ...]
# Relative errors to accept. Rounding gives about 1e-6, 3e-3 and 5e-4; the faults reported for
# real devices gave 1e-1 and more.
TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2, "float16": 5e-3}
REDUCED_FLOAT32 = 5e-3  # once float32 products may use TF32 (CUDA) or bfloat16 (CPU) inside
IGNORED = -100


@dataclass(frozen=True)
class Check:
    """One compared operation; `error` is relative, infinite for NaN or an exception."""

    name: str
    passed: bool
    error: float
    tolerance: float
    note: str = ""


@dataclass(frozen=True)
class Case:
    """An operation twice: as the library computes it, and as its formula reads."""

    name: str
    inputs: Callable[[], Tensors]
    library: Callable[..., torch.Tensor]
    formula: Callable[..., torch.Tensor]
    mixed: bool = True  # False for what stays in float32 under autocast


def _normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def _causal(time: int, device: torch.device) -> torch.Tensor:
    return torch.ones(time, time, dtype=torch.bool, device=device).tril()


def _softmax(x: torch.Tensor) -> torch.Tensor:
    return x.masked_fill(~_causal(x.shape[-1], x.device), -math.inf).softmax(-1)


def _softmax_formula(x: torch.Tensor) -> torch.Tensor:
    weights = x.exp() * _causal(x.shape[-1], x.device)
    return weights / weights.sum(-1, keepdim=True)


def _attention_formula(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])  # (batch, head, time, time)
    return _softmax_formula(scores) @ v


def _layer_norm_formula(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * w + b


def _rms_norm_formula(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * w


def _cross_entropy_formula(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    kept = labels != IGNORED
    logits, labels = logits[kept], labels[kept]
    chosen = (logits * (torch.arange(logits.shape[1]) == labels[:, None])).sum(1)
    return (logits.exp().sum(1).log() - chosen).mean()


def _labels(count: int, classes: int) -> torch.Tensor:
    labels = torch.randint(classes, (count,))
    labels[::3] = IGNORED
    return labels


def _large_product(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Last rows of a batch's logits: 8,192 tokens by 8,192 words, where offsets get large."""
    return (x.repeat(128, 1) @ w.T)[-64:]


def _adamw(values: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Three steps on a strided parameter; kernels have updated a copy of those and lost it."""
    parameter = torch.nn.Parameter(values.detach().clone().T)
    optimiser = torch.optim.AdamW([parameter], lr=0.1, betas=(0.9, 0.99), weight_decay=0.1)
    for step in range(1, 4):
        parameter.grad = (gradient.detach() * step).T
        optimiser.step()
    return parameter.detach().T


def _adamw_formula(values: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    p, m, v = values.detach().clone(), 0.0, 0.0
    for step in range(1, 4):
        g = gradient.detach() * step
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        corrected = (v / (1 - 0.99**step)).sqrt() + 1e-8
        p = p * (1 - 0.1 * 0.1) - 0.1 * (m / (1 - 0.9**step)) / corrected
    return p


CASES = (
    Case("matrix product", lambda: (_normal(96, 80), _normal(80, 112)),
         lambda a, b: a @ b, lambda a, b: (a[:, :, None] * b[None]).sum(1)),
    Case("product with a strided operand", lambda: (_normal(4, 32, 24), _normal(4, 32, 40)),
         lambda a, b: a.transpose(1, 2) @ b,
         lambda a, b: (a[:, :, :, None] * b[:, :, None, :]).sum(1)),
    Case("large matrix product", lambda: (_normal(64, 64), _normal(8192, 64)),
         _large_product, lambda x, w: x @ w.T),
    Case("softmax with a mask", lambda: (_normal(4, 48, 48),), _softmax, _softmax_formula),
    Case("layer norm", lambda: (_normal(40, 64), _normal(64), _normal(64)),
         lambda x, w, b: F.layer_norm(x, (64,), w, b, eps=1e-5), _layer_norm_formula),
    Case("RMS norm", lambda: (_normal(40, 64), _normal(64)),
         lambda x, w: F.rms_norm(x, (64,), w, eps=1e-5), _rms_norm_formula),
    Case("attention", lambda: tuple(_normal(2, 4, 48, 16) for _ in range(3)),
         lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
         _attention_formula),
    Case("cross-entropy", lambda: (_normal(96, 320), _labels(96, 320)),
         lambda x, y: F.cross_entropy(x.float(), y, ignore_index=IGNORED),
         _cross_entropy_formula),
    Case("embedding", lambda: (torch.randint(50, (12, 32)), _normal(50, 24)),
         lambda ids, w: F.embedding(ids, w),
         lambda ids, w: (ids[..., None] == torch.arange(50)).double() @ w),
    Case("AdamW step", lambda: (_normal(24, 40), _normal(24, 40)),
         _adamw, _adamw_formula, mixed=False),
)


def _with_gradients(function: Callable[..., torch.Tensor], inputs: Tensors) -> Tensors:
    """The result, and the gradient of a fixed weighting of it for every floating input."""
    leaves = [t.detach().requires_grad_(t.is_floating_point()) for t in inputs]
    result = function(*leaves)
    if not result.requires_grad:
        return (result,)
    weights = torch.arange(result.numel(), dtype=torch.float64).cos()  # rough, so nothing cancels
    weights = weights.reshape(result.shape).to(result.dtype).to(result.device)  # no float64 on MPS
    floating = [leaf for leaf in leaves if leaf.requires_grad]
    return (result.detach(), *torch.autograd.grad(result, floating, weights))


def _relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Length of the difference over the length of what was expected; infinite for NaN."""
    found, expected = found.detach().cpu().double(), expected.detach().cpu().double()
    error = ((found - expected).norm() / expected.norm().clamp(min=1e-30)).item()
    return error if math.isfinite(error) else math.inf


def _tolerance(dtype: str) -> float:
    reduced = torch.get_float32_matmul_precision() != "highest"
    return REDUCED_FLOAT32 if dtype == "float32" and reduced else TOLERANCE[dtype]


def _check(name: str, device: str, dtype: str, error: Callable[[str, str], float]) -> Check:
    """Run one comparison; what it raises is a failed check with the message's first line."""
    tolerance, note = _tolerance(dtype), ""
    try:
        with torch.random.fork_rng(devices=[]):  # leave the caller's random numbers alone
            torch.default_generator.manual_seed(0)
            found = error(device, dtype)
    except RuntimeError as raised:
        found, note = math.inf, str(raised).partition("\n")[0]
    return Check(f"{name}, {dtype}", found <= tolerance, found, tolerance, note)


def _operation_error(case: Case, device: str, dtype: str) -> float:
    """Largest relative error over a case's result and gradients."""
    kind = getattr(torch, dtype)
    given = tuple(
        t.to(kind).to(device) if t.is_floating_point() else t.to(device) for t in case.inputs()
    )
    exact = tuple(t.cpu().double() if t.is_floating_point() else t.cpu() for t in given)
    found, expected = _with_gradients(case.library, given), _with_gradients(case.formula, exact)
    return max(map(_relative_error, found, expected))


def _llama_losses(device: str, dtype: str) -> list[float]:
    """Losses of a two-layer Llama before each of three AdamW steps and after the last.

    In "float64" attention and loss are computed by formula, to be the reference.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    exact = dtype == "float64"
    cross_entropy = _cross_entropy_formula if exact else F.cross_entropy
    torch.default_generator.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=96, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2,
        attn_implementation="eager" if exact else "sdpa"))
    ids = torch.randint(96, (4, 24)).to(device)  # (batch, time)
    model = model.to(device, torch.float64 if exact else torch.float32)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, eps=1e-4)
    mixed = torch.autocast(device, getattr(torch, dtype), enabled=dtype in ("bfloat16", "float16"))
    losses = []
    for _ in range(4):
        with mixed:
            logits = model(input_ids=ids).logits[:, :-1].flatten(0, 1)  # (batch · time, vocab)
            loss = cross_entropy(logits, ids[:, 1:].flatten())
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return losses


def _llama_error(device: str, dtype: str) -> float:
    """Largest difference in loss, relative to how far the reference's loss falls."""
    expected, found = _llama_losses("cpu", "float64"), _llama_losses(device, dtype)
    gap = max(abs(a - b) for a, b in zip(found, expected, strict=True))
    return gap / (expected[0] - expected[-1]) if math.isfinite(sum(found)) else math.inf


def check_operations(device: str, dtype: str = "float32") -> list[Check]:
    """The single operations, in float32 and, if another format is named, in that as well."""
    return [
        _check(case.name, device, kind, partial(_operation_error, case))
        for kind in dict.fromkeys(["float32", dtype])
        for case in CASES if case.mixed or kind == "float32"
    ]


def check_device(device: str = "cpu", dtype: str = "float32") -> list[Check]:
    """Compare the device with float64 formulas, and a small training run with the CPU's.

    Args:
        device: "cpu", "cuda" or "mps".
        dtype: the number format in use; float32 is checked as well whatever it is.

    Returns:
        One `Check` an operation and format, then one a format for the training run.
    """
    return check_operations(device, dtype) + [
        _check("training a small Llama", device, kind, _llama_error)
        for kind in dict.fromkeys(["float32", dtype])
    ]
