"""The transfer experiment, at a size that only shows it runs."""

import pandas as pd
import pytest

from fmcourse import models
from fmcourse.evidence.experiments import shared
from fmcourse.evidence.experiments.transfer import needed, transfer
from fmcourse.train import ClassifyRecipe


def table(**scores):
    return pd.DataFrame([
        {"arm": arm, "labels": n, "flops": 5.0 * n, "accuracy": value}
        for arm, values in scores.items()
        for n, value in zip((10, 100, 1000), values, strict=True)])


def test_what_is_needed_is_compared_where_both_arms_arrive():
    curves = table(a=(0.4, 0.5, 0.6), b=(0.2, 0.3, 0.4))
    for cost in ("labels", "flops"):
        ratio = needed(curves, cost, "a", "b")
        assert (ratio.target, ratio.value, ratio.censored) == (0.4, pytest.approx(100), False)


def test_a_dip_in_either_curve_is_noise_and_no_error():
    dipped = needed(table(a=(0.4, 0.75, 0.74), b=(0.2, 0.72, 0.70)), "labels", "a", "b")
    assert not dipped.censored
    better_control = needed(table(a=(0.4, 0.75, 0.74), b=(0.5, 0.8, 0.9)), "labels", "a", "b")
    assert better_control.value < 1


@pytest.mark.data
@pytest.mark.slow
def test_a_small_run_has_every_arm(monkeypatch):
    small = models.build("tiny", models.load("base").tokenizer)
    monkeypatch.setattr(models, "load", lambda _: small)
    monkeypatch.setattr(shared, "domain_base", lambda _: small)
    recipe = ClassifyRecipe(least=16, most=16, tokens=16)
    outcome = transfer(0, sizes=(24, 48), questions=(16,), middle=48, test=48, recipe=recipe)
    assert {"base, full", "base, frozen", "domain base, full", "scratch, full", "scratch, frozen",
            "scratch, 4 times as long, full", "bag of words"} <= set(outcome.arms)
    assert "yes or no: right with 16 labels" in outcome.arms["base, full"]
    assert "digits: right with 20 labels" in outcome.arms["base, frozen"]
