"""How fast this machine multiplies, how long it takes to choose, and what kept memory gains.

    python benchmarks/matmul.py

Prints the measured peak of each number format, the time `detect()` takes,
and the seconds and page faults of a training step of a small Llama before and after
`keep_memory()`.
"""

from __future__ import annotations

import resource
import statistics
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from fmcourse import hardware
from fmcourse.hardware.machine import bfloat16_gain

STEPS = 6


def steps(model: LlamaForCausalLM, ids: torch.Tensor, chosen: hardware.Hardware) -> str:
    """Median seconds and page faults of a training step, as text."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    seconds, faults = [], []
    for _ in range(STEPS):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        with chosen.autocast():
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        seconds.append(time.perf_counter() - start)
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return f"{statistics.median(seconds):.3f} s, {statistics.median(faults):,.0f} page faults"


def main() -> None:
    start = time.perf_counter()
    chosen = hardware.detect()
    print(f"detect() took {time.perf_counter() - start:.3f} s")
    print(chosen)
    start = time.perf_counter()
    gain = bfloat16_gain()
    print(f"bfloat16 race: {gain:.1f} times float32, in {time.perf_counter() - start:.3f} s")
    for dtype in dict.fromkeys(["float32", chosen.dtype]):
        peak = hardware.matmul_peak(dtype, device=chosen.device)
        print(f"matrix product in {dtype}: {peak / 1e9:,.0f} GFLOP/s")
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=8192, hidden_size=256, intermediate_size=704, num_hidden_layers=6,
        num_attention_heads=4, num_key_value_heads=4)).to(chosen.device)
    ids = torch.randint(8192, (16, 256), device=chosen.device)
    print(f"training step: {steps(model, ids, chosen)}")
    print(f"keep_memory() took effect: {hardware.keep_memory()}")
    print(f"training step: {steps(model, ids, chosen)}")


if __name__ == "__main__":
    main()
