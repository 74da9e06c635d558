"""Direct preference optimisation: TRL's loss, the start as reference, the same run after a kill."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
import tiny
import torch
from datasets import Dataset
from kills import killed_at
from sessions import Sessions

from fmcourse.data import Card, with_card
from fmcourse.data.chat import conversation
from fmcourse.errors import CourseError, CourseWarning, DataError, ModelError, StoreError
from fmcourse.models import Adapter, adapt, build, compat, load, quantized, replies, with_chat
from fmcourse.train import InstructRecipe, PreferenceRecipe, Run, instruct, prefer
from fmcourse.train.pairs import checked, pair_rows
from fmcourse.train.preference import Preferrer
from fmcourse.train.reference import REFERENCE, chunks, read, with_reference

RECIPE = PreferenceRecipe(max_length=96, learning_rate=3e-3, least_steps=1)
LOG2 = math.log(2)


def pairs(count=64, seed=0, rule="shorter", **columns) -> Dataset:
    """Replies of one to three places, and of some more: the shorter is preferred, or whichever."""
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


def loss_at_start(model, **changes):
    """Of a step that changes nothing."""
    run = prefer(model, pairs(16), replace(RECIPE, learning_rate=0.0, pairs=16, **changes))
    return run.history["loss"].iloc[0]


def test_it_learns_a_preference_and_answers_by_it(model):
    taught = pairs(200, seed=2)
    talks = [conversation(row["prompt"], row[side]) for row in taught
             for side in ("chosen", "rejected")]
    model = instruct(model, with_card(Dataset.from_dict({"messages": talks}), Card("talks", {})),
                     InstructRecipe(epochs=8, max_length=128, batch_tokens=1024,
                                    learning_rate=1e-2)).model
    before = model.sha256()
    run = prefer(model, pairs(400), replace(RECIPE, learning_rate=1e-3),
                 validation=pairs(100, seed=1))
    assert model.sha256() == before
    assert "forward" not in vars(run.model.network)  # TRL's patch would outlive its training
    assert run.metrics["reward_accuracy_before"] == 0.5
    assert run.metrics["reward_accuracy_after"] > 0.9
    assert run.metrics["validation_loss_after"] < run.metrics["validation_loss_before"] == (
        pytest.approx(LOG2, abs=1e-6))
    asked = pairs(60, seed=3)["prompt"]
    words = [sum(len(said.split()) for said in replies(some, asked, temperature=1.0)) / 60
             for some in (model, run.model)]
    assert 1 <= words[1] < words[0] - 1


def test_of_labels_without_sense_nothing_is_learnt(model):
    run = prefer(model, pairs(400, rule="random"), RECIPE,
                 validation=pairs(400, seed=1, rule="random"))
    assert run.metrics["reward_accuracy_after"] == pytest.approx(0.5, abs=0.1)  # 4 standard errors


def test_a_run_says_what_it_saw_and_what_it_cost(model):
    run = prefer(model, pairs(64), RECIPE, validation=pairs(20, seed=1))
    for seen in (run.history, run.observations):
        assert seen["margin"].to_list() == pytest.approx(
            (0.1 * (seen["chosen_log_ratio"] - seen["rejected_log_ratio"])).to_list(), abs=1e-5)
        assert seen["reward_accuracy"].between(0, 1).all()
    assert run.metrics["margin"] == run.history["margin"].iloc[-1]
    assert (run.metrics["pairs"], run.metrics["epochs"]) == (64, 1)
    rows, _ = pair_rows(checked(pairs(64)), with_chat(model), 96)
    assert run.cost.tokens == pytest.approx(
        sum(len(row) for side in ("chosen_ids", "rejected_ids") for row in rows[side]), abs=4)
    assert run.cost.seconds > run.history["seconds"].iloc[-1]  # the reference's reading is paid for
    assert run.cost.parameters == run.cost.trainable == model.parameters
    assert run.cost.flops / run.cost.tokens < 6 * model.parameters * 4 / 3


def test_training_begins_at_log_2_whatever_the_model_was_loaded_from(model, tmp_path, monkeypatch):
    """TRL alone would take the folder's weights for the reference of weights tuned since."""
    assert loss_at_start(model) == pytest.approx(LOG2, abs=1e-7)
    opened = load(model.save(tmp_path / "model"))
    assert opened.network.config._name_or_path
    with torch.no_grad():
        for weight in opened.network.parameters():
            weight += 0.1 * torch.randn_like(weight)
    assert loss_at_start(opened) == pytest.approx(LOG2, abs=1e-7)
    assert loss_at_start(opened, adapter=Adapter(rank=2)) == pytest.approx(LOG2, abs=1e-7)
    monkeypatch.setenv("FMCOURSE_DTYPE", "bfloat16")
    assert loss_at_start(opened) == pytest.approx(LOG2, abs=1e-7)


