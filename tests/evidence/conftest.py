"""One thread, float32, an empty home."""

import pytest
from tiny import quiet_machine  # noqa: F401

from fmcourse.evidence import get, ledger
from fmcourse.evidence.claim import overall


@pytest.fixture
def verdicts_by(monkeypatch):
    """Verdicts of a claim's measures, of files that are given, by checks that say what is given."""
    def of(experiment, claim, files):
        def judged(says=None) -> list[str]:
            here = experiment.__globals__
            monkeypatch.setitem(here, "exported", lambda *_: files)
            if says:
                monkeypatch.setitem(here, "said", says)
            arms = experiment(0).arms
            return [ledger.measure_entry(measure, [arms])["verdict"]
                    for measure in get(claim).measures]

        return judged

    return of


@pytest.fixture
def verdict():
    """A claim's verdict over three seeds of an experiment that takes a seed alone."""
    def of(experiment, claim: str) -> str:
        arms = [experiment(seed).arms for seed in range(3)]
        found = [ledger.measure_entry(measure, arms) for measure in get(claim).measures]
        return overall([one["verdict"] for one in found])

    return of
