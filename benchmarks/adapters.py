"""Which learning rate suits each way to tune a part of SmolLM2: the table `RATES` of claim M6.

    python benchmarks/adapters.py [method … | close]

Each method is tried at the rates of a ladder on 4,000 tokens of AWS commands, and beyond its end
for as long as the last rung is the best; scored are the replies to validation requests, which no
claim uses, in bits per byte. The best is what `evidence.experiments.methods.RATES` should have.
With `close`, the two methods that the claim holds against each other are tried again at its whole
budget, over two seeds that it does not use: full tuning at more rates, LoRA at pairs of alpha and
rate. The least mean is what `RATES` and `ALPHAS` should have. Writes
benchmarks/results/adapters.json, a run at a time; what is there is not done again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean

from fmcourse import hardware, store
from fmcourse.evidence.experiments.methods import RATES, SURPRISE, arm
from fmcourse.evidence.ledger import versions
from fmcourse.hardware.child import in_child

RESULTS = Path(__file__).with_name("results") / "adapters.json"
TOKENS, HELD, SEED = 4_000, 48, 100
LADDERS = {  # where a method trains few numbers, they have to move far
    "weights": (3e-5, 1e-4, 3e-4, 1e-3), "few": (1e-3, 3e-3, 1e-2),
    "low rank": (1e-3, 2e-3, 3e-3, 5e-3), "prompt": (1e-2, 3e-2, 1e-1)}
LADDER_OF = {"full": "weights", "last block": "weights", "bitfit": "few", "ia3": "few",
             "prompt": "prompt", "prefix": "prompt"}


CLOSE_TOKENS, CLOSE_HELD, CLOSE_SEEDS = 24_000, 96, (20, 21)
CLOSE = [("full", None, rate) for rate in (1e-4, 2e-4, 3e-4)] + [
    ("lora", 16, 3e-3), ("lora", 32, 2e-3), ("lora", 32, 3e-3), ("lora", 48, 2e-3),
    ("lora", 48, 3e-3), ("lora", 64, 2e-3)]  # a second seed where the first left it open


def main(methods: list[str]) -> None:
    """Try the rates of these methods, or of all."""
    kept = store.read_json(RESULTS) if RESULTS.exists() else {"tried": {}}
    if methods == ["close"]:
        return _close(kept)
    for method in methods or RATES:
        tried = kept["tried"].setdefault(method, {"rates": {}})
        while rate := _next(tried["rates"], LADDERS[LADDER_OF.get(method, "low rank")]):
            found = in_child(arm, method, SEED, TOKENS, HELD, rate=rate, part="validation")
            tried["rates"][f"{rate:g}"] = found[SURPRISE]
            tried["best"] = float(min(tried["rates"], key=tried["rates"].get))
            print(f"{method} at {rate:g}: {found[SURPRISE]:.3f}", flush=True)
            store.write_json(RESULTS, {
                **kept, "tokens": TOKENS, "held": HELD, "versions": versions(),
                "hardware": hardware.detect().as_record()})


def _close(kept: dict) -> None:
    """The two close methods at the claim's budget."""
    tried = kept.setdefault("close", {"tokens": CLOSE_TOKENS, "held": CLOSE_HELD, "tried": {}})
    for method, alpha, rate in CLOSE:
        name = f"{method} at {rate:g}" + (f", alpha {alpha}" if alpha else "")
        found = tried["tried"].setdefault(name, {})
        for seed in map(str, CLOSE_SEEDS):
            if seed not in found:
                found[seed] = in_child(arm, method, int(seed), CLOSE_TOKENS, CLOSE_HELD, rate=rate,
                                       alpha=alpha, part="validation")[SURPRISE]
                store.write_json(RESULTS, kept)
        print(f"{name}: {fmean(found.values()):.3f}", flush=True)


def _next(tried: dict[str, float], ladder: tuple[float, ...]) -> float | None:
    """The next rate to try: of the ladder, then beyond the end that is the best; or none."""
    for rate in ladder:
        if f"{rate:g}" not in tried:
            return rate
    rates = sorted(map(float, tried))
    best = float(min(tried, key=tried.get))
    if best == rates[-1]:
        return float(f"{best * 3:.1g}")
    return float(f"{best / 3:.1g}") if best == rates[0] else None


if __name__ == "__main__":
    main(sys.argv[1:])
