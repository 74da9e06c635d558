"""Generation is the same alone and in a batch; copies are apart; saving is whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch

from fmcourse.errors import ModelError
from fmcourse.models import LanguageModel, Shape, build, load

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
    plain, opened = model.left_padded(["The fox", f"{opening}The fox"])["input_ids"].tolist()
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
        assert stopping.generate("The fox", tokens=20, temperature=0) == ""
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


@pytest.mark.parametrize(("prompt", "fits"), [("The fox", True), ("The fox " * 20, False)])
def test_what_does_not_fit_the_context_is_refused_with_what_fits(model, prompt, fits):
    used = model.left_padded([prompt])["input_ids"].shape[1]
    room = max(tiny.CONTEXT - used, 0)
    assert (room > 0) == fits
    if fits:
        model.generate(prompt, tokens=room)
    with pytest.raises(ModelError, match=f"{used} tokens, {room} new ones fit") as caught:
        model.generate(["The", prompt], tokens=room + 1)
    assert (f"at most {room} tokens" in caught.value.fix) == fits


def test_the_models_own_generation_settings_do_not_leak_in(model):
    opinionated = model.copy()
    own = opinionated.network.generation_config
    own.update(do_sample=True, temperature=5.0, top_p=0.1, repetition_penalty=9.0, num_beams=3,
               no_repeat_ngram_size=1, suppress_tokens=list(range(80, 200)), min_new_tokens=4)
    before = own.to_dict()
    for temperature in (0, 1.0):
        said = [some.generate(PROMPTS, tokens=12, temperature=temperature)
                for some in (model, opinionated)]
        assert said[0] == said[1]
    assert opinionated.network.generation_config is own
    assert own.to_dict() == before


def test_the_tokens_at_which_a_model_itself_stops_are_kept(model):
    first = int(model.network.generate(**model.left_padded(["The fox"]), do_sample=False,
                                       max_new_tokens=1)[0, -1])
    stopping, calls = model.copy(), []
    stopping.network.generation_config.eos_token_id = [0, first]
    stopping.network.register_forward_hook(lambda *_: calls.append(1))
    stopping.generate("The fox", tokens=9, temperature=0)
    assert len(calls) == 1


def test_a_generation_that_fails_leaves_mode_and_settings_as_they_were(model, monkeypatch):
    broken = model.copy()
    own = broken.network.generation_config
    broken.network.train()
    broken.network.model.layers[0].eval()  # a frozen part stays as it is

    def fail(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(broken.network, "generate", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        broken.generate("The fox", tokens=3)
    assert broken.network.training
    assert broken.network.lm_head.training
    assert not broken.network.model.layers[0].training
    assert broken.network.generation_config is own


def test_an_adapted_model_generates_and_gets_its_settings_back(model):
    from peft import LoraConfig, get_peft_model

    adapted = model.copy()
    own = adapted.network.generation_config
    adapted.network = get_peft_model(adapted.network, LoraConfig(
        r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    assert adapted.generate(PROMPTS, tokens=6, temperature=0) == model.generate(
        PROMPTS, tokens=6, temperature=0)  # a new adapter adds nothing
    assert adapted.network.get_base_model().generation_config is own


HASH = "import sys, tiny; print(tiny.model(sys.argv[1], seed=4).sha256())"


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_the_hash_survives_saving_and_is_the_same_elsewhere(tmp_path, objective):
    model = tiny.model(objective, seed=4)
    again = load(model.save(tmp_path / "m"))
    assert again.sha256() == model.sha256()
    half = load(model.save(tmp_path / "half", dtype=torch.bfloat16))
    assert load(half.save(tmp_path / "again", dtype=torch.bfloat16)).sha256() == half.sha256()
    again.network.set_attn_implementation("eager")
    again.network.config.use_cache = False
    assert again.sha256() == model.sha256()  # how it is run is not what it is
    path = os.pathsep.join([str(Path(tiny.__file__).parent), *filter(None, sys.path)])
    done = subprocess.run([sys.executable, "-c", HASH, objective], text=True, check=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": path})
    assert done.stdout.strip() == model.sha256()


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_the_hash_tells_models_of_equal_weights_apart(objective):
    shapes = [Shape(32, 2, 64, heads) for heads in (2, 4)]
    made = [build(shape, tiny.tokenizer(), objective, tiny.CONTEXT) for shape in shapes]
    made.append(build(shapes[0], tiny.tokenizer(), objective, 2 * tiny.CONTEXT))
    turned = made[0].copy()
    turned.network.config.rope_parameters["rope_theta"] = 5e5
    made.append(turned)
    made.append(made[0].copy())
    made[-1].objective = "another"
    for other in made[1:]:  # what a hash of the weights alone would take for one model
        for key, value in made[0].network.state_dict().items():
            assert torch.equal(value, other.network.state_dict()[key])
    assert len({some.sha256() for some in made}) == len(made)


def test_scalars_among_the_weights_are_hashed_too(model):
    scaled = model.copy()
    scaled.network.register_buffer("scale", torch.tensor(1.0))
    before = scaled.sha256()
    scaled.network.scale.fill_(2)
    assert len({model.sha256(), before, scaled.sha256()}) == 3


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


def test_a_copy_in_another_type_answers_and_leaves_the_model_as_it_was(model):
    before = model.sha256()
    quick = model.in_dtype("bfloat16")
    assert {p.dtype for p in quick.network.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in model.network.parameters()} == {torch.float32}
    assert model.sha256() == before
    assert quick.generate("The fox", tokens=3, temperature=0)


@pytest.mark.parametrize("dtype", ["bf17", "int8", "nn"])
def test_weights_have_floating_point_types(model, dtype):
    with pytest.raises(ModelError, match="no weights of type"):
        model.in_dtype(dtype)
