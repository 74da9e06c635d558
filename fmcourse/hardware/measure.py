"""Measurements of speed and memory, and one allocator setting.

`matmul_peak` is the yardstick for training speed: the fastest matrix product seen on this device,
measured rather than read from a data sheet, so that "60 % of peak" means something on a laptop too.
"""

from __future__ import annotations

import ctypes
import platform
import re
import sys
import time
from pathlib import Path

import psutil
import torch

from fmcourse.errors import HardwareError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # as in glibc's malloc.h
_returning = False  # whether this process measures what it needs
SIZE = {"cpu": 2048, "cuda": 8192, "mps": 4096}  # large enough to keep the device busy


def _wait(device: str) -> None:
    if device != "cpu":
        getattr(torch, device).synchronize()


def matmul_peak(dtype: str = "bfloat16", n: int | None = None, seconds: float = 1.0,
                device: str = "cpu") -> float:
    """The best floating-point rate of an (n, n) by (n, n) product, in FLOP/s.

    A product counts as 2n³ operations. The best of all repetitions is taken, because whatever else
    runs on the machine can only slow it down.

    Args:
        dtype: "bfloat16", "float16" or "float32".
        n: side of the matrices; by default 2,048 on a CPU, 8,192 on a GPU.
        seconds: how long to keep trying, after one product to warm up.
        device: "cpu", "cuda" or "mps".

    Raises:
        HardwareError: the format has no such name.

    >>> matmul_peak("float32", n=64, seconds=0) > 0
    True
    """
    kind = getattr(torch, dtype, None)
    if not isinstance(kind, torch.dtype) or not kind.is_floating_point:
        raise HardwareError(f"{dtype!r} is no floating-point format.", where="matmul_peak",
                            fix="Use bfloat16, float16 or float32.")
    n = n or SIZE[device]
    a, b = (torch.rand(n, n, device=device).to(kind) for _ in range(2))
    out = torch.empty(n, n, device=device, dtype=kind)  # reused, so no page is touched first here
    torch.mm(a, b, out=out)
    _wait(device)
    best, end = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


def peak_memory_bytes(device: str = "cpu") -> int:
    """Most memory in use since the last reset, in bytes.

    On CUDA, what PyTorch's allocator held in tensors; elsewhere the process's resident memory,
    code and libraries (about 0.4 GB) included. Apple's GPU shares that memory; what Metal holds
    now counts where it is more.
    """
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    shared = torch.mps.driver_allocated_memory() if device == "mps" else 0
    return max(_resident_peak(), shared)


def memory_now(device: str = "cpu") -> int:
    """Memory in use, in bytes: tensors on CUDA, elsewhere the process's resident memory."""
    if device == "cuda":
        return torch.cuda.memory_allocated()
    return psutil.Process().memory_info().rss


def _resident_peak() -> int:
    if sys.platform == "linux":
        status = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        if status:
            return int(status[1]) * 1024
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def reset_peak_memory(device: str = "cpu") -> bool:
    """Start the peak anew; False where the system offers no way, and it counts from the start.

    Only CUDA and Linux offer one.
    """
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return True
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def keep_memory() -> bool:
    """Have glibc keep freed memory for the next allocation; returns whether it took effect.

    By default every large tensor is fresh memory from the kernel, zeroed page by page at first
    touch and handed back when freed: in training on a CPU the same buffers, a thousand times an
    hour. Keeping them cut a training step's page faults to between a third and an eighth
    (`benchmarks/matmul.py` counts them and times the step). The trade-off: the process stays as
    large as it ever was. Elsewhere it does nothing, nor after `return_memory`.
    """
    return not _returning and _mallopt({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1})


def return_memory() -> bool:
    """Have glibc hand freed memory back at once; returns whether it took effect.

    The opposite of `keep_memory`, for the rest of the process: to measure what is needed and not
    what is kept.
    """
    global _returning
    _returning = _mallopt({M_MMAP_MAX: 65_536, M_MMAP_THRESHOLD: 2**16, M_TRIM_THRESHOLD: 2**16})
    return _returning


def _mallopt(settings: dict[int, int]) -> bool:
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(name, value) == 1 for name, value in settings.items())


def fit_threads() -> int:
    """Lower PyTorch's threads to the cores a container really has; returns the threads in use."""
    from fmcourse.hardware import limits

    if torch.get_num_threads() > limits.cores():
        torch.set_num_threads(limits.cores())
    return torch.get_num_threads()
