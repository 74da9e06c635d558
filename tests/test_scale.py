"""The dial: three settings, each usable, in order of size."""

from __future__ import annotations

from dataclasses import fields

import pytest

from fmcourse import models, scale, train
from fmcourse.errors import CourseError


@pytest.mark.parametrize("name", scale.SCALES)
def test_the_environment_chooses(monkeypatch, name):
    monkeypatch.setenv("FMCOURSE_SCALE", name)
    assert scale.current() is scale.SCALES[name]
    assert scale.current().name == name


@pytest.mark.parametrize(("cuda", "name"), [(True, "gpu"), (False, "cpu")])
def test_the_machine_chooses_otherwise(monkeypatch, cuda, name):
    monkeypatch.delenv("FMCOURSE_SCALE", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    assert scale.current().name == name


@pytest.mark.parametrize("name", ["", "CPU", "huge"])
def test_an_unknown_scale_lists_the_known(monkeypatch, name):
    monkeypatch.setenv("FMCOURSE_SCALE", name)
    with pytest.raises(CourseError, match="smoke, cpu, gpu"):
        scale.current()


def test_only_smoke_judges_nothing():
    assert {name for name, s in scale.SCALES.items() if not s.enforce} == {"smoke"}


@pytest.mark.parametrize("name", scale.SCALES)
def test_a_scale_is_a_recipe_that_can_be_run(monkeypatch, name):
    monkeypatch.setenv("FMCOURSE_SCALE", name)
    now = scale.current()
    recipe = train.PretrainRecipe.at_scale()
    assert recipe.tokens == now.live_tokens
    assert recipe.steps >= 10
    assert train.PretrainRecipe.at_scale(tokens=5, seed=3).seed == 3
    assert {now.live_size, *now.ladder} <= set(models.SIZES)


def test_a_small_budget_on_a_gpu_still_has_steps_to_learn_by(monkeypatch):
    monkeypatch.setenv("FMCOURSE_SCALE", "gpu")
    assert train.PretrainRecipe.at_scale().batch_tokens == 65_536
    assert train.PretrainRecipe.at_scale(tokens=120_000).batch_tokens == 2048


def test_a_larger_scale_spends_more():
    smoke, cpu, gpu = scale.SCALES.values()
    budgets = [field.name for field in fields(scale.Scale) if field.type == "int"]
    for budget in budgets:
        values = [getattr(one, budget) for one in (smoke, cpu, gpu)]
        assert values == sorted(values), budget
        assert values[0] < values[2], budget
    assert {"live_tokens", "context"} <= set(budgets)
    assert len(cpu.ladder) >= 4  # a power law needs four points
