"""What this process may use: cores and memory, and the processor's name.

A laptop's answer is the machine's; a container's is what its control group allows, which the usual
calls do not know: on a 64-core host with a quota of two, 64 threads fight over two cores. Both
versions of Linux control groups are read, from our own group up to the root, and the tightest
limit wins. Where there are none (macOS, Windows) the machine's own numbers stand.
"""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import psutil

CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUP_MEMBERSHIP = Path("/proc/self/cgroup")


def _groups(controller: str) -> Iterator[Path]:
    """Folders of our control groups, own group first, version 2 and version 1."""
    try:
        lines = CGROUP_MEMBERSHIP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, inner = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = CGROUP_ROOT / controllers if controllers else CGROUP_ROOT
        own = root / inner.lstrip("/")
        while own != root and root in own.parents:  # outside its namespace the path may not exist
            yield own
            own = own.parent
        yield root


def _number(path: Path) -> float:
    """The number in a one-line file; infinite where there is no file or it says "max"."""
    try:
        return float(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return math.inf


def _core_quota(group: Path) -> float:
    """Cores' worth of time a group may use, infinite without a quota."""
    try:
        quota, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        quota = _number(group / "cpu.cfs_quota_us")  # version 1 writes -1 for "no quota"
        period = _number(group / "cpu.cfs_period_us")
        return quota / period if 0 < quota < math.inf and period < math.inf else math.inf
    return math.inf if quota == "max" else float(quota) / float(period)


def cores() -> int:
    """Logical cores this process may run on: affinity and container quota, at least 1.

    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    quota = min(map(_core_quota, _groups("cpu")), default=math.inf)
    return max(1, min(allowed, math.ceil(quota) if quota < math.inf else allowed))


def _reclaimable(group: Path) -> float:
    """Bytes of a group's usage that are file cache, which the kernel gives back when asked."""
    try:
        pairs = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return float(pairs.get("total_inactive_file", pairs.get("inactive_file", 0)))
    except (OSError, ValueError):
        return 0.0


def memory() -> tuple[int, int]:
    """Bytes of memory (in all, free to use now), the container's limit included."""
    machine = psutil.virtual_memory()
    total, available = float(machine.total), float(machine.available)
    for group in _groups("memory"):
        limit = min(_number(group / "memory.max"), _number(group / "memory.limit_in_bytes"))
        if limit >= total:  # version 1 writes a huge number for "no limit"
            continue
        used = _number(group / "memory.current")
        used = used if used < math.inf else _number(group / "memory.usage_in_bytes")
        if used < math.inf:
            available = min(available, limit - used + _reclaimable(group))
        total = limit
    return int(total), int(max(0.0, min(available, total)))


@lru_cache(maxsize=1)
def processor() -> str:
    """The processor's name as its maker writes it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.stdout.strip():
            return answer.stdout.strip()
    return platform.processor() or platform.machine() or "unknown processor"
