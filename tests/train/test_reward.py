"""Reward training: TRL's loss where TRL has it, ties without sides, the same run after a kill."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from datasets import Dataset
from kills import killed_at
from sessions import Sessions

from fmcourse import evaluate
from fmcourse.data import Card, with_card
from fmcourse.errors import CourseError, CourseWarning, DataError, ModelError, StoreError
from fmcourse.models import RewardModel, build, compat
from fmcourse.train import RewardRecipe, Run, reward
from fmcourse.train.pairs import checked, in_order, pair_rows
from fmcourse.train.reward import Judge

RECIPE = RewardRecipe(batch=16, micro_batch=16, max_length=96, learning_rate=3e-3, least_steps=1)


def pairs(count=64, seed=0, rule="shorter", **columns) -> Dataset:
    """One to three places, and some more: the shorter reply is preferred, or whichever."""
    draw, rows = random.Random(seed), []
    for _ in range(count):
        short = draw.choices(tiny.PLACES, k=draw.randint(1, 3))
        long = [*draw.choices(tiny.PLACES, k=draw.randint(1, 3)), *short]
        sides = [" ".join(short), " ".join(long)]
        if rule == "random":
            draw.shuffle(sides)
        rows.append({"prompt": f"Where does the {draw.choice(tiny.ANIMALS)} live?",
                     "chosen": sides[0], "rejected": sides[1]})
    made = Dataset.from_list(rows)
    for name, values in columns.items():
        made = made.add_column(name, values)
    return made


@pytest.fixture
def model():
    return build(tiny.SHAPE, tiny.tokenizer(), context=128)


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.model.network.parameters()])


def test_it_learns_a_preference_and_says_what_it_cost(model):
    before = model.sha256()
    run = reward(model, pairs(400), RECIPE, validation=pairs(100, seed=1))
    assert model.sha256() == before
    assert run.metrics["accuracy_after"] > 0.9
    assert run.metrics["ece_after"] < 0.1
    assert run.metrics["accuracy_after"] > run.metrics["accuracy_before"]
    assert run.metrics["length_correlation_after"] < -0.5
    assert abs(run.metrics["length_bias_after"]) < 0.1  # the labels say so, too
    assert (run.metrics["pairs"], run.metrics["epochs"]) == (400, 1)
    assert evaluate.preference_report(run.model, pairs(100, seed=1))["accuracy"] == pytest.approx(
        run.metrics["accuracy_after"])
    made = RewardModel.of(model)
    rows, _ = pair_rows(checked(pairs(400)), made, 96)
    assert run.cost.tokens == pytest.approx(
        sum(len(row) for side in ("chosen_ids", "rejected_ids") for row in rows[side]), abs=25)
    assert run.cost.parameters == run.cost.trainable == made.parameters
    assert run.cost.flops / run.cost.tokens < 6 * (model.parameters - 384 * 32) * 2


def test_of_labels_without_sense_nothing_is_learnt(model):
    run = reward(model, pairs(400, rule="random"), RECIPE,
                 validation=pairs(400, seed=1, rule="random"))
    assert run.metrics["accuracy_after"] == pytest.approx(0.5, abs=0.1)  # 4 standard errors


@pytest.mark.parametrize("margin", [0.0, 1.5])
def test_our_loss_is_trls_where_it_has_one(model, monkeypatch, margin):
    data = pairs(64, margin=[margin * (i % 3) for i in range(64)])
    recipe = replace(RECIPE, center_rewards_coefficient=0.05)
    ours = reward(model, data, recipe)

    def theirs(self, network, inputs, **rest):
        assert not inputs.pop("tie").any()
        lengths = inputs.pop("lengths")
        place = torch.arange(inputs["input_ids"].shape[1])
        return compat.RewardTrainer.compute_loss(
            self, network, {**inputs, "attention_mask": (place < lengths[:, None]).long()})

    monkeypatch.setattr(Judge, "compute_loss", theirs)
    other = reward(model, data, recipe)
    assert ours.history["loss"].to_list() == pytest.approx(other.history["loss"].to_list(),
                                                           rel=1e-4)
    torch.testing.assert_close(weights(ours), weights(other), atol=1e-4, rtol=1e-3)


def test_a_tie_has_no_sides(model):
    data = [{**row, "tie": i % 2 == 0, "margin": 2.0} for i, row in enumerate(pairs(64))]
    turned = [{**row, "chosen": row["rejected"], "rejected": row["chosen"]} if row["tie"] else row
              for row in data]
    runs = [reward(model, Dataset.from_list(some), RECIPE) for some in (data, turned)]
    assert runs[0].metrics["ties"] == 32
    assert runs[0].history["loss"].to_list() == pytest.approx(runs[1].history["loss"].to_list(),
                                                              rel=1e-4)
    torch.testing.assert_close(weights(runs[0]), weights(runs[1]), atol=1e-4, rtol=1e-3)


def test_the_loss_by_hand(model):
    """In one step that changes nothing: margins, ties and the centre."""
    tie, margin = [i % 4 == 0 for i in range(64)], [0.5 * (i % 3) for i in range(64)]
    data = pairs(64, tie=tie, margin=margin)
    run = reward(model, data, replace(RECIPE, batch=64, micro_batch=64, learning_rate=0.0,
                                      center_rewards_coefficient=0.1))
    chosen, rejected = (run.model.raw(data["prompt"], data[side])
                        for side in ("chosen", "rejected"))
    gap = chosen - rejected - np.where(tie, 0, margin)
    won, lost = np.log1p(np.exp(-gap)), np.log1p(np.exp(gap))
    loss = np.where(tie, (won + lost) / 2, won).mean() + 0.1 * ((chosen + rejected) ** 2).mean()
    assert run.history["loss"].iloc[0] == pytest.approx(loss, rel=1e-5)


def test_ties_keep_rewards_together(model):
    """All but one pair in eight are ties, against the same rule without ties."""
    tie = [i % 8 > 0 for i in range(320)]
    gaps = []
    for data in (pairs(320), pairs(320, tie=tie)):
        found = reward(model, data, RECIPE).model.raw(["Where?"] * 2, ["hill", "hill wood lane"])
        gaps.append(found[0] - found[1])
    assert 0 < gaps[1] < gaps[0] / 2


def test_centring_keeps_rewards_near_zero(model):
    free, held = (reward(model, pairs(320), replace(RECIPE, center_rewards_coefficient=price)).model
                  for price in (0.0, 1.0))
    asked = pairs(50, seed=2)
    sums = [abs(some.raw(asked["prompt"], asked["chosen"])
                + some.raw(asked["prompt"], asked["rejected"])).mean() for some in (free, held)]
    assert sums[1] < sums[0]
    assert sums[1] < 1


def test_micro_batches_add_up(model):
    whole, parts = (reward(model, pairs(64), replace(RECIPE, micro_batch=size)) for size in (16, 4))
    torch.testing.assert_close(weights(whole), weights(parts), atol=1e-4, rtol=1e-3)
    assert whole.history["loss"].to_list() == pytest.approx(parts.history["loss"].to_list(),
                                                            rel=1e-3)


def test_a_killed_run_goes_on_to_the_same_weights(model, tmp_path):
    recipe = replace(RECIPE, checkpoint_minutes=0.0, epochs=2)
    call = {"validation": pairs(30, seed=1)}
    whole = reward(model, pairs(), recipe, **call)
    with killed_at(5):
        reward(model, pairs(), recipe, **call, folder=tmp_path / "run")
    assert list((tmp_path / "run" / "checkpoints").glob("checkpoint-*"))
    resumed = reward(model, pairs(), recipe, **call, folder=tmp_path / "run")
    assert list((tmp_path / "run").glob("checkpoint*")) == []
    assert resumed.model.sha256() == whole.model.sha256()
    assert resumed.history["loss"].to_list() == whole.history["loss"].to_list()
    assert resumed.observations.equals(whole.observations)
    for opened in (reward(model, pairs(), recipe, **call, folder=tmp_path / "run"),
                   Run.load(tmp_path / "run")):
        assert isinstance(opened.model, RewardModel)
        assert opened.model.sha256() == whole.model.sha256()
        assert opened.metrics["accuracy_after"] == whole.metrics["accuracy_after"]
    assert RewardModel.load(tmp_path / "run").sha256() == whole.model.sha256()
    for other, what in ((pairs(seed=3), "data"), (pairs(margin=[0.5] * 64), "data")):
        with pytest.raises(StoreError, match=f"another {what}"):
            reward(model, other, recipe, **call, folder=tmp_path / "run")
    with pytest.raises(StoreError, match="another validation"):
        reward(model, pairs(), recipe, validation=pairs(30, seed=9), folder=tmp_path / "run")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sigkill_changes_nothing(tmp_path):
    Sessions("reward", "test_reward", tmp_path).check_a_kill_changes_nothing()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_processes_train_as_one(tmp_path):
    """There the network's own forward pass is used, which finds the last token by its padding."""
    folders = Sessions("reward", "test_reward", tmp_path).by_one_and_by_two()
    one, two = map(Run.load, folders)
    assert two.history["loss"].to_list() == pytest.approx(one.history["loss"].to_list(), rel=1e-3)
    torch.testing.assert_close(weights(one), weights(two), atol=1e-3, rtol=1e-2)


