"""Which device and number format the course trains with on this machine, and why.

The choice is made once, in the open: every run prints and stores the reason. A faster format is
taken only where it is known or measured to be faster *and* safe, so an old CPU stays in float32
although bfloat16 would work there (slower), and an Apple GPU is used only after it has computed a
set of small problems correctly: its backend has been silently wrong in several releases. The
fallback is always the CPU in float32, and `FMCOURSE_DEVICE` and `FMCOURSE_DTYPE` overrule us.
"""

from __future__ import annotations

import html
import os
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch

from fmcourse.errors import HardwareError
from fmcourse.hardware import compilers, limits, selftest

DEVICES = ("cpu", "cuda", "mps")
DTYPES = ("bfloat16", "float16", "float32")
WORTHWHILE = 1.5  # autocast's conversions eat a smaller gain in the matrix product


@dataclass(frozen=True)
class Hardware:
    """What the course runs on. Sizes are in bytes; `reason` is for people."""

    device: str
    dtype: str
    reason: str
    name: str
    cores: int
    threads: int
    memory_bytes: int
    memory_available: int
    device_memory_bytes: int
    compiler: bool
    compiler_reason: str

    @property
    def memory_gb(self) -> float:
        """Memory this process may use in all, in units of 10⁹ bytes."""
        return self.memory_bytes / 1e9

    @property
    def torch_dtype(self) -> torch.dtype:
        """`dtype` as PyTorch's object."""
        return getattr(torch, self.dtype)

    @property
    def needs_loss_scaling(self) -> bool:
        """True for float16, whose small gradients vanish unless the loss is scaled up."""
        return self.dtype == "float16"

    def autocast(self) -> AbstractContextManager:
        """The mixed-precision context of this choice; does nothing in float32."""
        return torch.autocast(self.device, self.torch_dtype, enabled=self.dtype != "float32")

    def trainer_arguments(self) -> dict[str, bool]:
        """The same choice in the words of `TrainingArguments` and TRL's configs.

        All three are named because TRL turns bfloat16 on by itself when they are left out.
        """
        return {
            "use_cpu": self.device == "cpu",
            "bf16": self.dtype == "bfloat16",
            "fp16": self.dtype == "float16",
        }

    def as_record(self) -> dict[str, Any]:
        """Plain values for a ledger or run card; leaves out what changes from minute to minute."""
        record = asdict(self)
        del record["memory_available"]
        return record | {"torch": torch.__version__}

    def _rows(self) -> list[tuple[str, str]]:
        on_device = f", {self.device_memory_bytes / 1e9:.0f} GB of its own"
        return [
            ("device", f"{self.device}: {self.name}{on_device * bool(self.device_memory_bytes)}"),
            ("numbers", self.dtype),
            ("why", self.reason),
            ("cores", f"{self.cores} usable; PyTorch threads: {self.threads}"),
            ("memory", f"{self.memory_gb:.1f} GB, {self.memory_available / 1e9:.1f} GB free"),
            ("torch.compile", f"{'yes' if self.compiler else 'no'}. {self.compiler_reason}"),
        ]

    def __str__(self) -> str:
        return "\n".join(f"{name:<14}{text}" for name, text in self._rows())

    def _repr_html_(self) -> str:
        cells = (
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in self._rows()
        )
        return f"<table>{''.join(cells)}</table>"


def _unset(variable: str) -> str:
    return f"set {variable}=" if sys.platform == "win32" else f"unset {variable}"


def _override(variable: str, allowed: tuple[str, ...]) -> str | None:
    value = os.environ.get(variable, "").strip().lower()
    if value and value not in allowed:
        choices = ", ".join(allowed)
        raise HardwareError(f"{variable} must be one of {choices}, not {value!r}.",
                            where=variable, fix=_unset(variable))
    return value or None


def _present(device: str) -> bool:
    if device == "cuda":
        return torch.cuda.is_available()
    return device == "cpu" or torch.backends.mps.is_available()


@lru_cache(maxsize=4)
def _fault(device: str) -> str | None:
    """Why a present GPU cannot be used, or None. Computed once a process (MPS: 1–2 s)."""
    try:
        if device == "cuda":  # a build without this card's architecture fails at its first kernel
            ones = torch.ones(64, 64, device=device)
            total = (ones @ ones).sum().item()
            return None if total == 64**3 else "it multiplies two small matrices wrongly"
        wrong = [check for check in selftest.check_operations(device) if not check.passed]
    except RuntimeError as error:
        return f"it failed to run at all ({str(error).splitlines()[0]})"
    if wrong:
        return "it computes these wrongly: " + ", ".join(check.name for check in wrong)
    return None