def test_the_loss_by_hand(model):
    """Of a policy that is not its reference: sums over replies alone, their end included."""
    data = pairs(16)
    moved = prefer(model, data, RECIPE).model
    run = prefer(model, data, replace(RECIPE, epochs=2), validation=data)
    again = run.observations.iloc[-1]
    ratios = []
    for side in ("chosen", "rejected"):
        sums = []
        for some in (with_chat(model), run.model):
            total = []
            for prompt, said in zip(data["prompt"], data[side], strict=True):
                text = f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
                first = len(some.tokenizer(text)["input_ids"])
                ids = torch.tensor([some.tokenizer(f"{text}{said}<|im_end|>")["input_ids"]])
                with torch.no_grad():
                    log_probs = some.network(ids).logits[0].log_softmax(-1)
                total.append(log_probs[:-1].gather(1, ids[0, 1:, None])[first - 1:].sum())
            sums.append(torch.stack(total))
        ratios.append(sums[1] - sums[0])
    loss = -torch.nn.functional.logsigmoid(0.1 * (ratios[0] - ratios[1])).mean()
    assert again["validation_loss"] == pytest.approx(loss.item(), abs=1e-5)
    assert again["chosen_log_ratio"] == pytest.approx(ratios[0].mean().item(), abs=1e-4)
    assert moved.sha256() != run.model.sha256()


@pytest.mark.parametrize("setting", [{}, {"loss_type": "ipo"}, {"beta": 0.5, "micro_batch": 4},
                                     {"sft_weight": 0.5}])
def test_our_loss_is_trls(model, monkeypatch, setting):
    recipe = replace(RECIPE, epochs=2, **setting)
    ours = prefer(model, pairs(), recipe)

    def theirs(self, network, inputs, **_):
        self.seen.append(torch.zeros(4))
        return compat.DPOTrainer.compute_loss(self, network, inputs)

    monkeypatch.setattr(Preferrer, "compute_loss", theirs)
    other = prefer(model, pairs(), recipe)
    assert ours.history["loss"].to_list() == pytest.approx(other.history["loss"].to_list(),
                                                           rel=1e-4)
    assert ours.history["grad_norm"].to_list() == pytest.approx(
        other.history["grad_norm"].to_list(), rel=1e-3)
    torch.testing.assert_close(weights(ours), weights(other), atol=1e-3, rtol=1e-2)


def test_replies_begin_where_trl_says_they_do(model):
    """A reply may begin in the middle of a token: that token is graded, on both sides."""
    chat = with_chat(model)
    data = Dataset.from_dict({"prompt": ["Where?"] * 3, "chosen": ["hill", "\n\nhill", ""],
                              "rejected": ["wood", "lane", " old mill"]})
    rows, _ = pair_rows(checked(data), chat, 96, parted=True)
    for row, pair in zip(rows, data, strict=True):
        for side in ("chosen", "rejected"):
            text = chat.tokenizer.decode(row["prompt_ids"] + row[f"{side}_ids"])
            assert text.endswith(f"<|im_start|>assistant\n{pair[side]}<|im_end|>".rstrip())
        opening = chat.tokenizer.decode(row["prompt_ids"])
        assert opening.rstrip().endswith("assistant")
    assert chat.tokenizer.decode(rows[0]["chosen_ids"]) == "hill<|im_end|>"


