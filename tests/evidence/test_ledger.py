"""An entry can be checked from its own values; whatever is edited is found out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from fmcourse import store
from fmcourse.errors import EvidenceError
from fmcourse.evidence import Claim, check, claims, get, ledger, read, run
from fmcourse.evidence.claim import Measure
from fmcourse.evidence.experiments import EXPERIMENTS, Outcome

SEEDS = [0, 1, 2]


def arms(claim: Claim, seed: int, strength: float = 3.0) -> dict[str, dict[str, float]]:
    """Values that show every measure `strength` times its bound, with a little spread."""
    values: dict[str, dict[str, float]] = {}

    def value(arm: str, metric: str) -> float:
        """High enough above every arm that this one is compared with and should be above."""
        own, wanted = values.setdefault(arm, {}), [1 + 0.1 * seed]
        for measure in claim.measures:
            pair = (measure.treatment, measure.control)
            high, low = pair if measure.better == "higher" else reversed(pair)
            if (measure.metric, high) == (metric, arm):
                effect, below = strength * measure.bound * (1 + 0.01 * seed), value(low, metric)
                wanted.append(below * effect if measure.effect == "ratio" else below + effect)
        return own.setdefault(metric, wanted[0] if len(wanted) == 1 else max(wanted[1:]))

    for measure in claim.measures:
        value(measure.treatment, measure.metric)
        value(measure.control, measure.metric)
    return values


def entry(name: str, strength: float = 3.0) -> dict[str, Any]:
    claim = get(name)
    record = ledger.entry(claim, SEEDS, [arms(claim, seed, strength) for seed in SEEDS],
                          [{}] * 3, 1.234, {"general": "0" * 64}, ledger.made_now())
    return json.loads(json.dumps(record))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "FOLDER", tmp_path / "ledger")
    return tmp_path / "ledger"


@pytest.mark.parametrize("name", claims())
@pytest.mark.parametrize(("strength", "verdict"), [(3.0, "shown"), (0.2, "not shown")])
def test_an_entry_goes_through_the_disk_and_holds(folder, name, strength, verdict):
    record = entry(name, strength)
    store.write_json(folder / f"{name}.json", record)
    assert read(name) == record
    assert record["verdict"] == verdict
    assert set(ledger.FIELDS) <= set(record)
    assert record["seeds"] == SEEDS
    assert record["command"] == f"fmcourse evidence {name}"
    first = record["measures"][0]
    assert record["arms"][first["treatment"]] == [
        arms(get(name), seed, strength)[first["treatment"]][first["metric"]] for seed in SEEDS]


def change(path: list[str | int], value: Any) -> Callable[[dict], None]:
    def apply(record: dict[str, Any]) -> None:
        place: Any = record
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value(place[path[-1]]) if callable(value) else value

    return apply


EDITS = {
    "a value": change(["measures", 0, "arms", "real text", 1], lambda v: v * 1.001),
    "a value of a later measure": change(["measures", 1, "arms", "real text", 1], 0.99),
    "a value at the top": change(["arms", "real text", 1], lambda v: v * 1.001),
    "the verdict": change(["verdict"], "inconclusive"),
    "a measure's verdict": change(["measures", 2, "verdict"], "not shown"),
    "the effect": change(["effect"], lambda v: v + 1e-6),
    "a measure's effect": change(["measures", 0, "effect"], lambda v: v + 1e-6),
    "the interval": change(["interval", 0], 0.0),
    "a measure's interval": change(["measures", 0, "interval", 1], 9.0),
    "a bound that was loosened": change(["measures", 0, "bound"], 0.01),
    "the bound at the top": change(["bound"], 0.01),
    "a seed left out": change(["seeds"], [0, 1]),
    "a seed too many": change(["seeds"], [0, 1, 2, 3]),
    "a measure left out": change(["measures"], lambda v: v[:-1]),
    "an arm left out": change(["measures", 0, "arms"], lambda v: {"real text": v["real text"]}),
    "the control": change(["control"], "something weaker"),
    "a value that is no number": change(["measures", 0, "arms", "real text", 0], None),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edited_entry_is_found_out(what):
    record = entry("K1")
    check(record)
    edited = copy.deepcopy(record)
    EDITS[what](edited)
    assert edited != record
    with pytest.raises(EvidenceError):
        check(edited)


def test_the_last_digit_of_another_machine_is_no_edit():
    record = entry("K1")
    record["effect"] *= 1 + 1e-14
    check(record)


@pytest.mark.parametrize("field", ledger.FIELDS)
def test_a_missing_field_is_named(field):
    record = entry("K1")
    del record[field]
    with pytest.raises(EvidenceError, match=field):
        check(record)


def test_a_claim_not_run_yet_says_how_to_run_it(folder):
    with pytest.raises(EvidenceError, match="fmcourse evidence K2"):
        read("K2")


def test_an_experiment_that_measures_something_else_is_refused():
    claim = get("K1")
    values = [arms(claim, seed) for seed in SEEDS]
    for seed in values:
        del seed["shuffled words"]
    with pytest.raises(EvidenceError, match="shuffled words"):
        ledger.entry(claim, SEEDS, values, [{}] * 3, 1, {}, {})


@pytest.fixture
def experiment(folder, tmp_path, monkeypatch):
    """K1's experiment replaced by numbers; the seeds it was asked for."""
    asked: list[int] = []

    def pretend(seed: int) -> Outcome:
        asked.append(seed)
        return Outcome(arms(get("K1"), seed), {"general": "0" * 64}, {"seed": seed})

    monkeypatch.setitem(EXPERIMENTS, get("K1").experiment, pretend)
    monkeypatch.setattr(run.models, "BASE", tmp_path / "base")
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "model.safetensors").write_text("one")
    return asked