def _choose_device() -> tuple[str, str]:
    """(device, reason); the reason ends without a full stop."""
    wanted = _override("FMCOURSE_DEVICE", DEVICES)
    if wanted:
        fault = _fault(wanted) if wanted == "cuda" and _present(wanted) else None
        if fault or not _present(wanted):
            raise HardwareError(
                f"FMCOURSE_DEVICE asks for {wanted}, but "
                + (fault or "PyTorch finds no such device here") + ".",
                where="FMCOURSE_DEVICE", fix=_unset("FMCOURSE_DEVICE"))
        return wanted, f"Device {wanted} because FMCOURSE_DEVICE says so"
    for device, label in (("cuda", "CUDA GPU"), ("mps", "Apple GPU (MPS)")):
        if not _present(device):
            continue
        fault = _fault(device)
        if fault:
            return "cpu", f"The CPU, because the {label} is not to be trusted: {fault}"
        return device, f"The {label}, because PyTorch finds one and it works"
    return "cpu", "The CPU, because PyTorch finds no GPU"


def _best_time(a: torch.Tensor, seconds: float) -> float:
    """Seconds of the fastest product of a square matrix with itself; warms up once."""
    a @ a
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        a @ a
        now = time.perf_counter()
        best = min(best, now - start)
        if now >= end:
            return best


@lru_cache(maxsize=1)
def bfloat16_gain() -> float:
    """How many times faster the CPU multiplies in bfloat16 than in float32 (below 0.15 s).

    The matrices are small (256 by 256) so that a CPU which merely emulates bfloat16, a hundred
    times slower, still answers in time.
    """
    a = torch.rand(256, 256)
    return _best_time(a, 0.03) / _best_time(a.bfloat16(), 0.03)


def _choose_cpu_dtype() -> tuple[str, str]:
    able = torch.cpu.get_capabilities()
    flags = {"avx512_bf16": "AVX512-BF16", "amx_bf16": "AMX"}
    found = [label for flag, label in flags.items() if able.get(flag)]
    capped = "ONEDNN_MAX_CPU_ISA" in os.environ or "ATEN_CPU_CAPABILITY" in os.environ
    if found and not capped:
        return "bfloat16", f"bfloat16, because the processor has {found[0]} instructions for it"
    gain = bfloat16_gain()
    measured = f"a matrix product in bfloat16 measured {gain:.1f} times the speed of float32"
    if gain >= WORTHWHILE:
        return "bfloat16", f"bfloat16, because {measured}"
    return "float32", f"float32, because {measured}, which is not worth it"


def _choose_dtype(device: str) -> tuple[str, str]:
    wanted = _override("FMCOURSE_DTYPE", DTYPES)
    if wanted == "float16" and device != "cuda":
        raise HardwareError(
            f"float16 on {device} is slow and loses small gradients.", where="FMCOURSE_DTYPE",
            fix=_unset("FMCOURSE_DTYPE"))
    if wanted:
        return wanted, f"{wanted} because FMCOURSE_DTYPE says so"
    if device == "cpu":
        return _choose_cpu_dtype()
    if device == "mps":
        return "float32", "float32, because mixed precision on MPS is the least tested path"
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16", "bfloat16, because the GPU computes it natively"
    if torch.cuda.get_device_capability() >= (7, 0):
        return "float16", ("float16, because the GPU has tensor cores for it and none for "
                           "bfloat16; the loss is scaled so that small gradients survive")
    return "float32", "float32, because the GPU is faster in no shorter format"


def detect() -> Hardware:
    """Choose device and number format for training, and describe the machine.

    Measurements behind the choice happen once a process; the environment is read at every call.

    Raises:
        HardwareError: an override names something unknown or not present.
    """
    device, device_reason = _choose_device()
    dtype, dtype_reason = _choose_dtype(device)
    compiler = compilers.support(device)
    total, available = limits.memory()
    cuda = torch.cuda.get_device_properties(0) if device == "cuda" else None
    return Hardware(
        device=device, dtype=dtype, reason=f"{device_reason}; {dtype_reason}.",
        name=cuda.name if cuda else limits.processor(),
        cores=limits.cores(), threads=torch.get_num_threads(),
        memory_bytes=total, memory_available=available,
        device_memory_bytes=cuda.total_memory if cuda else 0,
        compiler=compiler.works, compiler_reason=compiler.reason,
    )