def test_a_reward_model_is_trained_further_from_its_raw_rewards(model):
    first = reward(model, pairs(), RECIPE).model
    start = first.standardised(pairs()["prompt"], pairs()["chosen"])
    again = reward(start, pairs(seed=1), replace(RECIPE, learning_rate=0.0))
    asked = pairs(20, seed=2)
    assert again.model.score(asked["prompt"], asked["chosen"]) == pytest.approx(
        first.raw(asked["prompt"], asked["chosen"]), abs=1e-5)
    assert again.parents["start"] == start.sha256()


def test_messages_are_prompts_too_and_a_card_travels(model):
    plain = pairs(32)
    talks = Dataset.from_dict({
        "prompt": [[{"role": "user", "content": text}] for text in plain["prompt"]],
        "chosen": plain["chosen"], "rejected": plain["rejected"]})
    talks = with_card(talks, Card("preferences", {"north": "0" * 64}))
    runs = [reward(model, data, RECIPE) for data in (plain, talks)]
    assert runs[0].model.sha256() == runs[1].model.sha256()
    assert runs[1].parents["north"] == "0" * 64
    assert runs[1].reads[0]["name"] == "preferences"


def test_what_is_left_out_is_counted_and_warned_of(model):
    rows = [*pairs(30), {"prompt": "Where?", "chosen": "hill " * 200, "rejected": "hill"},
            {"prompt": "Where?", "chosen": "hill", "rejected": "hill"}]
    with pytest.warns(CourseWarning) as warned:
        run = reward(model, Dataset.from_list(rows), RECIPE)
    told = [str(one.message) for one in warned if issubclass(one.category, CourseWarning)]
    assert told == ["1 of 32 pairs prefer a reply to itself and are left out.",
                    "1 of 32 pairs have more than 96 tokens and are left out."]
    assert {one.filename for one in warned if issubclass(one.category, CourseWarning)} == {__file__}
    assert [run.metrics[key] for key in ("pairs", "left_out", "same", "ties")] == [30, 1, 1, 0]


