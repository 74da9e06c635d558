"""Each experiment at a size that judges nothing: every arm and metric its claim names is there.

A misspelt arm would otherwise come to light after an hour of training.
"""

import json

import pytest

from fmcourse import models
from fmcourse.evidence import claims, ledger
from fmcourse.evidence.experiments import EXPERIMENTS, better_start
from fmcourse.train import ClassifyRecipe

pytestmark = [pytest.mark.data, pytest.mark.slow]

SMALL = {
    "K9": {"tokens": 2048, "shares": (0.0, 0.25)},
    "K10": {"labels": 20, "asked": 10, "tokens": 2048},
    "K11": {"records": 20},
    "M4": {"sizes": (24, 48, 512), "questions": (16,), "test": 48,
           "recipe": ClassifyRecipe(least=16, most=16, tokens=16)},
    "M5": {"old_tokens": 2048, "new_tokens": 2048},
}


@pytest.fixture(autouse=True)
def small_base(monkeypatch):
    """In place of the base, a network of a hundredth of its size with the same tokenizer."""
    small = models.build("tiny", models.load("base").tokenizer)
    monkeypatch.setattr(models, "load", lambda name: small)
    monkeypatch.setenv("FMCOURSE_PROGRESS", "0")


@pytest.mark.parametrize("claim", SMALL)
def test_every_measure_of_the_claim_is_made(claim, monkeypatch):
    monkeypatch.setitem(better_start.__globals__, "followed_by_published", lambda: [1.0, 0.0])
    outcome = EXPERIMENTS[claims()[claim].experiment](0, **SMALL[claim])
    for measure in claims()[claim].measures:
        entry = ledger.measure_entry(measure, [outcome.arms])
        assert entry["verdict"] in ("shown", "not shown")
    assert json.loads(json.dumps(vars(outcome), allow_nan=False))["arms"] == outcome.arms
    assert all(len(digest) == 64 for digest in outcome.data.values())