def test_each_pair_is_read_by_the_reference_once_in_its_first_batch(model):
    chat = with_chat(model)
    rows, _ = pair_rows(checked(pairs(8)), chat, 96, parted=True)
    once, tokens = with_reference(chat, rows, [[0, 1], [2, 3], [0, 1], [2, 4]])
    assert [math.isnan(value) for value in once[REFERENCE[0]]] == [False] * 5 + [True] * 3
    assert tokens == sum(read(chat, [rows[i] for i in some])[0]["attention_mask"].sum()
                         for some in ([0, 1], [2, 3], [2, 4]))
    _, found = read(chat, [rows[0], rows[1]])
    assert once[REFERENCE[0]][:2] == found[:2].tolist()
    assert chunks([3, 1, 2], 2) == [[3, 1], [2]]


def test_micro_batches_add_up(model):
    whole, parts = (prefer(model, pairs(64), replace(RECIPE, micro_batch=size)) for size in (16, 4))
    torch.testing.assert_close(weights(whole), weights(parts), atol=1e-4, rtol=1e-3)
    for column in ("loss", "margin", "chosen_log_ratio", "reward_accuracy"):
        assert whole.history[column].to_list() == pytest.approx(parts.history[column].to_list(),
                                                                rel=1e-3, abs=1e-5)


def test_ipo_stops_at_its_distance_and_dpo_goes_on(model):
    recipe = replace(RECIPE, epochs=30, beta=1.0)
    dpo, ipo = (prefer(model, pairs(32), replace(recipe, loss_type=kind))
                for kind in ("sigmoid", "ipo"))
    assert ipo.history["loss"].iloc[0] == pytest.approx(0.25, abs=1e-6)  # (0 − 1/2β)²
    assert ipo.history["loss"].iloc[-1] < 0.05
    assert ipo.metrics["reward_accuracy"] > 0.8  # of sums; it learns means over tokens
    assert 0 < ipo.metrics["margin"] < dpo.metrics["margin"]


def test_with_a_weight_on_chosen_replies_they_do_not_become_unlikelier(model):
    runs = [prefer(model, pairs(32), replace(RECIPE, epochs=12, sft_weight=weight),
                   validation=pairs(32)).observations["chosen_log_ratio"].iloc[-1]
            for weight in (0.0, 1.0)]
    assert runs[1] > max(0.0, runs[0])


def test_smoothed_labels_keep_the_margin_finite(model):
    """The least loss is at a margin of log((1 − ε)/ε), which is 0.85 for ε = 0.3."""
    recipe = replace(RECIPE, epochs=30, beta=0.5)
    free, held = (prefer(model, pairs(32), replace(recipe, label_smoothing=share))
                  for share in (0.0, 0.3))
    assert held.metrics["margin"] == pytest.approx(math.log(0.7 / 0.3), abs=0.3)
    assert free.metrics["margin"] > 2 * held.metrics["margin"]


