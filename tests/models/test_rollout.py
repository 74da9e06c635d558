"""Rollouts: the log-probabilities of a full pass, the distribution's frequencies, generate's words.

The reference is always the plain forward pass of transformers, over prompts and completions padded
as they are.
"""

from __future__ import annotations

import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    MistralConfig,
    MistralForCausalLM,
)

from fmcourse.errors import ModelError
from fmcourse.models import (
    Adapter,
    LanguageModel,
    Rollouts,
    adapt,
    build,
    quantized,
    replies,
    roll_out,
    with_chat,
)
from fmcourse.models.rollout import invert

PROMPTS = ["Where does the fox live, and who leaves bread for it in winter?", "Who?",
           "The owl looks at the water.", [{"role": "system", "content": "Be short."},
                                           {"role": "user", "content": "Where is the heron?"}]]
TOKENS = 16


def talker(seed=0, scale=4.0) -> LanguageModel:
    """A random model that is far from uniform and ends a turn now and then, having many ends."""
    made = with_chat(build(tiny.SHAPE, tiny.tokenizer(), context=128, seed=seed))
    made.network.generation_config.eos_token_id += list(range(20, 384, 30))
    return scaled(made, scale)


def scaled(model, scale=4.0):
    with torch.no_grad():
        for weights in model.network.parameters():
            if weights.ndim > 1:
                weights.mul_(scale)
    return model


def always(model: LanguageModel, token: int) -> LanguageModel:
    """A model that says this token whatever it reads."""
    made = model.copy()
    bias = torch.full((len(model.tokenizer),), -50.0)
    bias[token] = 50.0
    made.network.lm_head.bias = torch.nn.Parameter(bias)
    return made


def end(model) -> int:
    return model.ends()[0]


@torch.no_grad()
def full_pass(model, made: Rollouts, temperature=1.0) -> torch.Tensor:
    """(batch, time) log-probabilities of the completions, in one pass of the network's own."""
    seen = made.attention_mask
    logits = model.network(input_ids=made.input_ids, attention_mask=seen.long(),
                           position_ids=(seen.cumsum(1) - 1).clamp(min=0)).logits.float()
    found = (logits[:, -made.mask.shape[1] - 1:-1] / temperature).log_softmax(-1)
    return found.gather(-1, made.completion_ids[..., None])[..., 0] * made.mask


def rows_of(made: Rollouts) -> list[tuple[list[int], list[int]]]:
    """Prompt and completion of each row, without padding."""
    return [(p[pm].tolist(), c[m].tolist()) for p, pm, c, m in
            zip(made.prompt_ids, made.prompt_mask, made.completion_ids, made.mask, strict=True)]


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.5])
def test_log_probabilities_are_those_of_a_full_pass(temperature):
    model = talker()
    made = roll_out(model, PROMPTS, TOKENS, samples=5, temperature=temperature)
    assert len(made) == 20
    assert 0 < made.ended.sum() < 20  # both kinds are there
    torch.testing.assert_close(made.log_probs, full_pass(model, made, temperature), atol=1e-4,
                               rtol=0)


@pytest.mark.parametrize("batch", [1, 3, 7, 64])
def test_neither_batch_nor_neighbours_matter(batch):
    model = talker()
    whole = roll_out(model, PROMPTS, TOKENS, samples=4, batch=8)
    other = roll_out(model, PROMPTS, TOKENS, samples=4, batch=batch)
    assert rows_of(other) == rows_of(whole)
    torch.testing.assert_close(other.log_probs, whole.log_probs, atol=1e-4, rtol=0)
    single = roll_out(model, PROMPTS, TOKENS, batch=1)
    assert rows_of(single)[:1] == rows_of(roll_out(model, PROMPTS[:1], TOKENS))
    first = roll_out(model, PROMPTS[:2], TOKENS, samples=4)  # fewer prompts: those before are same
    assert rows_of(first) == rows_of(whole)[:8]


@pytest.mark.parametrize("crowded", [0.0, 0.5, 1.0])
def test_when_rows_are_taken_out_does_not_matter(monkeypatch, crowded):
    model = talker()
    usual = roll_out(model, PROMPTS, 40, samples=8)
    assert usual.ended.float().mean() > 0.2
    monkeypatch.setattr("fmcourse.models.rollout.CROWDED", crowded)
    other = roll_out(model, PROMPTS, 40, samples=8)
    assert rows_of(other) == rows_of(usual)
    torch.testing.assert_close(other.log_probs, full_pass(model, other), atol=1e-4, rtol=0)


