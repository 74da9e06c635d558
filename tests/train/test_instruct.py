"""Instruction tuning: TRL's loss, our mask; the same run after a kill; early stopping."""

import math
import subprocess
import sys
from dataclasses import replace

import pytest
import tiny
import torch
from datasets import Dataset
from kills import killed_at

from fmcourse import evaluate
from fmcourse.data import Card, with_card
from fmcourse.data.chat import IGNORE, chat_rows, conversation
from fmcourse.errors import CourseError, CourseWarning, DataError, ModelError, StoreError
from fmcourse.models import Adapter, build, compat, with_chat
from fmcourse.train import InstructRecipe, instruct
from fmcourse.train.instruct import VALIDATION, Instructor
from fmcourse.train.keep import BACK_TO
from fmcourse.train.run import Run

RECIPE = InstructRecipe(epochs=2, max_length=128, batch_tokens=512, micro_rows=2,
                        learning_rate=3e-3, least_steps=1)


def records(count=40, turn=0):
    """Forty animals and places; a `turn` gives each question the answer of another."""
    talks = [conversation(f"Where does the {animal} live, number {i}?",
                          f"By the {tiny.PLACES[(i + turn) % 4]}.")
             for animal in tiny.ANIMALS for i in range(4)][:count]
    rows = {"messages": talks, "text": [talk[0]["content"] + talk[1]["content"] for talk in talks]}
    return with_card(Dataset.from_dict(rows), Card("talks", {"north": "0" * 64}))


@pytest.fixture
def model():
    return build(tiny.SHAPE, tiny.tokenizer(), context=128)


def test_it_learns_to_answer_and_leaves_the_start_alone(model):
    before = model.sha256()
    run = instruct(model, records(), replace(RECIPE, epochs=20))
    assert model.sha256() == before
    assert "forward" not in vars(run.model.network)  # TRL's patch would outlive its training
    bits = [evaluate.reply_bits_per_byte(m, records()) for m in (model, run.model)]
    assert bits[1] < bits[0] / 2
    assert run.metrics["conversations"] == 40
    assert run.metrics["left_out"] == 0


def test_the_loss_is_the_mean_over_graded_tokens(model):
    """All in one step that changes nothing; packing, mask, accumulation and shift are in it."""
    whole = replace(RECIPE, epochs=1, batch_tokens=8192, learning_rate=0.0)
    run = instruct(model, records(), whole)
    rows = chat_rows(records(), with_chat(model).tokenizer, 128)
    graded = sum(label != IGNORE for labels in rows["labels"] for label in labels)
    replies = sum(len(f"{talk[1]['content']}<|im_end|>") for talk in records()["messages"])
    nats = evaluate.reply_bits_per_byte(model, records()) * math.log(2) * replies / graded
    assert run.history["loss"].iloc[0] == pytest.approx(nats, rel=1e-4)


def test_our_loss_is_trls(model, monkeypatch):
    ours = instruct(model, records(), RECIPE)
    monkeypatch.delattr(Instructor, "compute_loss")
    assert Instructor.compute_loss is compat.SFTTrainer.compute_loss
    theirs = instruct(model, records(), RECIPE)
    assert ours.history["loss"].to_list() == pytest.approx(theirs.history["loss"].to_list(),
                                                           rel=1e-3)
    for own, other in zip(ours.model.network.parameters(), theirs.model.network.parameters(),
                          strict=True):
        torch.testing.assert_close(own, other, atol=2e-3, rtol=0.05)


@pytest.mark.parametrize("setting", [{"final_logit_softcapping": 30.0}, {"logits_scaling": 8.0}])
def test_logits_that_are_capped_or_scaled_keep_the_library_s_loss(model, setting):
    network = model.copy().network
    assert compat.plain_network(network) is network
    for name, value in setting.items():
        setattr(network.config, name, value)
    assert compat.plain_network(network) is None


def test_a_loss_that_is_no_number_is_said(model):
    with pytest.raises(ModelError, match="diverged: the loss is not a number"):
        instruct(model, records(), InstructRecipe(
            max_length=64, batch_tokens=128, learning_rate=1e30, clip=1e30, optimizer="adamw",
            adapter=Adapter("lora", rank=2)))