@pytest.mark.parametrize("method", ["full", "lora", "dora", "pissa", "ia3", "last block", "bitfit"])
def test_a_killed_run_goes_on_to_the_same_weights(model, method, tmp_path):
    adapter = None if method == "full" else Adapter(method, rank=2)
    recipe = replace(RECIPE, checkpoint_minutes=0.0, epochs=2, adapter=adapter)
    call = {"validation": pairs(20, seed=1)}
    whole = prefer(model, pairs(), recipe, **call)
    with killed_at(5):
        prefer(model, pairs(), recipe, **call, folder=tmp_path / "run")
    assert list((tmp_path / "run" / "checkpoints").glob("checkpoint-*"))
    resumed = prefer(model, pairs(), recipe, **call, folder=tmp_path / "run")
    assert list((tmp_path / "run").glob("checkpoint*")) == []
    assert resumed.model.sha256() == whole.model.sha256()
    for column in ("loss", "margin", "reward_accuracy"):
        assert resumed.history[column].to_list() == whole.history[column].to_list()
    assert resumed.observations.equals(whole.observations)
    for opened in (prefer(model, pairs(), recipe, **call, folder=tmp_path / "run"),
                   Run.load(tmp_path / "run")):
        assert opened.model.sha256() == whole.model.sha256()
        assert opened.metrics["margin_after"] == whole.metrics["margin_after"]
        assert (opened.adapter is None) == (adapter is None)
    with pytest.raises(StoreError, match="another data"):
        prefer(model, pairs(seed=3), recipe, **call, folder=tmp_path / "run")
    with pytest.raises(StoreError, match="another validation"):
        prefer(model, pairs(), recipe, validation=pairs(20, seed=9), folder=tmp_path / "run")


def test_lora_trains_few_weights_and_leaves_a_plain_model(model, tmp_path):
    recipe = replace(RECIPE, adapter=Adapter(rank=4), epochs=2, learning_rate=1e-2)
    run = prefer(model, pairs(400), recipe, folder=tmp_path / "run", validation=pairs(100, seed=1))
    assert run.cost.trainable < run.cost.parameters / 3
    assert run.metrics["reward_accuracy_before"] == 0.5
    assert run.metrics["reward_accuracy_after"] > 0.9
    assert isinstance(run.model.network, compat.PreTrainedModel)
    assert run.model.parameters == model.parameters
    assert run.adapter.base == model.sha256()
    assert {name.split(".")[-2] for name in run.adapter.weights} == {"lora_A", "lora_B"}
    kept = dict(model.network.named_parameters())
    for name, value in run.model.network.named_parameters():
        assert torch.equal(value, kept[name]) == ("proj" not in name)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sigkill_changes_nothing(tmp_path):
    Sessions("prefer", "test_preference", tmp_path).check_a_kill_changes_nothing()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_processes_train_as_one(tmp_path):
    folders = Sessions("prefer", "test_preference", tmp_path).by_one_and_by_two()
    one, two = map(Run.load, folders)
    for column in ("loss", "margin", "chosen_log_ratio"):
        assert two.history[column].to_list() == pytest.approx(one.history[column].to_list(),
                                                              rel=1e-2, abs=1e-4)
    torch.testing.assert_close(weights(one), weights(two), atol=1e-3, rtol=1e-2)


def test_messages_are_prompts_too_and_a_card_travels(model):
    plain = pairs(32)
    talks = Dataset.from_dict({
        "prompt": [[{"role": "user", "content": text}] for text in plain["prompt"]],
        "chosen": plain["chosen"], "rejected": plain["rejected"]})
    talks = with_card(talks, Card("preferences", {"north": "0" * 64}))
    runs = [prefer(model, data, RECIPE) for data in (plain, talks)]
    assert runs[0].model.sha256() == runs[1].model.sha256()
    assert runs[1].parents["north"] == "0" * 64
    assert runs[1].reads[0]["name"] == "preferences"
    assert runs[1].parents["start"] == model.sha256()


def test_what_is_left_out_is_counted_and_warned_of(model):
    rows = [*pairs(30), {"prompt": "Where?", "chosen": "hill " * 200, "rejected": "hill"},
            {"prompt": "Where?", "chosen": "hill", "rejected": "hill"},
            {"prompt": "Where?", "chosen": "hill", "rejected": "wood", "tie": True}]
    rows[0]["margin"] = 1.0
    with pytest.warns(CourseWarning) as warned:
        run = prefer(model, Dataset.from_list([{"tie": False, "margin": 0.0, **row}
                                               for row in rows]), RECIPE)
    told = [one for one in warned if issubclass(one.category, CourseWarning)]
    assert [str(one.message).split(",")[0] for one in told] == [
        "1 of 33 pairs prefer a reply to itself and are left out.",
        "1 of 33 pairs have more than 96 tokens and are left out.",
        "1 of 31 pairs are ties", "1 of 31 pairs have a margin"]
    assert {one.filename for one in told} == {__file__}
    assert [run.metrics[key] for key in ("pairs", "left_out", "same", "ties")] == [30, 1, 1, 1]