def test_a_prompts_samples_differ_and_stand_side_by_side():
    model = talker()
    made = roll_out(model, PROMPTS, TOKENS, samples=6)
    asked = [row[0] for row in rows_of(roll_out(model, PROMPTS, TOKENS))]
    assert [prompt for prompt, _ in rows_of(made)] == [p for p in asked for _ in range(6)]
    for place in range(0, len(made), 6):
        assert len({tuple(said) for _, said in rows_of(made)[place:place + 6]}) > 3


def test_the_seed_decides_and_the_global_state_is_left_alone():
    model, state = talker(), torch.random.get_rng_state()
    one, two, other = (roll_out(model, PROMPTS, TOKENS, seed=seed) for seed in (1, 1, 2))
    assert rows_of(one) == rows_of(two) != rows_of(other)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_first_tokens_are_as_frequent_as_the_softmax_says(temperature):
    """Chi-square over the tokens expected at least ten times, the rest as one."""
    model, count = talker(scale=3.5), 4000
    made = roll_out(model, PROMPTS[:1], 1, samples=count, temperature=temperature, batch=count)
    ids = made.prompt_ids[:1]
    with torch.no_grad():
        right = (model.network(ids).logits[0, -1] / temperature).softmax(-1)
    seen = torch.bincount(made.completion_ids[:, 0], minlength=len(right)).float()
    often = right * count >= 10
    expected, found = (torch.cat([each[often], each[~often].sum()[None]])
                       for each in (right * count, seen))
    freedom = len(expected) - 1
    assert freedom > 10
    chi_square = ((found - expected) ** 2 / expected).sum().item()
    assert abs(chi_square - freedom) < 4 * (2 * freedom) ** 0.5
    wrong = right ** 2 / (right ** 2).sum()  # half the temperature: the test would see it
    expected = torch.cat([wrong[often], wrong[~often].sum()[None]]) * count
    assert ((found - expected) ** 2 / expected).sum().item() > freedom + 8 * (2 * freedom) ** 0.5


def test_almost_no_temperature_is_the_likeliest_reply():
    model = talker()
    made = roll_out(model, PROMPTS, 40, temperature=1e-4)
    assert made.replies(model) == replies(model, PROMPTS, 40, temperature=0)
    assert (made.log_probs[made.mask] > -1e-3).all()


def test_a_turn_ends_with_its_end_and_the_end_counts():
    model = talker()
    made = roll_out(model, PROMPTS, 40, samples=8)
    for (_, said), ended in zip(rows_of(made), made.ended.tolist(), strict=True):
        inside = said[:-1] if ended else said
        assert not set(inside) & set(model.ends())
        assert (said[-1] in model.ends()) == ended
        assert ended or len(said) == 40
    assert made.mask.any(0).all()  # no column is padding alone
    assert (made.log_probs[~made.mask] == 0).all()
    assert made.mask.int().diff(dim=1).le(0).all()  # padding is on the right


def test_a_model_that_ends_at_once_says_nothing():
    model = talker()
    silent = always(model, end(model))
    made = roll_out(silent, PROMPTS, TOKENS, samples=2)
    assert made.replies(silent) == [""] * 8
    assert made.mask.shape == (8, 1)
    assert made.ended.all()
    endless = roll_out(always(model, 100), PROMPTS, TOKENS)
    assert not endless.ended.any()
    assert endless.mask.shape == (4, TOKENS)
    assert endless.mask.all()


def test_a_model_without_an_end_goes_on():
    model = talker()
    model.network.generation_config.eos_token_id = model.tokenizer.eos_token_id = None
    assert roll_out(model, PROMPTS, TOKENS).mask.all()


def test_replies_are_words_without_special_tokens():
    model = talker()
    made = roll_out(model, PROMPTS, TOKENS, samples=2)
    said = [model.tokenizer.decode([i for i in row if i not in model.tokenizer.all_special_ids])
            for _, row in rows_of(made)]
    assert made.replies(model) == [text.strip() for text in said]


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 6)), min_size=1, max_size=6),
       data=st.data())
def test_select_drops_needless_padding_and_nothing_else(lengths, data):
    """Prompts and completions of any length; any rows, also twice, in any order."""
    prompt = torch.arange(7) >= 7 - torch.tensor([a for a, _ in lengths])[:, None]
    mask = torch.arange(8) < torch.tensor([b for _, b in lengths])[:, None]
    ids = torch.arange(len(lengths) * 15).view(-1, 15)
    whole = Rollouts(ids[:, :7], prompt, ids[:, 7:], mask, -ids[:, 7:].float() * mask,
                     mask.sum(1) % 2 == 0)
    rows = torch.tensor(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1)))
    some = whole.select(rows)
    assert rows_of(some) == [rows_of(whole)[i] for i in rows]
    assert some.prompt_mask.any(0).all()
    assert some.mask.any(0).all()
    assert [row[kept].tolist() for row, kept in zip(some.log_probs, some.mask, strict=True)] == [
        whole.log_probs[i][whole.mask[i]].tolist() for i in rows]
    assert some.ended.tolist() == whole.ended[rows].tolist()
    assert some.input_ids.shape == some.attention_mask.shape == (
        len(rows), some.prompt_mask.shape[1] + some.mask.shape[1])


