"""Each experiment at a size that judges nothing: every arm and metric its claim names is there.

A misspelt arm would otherwise come to light after an hour of training.
"""

import json

import pytest

from fmcourse import data, models
from fmcourse.evidence import claims, ledger
from fmcourse.evidence.experiments import EXPERIMENTS, better_start, distilled, methods
from fmcourse.train import ClassifyRecipe

pytestmark = [pytest.mark.data, pytest.mark.slow]

SMALL = {
    "D1": {"tokens": 2048, "size": "tiny", "characters": 120_000, "held": 1_000},
    "D2": {"tokens": 2048, "characters": 60_000, "copied": 2, "copies": 2, "held": 1_000},
    "D3": {"names": ("web-bible",)},
    "D4": {"items": 240, "test": 48, "wrong": (5,)},
    "D5": {"records": 4, "characters": 60_000},
    "D6": {"labels": 360, "test": 48},
    "G2": {},
    "G6": {"names": ("nova-micro",)},
    "H6": {},
    "G3": {"tokens": 2048, "size": "tiny", "characters": 30_000, "each": 1, "repeats": (1, 2),
           "candidates": 3, "taught": 300, "graded": 30, "held": 1_000},
    "G1": {"texts": 4, "whole": 1},
    "G4": {"logs": 1, "lines": 6},
    "G5": {"graphs": 1, "sets": 2, "texts": 8},
    "H1": {"tokens": 600, "asked": 8},
    "H2": {"tokens": 600, "pairs": 70, "held": 60, "sizes": (256,)},
    "H3": {"tokens": 600, "pairs": 24, "steps": 1, "practice": 70, "asked": 8, "looked": 2},
    "H4": {"tokens": 600, "pairs": 40, "asked": 16, "samples": 3},
    "H5": {"tokens": 600, "pairs": 24, "steps": 1, "practice": 70, "asked": 8, "looked": 2,
           "commands": 0.01},
    "K3": {"tokens": 600, "each": 1},
    "K6": {"tokens": 600, "asked": 2},
    "K7": {"tokens": 600, "before": 600, "asked": 2},
    "K9": {"tokens": 2048, "shares": (0.0, 0.25)},
    "K10": {"labels": 20, "asked": 10, "tokens": 2048},
    "K11": {"records": 20},
    "K12": {"taught": 12_000, "tokens": 600, "labels": 3, "prompts": 9, "asked": 3, "written": 2048,
            "passages": 12, "fewer": (4,), "tested": 2, "strange": 4},
    "L1": {"items": 240, "test": 48, "wrong": (5,)},
    "L2": {"items": 72, "test": 48},
    "L3": {"labels": 240, "test": 48},
    "L4": {"items": 264, "test": 48, "start": 30, "batch": 20, "budget": 60, "fade": 0.8,
           "repeats": 1, "pilot": 24, "labels": 180},
    "M1": {"tokens": 600, "rungs": (1, 16), "each": 1},
    "M2": {"tokens": 600, "rows": 28},
    "M3": {"tokens": 1100, "reading": 1100, "asked": 2, "instructions": 13},
    "M4": {"sizes": (24, 48, 512), "questions": (16,), "test": 48,
           "recipe": ClassifyRecipe(least=16, most=16, tokens=16)},
    "M5": {"old_tokens": 2048, "new_tokens": 2048},
    "M6": {"tokens": 600, "held": 4, "ranks": (1, 4)},
    "R1": {"n": 48, "few": 8, "test": 40},
    "R2": {"n": 48, "pool": 360, "test": 48, "kinds": 8},
    "R3": {"n": 48, "few": 2, "asked": 4, "tokens": 16},
    "R4": {"train_size": 120, "test": 40, "draws": 5},
    "R5": {"count": 12, "each": 6, "test": 3, "years": (2022, 2026)},
    "M7": {"cases": (("base", "lora", {"sequence": 128, "batch": 8}),), "table": ("1b",)},
    "S1": {"styles": (4, 6, 8, 10), "steps": 1, "asked": 2},
    "S2": {"sizes": (4, 16), "tokens": 600, "once": 4, "held": 4, "looks": 2},
    "S3": {"styles": (4, 6, 8, 10), "commands": (4, 6, 8, 10), "labels": (24, 26, 28, 30),
           "steps": 1, "small_tokens": 2048, "asked": 2, "test": 24},
}


@pytest.fixture(autouse=True)
def small_base(monkeypatch):
    """In place of every model, a network of a hundredth of the base's size with its tokenizer."""
    base = models.load("base")
    small = models.build("tiny", base.tokenizer, context=2048)
    small.card = base.card
    instead, load = {"base": small, "smollm2": models.with_chat(small)}, models.load
    monkeypatch.setattr(models, "load", lambda name: instead.get(name) or load(name))
    monkeypatch.setenv("FMCOURSE_PROGRESS", "0")
    monkeypatch.setitem(methods.__globals__, "in_child", here)


def here(work, *given, **_):
    """In place of `in_child`: in this process, where the base is small. Its memory is everybody's,
    so that a peak above what it held before says nothing; it may even be less than nothing."""
    found = work(*given)
    return max(found, 1.0) if isinstance(found, float) else found


def heard(teacher, asked):
    """The right years, for the model that stands for SmolLM2 here names none."""
    return data.with_card(asked.add_column("label", asked["answer"][:]), data.card(asked))


@pytest.mark.parametrize("claim", SMALL)
def test_every_measure_of_the_claim_is_made(claim, monkeypatch):
    monkeypatch.setitem(distilled.__globals__, "years_said", heard)
    monkeypatch.setitem(better_start.__globals__, "followed_by_published", lambda: [1.0, 0.0])
    outcome = EXPERIMENTS[claims()[claim].experiment](0, **SMALL[claim])
    for measure in claims()[claim].measures:
        control = outcome.arms[measure.control][measure.metric]
        if measure.effect == "ratio" and control == 0:  # untrained: nothing to divide by
            assert outcome.arms[measure.treatment][measure.metric] >= 0
            continue
        entry = ledger.measure_entry(measure, [outcome.arms])
        assert entry["verdict"] in ("shown", "not shown")
    assert json.loads(json.dumps(vars(outcome), allow_nan=False))["arms"] == outcome.arms
    assert all(len(digest) == 64 for digest in outcome.data.values())
