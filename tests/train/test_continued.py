"""Continued pre-training: the new is learnt, the old watched, and too much forgetting ends it."""

from dataclasses import replace

import pandas as pd
import pytest
import tiny
from kills import killed_at

from fmcourse import data
from fmcourse.errors import CourseError, DataError, ModelError, StoreError
from fmcourse.train import ContinuedRecipe, PretrainRecipe, Run, continued, pretrain
from fmcourse.train.continued import BACK_TO, DOMAIN, GENERAL, summary

RECIPE = ContinuedRecipe(tokens=6_400, context=tiny.CONTEXT, batch_tokens=128,
                         micro_batch_tokens=128, learning_rate=5e-3, replay_fraction=0.0,
                         eval_characters=1_000, looks=5)


def parts(name: str):
    """A source of the tiny world, or the same words in disorder, as train and validation."""
    whole = tiny.dataset()
    texts = data.only(whole, name) if name in ("north", "south") else data.shuffle_words(whole)
    kinds = {"train": range(10, len(texts)), "validation": range(10)}
    return {part: data.with_card(texts.select(rows), data.card(texts))
            for part, rows in kinds.items()}


@pytest.fixture
def taught():
    """A model that has read the orderly world."""
    recipe = PretrainRecipe(tokens=12_800, context=tiny.CONTEXT, batch_tokens=128,
                            micro_batch_tokens=128, learning_rate=5e-3)
    return pretrain(tiny.model(), tiny.token_file(), recipe).model


def test_the_domain_is_learnt_and_forgetting_reported(taught):
    run = continued(taught, parts("disorder"), RECIPE, general=parts("north"))
    assert run.metrics["domain_gain"] > 0.1
    assert run.metrics["forgetting"] > 0.1
    first, last = run.observations.iloc[0], run.observations.iloc[-1]
    assert run.metrics["forgetting"] == pytest.approx(last[GENERAL] - first[GENERAL])
    assert list(run.observations["share"]) == [0, 0.25, 0.5, 0.75, 1]
    assert "stopped_at" not in run.metrics


def test_replay_forgets_less(taught):
    alone, replayed = (
        continued(taught, parts("disorder"), replace(RECIPE, replay_fraction=share),
                  general=parts("north")).metrics for share in (0.0, 0.5))
    assert replayed["forgetting"] < 0.5 * alone["forgetting"]
    assert replayed["domain_gain"] > 0


def test_too_much_forgetting_stops_and_goes_back(taught):
    free = continued(taught, parts("disorder"), RECIPE, general=parts("north"))
    rises = free.observations[GENERAL] - free.observations[GENERAL].iloc[0]
    bound = float(rises.iloc[1:].max()) * 0.6
    run = continued(taught, parts("disorder"), replace(RECIPE, general_rise=bound),
                    general=parts("north"))
    assert run.metrics["stopped_at"] < 1
    assert run.metrics["forgetting"] <= bound
    assert run.cost.tokens == run.metrics["stopped_at"] * RECIPE.steps * RECIPE.batch_tokens
    again = continued(taught, parts("disorder"), replace(RECIPE, general_rise=bound),
                      general=parts("north"))
    assert again.model.sha256() == run.model.sha256()


def test_a_bound_passed_at_once_gives_the_model_back_unchanged(taught):
    run = continued(taught, parts("disorder"), replace(RECIPE, general_rise=0.0,
                                                       learning_rate=0.05),
                    general=parts("north"))
    assert run.metrics[BACK_TO] == 0
    assert run.metrics["forgetting"] == 0
    assert run.model.sha256() == taught.sha256()


def test_a_bound_never_reached_changes_nothing(taught):
    free = continued(taught, parts("disorder"), RECIPE, general=parts("north"))
    bound = continued(taught, parts("disorder"), replace(RECIPE, general_rise=99.0),
                      general=parts("north"))
    assert bound.model.sha256() == free.model.sha256()


