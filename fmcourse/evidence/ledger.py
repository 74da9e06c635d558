"""The ledger: one small JSON file a claim, written by a program and never by hand.

Each file holds the value of every arm at every seed (or item), the effect with its interval, the
bound it was held against, and what it ran on, so that a reader can check the sums and repeat it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import fmean
from typing import Any

from fmcourse import store
from fmcourse.errors import EvidenceError
from fmcourse.evidence.claim import Claim, Measure, get, overall

FOLDER = Path(__file__).with_name("ledger")
FIELDS = ("claim", "statement", "arms", "control", "metric", "effect", "interval", "seeds", "bound",
          "verdict", "minutes", "command", "versions", "data", "hardware", "date")
PACKAGES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "datasets", "tokenizers",
            "numpy", "scikit-learn", "bm25s", "rensa", "fmcourse")
Arms = dict[str, dict[str, Any]]  # arm → metric → value (or one an item), for one seed


def versions() -> dict[str, str]:
    """Versions of the packages a result depends on."""
    return {name: metadata.version(name) for name in PACKAGES}


def measure_entry(measure: Measure, arms: list[Arms]) -> dict[str, Any]:
    """One measure over seeds as plain values.

    Later seeds, which are there to tell close arms apart, may leave out others.

    Raises:
        EvidenceError: an arm or metric named by the claim was not measured, or not at the same
            seeds as the arm it is compared with.
    """
    found = {arm: _measured(arms, arm, measure.metric)
             for arm in dict.fromkeys(name for seed in arms for name in seed)}
    found = {arm: own for arm, own in found.items() if own}
    try:
        treatment, control = found[measure.treatment], found[measure.control]
    except KeyError as error:
        raise EvidenceError(f"The experiment did not measure {error}.", where=measure.metric,
                            fix="Make claims.toml and the experiment agree.") from error
    if len(treatment) != len(control):
        raise EvidenceError(f"{measure.treatment!r} was measured {len(treatment)} times and "
                            f"{measure.control!r} {len(control)} times.", where=measure.metric,
                            fix="Let every seed that measures one of them measure both.")
    values = {arm: _values(own) for arm, own in found.items()}
    judgement = measure.judge(values[measure.treatment], values[measure.control])
    return {"metric": measure.metric, "treatment": measure.treatment, "control": measure.control,
            "better": measure.better, "over": measure.over, "arms": values,
            "effect": judgement.effect,
            "effect_is": measure.effect,
            "interval": _ends(judgement.interval),
            "bound": measure.bound, "verdict": judgement.verdict}


def _measured(arms: list[Arms], arm: str, metric: str) -> list[Any]:
    """What the seeds, from the first to the last that has this arm, measured."""
    there = [metric in seed.get(arm, {}) for seed in arms]
    if there != sorted(there, reverse=True):
        raise EvidenceError(f"A seed did not measure {arm!r}, and a later one did.",
                            where=metric, fix="Put the seeds with every arm first.")
    return [seed[arm][metric] for seed in arms[:sum(there)]]


def _ends(interval: tuple[float, float] | None) -> list[float | None] | None:
    """An interval as JSON has it: no number where it has no end."""
    if interval is None:
        return None
    return [end if math.isfinite(end) else None for end in interval]


def _values(seeds: list[Any]) -> list[float]:
    """One value a seed; or one an item, the mean over seeds, where a seed gives a list of them."""
    if isinstance(seeds[0], list):
        return [fmean(item) for item in zip(*seeds, strict=True)]
    return seeds


def entry(
    claim: Claim, seeds: list[int], arms: list[Arms], details: list[dict[str, Any]],
    minutes: float, data: dict[str, str], made: dict[str, Any],
) -> dict[str, Any]:
    """The whole ledger entry of a claim; the first measure is also spelt out at the top.

    Args:
        claim: what is claimed.
        seeds, arms, details: a value for each seed.
        minutes: of work; a training run shared with another claim counts for the first of them.
        data: hashes of what was read.
        made: `versions`, `hardware` and `date` of the run itself.
    """
    measures = [measure_entry(measure, arms) for measure in claim.measures]
    return {
        "claim": claim.id, "statement": claim.statement, **_heading(measures), "seeds": seeds,
        "measures": measures, "details": details, "minutes": round(minutes, 2),
        "command": f"fmcourse evidence {claim.id}", "data": data, **made}


def made_now() -> dict[str, Any]:
    """What a result made now was made with: versions, hardware, date."""
    from fmcourse import hardware  # loads PyTorch, which reading claims does not need

    return {"versions": versions(), "hardware": hardware.detect().as_record(),
            "date": datetime.now(UTC).date().isoformat()}


def _heading(measures: list[dict[str, Any]]) -> dict[str, Any]:
    """The main measure, and the verdict of all together."""
    names = ("metric", "treatment", "control", "over", "arms", "effect", "effect_is", "interval",
             "bound")
    return {**{name: measures[0][name] for name in names},
            "verdict": overall([m["verdict"] for m in measures])}


def read(claim: str) -> dict[str, Any]:
    """The ledger entry of a claim.

    Raises:
        EvidenceError: it has not been run yet, or the file lacks a field.
    """
    path = FOLDER / f"{get(claim).id}.json"
    if not path.exists():
        raise EvidenceError(f"Claim {claim} has no ledger entry yet.", where=path.name,
                            fix=f"Run: fmcourse evidence {claim}")
    record = store.read_json(path)
    check(record)
    return record


def lines(claim: str) -> list[dict[str, Any]]:
    """A claim's entry as rows of a table, one a measure; one that says so where there is none."""
    if not (FOLDER / f"{claim}.json").exists():
        return [{"claim": claim, "verdict": "not run yet"}]
    record = read(claim)
    return [{"claim": claim, "verdict": measured["verdict"], "metric": measured["metric"],
             "arm": measured["treatment"], "control": measured["control"],
             "effect": f"{measured['effect']:.3g}"
             + ("×" if measured["effect_is"] == "ratio" else ""),
             "over": over(record, measured),
             "95 % interval": " to ".join(ends(measured)),
             "bound": f"{measured['bound']:g}"} for measured in record["measures"]]


