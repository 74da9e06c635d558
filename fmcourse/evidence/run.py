"""Run a claim's experiment over seeds and write its ledger entry.

Each seed's result is kept as soon as it is there, under a name that depends on the experiments'
source and on the base model, so that an interrupted ledger run goes on, and a changed experiment or
a base trained anew starts afresh.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable, Sequence
from typing import Any

from fmcourse import models, store
from fmcourse.evidence import ledger
from fmcourse.evidence.claim import Claim, claims, get
from fmcourse.evidence.experiments import EXPERIMENTS, Outcome, shared

SEEDS = (0, 1, 2)


def run_claims(
    names: Iterable[str] = (), seeds: Sequence[int] = SEEDS, say: Any = print
) -> list[dict[str, Any]]:
    """Run claims (all if none is named), write their ledger files, return the entries.

    Args:
        names: claim ids.
        seeds: at least three for an interval that means something.
        say: called with a line of text now and then.
    """
    entries = []
    for name in names or claims():
        claim = get(name)
        outcomes = [_outcome(claim, seed, say) for seed in seeds]
        record = ledger.entry(
            claim, list(seeds), [o["arms"] for o in outcomes], [o["details"] for o in outcomes],
            sum(o["minutes"] for o in outcomes), outcomes[0]["data"])
        store.write_json(ledger.FOLDER / f"{claim.id}.json", record)
        say(f"{claim.id}: {record['verdict']}; effect {record['effect']:.3f} "
            f"({record['metric']}, bound {record['bound']:g})")
        entries.append(record)
    return entries


def _outcome(claim: Claim, seed: int, say: Any) -> dict[str, Any]:
    experiment = EXPERIMENTS[claim.experiment]
    path = store.folder("evidence") / f"{claim.experiment}-{_key(experiment)[:12]}-seed{seed}.json"
    if path.exists():
        return store.read_json(path)
    say(f"{claim.id}: seed {seed} …")
    began = time.perf_counter()
    outcome: Outcome = experiment(seed)
    record = {"arms": outcome.arms, "details": outcome.details, "data": outcome.data,
              "minutes": (time.perf_counter() - began) / 60}
    store.write_json(path, record)
    return record


def _key(experiment: Any) -> str:
    """Hash of what an outcome depends on, as far as this package decides it."""
    sources = [inspect.getsource(module) for module in (inspect.getmodule(experiment), shared)]
    return store.sha256_json([sources, store.sha256_folder(models.BASE)])
