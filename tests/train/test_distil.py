"""Distillation: the loss in plain torch, tuning at alpha 0, the same weights after a kill."""

from __future__ import annotations

from dataclasses import replace

import classmates
import pytest
import tiny
import torch
from classmates import random_model, talks
from datasets import Dataset
from kills import killed_at
from torch.nn.functional import cross_entropy

from fmcourse import evaluate, store
from fmcourse.data import Card, with_card
from fmcourse.data.chat import IGNORE, chat_rows
from fmcourse.data.facts import Governance
from fmcourse.errors import (
    CourseError,
    CourseWarning,
    DataError,
    ModelError,
    PolicyError,
    StoreError,
)
from fmcourse.models import Adapter, Shape, build, student, train_tokenizer, with_chat
from fmcourse.train import (
    InstructRecipe,
    LogitRecipe,
    Run,
    SequenceRecipe,
    distil,
    instruct,
    teacher_answers,
)
from fmcourse.train.soft_labels import SoftLabels
from fmcourse.train.tuning import VALIDATION

SETTINGS = {"epochs": 2, "max_length": 96, "batch_tokens": 384, "micro_rows": 2,
            "learning_rate": 3e-3, "least_steps": 1}
LOGITS = LogitRecipe(**SETTINGS, top_k=384)
SEQUENCES = SequenceRecipe(**SETTINGS, answer_tokens=24)
BOTH = pytest.mark.parametrize("recipe", [LOGITS, SEQUENCES], ids=["logits", "sequences"])


def weights(model) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.network.parameters()])


