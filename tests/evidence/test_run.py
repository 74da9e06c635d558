"""Outcomes are kept under a name that changes with all they depend on, and with nothing else."""

import inspect
from pathlib import Path

from fmcourse import store
from fmcourse.evidence.experiments import (
    base_model,
    instructed,
    least_privilege,
    scaling,
    specialised,
)
from fmcourse.evidence.run import _key, _sources


def test_an_outcome_depends_on_the_experiments_it_takes_from():
    names = set(_sources(inspect.getmodule(base_model)))
    assert {base_model.__module__, instructed.__name__} <= names
    assert scaling.__module__ not in names
    assert instructed.__name__ in _sources(specialised)


def test_a_change_beside_an_experiment_changes_its_key(monkeypatch):
    before, other, source = _key(base_model), _key(scaling), inspect.getsource

    def edited(thing):
        return source(thing) + ("# edited" if thing is instructed else "")

    monkeypatch.setattr(inspect, "getsource", edited)
    assert _key(base_model) != before
    assert _key(scaling) == other


def test_a_room_that_few_use_changes_only_their_keys(monkeypatch):
    before, other = _key(least_privilege), _key(scaling)
    hashed = store.sha256_file
    monkeypatch.setattr(store, "sha256_file",
                        lambda path: hashed(path) + "edited" * (Path(path).name == "decide.py"))
    assert _key(least_privilege) != before
    assert _key(scaling) == other


def test_an_experiment_that_takes_a_whole_module_depends_on_it(monkeypatch):
    taker = inspect.getmodule(scaling)
    assert instructed.__name__ not in _sources(taker)
    monkeypatch.setattr(taker, "instructed", instructed, raising=False)
    assert instructed.__name__ in _sources(taker)
