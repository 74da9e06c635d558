"""A reward model scores the same alone, in a batch, from tokens, from disk and in transformers."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
import torch

from fmcourse.errors import DataError, ModelError
from fmcourse.models import Adapter, LanguageModel, RewardModel, adapt, build, load, with_chat
from fmcourse.models.chat import END
from fmcourse.models.reward_model import answered

PROMPTS = ["Where does the fox live?", "Where?", "Every morning, where does the owl look?",
           [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good morning"},
            {"role": "user", "content": "Where?"}]]
REPLIES = ["By the old mill, near the river.", "", "At the water and the sky", "Here."]


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    made = build(tiny.SHAPE, tiny.tokenizer(), context=128, seed=1)
    with torch.no_grad():
        for parameter in made.network.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6)
    return made


@pytest.fixture(scope="module")
def model(base) -> RewardModel:
    return RewardModel.of(base)


def test_it_has_the_base_s_trunk_and_leaves_the_base_alone(base):
    before = base.sha256()
    made = RewardModel.of(base)
    own, theirs = made.network.base_model.state_dict(), base.network.base_model.state_dict()
    assert all(torch.equal(own[key], theirs[key]) for key in theirs)
    assert made.parameters == base.parameters + 32
    assert base.sha256() == before == made.card["base"]["sha256"]
    assert RewardModel.of(base).sha256() == made.sha256() != RewardModel.of(base, 1).sha256()
    assert base.tokenizer.chat_template is None
    assert "RewardModel" in repr(made)
    assert made.device == base.device


def test_a_reply_gets_the_same_reward_alone_and_in_any_batch(model):
    together = model.score(PROMPTS, REPLIES)
    alone = [model.score([p], [r])[0] for p, r in zip(PROMPTS, REPLIES, strict=True)]
    assert together == pytest.approx(alone, abs=1e-5)
    assert len(set(together.round(4))) == 4
    backwards = model.score(PROMPTS[::-1], REPLIES[::-1], batch=2)
    assert backwards[::-1] == pytest.approx(together, abs=1e-5)
    assert together.dtype == np.float64
    assert model.score([], []).shape == (0,)


def test_it_is_the_head_at_the_end_of_the_turn(model):
    text = model.tokenizer.apply_chat_template(
        [{"role": "user", "content": PROMPTS[0]}, {"role": "assistant", "content": REPLIES[0]}],
        tokenize=False)
    assert text.endswith(f"{END}\n")
    ids = model.tokenizer(text[:-1], add_special_tokens=False).input_ids
    assert ids[-1] == model.tokenizer.convert_tokens_to_ids(END)
    with torch.no_grad():
        hidden = model.network.model(torch.tensor([ids])).last_hidden_state[0, -1]
        reward = float(hidden @ model.network.score.weight[0])
    assert model.score(PROMPTS[:1], REPLIES[:1])[0] == pytest.approx(reward, abs=1e-5)


def rollout(model, left: bool):
    """Prompts padded on the left and replies on the right, as a policy samples them."""
    rows = answered(model.tokenizer, PROMPTS, REPLIES)
    width = max(map(len, rows)) + 3
    ids = torch.full((4, width), model.tokenizer.pad_token_id)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        start = (width - len(row)) // 2 if left else 0
        ids[i, start:start + len(row)] = torch.tensor(row)
        mask[i, start:start + len(row)] = 1
    return ids, mask


@pytest.mark.parametrize("left", [True, False])
def test_tokens_are_scored_as_texts_are(model, left):
    ids, mask = rollout(model, left)
    scored = model.standardised(PROMPTS, REPLIES)
    found = scored.score_tokens(ids, mask)
    assert found.tolist() == pytest.approx(scored.score(PROMPTS, REPLIES), abs=1e-5)
    assert torch.equal(scored.score_tokens(ids, mask.bool(), batch=1).round(decimals=4),
                       found.round(decimals=4))
    assert scored.score_tokens(ids.masked_fill(mask == 0, 7), mask).tolist() == pytest.approx(
        found.tolist(), abs=1e-5)
    (torch.ones(4, requires_grad=True) * found).sum().backward()  # no tensor of inference mode


def test_what_a_policy_writes_is_what_was_scored(model, base):
    """The tokens after which it answers, its own, and the end: no white space after that."""
    asked = [{"role": "user", "content": PROMPTS[0]}]
    opened = with_chat(base).tokenizer.apply_chat_template(asked, add_generation_prompt=True,
                                                           tokenize=False)
    coded = [model.tokenizer(part, add_special_tokens=False).input_ids
             for part in (opened, REPLIES[0], END)]
    whole = answered(model.tokenizer, PROMPTS[:1], REPLIES[:1])[0]
    assert [*coded[0], *coded[1], *coded[2]] == whole


def test_transformers_alone_opens_it_and_gives_the_raw_reward(model, tmp_path):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = model.standardised(PROMPTS, REPLIES).save(tmp_path / "m")
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer.pad({"input_ids": answered(tokenizer, PROMPTS, REPLIES)}, return_tensors="pt")
    with torch.no_grad():
        found = network(**batch).logits[:, 0]
    assert found.tolist() == pytest.approx(model.raw(PROMPTS, REPLIES), abs=1e-5)


def test_it_comes_back_from_disk_as_it_was(model, tmp_path):
    kept = model.standardised(PROMPTS, REPLIES)
    again = RewardModel.load(kept.save(tmp_path / "m"))
    assert again.sha256() == kept.sha256()
    assert again.score(PROMPTS, REPLIES) == pytest.approx(kept.score(PROMPTS, REPLIES), abs=1e-6)
    assert again.card["base"] == model.card["base"]
    from fmcourse import store

    assert store.broken_seal(tmp_path / "m" / "card.json") == []
    with pytest.raises(ModelError, match=r"a reward model[^$]*RewardModel\.load"):
        load(tmp_path / "m")
    with pytest.raises(ModelError, match="no reward model"):
        RewardModel.load(tiny.model().save(tmp_path / "causal"))
    with pytest.raises(ModelError, match="no model here"):
        RewardModel.load(tmp_path / "nowhere")
    (tmp_path / "m" / "model.safetensors").write_bytes(b"half")
    with pytest.raises(ModelError, match="cannot be opened"):
        RewardModel.load(tmp_path / "m")


def test_a_classifier_is_no_reward_model(model, tmp_path):
    other = model.copy()
    other.network.config.num_labels = 3
    other.network.score = torch.nn.Linear(32, 3, bias=False)
    with pytest.raises(ModelError, match="into classes"):
        RewardModel.load(other.save(tmp_path / "m"))


def test_standardised_rewards(model):
    before, raw = model.sha256(), model.score(PROMPTS, REPLIES)
    made = model.standardised(PROMPTS, REPLIES)
    scores = made.score(PROMPTS, REPLIES)
    assert (scores.mean(), scores.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1))
    assert scores.argsort().tolist() == raw.argsort().tolist()
    assert made.raw(PROMPTS, REPLIES) == pytest.approx(raw)
    assert made.standardised(PROMPTS, REPLIES).score(PROMPTS, REPLIES) == pytest.approx(scores)
    assert made.unstandardised().score(PROMPTS, REPLIES) == pytest.approx(raw)
    assert model.sha256() == before != made.sha256()
    for count in (0, 1):
        with pytest.raises(ModelError, match="no different rewards"):
            model.standardised(PROMPTS[:count], REPLIES[:count])


def test_scoring_leaves_the_mode_alone_and_a_copy_is_apart(model):
    other = model.copy()
    other.network.train()
    other.score(PROMPTS, REPLIES)
    assert other.network.training
    with torch.no_grad():
        other.network.score.weight.add_(1)
    assert other.sha256() != model.sha256()


def test_what_cannot_be_scored_is_refused(model):
    with pytest.raises(ModelError, match="tokens cannot be scored") as caught:
        model.score(["Where?", "Where? " * 60], ["Here."] * 2)
    assert caught.value.where == "reply 1"
    with pytest.raises(ModelError, match="of 0 tokens"):
        model.score_tokens(torch.ones(1, 3, dtype=torch.long), torch.zeros(1, 3))
    for prompts, replies in ((PROMPTS, REPLIES[:2]), ("Where?", "Here.")):
        with pytest.raises(DataError, match="one reply for each prompt"):
            model.score(prompts, replies)
    for wrong in (f"Here.{END}", None):
        with pytest.raises(DataError, match="no text, or holds a token") as caught:
            model.score(PROMPTS[:2], ["Here.", wrong])
        assert caught.value.where == "pair 1, assistant"


def test_a_reward_that_is_no_number_names_its_reply(model):
    broken = model.copy()
    *others, last = map(set, answered(model.tokenizer, PROMPTS, REPLIES))
    token = next(iter(last.difference(*others)))
    with torch.no_grad():
        broken.network.get_input_embeddings().weight[token] = torch.nan
    with pytest.raises(ModelError, match="reply 3 is nan"):
        broken.score(PROMPTS, REPLIES)


def test_what_no_reward_model_is_made_of():
    with pytest.raises(ModelError, match="predicts the next token"):
        RewardModel.of(tiny.model("masked"))
    with pytest.raises(ModelError, match="adapter"):
        RewardModel.of(adapt(tiny.model(), Adapter(rank=2)))


def another(kind: str) -> LanguageModel:
    """A random network of another architecture over the tiny tokenizer."""
    import transformers

    sizes = {"gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128},
             "mamba": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}}.get(kind, {
                 "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
                 "num_key_value_heads": 2, "intermediate_size": 64})
    config = transformers.AutoConfig.for_model(kind, vocab_size=384, bos_token_id=0,
                                               eos_token_id=0, pad_token_id=1, **sizes)
    network = transformers.AutoModelForCausalLM.from_config(config).eval()
    return LanguageModel(network, tiny.tokenizer(), kind)


@pytest.mark.parametrize("kind", ["gpt2", "qwen3", "mistral", "gpt_neox"])
def test_any_trunk_with_such_a_head_will_do(kind, tmp_path):
    made = RewardModel.of(another(kind))
    scores = made.score(PROMPTS, REPLIES)
    assert len(set(scores.round(5))) == 4
    assert made.score_tokens(*rollout(made, left=True)).tolist() == pytest.approx(scores, abs=1e-5)
    again = RewardModel.load(made.save(tmp_path / "m"))
    assert again.sha256() == made.sha256()
    assert again.score(PROMPTS, REPLIES) == pytest.approx(scores, abs=1e-5)


def test_a_trunk_without_such_a_head_is_named():
    with pytest.raises(ModelError, match="no reward model of a MambaForCausalLM"):
        RewardModel.of(another("mamba"))


def test_it_pads_with_no_token_that_ends_a_turn(base):
    """As the hub's SmolLM2 comes; transformers alone would read one token too early."""
    ending = with_chat(base)
    ending.tokenizer.pad_token = END
    made = RewardModel.of(ending)
    assert made.tokenizer.pad_token != END
    assert made.network.config.pad_token_id == made.tokenizer.pad_token_id
    with torch.no_grad():
        own = made.network(torch.tensor(answered(made.tokenizer, PROMPTS[:1], REPLIES[:1])))
    assert float(own.logits) == pytest.approx(made.score(PROMPTS[:1], REPLIES[:1])[0], abs=1e-5)
    single = with_chat(base)
    single.tokenizer = type(ending.tokenizer)(
        tokenizer_object=ending.tokenizer.backend_tokenizer, bos_token=END, eos_token=END,
        pad_token=END, chat_template=ending.tokenizer.chat_template)
    with pytest.raises(ModelError, match="no token to pad with"):
        RewardModel.of(single)
