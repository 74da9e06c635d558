"""Settings that cannot work are refused with the setting's name and what to write instead."""

from __future__ import annotations

import json

import pytest

from fmcourse.errors import CourseError
from fmcourse.train import PretrainRecipe


@pytest.mark.parametrize(("settings", "field"), [
    ({"tokens": 0}, "tokens"),
    ({"tokens": 10, "optimizer": "sgd"}, "optimizer"),
    ({"tokens": 10, "context": 100}, "batch_tokens"),
    ({"tokens": 10, "micro_batch_tokens": 1000}, "batch_tokens"),
    ({"tokens": 10, "batch_tokens": 8192, "micro_batch_tokens": 3072}, "micro_batch_tokens"),
])
def test_what_cannot_work_is_refused(settings, field):
    with pytest.raises(CourseError) as caught:
        PretrainRecipe(**settings)
    assert caught.value.where == f"PretrainRecipe.{field}"
    assert caught.value.fix


@pytest.mark.parametrize(("tokens", "steps"), [(1, 1), (8192, 1), (8193, 2), (81920, 10)])
def test_the_budget_is_rounded_up_to_whole_steps(tokens, steps):
    assert PretrainRecipe(tokens=tokens).steps == steps


def test_a_micro_batch_may_be_larger_than_the_batch():
    assert PretrainRecipe(tokens=10, batch_tokens=512, micro_batch_tokens=16_384).steps == 1


def test_it_goes_through_json_unchanged():
    recipe = PretrainRecipe(tokens=10, learning_rate=1e-4)
    assert PretrainRecipe(**json.loads(json.dumps(recipe.as_dict()))) == recipe
