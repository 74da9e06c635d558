"""Training: it learns, it is exact, it can be stopped, and it refuses what it cannot do."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

from fmcourse import data, hardware, models, store
from fmcourse.errors import CourseError, DataError, ModelError, StoreError
from fmcourse.train import PretrainRecipe, pretrain
from fmcourse.train.engine import COMPLETE, last_checkpoint
from fmcourse.train.objectives import objective
from fmcourse.train.stage import stage

RECIPE = PretrainRecipe(tokens=20 * 256, context=32, batch_tokens=256, micro_batch_tokens=256,
                        learning_rate=1e-2, compile=False, checkpoint_minutes=0)
PRETRAIN = sys.modules[pretrain.__module__]  # the package's function of that name hides it
STAGE = sys.modules[stage.__module__]


def test_the_loss_falls_and_the_given_model_stays():
    model = tiny.model()
    before = model.sha256()
    run = pretrain(model, tiny.token_file(), replace(RECIPE, tokens=60 * 256))
    assert run.history["loss"].iloc[0] == pytest.approx(np.log(384), abs=0.1)
    assert run.metrics["loss"] < 3.5
    assert model.sha256() == before
    assert run.model.sha256() != before
    assert not run.model.network.training


def test_a_masked_model_learns_too():
    run = pretrain(tiny.model("masked"), tiny.token_file(), replace(RECIPE, tokens=60 * 256))
    assert run.metrics["loss"] < run.history["loss"].iloc[0] - 1


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_a_learning_rate_of_zero_changes_nothing(optimizer):
    model = tiny.model()
    run = pretrain(model, tiny.token_file(), replace(RECIPE, learning_rate=0, optimizer=optimizer))
    assert run.model.sha256() == model.sha256()
    assert run.history["loss"].std() < 0.1


def test_the_first_loss_is_the_mean_over_the_first_rows():
    model, file = tiny.model(), tiny.token_file()
    run = pretrain(model, file, replace(RECIPE, tokens=1))
    rows = data.PackedRows(file, 32, 8, RECIPE.seed)
    batch = {key: torch.stack([rows[i][key] for i in range(8)]) for key in ("tokens", "segments")}
    with torch.no_grad():
        assert run.metrics["loss"] == pytest.approx(objective(model)(**batch)["loss"].item())


def test_small_micro_batches_give_the_losses_of_one_large_one():
    whole = pretrain(tiny.model(), tiny.token_file(), RECIPE)
    parts = pretrain(tiny.model(), tiny.token_file(), replace(RECIPE, micro_batch_tokens=64))
    np.testing.assert_allclose(parts.history["loss"], whole.history["loss"], rtol=1e-4)
    np.testing.assert_allclose(parts.history["grad_norm"], whole.history["grad_norm"], rtol=2e-3)
    assert len(parts.history) == len(whole.history) == 20


def test_the_same_seed_gives_the_same_weights_and_another_other_ones():
    first = pretrain(tiny.model(), tiny.token_file(), RECIPE)
    torch.manual_seed(99)
    assert pretrain(tiny.model(), tiny.token_file(), RECIPE).model.sha256() == first.model.sha256()
    other = pretrain(tiny.model(), tiny.token_file(), replace(RECIPE, seed=1))
    assert other.model.sha256() != first.model.sha256()


def test_the_history_follows_the_schedule_and_ends_with_the_last_step():
    recipe = replace(RECIPE, tokens=401 * 8, context=8, batch_tokens=8, micro_batch_tokens=8,
                     warmup=0.1, decay=0.3)  # logged every second step
    history = pretrain(tiny.model(), tiny.token_file(), recipe).history
    assert history["step"].tolist() == [1, *range(2, 401, 2), 401]
    assert (history["tokens"] == 8 * history["step"]).all()
    assert history["seconds"].is_monotonic_increasing
    assert history["learning_rate"].max() == pytest.approx(1e-2)
    assert history["learning_rate"].iloc[[0, -1]].max() < 1e-3
    speed = history["tokens"].diff() / history["seconds"].diff()
    np.testing.assert_allclose(history["tokens_per_second"][1:], speed[1:], rtol=1e-6)


def test_what_is_observed_is_kept_and_not_paid_for():
    seen, clock = [], []

    def look(model, share):
        clock.append(time.perf_counter())
        time.sleep(0.5)
        assert not model.network.training
        assert torch.is_inference_mode_enabled()
        seen.append((share, model.sha256()))
        clock.append(time.perf_counter())
        return {"share twice": 2 * share}

    run = pretrain(tiny.model(), tiny.token_file(), RECIPE, observe=look, observe_at=(1, 0, 0.5))
    assert [share for share, _ in seen] == [0, 0.5, 1]
    assert seen[0][1] == tiny.model().sha256()
    assert seen[2][1] == run.model.sha256()
    assert run.observations["step"].tolist() == [0, 10, 20]
    assert run.observations["tokens"].tolist() == [0, 2560, 5120]
    assert run.observations["share twice"].tolist() == [0, 1, 2]
    speed = run.history["tokens"].diff() / run.history["seconds"].diff()
    np.testing.assert_allclose(run.history["tokens_per_second"][1:], speed[1:], rtol=1e-6)
    assert run.cost.seconds < clock[4] - clock[1] - 0.2  # from the first look to the last
    plain = pretrain(tiny.model(), tiny.token_file(), RECIPE)
    assert run.model.sha256() == plain.model.sha256()  # looking changes nothing


def test_the_cost_is_counted_and_the_parents_named():
    model, file = tiny.model(), tiny.token_file()
    run = pretrain(model, file, replace(RECIPE, tokens=5 * 256 - 1), name="little")
    assert (run.name, run.model.name) == ("little", "little")
    assert run.cost.tokens == 5 * 256
    assert run.cost.parameters == run.cost.trainable == model.parameters
    per_token = 6 * model.parameters + 6 * 2 * 32 * 32  # layers, width, context
    assert run.cost.flops == 5 * 256 * per_token
    assert run.cost.peak_memory_bytes > 10**7
    assert run.parents["data"] == file.sha256
    assert run.parents["start"] == model.sha256()
    assert run.parents["north"] == "0" * 64
    assert run.environment["dtype"] == "float32"


def test_without_a_folder_nothing_is_left_behind(tmp_path, monkeypatch):
    file = tiny.token_file()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    before = set(store.home().rglob("*"))
    pretrain(tiny.model(), file, replace(RECIPE, tokens=1))
    assert list((tmp_path / "scratch").iterdir()) == []
    assert set(store.home().rglob("*")) == before


def test_a_finished_run_is_opened_not_repeated(tmp_path, monkeypatch):
    def look(model, share):
        return {"note": "0.1", "norm": float(model.network.lm_head.weight.norm())}

    first = pretrain(tiny.model(), tiny.token_file(), RECIPE, folder=tmp_path / "r", observe=look)
    (tmp_path / "r" / "checkpoints" / "checkpoint-3").mkdir(parents=True)  # a kill left it
    monkeypatch.setattr(PRETRAIN, "_train", lambda *_: pytest.fail("trained again"))
    again = pretrain(tiny.model(), tiny.token_file(), RECIPE, folder=tmp_path / "r", observe=look)
    assert again.model.sha256() == first.model.sha256()
    assert again.card == first.card
    pd.testing.assert_frame_equal(again.history, first.history)
    pd.testing.assert_frame_equal(again.observations, first.observations)
    assert not (tmp_path / "r" / "checkpoints").exists()


@pytest.mark.parametrize(("changed", "change"), [
    ("recipe", lambda m, f, r: (m, f, replace(r, seed=1))),
    ("start", lambda m, f, r: (tiny.model(seed=1), f, r)),
    ("data", lambda m, f, r: (m, data.tokens(tiny.dataset().select(range(60)), m.tokenizer), r)),
])
def test_another_run_in_the_same_folder_is_refused(tmp_path, changed, change):
    plan = tiny.model(), tiny.token_file(), replace(RECIPE, tokens=1)
    pretrain(*plan, folder=tmp_path / "r")
    with pytest.raises(StoreError, match=f"another {changed}") as caught:
        pretrain(*change(*plan), folder=tmp_path / "r")
    assert caught.value.where == tmp_path / "r"


def stop_at(share: float):
    def stop(model, now):
        if now == share:
            raise KeyboardInterrupt
        return {"norm": float(model.network.lm_head.weight.norm())}

    return stop


def test_an_interrupted_run_ends_as_if_it_had_not_been(tmp_path):
    shares = (0, 0.25, 0.5, 0.75, 1)
    straight = pretrain(tiny.model(), tiny.token_file(), RECIPE, observe=stop_at(2),
                        observe_at=shares)
    folder = tmp_path / "r"
    for share in (0, 0.25, 0.75):  # before the first checkpoint, and twice after one
        with pytest.raises(KeyboardInterrupt):
            pretrain(tiny.model(), tiny.token_file(), RECIPE, folder=folder,
                     observe=stop_at(share), observe_at=shares)
    newest = last_checkpoint(folder / "checkpoints")
    assert newest.name == "checkpoint-14"
    half = folder / "checkpoints" / "checkpoint-18"  # newer, but never finished
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    run = pretrain(tiny.model(), tiny.token_file(), RECIPE, folder=folder, observe=stop_at(2),
                   observe_at=shares)
    assert run.model.sha256() == straight.model.sha256()
    for column in ("step", "loss", "learning_rate", "grad_norm"):
        assert run.history[column].tolist() == straight.history[column].tolist(), column
    assert run.metrics["loss"] == straight.metrics["loss"]
    assert run.history["seconds"].is_monotonic_increasing
    pd.testing.assert_frame_equal(run.observations, straight.observations)
    assert not (folder / "checkpoints").exists()


def test_only_whole_checkpoints_count_and_the_newest_wins(tmp_path):
    assert last_checkpoint(tmp_path / "none") is None
    for step in (9, 10, 11):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (9, 10):
        store.write_json(tmp_path / f"checkpoint-{step}" / COMPLETE, {"step": step})
    assert last_checkpoint(tmp_path).name == "checkpoint-10"
    assert not (tmp_path / "checkpoint-11").exists()


def test_two_checkpoints_are_kept(tmp_path):
    folder = tmp_path / "r"
    with pytest.raises(KeyboardInterrupt):
        pretrain(tiny.model(), tiny.token_file(), RECIPE, folder=folder, observe=stop_at(0.75),
                 observe_at=(0.75,))
    assert sorted(p.name for p in (folder / "checkpoints").glob("checkpoint-*")) == [
        "checkpoint-13", "checkpoint-14"]


HOLD = """
import sys, time
from fmcourse import store
with store.lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(100)
"""


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    folder = tmp_path / "r"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreError, match="Another process"):
            pretrain(tiny.model(), tiny.token_file(), RECIPE, folder=folder)
    finally:
        holder.kill()
        holder.communicate()


def test_a_folder_held_by_another_process_gets_no_plan(tmp_path):
    folder = tmp_path / "r"
    with store.lock(folder), pytest.raises(StoreError, match="Another process"):
        pretrain(tiny.model(), tiny.token_file(), RECIPE, folder=folder)
    assert not folder.exists()


def test_a_plan_written_since_the_first_look_is_respected(tmp_path, monkeypatch):
    """Two processes look into the empty folder; the other one gets the lock first."""
    folder, plan = tmp_path / "r", (tiny.model(), tiny.token_file(), replace(RECIPE, tokens=1))
    look, looks = STAGE._finished, []

    def first_look_too_early(*arguments):
        looks.append(arguments)
        return None if len(looks) == 1 else look(*arguments)

    first = pretrain(*plan, folder=folder)
    monkeypatch.setattr(STAGE, "_finished", first_look_too_early)
    monkeypatch.setattr(PRETRAIN, "_train", lambda *_: pytest.fail("trained again"))
    assert pretrain(*plan, folder=folder).model.sha256() == first.model.sha256()
    looks.clear()
    before = (folder / "plan.json").read_bytes()
    with pytest.raises(StoreError, match="another recipe"):
        pretrain(*plan[:2], replace(RECIPE, tokens=1, seed=1), folder=folder)
    assert (folder / "plan.json").read_bytes() == before
    looks.clear()
    monkeypatch.setenv("WORLD_SIZE", "2")  # the second process would wait for ever
    with pytest.raises(StoreError, match="just finished"):
        pretrain(*plan, folder=folder)


def test_a_finished_run_is_opened_while_another_process_holds_the_folder(tmp_path):
    plan = tiny.model(), tiny.token_file(), replace(RECIPE, tokens=1)
    first = pretrain(*plan, folder=tmp_path / "r")
    with store.lock(tmp_path / "r"):
        assert pretrain(*plan, folder=tmp_path / "r").card == first.card


def test_a_later_process_writes_nothing_takes_no_lock_and_sees_the_finished_run(
        tmp_path, monkeypatch):
    folder, plan = tmp_path / "r", (tiny.model(), tiny.token_file(), replace(RECIPE, tokens=1))
    trained = pretrain(*plan)
    with monkeypatch.context() as later:
        later.setenv("RANK", "1")
        later.setattr(PRETRAIN, "_train", lambda *_: trained)
        with store.lock(folder):  # the first process has it
            pretrain(*plan, folder=folder)
        assert not folder.exists()
    first = pretrain(*plan, folder=folder)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(PRETRAIN, "_train", lambda *_: pytest.fail("trained again"))
    assert pretrain(*plan, folder=folder).card == first.card


def test_several_gpus_do_not_enlarge_the_batch(tmp_path, monkeypatch):
    class FourCards(PRETRAIN.compat.TrainingArguments):
        def __post_init__(self):
            super().__post_init__()
            self._n_gpu = 4

    monkeypatch.setattr(PRETRAIN.compat, "TrainingArguments", FourCards)
    around = PRETRAIN.loop.Surroundings("name", tmp_path, minutes=None)
    arguments = PRETRAIN._arguments(RECIPE, hardware.detect(), around)
    rows = arguments.train_batch_size * arguments.gradient_accumulation_steps
    assert rows * RECIPE.context == RECIPE.batch_tokens


def test_the_peak_of_memory_is_that_of_training_on_its_device(monkeypatch):
    asked = []
    monkeypatch.setattr(hardware, "reset_peak_memory",
                        lambda device: asked.append(("reset", device)))
    monkeypatch.setattr(hardware, "peak_memory_bytes",
                        lambda device: asked.append(("peak", device)) or 7)
    run = pretrain(tiny.model(), tiny.token_file(), replace(RECIPE, tokens=1), observe_at=(0,),
                   observe=lambda *_: asked.append("training") or {})
    assert asked == [("reset", "cpu"), "training", ("peak", "cpu")]
    assert run.cost.peak_memory_bytes == 7


def test_a_run_that_diverges_says_so_and_is_not_kept(tmp_path):
    def break_it(model, share):
        next(model.network.parameters()).fill_(float("nan"))
        return {}

    with pytest.raises(ModelError, match="diverged") as caught:
        pretrain(tiny.model(), tiny.token_file(), RECIPE, folder=tmp_path / "r", observe=break_it,
                 observe_at=(0.5,))
    assert caught.value.where == "step 11"
    assert not (tmp_path / "r" / "run.json").exists()


def test_without_clipping():
    run = pretrain(tiny.model(), tiny.token_file(), replace(RECIPE, clip=0, learning_rate=1e-3))
    assert run.history["loss"].iloc[-1] < run.history["loss"].iloc[0]


def test_rows_longer_than_the_model_are_refused():
    with pytest.raises(ModelError, match="too long"):
        pretrain(tiny.model(), tiny.token_file(), replace(RECIPE, context=64))


def test_tokens_of_another_tokenizer_are_refused():
    other = models.train_tokenizer(tiny.texts(), vocabulary=300)
    with pytest.raises(DataError, match="another tokenizer"):
        pretrain(tiny.model(), data.tokens(tiny.dataset(), other), RECIPE)


def test_processes_that_cannot_share_a_batch_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(CourseError, match="3 processes"):
        pretrain(tiny.model(), tiny.token_file(), RECIPE)


@pytest.mark.skipif(not find_spec("tensorboard"), reason="tensorboard is not installed")
@pytest.mark.parametrize("kept", [True, False])
def test_tensorboard_gets_the_losses_and_keeps_them(tmp_path, kept):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = pretrain(tiny.model(), tiny.token_file(), RECIPE, name="a/b", report_to=("tensorboard",),
                   folder=tmp_path / "r" if kept else None)
    place = tmp_path / "r" / "logs" if kept else store.home() / "logs"
    file = next(Path(place).rglob("events.out.tfevents.*"))
    events = EventAccumulator(str(file.parent)).Reload().Scalars("train/loss")
    assert [event.step for event in events] == run.history["step"].tolist()
    np.testing.assert_allclose([event.value for event in events], run.history["loss"], rtol=1e-5)
