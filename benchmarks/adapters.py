"""Which learning rate suits each way to tune a part of SmolLM2: the table `RATES` of claim M6.

    python benchmarks/adapters.py [method …]

Each method is tried at the rates of a ladder on 4,000 tokens of AWS commands, and beyond its end
for as long as the last rung is the best; scored are the replies to validation requests, which no
claim uses, in bits per byte. The best is what `evidence.experiments.methods.RATES` should have.
Writes benchmarks/results/adapters.json, a rate at a time; what is there is not done again.
"""

from __future__ import annotations

import sys
from pathlib import Path

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


def main(methods: list[str]) -> None:
    """Try the rates of these methods, or of all."""
    kept = store.read_json(RESULTS) if RESULTS.exists() else {"tried": {}}
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