@pytest.mark.parametrize("method", ["full", "last block", "bitfit", "lora", "pissa", "qlora",
                                    "prompt", "prefix"])
def test_a_killed_run_goes_on_to_the_same_weights(model, method, tmp_path):
    adapter = None if method == "full" else Adapter(method, rank=2, tokens=4)
    recipe = replace(RECIPE, epochs=6, checkpoint_minutes=0.0, adapter=adapter, max_length=96,
                     batch_tokens=384)
    whole = instruct(model, records(), recipe)
    with killed_at(4):
        instruct(model, records(), recipe, folder=tmp_path / "run")
    resumed = instruct(model, records(), recipe, folder=tmp_path / "run")
    assert list((tmp_path / "run").glob("checkpoint*")) == []
    assert resumed.model.sha256() == whole.model.sha256()
    assert resumed.history["loss"].to_list() == pytest.approx(whole.history["loss"].to_list())
    opened = instruct(model, records(), recipe, folder=tmp_path / "run")
    assert opened.model.sha256() == whole.model.sha256()
    with pytest.raises(StoreError, match="another recipe"):
        instruct(model, records(), replace(recipe, epochs=7), folder=tmp_path / "run")


def test_early_stopping_ends_with_the_best_weights(model, tmp_path):
    """Once the form of an answer is learnt, learning by heart makes others ever more surprising."""
    few, unseen = records(4), records(4, turn=1)
    recipe = replace(RECIPE, epochs=300, looks=13, patience=2, learning_rate=1e-2)
    run = instruct(model, few, recipe, validation=unseen)
    looks = run.observations[VALIDATION]
    assert run.metrics[BACK_TO] == run.observations["share"][looks.idxmin()]
    assert run.metrics["validation_after"] == looks.min() < looks.iloc[-1]
    assert len(looks) == looks.idxmin() + 1 + 2  # patience
    assert evaluate.reply_bits_per_byte(run.model, unseen) == pytest.approx(looks.min())
    free = instruct(model, few, replace(recipe, patience=None), validation=unseen)
    assert len(free.observations) == 13
    assert BACK_TO not in free.metrics


def test_what_is_too_long_is_warned_of(model):
    long = conversation("Where? " * 60, "Here.")
    whole = records()
    rows = {"messages": [*whole["messages"], long], "text": [*whole["text"], "long"]}
    more = with_card(Dataset.from_dict(rows), Card("talks", {"north": "0" * 64}))
    with pytest.warns(CourseWarning, match="1 of 41 conversations") as told:
        run = instruct(model, more, RECIPE)
    assert [one.filename for one in told if one.category is CourseWarning] == [__file__]
    assert run.metrics["left_out"] == 1


def test_what_cannot_be_tuned_is_refused(model):
    with pytest.raises(ModelError, match="masked"):
        instruct(tiny.model("masked"), records(), RECIPE)
    with pytest.raises(ModelError, match="too long for this model"):
        instruct(tiny.model(), records(), RECIPE)
    with pytest.raises(DataError, match="no conversations"):
        instruct(model, tiny.dataset(), RECIPE)
    for wrong in ({"epochs": 0}, {"tokens": 0}, {"learning_rate": -1.0}, {"optimizer": "sgd"},
                  {"batch_tokens": 100}, {"patience": 0}):
        with pytest.raises(CourseError, match=r"InstructRecipe\."):
            replace(RECIPE, **wrong)


