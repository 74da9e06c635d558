"""The labelling experiments on made-up texts: the effects, and that each goes with its cause."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fmcourse.data import annotation
from fmcourse.evidence.experiments import (
    label_guidelines,
    label_noise,
    label_rounds,
    several_annotators,
)
from fmcourse.evidence.experiments import labelling as shared

SERVICES = sorted(annotation.areas(0).rules)
MODULES = [experiment.__globals__ for experiment in (
    label_guidelines, label_noise, label_rounds, several_annotators)]
NOISE, GUIDE, ROUNDS, SEVERAL = (MODULES[i] for i in (1, 0, 2, 3))
SCORE = shared.right(shared.WORDS)


def made(seed, items, test):
    """Texts of a service's own words among others, and features that point to the service."""
    draw = np.random.default_rng([seed, 7])

    def part(count):
        kinds = [SERVICES[i % 24] for i in range(count)]
        texts = [f"{kind}word{draw.integers(3)} {kind}thing{draw.integers(3)} filler{i % 7}"
                 for i, kind in enumerate(kinds)]
        found = torch.eye(24)[[SERVICES.index(kind) for kind in kinds]]
        found += torch.from_numpy(draw.normal(0, 0.5, (count, 24)))
        return kinds, {shared.WORDS: texts, shared.HEAD: found}

    (kinds, shown), (test_kinds, test_shown) = part(items), part(test)
    return shared.Task(kinds, test_kinds, shown, test_shown, {"made": "0" * 64})


@pytest.fixture(autouse=True)
def made_up_task(monkeypatch):
    for module in MODULES:
        monkeypatch.setitem(module, "task", made)


def test_a_wrong_rule_is_learnt_and_noise_is_not():
    arms = label_noise(0, items=960, test=240, wrong=(1, 5)).arms
    rule = NOISE["follows"](shared.WORDS)
    assert arms[NOISE["SYSTEMATIC"]][rule] > 0.9 > 0.3 > arms[NOISE["RANDOM"]][rule]
    assert arms[NOISE["SYSTEMATIC"]][SCORE] < 0.85 < arms[NOISE["RANDOM"]][SCORE]
    assert arms[NOISE["CLEAN"]][SCORE] > 0.95


def test_a_clear_guideline_raises_agreement_unless_it_was_clear_before():
    arms = label_guidelines(0, items=240, test=120).arms
    vague, clear = (arms[GUIDE[name]] for name in ("VAGUE", "CLEAR"))
    alpha = "Krippendorff's alpha"
    assert clear[alpha] > vague[alpha] + 0.1
    assert clear[shared.LABELS] > vague[shared.LABELS] + 0.05
    same = label_guidelines(0, items=240, test=120, undecided=0).arms
    assert same[GUIDE["VAGUE"]] == same[GUIDE["CLEAR"]]


def test_every_arm_costs_the_same_and_three_are_right_more_often():
    outcome = several_annotators(0, labels=960, test=120)
    arms, costs = outcome.arms, outcome.details["cost"]
    assert max(costs.values()) <= 960
    assert min(costs.values()) > 0.97 * 960
    single, majority, model, reviewed, expert = (arms[SEVERAL[name]][shared.LABELS] for name in (
        "SINGLE", "MAJORITY", "MODEL", "REVIEWED", "EXPERT"))
    assert expert == 1 > reviewed > majority > single + 0.05
    assert model > majority


def test_with_one_and_the_same_annotator_a_model_knows_no_better(monkeypatch):
    """The mechanism broken: Dawid and Skene live by annotators that differ."""
    alike = tuple(annotation.Annotator(f"same {i}", 0.8) for i in range(9))
    monkeypatch.setattr(annotation, "crew", lambda: alike)
    arms = several_annotators(0, labels=960, test=120).arms
    gain = arms[SEVERAL["MODEL"]][shared.LABELS] - arms[SEVERAL["MAJORITY"]][shared.LABELS]
    assert gain < 0.03


def test_a_pilot_finds_the_open_questions_within_the_same_budget():
    outcome = label_rounds(0, items=1200, test=120, start=40, batch=40, budget=120, labels=1200,
                           repeats=1)
    found = outcome.details
    assert len(found["left open"]) <= 3
    assert set(found["left open"]) <= set(found["open"])
    arms = outcome.arms
    refined, at_once = (arms[ROUNDS[name]] for name in ("REFINED", "AT_ONCE"))
    assert refined[shared.LABELS] > at_once[shared.LABELS] + 0.03
    read, vague = made(0, 1200, 120), annotation.areas(8)
    table, details = ROUNDS["refined"](read, vague, 1200, 0, 120, 0.4)
    assert len(table) + 3 * details["labelled anew"] == 1200
    assert not table.duplicated(["item", "annotator"]).any()
    assert len(ROUNDS["all_at_once"](read, vague, 1200, 0)) == 1200


def test_where_no_answer_is_asked_for_the_pilot_mends_nothing():
    read, vague = made(0, 600, 24), annotation.areas(8)
    _, details = ROUNDS["refined"](read, vague, 600, 0, 60, 1.0)
    assert details["left open"] == list(vague.open)
    assert details["labelled anew"] == 0


def test_the_pool_fades():
    kinds = [SERVICES[i % 24] for i in range(2400)]
    pool = ROUNDS["faded"](kinds, 0.9, 0)
    counts = sorted((sum(kinds[i] == name for i in pool) for name in SERVICES), reverse=True)
    assert counts[0] == 100
    assert counts[-1] == round(100 * 0.9 ** 23)
    assert ROUNDS["faded"](kinds, 1, 0) == list(range(2400))


def test_difficulty_is_small_for_most_and_follows_doubt():
    read = made(0, 480, 24)
    truth = annotation.areas(0).meant(read.kinds)
    hard = read.difficulty(truth, 0)
    assert hard.mean() == pytest.approx(0.2, abs=0.01)
    assert 0 < hard.min() < hard.max() < 1