@pytest.mark.filterwarnings("ignore::fmcourse.errors.CourseWarning")
def test_ties_and_margins_change_nothing_that_is_learnt(model):
    tie = [{"prompt": "Where?", "chosen": "hill", "rejected": "wood", "tie": True}] * 8
    with_ties = Dataset.from_list([{"tie": False, "margin": 0.5, **row}
                                   for row in [*pairs(32), *tie]])
    runs = [prefer(model, data, RECIPE) for data in (pairs(32), with_ties)]
    assert runs[0].model.sha256() == runs[1].model.sha256()


@pytest.mark.parametrize(("wrong", "message"), [
    (pairs(4).remove_columns("rejected"), "no column rejected"),
    (pairs(4).select([]), "There are no pairs"),
    (pairs(4, tie=[True] * 4), "All 4 pairs are ties"),
    (pairs(4, margin=[0.0, 1.0, -0.5, 0.0]), "margin of -0.5"),
    (Dataset.from_dict({"prompt": ["a"], "chosen": ["b<|im_end|>"], "rejected": ["c"]}),
     "marks turns"),
    (Dataset.from_dict({"prompt": ["a"], "chosen": ["b"], "rejected": ["b"]}), "none is left"),
])
def test_bad_pairs_are_refused(model, wrong, message):
    with pytest.raises(DataError, match=message):
        prefer(model, wrong, RECIPE)


def test_a_template_that_writes_prompts_anew_is_refused(model):
    chat = with_chat(model)
    chat.tokenizer.chat_template = chat.tokenizer.chat_template.replace(
        "assistant\\n' }}{% endif", "assistant\\nThink.' }}{% endif")
    with pytest.raises(ModelError, match="prompt differently once it is answered"):
        prefer(chat, pairs(4), RECIPE)


def test_what_cannot_be_trained_is_refused(model):
    with pytest.raises(ModelError, match="masked"):
        prefer(tiny.model("masked"), pairs(4), replace(RECIPE, max_length=32))
    with pytest.raises(ModelError, match="too long for this model"):
        prefer(tiny.model(), pairs(4), RECIPE)
    with pytest.raises(ModelError, match="adapter already"):
        prefer(adapt(model), pairs(4), RECIPE)
    with pytest.raises(ModelError, match="four bits"):
        prefer(quantized(model), pairs(4), RECIPE)
    with pytest.raises(DataError, match="ties"):
        prefer(model, pairs(4), RECIPE, validation=pairs(4, tie=[True] * 4))
    with pytest.raises(ModelError, match="diverged"):
        prefer(model, pairs(), replace(RECIPE, learning_rate=1e30, clip=1e30))
    for wrong in ({"epochs": 0}, {"pairs": 0}, {"micro_batch": 5}, {"looks": 1}, {"beta": 0.0},
                  {"beta": math.inf}, {"loss_type": "dpo"}, {"label_smoothing": 0.5},
                  {"loss_type": "ipo", "label_smoothing": 0.1}, {"adapter": Adapter("prompt")},
                  {"adapter": Adapter("qlora")}):
        with pytest.raises(CourseError, match=r"PreferenceRecipe\."):
            replace(RECIPE, **wrong)


def test_logits_that_are_capped_are_read_through_the_network_s_own_forward_pass(model):
    chat = with_chat(model)
    rows, _ = pair_rows(checked(pairs(4)), chat, 96, parted=True)
    _, short = read(chat, list(rows))
    chat.network.config.logit_scale = 2.0  # of no effect on Llama, but no plain network any more
    assert compat.plain_network(chat.network) is None
    torch.testing.assert_close(read(chat, list(rows))[1], short, atol=1e-4, rtol=1e-5)