def test_a_stop_survives_a_kill(taught, tmp_path):
    """Killed after a look within the bound; the next process knows neither it nor the first."""
    gentle = replace(RECIPE, learning_rate=5e-4, checkpoint_minutes=0.0)
    free = continued(taught, parts("disorder"), gentle, general=parts("north")).observations
    rises = free[GENERAL] - free[GENERAL].iloc[0]
    recipe = replace(gentle, general_rise=float(rises.iloc[1:3].mean()))
    whole = continued(taught, parts("disorder"), recipe, general=parts("north"))
    assert 0 < whole.metrics[BACK_TO] < whole.metrics["stopped_at"]
    with killed_at(whole.metrics["stopped_at"] * RECIPE.steps - 2):
        continued(taught, parts("disorder"), recipe, general=parts("north"),
                  folder=tmp_path / "run")
    resumed = continued(taught, parts("disorder"), recipe, general=parts("north"),
                        folder=tmp_path / "run")
    assert resumed.metrics == pytest.approx({**whole.metrics, "tokens_per_second": resumed.metrics[
        "tokens_per_second"]})
    assert resumed.model.sha256() == whole.model.sha256()
    assert not (tmp_path / "run" / "checkpoints").exists()  # nor what was kept for going back


def test_forgetting_is_stored_with_the_run(taught, tmp_path):
    run = continued(taught, parts("disorder"), RECIPE, general=parts("north"),
                    folder=tmp_path / "run")
    stored = Run.load(tmp_path / "run").metrics
    assert stored == pytest.approx(run.metrics)
    assert stored["forgetting"] == pytest.approx(
        stored["general_after"] - stored["general_before"])


def test_weights_kept_by_an_earlier_run_in_the_folder_are_not_gone_back_to(taught, tmp_path):
    """A killed run leaves them; its folder is used anew for one that exceeds its bound at once."""
    from safetensors.torch import save_model

    kept = tmp_path / "run" / "checkpoints" / "within-bound"
    kept.mkdir(parents=True)
    save_model(tiny.model(seed=9).network, kept / "model.safetensors",
               metadata={"share": "0.25", "score": "1.0"})
    strict = replace(RECIPE, general_rise=0.0, learning_rate=0.05)
    run = continued(taught, parts("disorder"), strict, general=parts("north"),
                    folder=tmp_path / "run")
    assert run.model.sha256() == taught.sha256()


def test_another_held_out_text_is_another_run(taught, tmp_path):
    domain = parts("disorder")
    continued(taught, domain, RECIPE, general=parts("north"), folder=tmp_path / "run")
    with pytest.raises(StoreError, match="another held out"):
        continued(taught, {**domain, "validation": parts("south")["validation"]}, RECIPE,
                  general=parts("north"), folder=tmp_path / "run")


def test_a_bound_needs_a_single_process(taught, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ModelError, match="go back together"):
        continued(taught, parts("disorder"), replace(RECIPE, general_rise=0.1),
                  general=parts("north"))


def test_a_finished_run_is_opened_with_its_summary(taught, tmp_path):
    first, second = (continued(taught, parts("disorder"), RECIPE, general=parts("north"),
                               folder=tmp_path / "run") for _ in range(2))
    assert second.metrics == pytest.approx(first.metrics)


def test_summary_reads_the_look_it_went_back_to():
    looks = pd.DataFrame({"share": [0, 0.5, 1.0], GENERAL: [2.0, 2.1, 2.4],
                          DOMAIN: [3.0, 2.5, 2.2], BACK_TO: [None, None, 0.5]})
    assert summary(looks) == pytest.approx({
        "general_before": 2.0, "general_after": 2.1, "forgetting": 0.1, "domain_before": 3.0,
        "domain_after": 2.5, "domain_gain": 0.5, "stopped_at": 1.0, BACK_TO: 0.5})


def test_a_masked_model_and_missing_parts_are_refused(taught):
    with pytest.raises(ModelError, match="causal"):
        continued(tiny.model("masked"), parts("north"), RECIPE, general=parts("south"))
    with pytest.raises(DataError, match="domain text has no validation"):
        continued(taught, {"train": tiny.dataset()}, RECIPE, general=parts("south"))


@pytest.mark.parametrize(("field", "value"), [
    ("replay_fraction", 1.0), ("general_rise", -0.1), ("looks", 1), ("eval_characters", 0)])
def test_a_recipe_that_cannot_be(field, value):
    with pytest.raises(CourseError) as refused:
        replace(RECIPE, **{field: value})
    assert "ContinuedRecipe" in str(refused.value)
