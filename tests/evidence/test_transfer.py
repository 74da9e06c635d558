"""The transfer experiment, at a size that only shows it runs."""

import pandas as pd
import pytest

from fmcourse import models
from fmcourse.evidence.experiments import shared
from fmcourse.evidence.experiments.transfer import bag_of_words, efficiency, transfer
from fmcourse.train import ClassifyRecipe


def test_the_ratio_is_taken_where_both_arms_arrive():
    table = pd.DataFrame([
        {"arm": arm, "labels": n, "accuracy": score}
        for arm, scores in (("a", (0.4, 0.6)), ("b", (0.2, 0.4))) for n, score
        in zip((10, 1000), scores, strict=True)])
    ratio = efficiency(table, "a", "b")
    assert (ratio.target, ratio.value, ratio.censored) == (0.4, pytest.approx(100), False)


def test_a_bag_of_words_counts_words():
    words = bag_of_words(["red fox", "red hen", "blue whale", "blue fish"], [0, 0, 1, 1])
    assert words.score(["a red one", "a blue one"], [0, 1]) == 1


@pytest.mark.data
@pytest.mark.slow
def test_a_small_run_has_every_arm(monkeypatch):
    monkeypatch.setattr(shared, "domain_base", lambda seed: models.load("base"))
    recipe = ClassifyRecipe(least=16, most=16, tokens=16)
    outcome = transfer(0, sizes=(24, 48), questions=(16,), test=48, recipe=recipe)
    assert {"base, full", "base, frozen", "domain base, full", "scratch, full", "scratch, frozen",
            "bag of words"} <= set(outcome.arms)
    assert "yes or no: right with 16 labels" in outcome.arms["base, full"]
    assert "digits: right with 20 labels" in outcome.arms["base, frozen"]
