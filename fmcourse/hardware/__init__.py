"""The machine: what it is, what to train with on it, whether it computes correctly, how fast.

`detect()` chooses device and number format and says why; `check_device()` finds out whether the
device can be trusted; `matmul_peak()` and `peak_memory_bytes()` are the yardsticks of cost.
"""

from fmcourse.hardware.limits import cores, memory
from fmcourse.hardware.machine import Hardware, detect
from fmcourse.hardware.measure import (
    fit_threads,
    keep_memory,
    matmul_peak,
    memory_now,
    peak_memory_bytes,
    reset_peak_memory,
)
from fmcourse.hardware.selftest import Check, check_device

__all__ = [
    "Check", "Hardware", "check_device", "cores", "detect", "fit_threads", "keep_memory",
    "matmul_peak", "memory", "memory_now", "peak_memory_bytes", "reset_peak_memory",
]