@pytest.mark.parametrize(("wrong", "message"), [
    (pairs(4).remove_columns("rejected"), "no column rejected"),
    (pairs(4).select([]), "There are no pairs"),
    (pairs(4, tie=[True] * 4), "All 4 pairs are ties"),
    (pairs(4, margin=[0.0, 1.0, -0.5, 0.0]), "margin of -0.5"),
    (pairs(4, margin=[0.0, float("nan"), 0.0, 0.0]), "margin of nan"),
    (Dataset.from_dict({"prompt": ["a"], "chosen": ["b<|im_end|>"], "rejected": ["c"]}),
     "marks turns"),
    (Dataset.from_dict({"prompt": ["a"], "chosen": [["b"]], "rejected": ["c"]}), "is list, not"),
    (Dataset.from_dict({"prompt": ["a"], "chosen": ["b"], "rejected": ["b"]}), "none is left"),
])
def test_bad_pairs_are_refused(model, wrong, message):
    with pytest.raises(DataError, match=message):
        reward(model, wrong, RECIPE)


def test_what_cannot_be_trained_is_refused(model):
    with pytest.raises(ModelError, match="predicts the next token"):
        reward(tiny.model("masked"), pairs(4), replace(RECIPE, max_length=32))
    with pytest.raises(ModelError, match="too long for this model"):
        reward(tiny.model(), pairs(4), RECIPE)
    with pytest.raises(DataError, match="ties"):
        reward(model, pairs(4), RECIPE, validation=pairs(4, tie=[True] * 4))
    with pytest.raises(ModelError, match="diverged"):
        reward(model, pairs(), replace(RECIPE, learning_rate=1e30, clip=1e30))
    for wrong in ({"epochs": 0}, {"pairs": 0}, {"micro_batch": 5}, {"looks": 1},
                  {"center_rewards_coefficient": -1.0}):
        with pytest.raises(CourseError, match=r"RewardRecipe\."):
            replace(RECIPE, **wrong)


def test_every_pair_is_seen_as_often_and_neighbours_are_alike():
    lengths = [i % 37 for i in range(400)]
    order = in_order(lengths, batch=10, steps=80, seed=3)
    assert sorted(order) == sorted([*range(400)] * 2)
    batches = [[lengths[i] for i in order[at:at + 10]] for at in range(0, 800, 10)]
    spread = [max(each) - min(each) for each in batches]
    assert sum(spread) / len(spread) < 10
    assert in_order(lengths, 10, 80, seed=4) != order


def test_null_ties_and_margins_are_none():
    made = checked(pairs(2).add_column("tie", [None, True]).add_column("margin", [None, 1.0]))
    assert (made["tie"], made["margin"]) == ([False, True], [0.0, 1.0])