@settings(max_examples=60, deadline=None)
@given(weights=st.lists(st.floats(0, 1), min_size=1, max_size=50).filter(lambda w: sum(w) > 0.01),
       number=st.integers(0, 2**24 - 1))
def test_a_number_picks_the_token_whose_share_it_falls_into(weights, number):
    shares = torch.tensor(weights, dtype=torch.float64)
    shares = shares / shares.sum()
    at = number / 2**24  # as NumPy draws float32
    picked = invert(shares.log().float()[None], torch.tensor([[at]], dtype=torch.float32)).item()
    above = shares.cumsum(0)
    assert shares[picked] > 0
    assert above[picked] - shares[picked] <= at + 1e-5
    assert at <= above[picked] + 1e-5


def test_lora_is_sampled_from_too():
    model = adapt(talker(), Adapter("lora", rank=4))
    plain = roll_out(model, PROMPTS, TOKENS)
    with torch.no_grad():
        for name, weights in model.network.named_parameters():
            if "lora_B" in name:
                weights.normal_(generator=torch.Generator().manual_seed(0)).mul_(0.3)
    made = roll_out(model, PROMPTS, TOKENS, samples=3)
    torch.testing.assert_close(made.log_probs, full_pass(model, made), atol=1e-4, rtol=0)
    assert rows_of(plain) != rows_of(roll_out(model, PROMPTS, TOKENS))


SMALL = {"vocab_size": 384, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
         "max_position_embeddings": 128}


@pytest.mark.parametrize("kind", ["windows", "windows between", "learnt positions"])
def test_other_architectures_give_the_right_log_probabilities(kind):
    """Windows narrower than prompts and completions, in all layers or every other."""
    torch.manual_seed(0)
    network = {
        "windows": lambda: MistralForCausalLM(MistralConfig(**SMALL, sliding_window=6)),
        "windows between": lambda: Gemma2ForCausalLM(Gemma2Config(
            **SMALL, sliding_window=6, layer_types=["sliding_attention", "full_attention"])),
        "learnt positions": lambda: GPT2LMHeadModel(GPT2Config(
            vocab_size=384, n_embd=32, n_layer=2, n_head=2, n_positions=128, bos_token_id=0,
            eos_token_id=0)),
    }[kind]().eval()
    network.generation_config.eos_token_id = list(range(0, 384, 20))  # many: rows are taken out
    tokenizer = with_chat(talker()).tokenizer
    model = scaled(LanguageModel(network, tokenizer, kind))
    made = roll_out(model, PROMPTS, 24, samples=5)
    lengths = made.mask.sum(1)
    assert lengths.min() < 6 < lengths.max()
    assert made.prompt_mask.sum(1).max() > 12
    torch.testing.assert_close(made.log_probs, full_pass(model, made), atol=1e-4, rtol=0)
    assert rows_of(roll_out(model, PROMPTS, 24, samples=5, batch=1)) == rows_of(made)


def test_bfloat16_is_close():
    model = talker(scale=2.0)
    made = roll_out(model, PROMPTS, TOKENS, samples=4, dtype="bfloat16")
    gap = (made.log_probs - full_pass(model, made)).abs()[made.mask]
    assert 0 < gap.mean() < 0.05
    assert next(model.network.parameters()).dtype == torch.float32


@pytest.mark.parametrize("wrong", [{"tokens": 0}, {"samples": 0}, {"temperature": 0.0},
                                   {"temperature": -1.0}, {"temperature": float("nan")}])
def test_settings_that_ask_for_nothing_are_refused(wrong):
    with pytest.raises(ModelError, match="are nothing"):
        roll_out(talker(), PROMPTS, **wrong)


def test_what_cannot_be_sampled_from_is_refused():
    model = talker()
    with pytest.raises(ModelError, match="masked"):
        roll_out(tiny.model("masked"), PROMPTS)
    with pytest.raises(ModelError, match="no chat template"):
        roll_out(build(tiny.SHAPE, tiny.tokenizer(), context=128), PROMPTS)
    for method in ("prompt", "prefix"):
        with pytest.raises(ModelError, match="prompt or a prefix"):
            roll_out(adapt(model, Adapter(method, tokens=4)), PROMPTS)
    with pytest.raises(ModelError, match="four bits"):
        roll_out(quantized(model), PROMPTS)
    with pytest.raises(ModelError, match="no prompts"):
        roll_out(model, [])
    with pytest.raises(ModelError, match=r"context of 128, not 120"):
        roll_out(model, PROMPTS, 120)
