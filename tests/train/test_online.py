"""Learning online, by either algorithm: it learns, survives a kill, and says what went wrong."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from learners import SMALL, policy, prompts, score, vowels, weights
from transformers import Gemma2Config, Gemma2ForCausalLM

from fmcourse import data
from fmcourse.data import governance
from fmcourse.errors import CourseError, DataError, ModelError, PolicyError, StoreError
from fmcourse.models import (
    Adapter,
    LanguageModel,
    RewardModel,
    Rollouts,
    adapt,
    adapted,
    build,
    roll_out,
    train_tokenizer,
)
from fmcourse.models.reward_model import answered
from fmcourse.train import GRPORecipe, PPORecipe, Run, flops_per_token, grpo, ppo
from fmcourse.train.completions import in_chunks
from fmcourse.train.judging import rewarded
from fmcourse.train.online import judge, read_completions

WAYS = {"ppo": (ppo, PPORecipe(**SMALL, prompts=8, samples=8, unended=0.0)),
        "grpo": (grpo, GRPORecipe(**SMALL, prompts=8, samples=8))}
CLOCK = ["seconds", "tokens_per_second"]


@pytest.fixture(params=WAYS)
def way(request):
    """An algorithm, and its recipe of three steps."""
    train, recipe = WAYS[request.param]
    return train, replace(recipe, steps=3)


def same(one: Run, other: Run) -> bool:
    """Equal weights, history and observations; the clock aside."""
    return (torch.equal(weights(one.model), weights(other.model))
            and one.history.drop(columns=CLOCK).equals(other.history.drop(columns=CLOCK))
            and one.observations.equals(other.observations))


def test_rollouts_are_read_as_they_were_sampled():
    model = policy()
    made = roll_out(model, prompts()["prompt"], 12, samples=6, temperature=0.8)
    read = read_completions(model, made, 0.8)
    torch.testing.assert_close(read.log_probs.detach(), made.log_probs, atol=1e-4, rtol=0)
    assert read.hidden.shape == (*made.mask.shape, 32)
    for rows, part in in_chunks(partial(read_completions, model, temperature=0.8), made):
        torch.testing.assert_close(part.log_probs, made.select(rows).log_probs, atol=1e-4, rtol=0)
        assert not part.log_probs.requires_grad
    assert torch.is_grad_enabled()


def test_between_chunks_gradients_are_as_the_caller_has_them():
    """A generator that switches them off by itself would do so for whoever it yields to."""
    model = policy()
    made = roll_out(model, prompts()["prompt"], 4, samples=8)
    parts = in_chunks(partial(read_completions, model), made)
    assert [torch.is_grad_enabled() for _ in parts] == [True, True]


def test_entropy_is_that_of_the_distributions():
    model = policy()
    made = roll_out(model, prompts()["prompt"], 8)
    with torch.no_grad():
        seen = made.attention_mask
        logits = model.network(made.input_ids, attention_mask=seen.long(),
                               position_ids=(seen.cumsum(1) - 1).clamp(min=0)).logits
    there = logits[:, -made.mask.shape[1] - 1:-1][made.mask] / 0.5
    right = torch.distributions.Categorical(logits=there).entropy().mean()
    torch.testing.assert_close(read_completions(model, made, 0.5).entropy, right)


def test_the_same_seed_is_the_same_run_and_another_is_not(way):
    train, recipe = way
    start = policy()
    before = start.sha256()
    one, two, other = (train(start, prompts(), vowels, replace(recipe, seed=seed), fixed=["Who?"])
                       for seed in (0, 0, 1))
    assert start.sha256() == before
    assert same(one, two)
    assert not torch.equal(weights(one.model), weights(other.model))


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("step", [1, 3])
def test_a_run_interrupted_goes_on_as_if_it_had_not_been(way, tmp_path, optimizer, step):
    train, recipe = way
    recipe = replace(recipe, steps=4, looks=5, checkpoint_minutes=0.0, optimizer=optimizer,
                     learning_rate=1e-3, **({"kl_target": 1.0} if train is ppo else {}))
    calls = []

    def reward(rows, replies):
        calls.append(len(replies))
        if len(calls) == step + 1 and interrupted:
            raise KeyboardInterrupt
        return vowels(rows, replies)

    def look(model, share):
        return {"nothing": math.nan, "number": np.int64(3), "norm": float(weights(model).norm())}

    interrupted, call = False, {"fixed": ["Who?"], "observe": look}
    whole = train(policy(), prompts(), reward, recipe, **call)
    calls.clear()
    interrupted = True
    with pytest.raises(KeyboardInterrupt):
        train(policy(), prompts(), reward, recipe, folder=tmp_path / "run", **call)
    assert [f.name for f in (tmp_path / "run" / "checkpoints").iterdir()] == [f"checkpoint-{step}"]
    calls.clear()
    interrupted = False
    resumed = train(policy(), prompts(), reward, recipe, folder=tmp_path / "run", **call)
    assert len(calls) == 4 - step
    assert same(resumed, whole)
    assert resumed.cost.flops == whole.cost.flops
    assert not (tmp_path / "run" / "checkpoints").exists()
    opened = train(policy(), prompts(), reward, recipe, folder=tmp_path / "run", **call)
    assert len(calls) == 4 - step
    assert opened.model.sha256() == whole.model.sha256()


SCRIPT = """
import os, signal, sys
from learners import policy, prompts, vowels
from test_online import WAYS
from dataclasses import replace
train, recipe = WAYS[sys.argv[3]]
calls = []
def reward(rows, replies):
    calls.append(1)
    if len(calls) == 3 and sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return vowels(rows, replies)