def graded_logits(model, rows: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and labels of all graded tokens, a row at a time."""
    found, written = [], []
    for ids, labels in zip(rows["input_ids"], rows["labels"], strict=True):
        logits = model.network(input_ids=torch.tensor([ids])).logits[0]
        some = torch.tensor(labels)[1:] != IGNORE
        found.append(logits[:-1][some])
        written.append(torch.tensor(labels)[1:][some])
    return torch.cat(found), torch.cat(written)


def test_the_loss_is_that_of_plain_torch_over_the_whole_vocabulary():
    """All in one step that changes nothing: packing, places, shift and accumulation are in it."""
    recipe = replace(LOGITS, epochs=1, batch_tokens=96 * 40, learning_rate=0.0, temperature=2.5,
                     alpha=0.6)
    young, old = random_model(), classmates.teacher()
    run = distil(young, old, talks(), recipe)
    rows = chat_rows(talks(), young.tokenizer, 96)
    with torch.no_grad():
        (z, labels), (t, _) = graded_logits(young, rows), graded_logits(old, rows)
    p, q = (t / 2.5).softmax(-1), (z / 2.5).softmax(-1)
    kl = 2.5**2 * (p * (p / q).log()).sum(-1).mean()
    hard = cross_entropy(z, labels)
    first = run.history.iloc[0]
    assert first["loss"] == pytest.approx((0.6 * kl + 0.4 * hard).item(), rel=1e-4)
    assert first["kl"] == pytest.approx(kl.item(), rel=1e-4)  # micro-batches weigh by their tokens
    assert first["hard_loss"] == pytest.approx(hard.item(), rel=1e-4)


def test_without_the_teacher_s_share_it_is_instruction_tuning():
    ours = distil(random_model(), classmates.teacher(), talks(), replace(LOGITS, alpha=0.0))
    plain = instruct(random_model(), talks(), InstructRecipe(**SETTINGS))
    torch.testing.assert_close(weights(ours.model), weights(plain.model), atol=1e-4, rtol=1e-3)
    assert ours.history["loss"].to_list() == pytest.approx(plain.history["loss"].to_list(),
                                                           rel=1e-4)
    assert ours.history["step"].to_list() == plain.history["step"].to_list()


def test_by_sequences_it_is_instruction_tuning_on_the_teacher_s_answers():
    wrong = Dataset.from_dict({
        "messages": [[*talk[:1], {"role": "assistant", "content": "Nonsense."}]
                     for talk in talks()["messages"]], "text": ["nonsense"] * 40})
    ours = distil(random_model(), classmates.teacher(),
                  with_card(wrong, Card("talks", {"north": "0" * 64})), SEQUENCES)
    said = teacher_answers(classmates.teacher(), talks(), tokens=24).records
    plain = instruct(random_model(), said, InstructRecipe(**SETTINGS))
    assert ours.model.sha256() == plain.model.sha256()


@BOTH
def test_a_student_comes_to_speak_as_its_teacher(recipe):
    young, old = random_model(), classmates.teacher()
    said = teacher_answers(old, talks(10), tokens=24).records
    run = distil(young, old, talks(), replace(recipe, epochs=30, learning_rate=1e-2))
    bits = [evaluate.reply_bits_per_byte(model, said) for model in (young, run.model)]
    assert bits[1] < bits[0] / 8
    assert young.sha256() == random_model().sha256()  # a copy was trained
    assert old.sha256() == classmates.teacher().sha256()


def test_soft_labels_of_other_positions_teach_nothing(monkeypatch):
    """The mechanism broken: each position gets what the teacher said somewhere else."""
    old, recipe = classmates.teacher(), replace(LOGITS, epochs=30, alpha=1.0, learning_rate=1e-2)
    rows = chat_rows(talks(), old.tokenizer, 96)

    def surprise(run) -> float:
        with torch.no_grad():
            logits, labels = graded_logits(run.model, rows)
        return cross_entropy(logits, labels).item()

    right, at = distil(student(old, 1), old, talks(), recipe), SoftLabels.at
    monkeypatch.setattr(SoftLabels, "at",
                        lambda self, places: at(self, (places + 7) % len(self.labels)))
    broken = distil(student(old, 1), old, talks(), recipe)
    assert surprise(right) < 0.5
    assert surprise(broken) > 1.5


@BOTH
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_killed_run_goes_on_to_the_same_weights(recipe, method, tmp_path):
    recipe = replace(recipe, epochs=6, checkpoint_minutes=0.0,
                     adapter=None if method == "full" else Adapter(method, rank=2))
    young, old, folder = random_model(), classmates.teacher(), tmp_path / "run"
    whole = distil(young, old, talks(), recipe)
    with killed_at(4):
        distil(young, old, talks(), recipe, folder=folder)
    assert list((folder / "checkpoints").glob("checkpoint-*"))
    resumed = distil(young, old, talks(), recipe, folder=folder)
    assert not (folder / "checkpoints").exists()
    assert resumed.model.sha256() == whole.model.sha256()
    assert resumed.history["loss"].to_list() == pytest.approx(whole.history["loss"].to_list())
    for opened in (distil(young, old, talks(), recipe, folder=folder), Run.load(folder)):
        assert opened.model.sha256() == whole.model.sha256()
        assert opened.parents["teacher"] == old.sha256()
    with pytest.raises(StoreError, match="another recipe"):
        distil(young, old, talks(), replace(recipe, epochs=7), folder=folder)
    with pytest.raises(StoreError, match="another teacher"):
        distil(young, random_model(5), talks(), recipe, folder=folder)


@BOTH
def test_the_teacher_s_price_is_in_the_run_s(recipe):
    old = classmates.teacher()
    run = distil(random_model(), old, talks(), recipe)
    again = distil(random_model(), old, talks(), recipe)  # found in the store, and counted
    plain = instruct(random_model(), talks(), InstructRecipe(**SETTINGS))
    for each in (run, again):
        assert each.metrics["teacher_flops"] > 2 * old.parameters * each.metrics["teacher_tokens"]
        assert each.metrics["teacher_seconds"] == run.metrics["teacher_seconds"] > 0
        own = each.cost.flops - each.metrics["teacher_flops"]
        assert own / each.cost.tokens == pytest.approx(plain.cost.flops / plain.cost.tokens,
                                                       rel=0.05)
        assert each.cost.seconds > each.metrics["teacher_seconds"]
    assert run.metrics["conversations"] == 40
    assert run.metrics["epochs"] == pytest.approx(2, rel=0.1)


def test_other_tokens_by_sequences_only():
    words = train_tokenizer(tiny.texts()[:60], vocabulary=300, context=tiny.CONTEXT)
    young = with_chat(build(tiny.SHAPE, words, context=160))
    recipe = replace(SEQUENCES, max_length=160, batch_tokens=640)
    run = distil(young, classmates.teacher(), talks(), replace(recipe, epochs=1))
    assert run.metrics["conversations"] == 40
    with pytest.raises(ModelError, match="a logit of the one says nothing") as caught:
        distil(young, classmates.teacher(), talks(), LOGITS)
    assert "SequenceRecipe" in caught.value.fix


def test_held_out_replies_are_looked_at():
    run = distil(random_model(), classmates.teacher(), talks(30), replace(LOGITS, looks=3),
                 validation=talks(10))
    assert len(run.observations) == 3
    assert run.metrics["validation_after"] < run.metrics["validation_before"]
    assert evaluate.reply_bits_per_byte(run.model, talks(10)) == pytest.approx(
        run.observations[VALIDATION].iloc[-1], rel=1e-3)


def test_what_is_too_long_is_warned_of():
    with pytest.warns(CourseWarning, match="of 40 conversations have more than 48 tokens") as told:
        run = distil(random_model(), classmates.teacher(), talks(),
                     replace(LOGITS, max_length=48, batch_tokens=96))
    assert 0 < run.metrics["left_out"] < 40
    assert [one.filename for one in told if one.category is CourseWarning] == [__file__]


def test_what_cannot_be_distilled_is_refused(monkeypatch):
    young, old = random_model(), classmates.teacher()
    with pytest.raises(ModelError, match="masked model cannot teach"):
        distil(young, tiny.model("masked"), talks(), SEQUENCES)
    with pytest.raises(ModelError, match="masked model cannot learn"):
        distil(tiny.model("masked"), old, talks(), SEQUENCES)
    with pytest.raises(ModelError, match="too long for this model"):
        distil(random_model(context=64), old, talks(), LOGITS)
    with pytest.raises(ModelError, match="too long for this teacher"):
        distil(young, random_model(context=64), talks(), LOGITS)
    with pytest.raises(ModelError, match="context of 48"):
        distil(young, random_model(context=48), talks(), SEQUENCES)
    with pytest.raises(DataError, match="no conversations"):
        distil(young, old, tiny.dataset(), LOGITS)
    with pytest.raises(ModelError, match="There are 384 tokens, so 385 logits"):
        distil(young, old, talks(), replace(LOGITS, top_k=385))
    with pytest.raises(DataError, match="there is nothing to learn"):
        distil(young, old, talks(), replace(SEQUENCES, answer_tokens=1))
    with torch.no_grad():
        old.network.model.norm.weight[0] = torch.nan
    with pytest.raises(ModelError, match="teacher's logits are not finite"):
        distil(young, old, talks(), LOGITS)
    other = random_model()
    other.tokenizer.chat_template += " "
    with pytest.raises(ModelError, match="different chat templates"):
        distil(young, other, talks(), LOGITS)
    young.network.config.final_logit_softcapping = 30.0
    with pytest.raises(ModelError, match="scaled or capped"):
        distil(young, classmates.teacher(), talks(), LOGITS)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(CourseError, match="one process alone"):
        distil(random_model(), classmates.teacher(), talks(), LOGITS)


@pytest.mark.parametrize(("recipe", "wrong"), [
    (LOGITS, {"temperature": 0.0}), (LOGITS, {"temperature": -1.0}), (LOGITS, {"alpha": 1.1}),
    (LOGITS, {"alpha": -0.1}), (LOGITS, {"top_k": 0}), (LOGITS, {"adapter": Adapter("prompt")}),
    (SEQUENCES, {"answer_temperature": 0.0}), (SEQUENCES, {"answer_temperature": float("inf")}),
    (SEQUENCES, {"answer_tokens": 0}),
    (SEQUENCES, {"samples": 0}), (SEQUENCES, {"epochs": 0})])
def test_settings_that_are_not_possible_are_refused(recipe, wrong):
    with pytest.raises(CourseError, match=rf"{type(recipe).__name__}\.{next(iter(wrong))}"):
        replace(recipe, **wrong)


@BOTH
def test_a_run_names_what_its_teacher_said(recipe):
    run = distil(random_model(), classmates.teacher(), talks(), recipe)
    (about,) = store.folder("teachers").glob("*/about.json")
    assert store.read_json(about)["sha256"] == run.parents["said"]
    assert store.broken_seal(about) == []


@BOTH
def test_governed_data_is_not_shown_to_a_teacher_either(recipe):
    facts = Governance(owner="legal", purposes=("retrieval",), sensitivity="confidential")
    rows = talks()
    about = replace(Card("talks", {"north": "0" * 64}), governance=facts)
    with pytest.raises(PolicyError):
        distil(random_model(), classmates.teacher(), with_card(rows, about), recipe)
    assert not list(store.folder("teachers").iterdir())


def test_a_shallow_student_costs_less_than_its_teacher():
    old = with_chat(build(Shape(32, 4, 64, 2), tiny.tokenizer(), context=128))
    runs = [distil(student(old, layers), old, talks(), LOGITS) for layers in (1, 4)]
    own = [run.cost.flops - run.metrics["teacher_flops"] for run in runs]
    assert own[0] < own[1]
    assert runs[0].metrics["teacher_flops"] == runs[1].metrics["teacher_flops"]
