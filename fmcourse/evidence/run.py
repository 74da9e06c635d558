"""Run a claim's experiment over seeds and write its ledger entry.

Each seed's result is kept as soon as it is there, under a name that depends on everything it was
made with (the code of experiment, data, models, training and measures, the base model, versions,
device), so that an interrupted ledger run goes on and a changed one starts afresh.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from fmcourse import hardware, models, store
from fmcourse.evidence import ledger
from fmcourse.evidence.claim import Claim, claims, get
from fmcourse.evidence.experiments import EXPERIMENTS, Outcome, shared

ROOMS = {"aws": ("boto3", "botocore", "moto")}  # that few experiments use; what they are built on
FEWEST = 3  # seeds of a ledger entry


def run_claims(
    names: Iterable[str] = (), seeds: Sequence[int] | None = None, say: Any = print
) -> list[dict[str, Any]]:
    """Run claims (all if none is named), write their ledger files, return the entries.

    Args:
        names: claim ids.
        seeds: by default as many as the claim wants; with fewer than three the result is only
            said, and the ledger stays as it was.
        say: called with a line of text now and then.
    """
    entries = []
    for name in names or claims():
        claim = get(name)
        tried = list(range(claim.seeds) if seeds is None else seeds)
        outcomes = [_outcome(claim, seed, say) for seed in tried]
        record = ledger.entry(
            claim, tried, [o["arms"] for o in outcomes], [o["details"] for o in outcomes],
            sum(o["minutes"] for o in outcomes), outcomes[0]["data"], outcomes[0]["made"])
        if len(tried) >= FEWEST:
            store.write_json(ledger.FOLDER / f"{claim.id}.json", record)
        else:
            say(f"{claim.id}: not written; an entry needs {FEWEST} seeds.")
        say(f"{claim.id}: {record['verdict']}; effect {record['effect']:.3f} "
            f"({record['metric']}, bound {record['bound']:g})")
        entries.append(record)
    return entries


def _outcome(claim: Claim, seed: int, say: Any) -> dict[str, Any]:
    experiment = EXPERIMENTS[claim.experiment]
    key = _key(experiment)[:12]
    path = store.folder("evidence") / f"{claim.experiment}-{key}-seed{seed}.json"
    if path.exists():
        return store.read_json(path)
    say(f"{claim.id}: seed {seed} …")
    began = time.perf_counter()
    outcome: Outcome = experiment(seed)
    made = ledger.made_now()
    made["versions"] |= _rests_on(inspect.getmodule(experiment))
    record = {"arms": outcome.arms, "details": outcome.details, "data": outcome.data,
              "minutes": (time.perf_counter() - began) / 60, "made": made}
    store.write_json(path, record)
    return record


def _key(experiment: Any) -> str:
    """Hash of what an outcome depends on: this experiment, the library below it, the machine."""
    module = inspect.getmodule(experiment)
    return store.sha256_json([_sources(module), *_rooms(module), shared.code(),
                              store.sha256_folder(models.BASE), ledger.versions(),
                              hardware.detect().device, hardware.detect().dtype])


def _rooms(module: ModuleType) -> list[list[Any]]:
    """Versions and hashes of rooms that few experiments use, if this one does: a change in them
    costs no other experiment its outcome."""
    return [[_rests_on(module), *(store.sha256_file(path) for kind in ("*.py", "*.toml")
             for path in sorted(Path(vars(module)[name].__file__).parent.rglob(kind)))]
            for name in ROOMS if name in vars(module)]


def _rests_on(module: ModuleType) -> dict[str, str]:
    """Versions of the packages that only such rooms are built on."""
    return {package: metadata.version(package) for name, packages in ROOMS.items()
            if name in vars(module) for package in packages}


def _sources(module: ModuleType) -> dict[str, str]:
    """The source of an experiment's module and of those beside it that it takes something from."""
    found, open_ = {}, [module]
    while open_:
        module = open_.pop()
        if module.__name__ in found:
            continue
        found[module.__name__] = inspect.getsource(module)
        origins = {value.__name__ if isinstance(value, ModuleType)
                   else getattr(value, "__module__", None) for value in vars(module).values()}
        open_ += [sys.modules[name] for name in origins
                  if name and name.startswith(f"{module.__package__}.")]
    return found