def over(record: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """What the interval of a measure speaks of: '3 seeds', '15 phenomena'."""
    if measured["over"] == "nothing":
        return "no chance in it"
    count = len(record["seeds"] if measured["over"] == "seeds"
                else measured["arms"][measured["control"]])
    return f"{count} {measured['over']}"


def ends(measured: Mapping[str, Any]) -> list[str]:
    """The ends of a measure's interval, for people; none where there is no interval."""
    return ["no limit" if end is None else f"{end:.3g}" for end in measured["interval"] or []]


def check(record: dict[str, Any]) -> None:
    """Recompute an entry from its own values and today's bounds; an edited file is found out.

    Raises:
        EvidenceError: a field is missing, or effects and verdicts do not follow from the arms.
    """
    missing = [name for name in FIELDS if name not in record]
    if missing:
        raise EvidenceError(f"The entry lacks {', '.join(missing)}.", where=record.get("claim"))
    claim = get(record["claim"])
    try:
        again = []
        for stored, measure in zip(record["measures"], claim.measures, strict=True):
            count = max(map(len, stored["arms"].values()))
            arms = [{arm: {measure.metric: values[i]} for arm, values in stored["arms"].items()
                     if i < len(values)} for i in range(count)]
            again.append(measure_entry(measure, arms))
        heading = _heading(again)
        fits = _covers(record) and _same(again, record["measures"]) and _same(
            heading, {name: record.get(name) for name in heading})
    except (KeyError, IndexError, TypeError, ValueError):
        fits = False
    if not fits:
        raise EvidenceError("The entry does not follow from its own values and the claim's bounds.",
                            where=claim.id, fix=f"Run it again: fmcourse evidence {claim.id}")


def _covers(record: dict[str, Any]) -> bool:
    """Whether the seeds are as many as the values of the arms that were measured most often."""
    counts = [len(values) for stored in record["measures"] for values in stored["arms"].values()
              if stored["over"] in ("seeds", "nothing")]
    return max(counts, default=len(record["seeds"])) == len(record["seeds"])


def _same(first: Any, second: Any) -> bool:
    """Equality of plain values, with room for the last digits of another machine's sums."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, float) and isinstance(second, (int, float)):
        return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-12)
    return first == second