run = train(policy(), prompts(), reward, replace(recipe, steps=5, checkpoint_minutes=0.0),
            folder=sys.argv[1])
print(len(calls), run.model.sha256())
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", WAYS)
def test_sigkill_changes_nothing(name, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    here = Path(tiny.__file__).parent
    path = os.pathsep.join(map(str, [here, here / "train", os.environ.get("PYTHONPATH", "")]))
    done = [subprocess.run([sys.executable, tmp_path / "script.py", tmp_path / folder, how, name],
                           env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
                           capture_output=True, text=True)
            for folder, how in (("run", "killed"), ("run", "goes on"), ("other", "undisturbed"))]
    assert [each.returncode for each in done] == [-9, 0, 0], done[1].stderr[-2000:]
    (calls, resumed), (all_calls, whole) = (each.stdout.split()[-2:] for each in done[1:])
    assert (calls, all_calls) == ("3", "5")
    assert resumed == whole


def test_a_finished_run_is_opened_and_another_refused(way, tmp_path):
    train, recipe = way
    run = train(policy(), prompts(), vowels, recipe, folder=tmp_path / "run", fixed=["Who?"])

    def vowels_too(rows, replies):
        raise AssertionError

    for opened in (train(policy(), prompts(), vowels, recipe, folder=tmp_path / "run",
                         fixed=["Who?"]), Run.load(tmp_path / "run")):
        assert isinstance(opened.model, LanguageModel)
        assert opened.model.sha256() == run.model.sha256()
        assert opened.observations["replies"].to_list() == run.observations["replies"].to_list()
        np.testing.assert_allclose(opened.history, run.history)
        assert opened.metrics == run.metrics
        assert opened.cost == run.cost
    others = (("recipe", prompts(), vowels, replace(recipe, seed=1), ["Who?"]),
              ("data", prompts(9), vowels, recipe, ["Who?"]),
              ("reward", prompts(), vowels_too, recipe, ["Who?"]),
              ("fixed", prompts(), vowels, recipe, []))
    for what, asked, reward, other, fixed in others:
        with pytest.raises(StoreError, match=f"another {what}"):
            train(policy(), asked, reward, other, folder=tmp_path / "run", fixed=fixed)
    with pytest.raises(StoreError, match="another start"):
        train(build(tiny.SHAPE, tiny.tokenizer(), context=96, seed=9), prompts(), vowels, recipe,
              folder=tmp_path / "run", fixed=["Who?"])


def test_looks_see_the_policy_before_and_after(way):
    train, recipe = way
    seen = []

    def look(model, share):
        assert not model.network.training
        seen.append((share, weights(model)))
        return {"norm": float(weights(model).norm())}

    fixed = ["Who?", [{"role": "user", "content": "Where?"}]]
    run = train(policy(), prompts(), vowels, replace(recipe, looks=4), fixed=fixed, observe=look)
    looks = run.observations
    assert looks["share"].to_list() == [share for share, _ in seen] == [0, 1 / 3, 2 / 3, 1]
    assert looks["step"].to_list() == [0, 1, 2, 3]
    assert torch.equal(seen[0][1], weights(policy()))
    assert torch.equal(seen[-1][1], weights(run.model))
    first = roll_out(policy(), fixed, recipe.tokens).replies(policy())
    assert looks["replies"].iloc[0] == first
    assert len(looks["replies"].iloc[-1]) == 2


@pytest.mark.parametrize(("reward", "error", "message"), [
    (lambda rows, replies: 1 / 0, CourseError, r"raised ZeroDivisionError.*\n.*step 1"),
    (lambda rows, replies: [1.0], DataError, r"1 rewards for 64 replies.\n.*step 1"),
    (lambda rows, replies: None, DataError, "1 rewards for 64"),
    (lambda rows, replies: 1.0, DataError, "1 rewards for 64"),
    (lambda rows, replies: [math.nan for _ in rows], DataError,
     "nan is not a finite number.\n.*step 1, the reply .* to 'Where"),
    (lambda rows, replies: [math.inf for _ in rows], DataError, "inf is not a finite"),
    (lambda rows, replies: ["good" for _ in rows], DataError, "'good' is not a finite number"),
    (lambda rows, replies: [None for _ in rows], DataError, "None is not a finite number"),
])
def test_a_reward_function_s_faults_are_told(way, reward, error, message):
    train, recipe = way
    with pytest.raises(error, match=message):
        train(policy(), prompts(), reward, recipe)


def test_the_step_of_a_fault_is_told(way):
    train, recipe = way
    calls = []

    def late(rows, replies):
        calls.append(1)
        return vowels(rows, replies) if len(calls) < 2 else 1 / 0

    with pytest.raises(CourseError, match=r"late, \w+, step 2"):
        train(policy(), prompts(), late, recipe)


@pytest.mark.parametrize("kind", [float, int, bool, np.float32, np.int64, np.bool_, np.array])
def test_any_kind_of_number_is_a_reward(kind):
    rows = [{"prompt": "?"}] * 3
    given = np.array([0, 1, 1]) if kind is np.array else [kind(i) for i in (0, 1, 1)]
    assert judge(lambda rows, replies: given, rows, ["", "a", "b"], "here") == [0.0, 1.0, 1.0]


def test_a_reward_sees_its_rows_and_empty_replies_and_they_are_learnt_from(way):
    train, recipe = way
    silent = policy()
    bias = torch.zeros(384)
    bias[silent.ends()[0]] = 9.0  # most completions end at once
    silent.network.lm_head.bias = torch.nn.Parameter(bias)
    seen = []

    def talkative(rows, replies):
        assert len(rows) == len(replies) == 64
        assert all(rows[i] == rows[i - i % 8] for i in range(64))
        seen.append(np.mean([said == "" for said in replies]))
        return [float(len(said) > 0) + 0 * row["number"] for row, said in
                zip(rows, replies, strict=True)]

    run = train(silent, prompts(), talkative, replace(recipe, steps=15, learning_rate=2e-2))
    assert seen[0] > 0.7
    assert seen[-1] < seen[0] - 0.3
    assert run.history["length"].iloc[-1] > run.history["length"].iloc[0]
    assert np.isfinite(run.history).all().all()


def test_a_reward_model_judges_the_very_tokens_and_always_an_ended_turn(way):
    train, recipe = way
    model = policy()
    judge_ = RewardModel.of(model, seed=1)
    run = train(model, prompts(), judge_, replace(recipe, steps=2))
    assert run.parents["reward"] == judge_.sha256()
    asked, said = prompts(3)["prompt"], ["By the river.", "", "In winter the old mill"]
    rows = answered(judge_.tokenizer, asked, said)
    begun = [len(ids) for ids in model.tokenizer(
        [model.tokenizer.apply_chat_template([{"role": "user", "content": q}], tokenize=False,
                                             add_generation_prompt=True) for q in asked],
        add_special_tokens=False)["input_ids"]]
    prompt, reply = max(begun), max(len(r) - b for r, b in zip(rows, begun, strict=True))
    ids, seen = torch.zeros(2, 3, prompt + reply, dtype=torch.long)
    for i, (row, at) in enumerate(zip(rows, begun, strict=True)):
        place = slice(prompt - at, prompt - at + len(row))
        ids[i, place], seen[i, place] = torch.tensor(row), 1
    seen = seen.bool()
    made = Rollouts(ids[:, :prompt], seen[:, :prompt], ids[:, prompt:], seen[:, prompt:],
                    torch.zeros(3, reply), torch.ones(3).bool())
    assert made.replies(model) == said
    found = rewarded(judge_, [*prompts(3)], made, model, "here")
    np.testing.assert_allclose(found, judge_.score(asked, said), atol=1e-5)
    last = made.mask[2].nonzero()[-1, 0]
    made.mask[2, last], made.completion_ids[2, last], made.ended[2] = False, 0, False  # cut off
    again = rewarded(judge_, [*prompts(3)], made, model, "here")
    np.testing.assert_allclose(again, found, atol=1e-5)  # not by its last word, whatever that is


def test_a_reward_model_that_cannot_read_the_policy_is_refused(way):
    train, recipe = way
    other = build(tiny.SHAPE, train_tokenizer(["other words entirely"] * 9, 300), context=96)
    with pytest.raises(ModelError, match="different tokenizers"):
        train(policy(), prompts(), RewardModel.of(other), recipe)
    short = build(tiny.SHAPE, tiny.tokenizer(), context=32)
    with pytest.raises(ModelError, match="too long for the reward model's context of 32"):
        train(policy(), prompts(), RewardModel.of(short), recipe)


def test_not_ending_costs(way):
    train, recipe = way
    runs = [train(policy(), prompts(), lambda rows, replies: [0.5] * len(rows),
                  replace(recipe, steps=1, unended=price)) for price in (0.0, 2.0)]
    ended = runs[0].history["ended"].iloc[0]
    assert 0 < ended < 1
    assert [run.history["reward"].iloc[0] for run in runs] == pytest.approx([0.5, 0.5])
    assert runs[0].model.sha256() != runs[1].model.sha256()  # it is learnt from, not reported


def test_passes_end_early_when_the_policy_has_gone_far_enough(way):
    train, recipe = way
    recipe = replace(recipe, learning_rate=3e-2, epochs=6, warmup=0.0, steps=2)
    free, held = (train(policy(), prompts(), vowels, replace(recipe, max_step_kl=kl))
                  for kl in (None, 0.02))
    assert free.history["early"].eq(0).all()
    assert held.history["early"].eq(1).all()
    assert held.cost.tokens < free.cost.tokens
    tight = train(policy(), prompts(), vowels, replace(recipe, max_step_kl=1e-9))
    assert np.isfinite(tight.history).all().all()


def test_what_it_cost_is_counted(way):
    train, recipe = way
    run = train(policy(), prompts(), vowels, replace(recipe, steps=1, looks=2))
    asked = roll_out(policy(), prompts()["prompt"], 1).prompt_mask.sum(1)  # all are drawn
    read = int(asked.sum()) * 8 + round(run.history["length"].iloc[0] * 64)
    assert run.cost.tokens == read * recipe.epochs == run.history["tokens"].iloc[0]
    passes = recipe.epochs + (2 if train is grpo else 3) / 3  # forwards: sampling, reference, value
    width = int(asked.max()) + 8
    assert run.cost.flops == pytest.approx(read * passes * flops_per_token(run.model, width),
                                           rel=0.02)
    assert run.cost.trainable == run.cost.parameters == run.model.parameters


def test_lora_alone_is_trained_and_merged_at_the_end(way, tmp_path):
    train, recipe = way
    start = adapt(policy(), Adapter("lora", rank=4))
    run = train(start, prompts(), vowels, replace(recipe, checkpoint_minutes=0.0),
                folder=tmp_path / "run")
    assert not adapted(run.model)
    assert run.cost.trainable < run.cost.parameters / 2
    kept = dict(policy().network.named_parameters())
    changed = {name for name, value in run.model.network.named_parameters()
               if not torch.equal(value, kept[name])}
    assert changed
    assert all("proj" in name for name in changed)
    assert Run.load(tmp_path / "run").model.sha256() == run.model.sha256()


def test_divergence_is_said(way):
    train, recipe = way
    with pytest.raises(ModelError, match=r"diverged: .* is not a number any more.\n.*step \d"):
        train(policy(), prompts(), vowels, replace(recipe, learning_rate=1e30, clip=1e30))


def test_a_loss_that_is_no_number_is_said(way, monkeypatch):
    train, recipe = way
    name = {ppo: "ppo.ppo_policy_loss", grpo: "grpo.grpo_loss"}[train]
    whole = f"fmcourse.train.{name.split('.')[0]}"
    own = getattr(sys.modules[whole], name.split(".")[1])
    monkeypatch.setattr(sys.modules[whole], name.split(".")[1], lambda *args, **rest: own(
        *args, **rest)._replace(loss=torch.tensor(math.nan)))
    with pytest.raises(ModelError, match="the loss is not a number"):
        train(policy(), prompts(), vowels, recipe)


def test_governed_data_asks_its_policy(way, tmp_path, monkeypatch):
    train, recipe = way
    monkeypatch.setenv("FMCOURSE_WHO", "ann")
    project = governance.start(tmp_path / "project", name="letters", owner="data team",
                               purpose="research")
    asked = data.with_card(prompts(), data.Card("asked", {"north": "0" * 64}, licence=("CC0-1.0",)))
    folder = project.folder / "runs" / "one"
    past = governance.Governance("data team", ("research",), "2001-01-01", "internal", "our own")
    with pytest.raises(PolicyError, match="retention"):
        train(policy(), governance.govern(asked, past), vowels, recipe, folder=folder)
    run = train(policy(), governance.govern(asked, replace(past, keep_until="2099-12-31")),
                vowels, recipe, folder=folder)
    assert run.parents["north"] == "0" * 64
    assert run.reads[0]["name"] == "asked"


def test_what_cannot_be_trained_is_refused_before_it_begins(way, tmp_path):
    train, recipe = way
    for wrong in (prompts().select([]), prompts().rename_column("prompt", "text")):
        with pytest.raises(DataError, match="no prompts"):
            train(policy(), wrong, vowels, recipe)
    with pytest.raises(ModelError, match="masked"):
        train(tiny.model("masked"), prompts(), vowels, recipe, folder=tmp_path / "run")
    long = {"prompt": "where " * 80, "number": 0}
    with pytest.raises(ModelError, match="context of 96"):
        train(policy(), type(prompts()).from_list([*prompts(), long]), vowels, recipe)
    with pytest.raises(ModelError, match="context of 96"):
        train(policy(), prompts(), vowels, recipe, fixed=["where " * 80])
    assert not (tmp_path / "run").exists()


def test_scaled_logits_are_refused():
    network = Gemma2ForCausalLM(Gemma2Config(
        vocab_size=384, hidden_size=32, intermediate_size=64, num_hidden_layers=2, head_dim=16,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=96))
    network.generation_config.eos_token_id = [0]
    made = LanguageModel(network, policy().tokenizer, "gemma")
    with pytest.raises(ModelError, match="scaled logits"):
        read_completions(made, roll_out(made, ["Who?"], 4))


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("wrong", [
    {"steps": 0}, {"prompts": 0}, {"samples": 0}, {"tokens": 0}, {"epochs": 0}, {"minibatch": 0},
    {"temperature": 0.0}, {"epsilon": 0.0}, {"epsilon": 1.0}, {"looks": 1}, {"max_step_kl": 0.0},
    {"learning_rate": -1.0}, {"optimizer": "sgd"}])
def test_recipes_that_cannot_be_are_refused(name, wrong):
    with pytest.raises(CourseError, match=rf"Recipe\.{next(iter(wrong))}"):
        replace(WAYS[name][1], **wrong)


def test_fewer_prompts_than_asked_for_are_all_taken(way):
    train, recipe = way
    run = train(policy(), prompts(3), vowels, replace(recipe, steps=1))
    assert run.history["step"].to_list() == [1]


def test_learning_rates_rise_and_fall(way):
    train, recipe = way
    run = train(policy(), prompts(2), vowels,
                replace(recipe, steps=6, warmup=0.5, decay=0.34, learning_rate=3e-3))
    assert run.history["learning_rate"].to_list() == pytest.approx(
        [1e-3, 2e-3, 3e-3, 3e-3, 3e-3, 1.5e-3])


def test_the_score_of_these_tests_is_of_new_samples():
    """So that what is measured was not trained on."""
    from types import SimpleNamespace

    assert 0.1 < score(SimpleNamespace(model=policy()), vowels) < 0.3


def test_several_processes_are_refused(way, monkeypatch):
    train, recipe = way
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(CourseError, match="one process alone"):
        train(policy(), prompts(), vowels, recipe)
