"""Generation is the same alone and in a batch; copies are apart; saving is whole."""

from __future__ import annotations

import pytest
import tiny
import torch

from fmcourse.errors import ModelError
from fmcourse.models import LanguageModel

PROMPTS = ["The fox", "Every morning it looks at the water and the sky, and", "", "heron 7"]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return tiny.model(seed=1, scale=6)


def test_a_batch_says_what_each_prompt_says_alone(model):
    together = model.generate(PROMPTS, tokens=12, temperature=0)
    assert together == [model.generate(prompt, tokens=12, temperature=0) for prompt in PROMPTS]
    assert len(set(together)) == len(PROMPTS)  # and the prompts matter


def test_greedy_generation_is_step_by_step_argmax(model):
    tokenizer = model.tokenizer
    ids = [tokenizer.bos_token_id, *tokenizer("The fox", add_special_tokens=False).input_ids]
    start = len(ids)
    for _ in range(8):
        with torch.no_grad():
            ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    assert model.generate("The fox", tokens=8, temperature=0) == tokenizer.decode(
        ids[start:], skip_special_tokens=True)


def test_a_seed_decides_the_sample(model):
    first = model.generate("The fox", tokens=20, temperature=1.0, seed=3)
    assert model.generate("The fox", tokens=20, temperature=1.0, seed=3) == first
    assert model.generate("The fox", tokens=20, temperature=1.0, seed=4) != first


def test_the_likeliest_of_one_is_greedy(model):
    assert model.generate("The fox", tokens=9, temperature=1.0, top_k=1) == model.generate(
        "The fox", tokens=9, temperature=0)


def test_the_global_random_state_and_the_mode_are_left_alone(model):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    model.network.train()
    model.generate("The fox", tokens=5, seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert model.network.training
    model.network.eval()
    assert all(p.grad is None for p in model.network.parameters())


def test_the_opening_token_is_added_once(model):
    opening = model.tokenizer.bos_token
    plain, opened = model._left_padded(["The fox", f"{opening}The fox"], 1)["input_ids"].tolist()
    assert plain == opened
    assert plain.count(model.tokenizer.bos_token_id) == 1
    assert model.generate(f"{opening}The fox", tokens=9, temperature=0) == model.generate(
        "The fox", tokens=9, temperature=0)


def test_it_stops_at_the_end_of_the_text(model):
    stopping = model.copy()
    head = stopping.network.lm_head.weight
    with torch.no_grad():  # every state now predicts the end
        stopping.network.model.norm.weight.zero_()
        head.copy_(head)
    calls = []
    stopping.network.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():  # all logits are equal: greedy takes token 0, the end of the text
        assert stopping.generate("The fox", tokens=30, temperature=0) == ""
    assert len(calls) == 1


def test_no_prompts_no_texts(model):
    assert model.generate([]) == []
    assert isinstance(model.generate(["The fox"], tokens=2), list)
    assert isinstance(model.generate("The fox", tokens=2), str)


def test_a_tokenizer_without_padding_serves_too(model):
    bare = model.copy()
    bare.tokenizer = type(model.tokenizer)(tokenizer_object=model.tokenizer.backend_tokenizer,
                                           bos_token="<|endoftext|>", eos_token="<|endoftext|>")
    assert bare.tokenizer.pad_token_id is None
    assert bare.generate(PROMPTS, tokens=6, temperature=0) == model.generate(
        PROMPTS, tokens=6, temperature=0)


def test_a_masked_model_does_not_continue_texts():
    with pytest.raises(ModelError, match="fills blanks"):
        tiny.model("masked").generate("The fox")


def test_a_copy_is_trained_apart(model):
    before, other = model.sha256(), model.copy()
    other.card["note"] = "mine"
    with torch.no_grad():
        next(other.network.parameters()).add_(1)
    assert (model.sha256(), model.card) == (before, {})
    assert other.sha256() != before


def test_shared_embeddings_count_once(model):
    assert model.network.lm_head.weight is model.network.get_input_embeddings().weight
    width, layers, inner = 32, 2, 64
    by_hand = 384 * width + layers * (4 * width**2 + 3 * width * inner + 2 * width) + width
    assert model.parameters == by_hand


def test_a_failed_save_leaves_the_old_model(model, tmp_path, monkeypatch):
    model.save(tmp_path / "m")
    before = {p.name: p.read_bytes() for p in (tmp_path / "m").iterdir()}

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(model.tokenizer), "save_pretrained", fail)
    with pytest.raises(OSError, match="No space"):
        model.save(tmp_path / "m")
    assert {p.name: p.read_bytes() for p in (tmp_path / "m").iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
