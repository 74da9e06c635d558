"""GPUs that AWS rents, by their memory: which of them a job fits on.

Memory and names of instances are from the EC2 pages on accelerated computing (read November 2026).
No prices: they change, and differ by region and contract.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SPARE = 0.1  # of a GPU's memory, for the CUDA context and what an allocator leaves between blocks


@dataclass(frozen=True)
class Gpu:
    """One kind of GPU.

    Attributes:
        name: as its maker calls it.
        memory: bytes.
        instance: the smallest EC2 instance that has it.
        count: GPUs in that instance.
        largest: the instance with most of them; each has eight.
    """

    name: str
    memory: int
    instance: str
    count: int
    largest: str

    @property
    def usable(self) -> int:
        """Bytes that tensors can have."""
        return int(self.memory * (1 - SPARE))

    def needed(self, states: int, activations: int) -> int | None:
        """How many of them hold a job whose states are split evenly (FSDP, ZeRO), at most.

        Weights, gradients and moments are split; activations each GPU has for its own rows. None
        if those alone do not fit.
        """
        room = self.usable - activations
        return max(1, math.ceil(states / room)) if room > 0 else None


GPUS = [
    Gpu("T4", 16 * 2**30, "g4dn.xlarge", 1, "g4dn.metal"),
    Gpu("A10G", 24 * 2**30, "g5.xlarge", 1, "g5.48xlarge"),
    Gpu("L4", 24 * 2**30, "g6.xlarge", 1, "g6.48xlarge"),
    Gpu("A100 40 GB", 40 * 2**30, "p4d.24xlarge", 8, "p4d.24xlarge"),
    Gpu("L40S", 48 * 2**30, "g6e.xlarge", 1, "g6e.48xlarge"),
    Gpu("A100 80 GB", 80 * 2**30, "p4de.24xlarge", 8, "p4de.24xlarge"),
    Gpu("RTX PRO 6000", 96 * 2**30, "g7e.2xlarge", 1, "g7e.48xlarge"),
    Gpu("H100", 80 * 2**30, "p5.4xlarge", 1, "p5.48xlarge"),
    Gpu("H200", 141 * 2**30, "p5en.48xlarge", 8, "p5en.48xlarge"),
    Gpu("B200", 180 * 2**30, "p6-b200.48xlarge", 8, "p6-b200.48xlarge"),
]


def smallest(size: int) -> Gpu | None:
    """The smallest GPU that holds so many bytes alone, of those that are rented one by one if there
    is one; None if no single one does."""
    fit = [gpu for gpu in GPUS if gpu.usable >= size]
    return min(fit, key=lambda gpu: (gpu.count, gpu.memory), default=None)


def advice(peak: int, states: int, activations: int) -> str:
    """Which GPU a job needs, in a sentence.

    Args:
        peak: most bytes alive at once.
        states, activations: bytes of weights, gradients and moments; and of what rows keep.

    >>> advice(9 * 10**9, 8 * 10**9, 10**9)
    'fits one T4 (g4dn.xlarge)'
    >>> advice(4 * 10**12, 4 * 10**12, 10**10)
    'needs up to 60 of H100 (8 in a p5.48xlarge), split by FSDP'
    >>> advice(10**12, 10**10, 10**12)
    'needs fewer or shorter rows, or checkpointing: what they keep does not fit one H100'
    """
    gpu = smallest(peak)
    if gpu is not None:
        return f"fits one {gpu.name} ({gpu.instance})"
    gpu = next(gpu for gpu in GPUS if gpu.name == "H100")
    count = gpu.needed(states, activations)
    if count is None:
        return ("needs fewer or shorter rows, or checkpointing: what they keep does not fit one "
                f"{gpu.name}")
    return f"needs up to {count} of {gpu.name} (8 in a {gpu.largest}), split by FSDP"
