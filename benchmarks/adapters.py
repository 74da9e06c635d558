"""Which learning rate suits each way to tune a part of SmolLM2: the table `RATES` of claim M6.

    python benchmarks/adapters.py [method …]

Each method is tried at four rates, a ladder of its kind, on 4,000 tokens of AWS commands; scored
are the replies to validation requests, which no claim uses, in bits per byte. The best is what
`evidence.experiments.methods.RATES` should have. Writes benchmarks/results/adapters.json, a method
at a time; what is there is not done again.
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
    "weights": (3e-5, 1e-4, 3e-4, 1e-3), "few": (1e-3, 3e-3, 1e-2, 3e-2),
    "low rank": (5e-4, 1e-3, 2e-3, 5e-3), "prompt": (3e-3, 1e-2, 3e-2, 1e-1)}
LADDER_OF = {"full": "weights", "last block": "weights", "bitfit": "few", "ia3": "few",
             "prompt": "prompt", "prefix": "prompt"}


def main(methods: list[str]) -> None:
    """Try the rates of these methods, or of all."""
    kept = store.read_json(RESULTS) if RESULTS.exists() else {"tried": {}}
    for method in methods or RATES:
        if method in kept["tried"]:
            continue
        tried = {f"{rate:g}": in_child(arm, method, SEED, TOKENS, HELD, rate=rate,
                                       part="validation")[SURPRISE]
                 for rate in LADDERS[LADDER_OF.get(method, "low rank")]}
        best = min(tried, key=tried.get)
        print(f"{method}: {best} of {tried}", flush=True)
        kept["tried"][method] = {"rates": tried, "best": float(best)}
        store.write_json(RESULTS, {**kept, "tokens": TOKENS, "held": HELD, "versions": versions(),
                                   "hardware": hardware.detect().as_record()})


if __name__ == "__main__":
    main(sys.argv[1:])