def test_claims_are_run_over_seeds_and_written(experiment, folder):
    lines: list[str] = []
    record, = run.run_claims(["K1"], say=lines.append)
    assert experiment == [0, 1, 2]
    assert json.loads((folder / "K1.json").read_text()) == read("K1") == json.loads(
        json.dumps(record))
    assert [details["seed"] for details in record["details"]] == SEEDS
    assert lines[-1].startswith("K1: shown")


def test_an_interrupted_ledger_goes_on_and_a_new_base_starts_afresh(experiment, tmp_path):
    run.run_claims(["K1"], seeds=(0, 1), say=len)
    run.run_claims(["K1"], seeds=(0, 1, 2), say=len)
    assert experiment == [0, 1, 2]
    (tmp_path / "base" / "model.safetensors").write_text("another")
    run.run_claims(["K1"], seeds=(0,), say=len)
    assert experiment == [0, 1, 2, 0]


def test_too_few_seeds_leave_the_ledger_as_it_was(experiment, folder):
    lines: list[str] = []
    run.run_claims(["K1"], seeds=(0, 1), say=lines.append)
    assert not folder.exists()
    assert "needs 3 seeds" in lines[-2]


def test_changed_code_below_the_experiment_starts_afresh(experiment, monkeypatch):
    run.run_claims(["K1"], seeds=(0,), say=len)
    monkeypatch.setattr(run.shared, "code", lambda: "another")
    run.run_claims(["K1"], seeds=(0,), say=len)
    assert experiment == [0, 0]


def test_later_seeds_may_leave_out_arms_that_are_not_close():
    every = {"full": 1.0, "lora": 0.9, "ia3": 2.0}
    measure = Measure("m", "lora", "full", "lower", 0.01)

    def measured(*seeds):
        return ledger.measure_entry(measure, [
            {arm: {"m": value + 0.01 * seed} for arm, value in own.items()}
            for seed, own in enumerate(seeds)])["arms"]

    close = {arm: every[arm] for arm in ("full", "lora")}
    assert [len(values) for values in measured(every, every, close).values()] == [3, 3, 2]
    with pytest.raises(EvidenceError, match="'lora' was measured 1 times and 'full' 2"):
        measured(every, {"full": 1.0})
    with pytest.raises(EvidenceError, match="did not measure 'ia3', and a later one did"):
        measured(every, close, every)


def test_an_arm_that_only_a_later_seed_has_is_refused():
    measure = Measure("m", "lora", "full", "lower", 0.01)
    first = {"full": {"m": 1.0}, "lora": {"m": 0.9}}
    with pytest.raises(EvidenceError, match="did not measure 'ia3', and a later one did"):
        ledger.measure_entry(measure, [first, first | {"ia3": {"m": 1.0}}])


def test_fixed_models_are_compared_over_the_same_seeds():
    measure = Measure("m", "ours", "theirs", "higher", 0.01, over="items")
    both = {"ours": {"m": [1.0, 2.0]}, "theirs": {"m": [0.5, 1.0]}}
    with pytest.raises(EvidenceError, match="'ours' was measured 2 times and 'theirs' 1"):
        ledger.measure_entry(measure, [both, {"ours": both["ours"]}])


def test_an_entry_with_later_seeds_of_fewer_arms_holds():
    claim = get("M7")
    seeds = [arms(claim, seed) | {"another": {"m": 1.0}} for seed in SEEDS]
    record = ledger.entry(claim, SEEDS, [*seeds[:2], arms(claim, 2)], [{}] * 3, 1, {},
                          ledger.made_now())
    check(json.loads(json.dumps(record)))


def test_fixed_models_are_compared_item_by_item():
    measure = Measure("right", "a", "b", "higher", bound=0.1, over="items")
    arms = [{"a": {"right": [1.0, 0.9, 0.8]}, "b": {"right": [0.5, 0.5 + seed, 0.5]}}
            for seed in (-0.1, 0.1)]
    found = ledger.measure_entry(measure, arms)
    assert found["arms"] == {"a": [1.0, 0.9, 0.8], "b": [0.5, 0.5, 0.5]}  # mean over seeds
    assert found["effect"] == pytest.approx(0.4)
    assert found["interval"] == pytest.approx([0.4 - 4.3027 * 0.1 / 3**0.5,
                                               0.4 + 4.3027 * 0.1 / 3**0.5], abs=1e-4)


def test_a_quantity_without_chance_has_no_interval():
    measure = Measure("FLOPs", "a", "b", "higher", bound=50, effect="ratio", over="nothing")
    found = ledger.measure_entry(measure, [{"a": {"FLOPs": 600.0}, "b": {"FLOPs": 10.0}}] * 3)
    assert found["effect"] == pytest.approx(60)
    assert (found["interval"], found["verdict"]) == (None, "shown")