@pytest.mark.slow
def test_the_tuned_model_answers_without_this_library(model, tmp_path):
    """A plain folder: transformers' own pipeline reads its template and stops at a turn's end."""
    run = instruct(model, records(), replace(RECIPE, epochs=60, learning_rate=1e-2),
                   folder=tmp_path / "run")
    asked = records()["messages"][0][:1]
    script = f"""
import sys
sys.modules["fmcourse"] = None
from transformers import pipeline
pipe = pipeline("text-generation", model={str(tmp_path / "run" / "model")!r}, device="cpu")
said = pipe({asked!r}, max_new_tokens=64, do_sample=False, return_full_text=False)
print(said[0]["generated_text"])
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                            cwd=tmp_path, check=True).stdout.strip().splitlines()[-1]
    from fmcourse.models import reply

    assert answer == reply(run.model, asked) != ""
    assert answer.startswith("By the ")
    assert isinstance(Run.load(tmp_path / "run").metrics["conversations"], int | float)


def test_lora_trains_few_weights_and_leaves_a_plain_model(model, tmp_path):
    recipe = replace(RECIPE, adapter=Adapter(rank=4), epochs=20, learning_rate=1e-2)
    run = instruct(model, records(), recipe, folder=tmp_path / "run")
    assert run.cost.trainable < run.cost.parameters / 3
    full = instruct(model, records(), replace(recipe, adapter=None, epochs=1))
    assert run.cost.flops / run.cost.tokens < full.cost.flops / full.cost.tokens
    assert isinstance(run.model.network, compat.PreTrainedModel)
    assert run.model.parameters == model.parameters
    bits = [evaluate.reply_bits_per_byte(m, records()) for m in (model, run.model)]
    assert bits[1] < bits[0] - 0.1
    again = Run.load(tmp_path / "run").model
    assert again.sha256() == run.model.sha256()
    kept = dict(model.network.named_parameters())
    for name, value in run.model.network.named_parameters():
        if "proj" not in name:  # embeddings and norms are not touched
            assert torch.equal(value, kept[name])


@pytest.mark.parametrize("method", ["lora", "pissa", "qlora", "prompt", "prefix", "bitfit"])
def test_an_adapter_s_run_is_stopped_early_kept_and_opened_again(model, method, tmp_path):
    model.network.config.pad_token_id = 5  # another than the tokenizer's, as SmolLM2 came
    adapter = Adapter(method, rank=2, tokens=4, targets=("q_proj", "v_proj"))
    recipe = replace(RECIPE, adapter=adapter, max_length=96, batch_tokens=192, epochs=2,
                     learning_rate=1e-2, patience=3)
    folder = tmp_path / "run"
    run = instruct(model, records(), recipe, validation=records(8, turn=1), folder=folder)
    opened = [instruct(model, records(), recipe, validation=records(8, turn=1), folder=folder),
              Run.load(folder)]
    for again in opened:
        assert again.model.sha256() == run.model.sha256()
        assert again.adapter.weights.keys() == run.adapter.weights.keys()
    with pytest.raises(ModelError, match="too long"):
        instruct(model, records(), replace(recipe, max_length=999, batch_tokens=1998))
    twin = instruct(model, records(), recipe, validation=records(8, turn=1))
    assert twin.model.sha256() == run.model.sha256()  # begun by the same seed


def test_a_batch_has_as_many_tokens_with_a_prompt_as_without(model):
    """There no rows are packed, so that each of them gets the prompt."""
    recipe = replace(RECIPE, epochs=3, max_length=96)
    plain = instruct(model, records(), recipe)
    behind = instruct(model, records(), replace(recipe, adapter=Adapter("prompt", tokens=4)))
    steps = [run.history["step"].iloc[-1] for run in (plain, behind)]
    assert steps[1] == pytest.approx(steps[0], rel=0.3)
    assert behind.cost.tokens == pytest.approx(plain.cost.tokens, rel=0.3)


def test_a_model_behind_a_prompt_is_not_tuned_again(model):
    recipe = replace(RECIPE, adapter=Adapter("prompt", tokens=4), max_length=96, epochs=1)
    with pytest.raises(ModelError, match="already"):
        instruct(instruct(model, records(), recipe).model, records(), RECIPE)


def test_few_records_are_read_more_often_than_asked(model):
    run = instruct(model, records(4), replace(RECIPE, epochs=1, least_steps=7))
    assert run.history["step"].iloc[-1] == 7
    assert run.metrics["epochs"] > 1
    asked = replace(RECIPE, least_steps=7, tokens=10)  # a budget is a budget
    assert asked.steps(tokens=1000, rows=8) == 1
