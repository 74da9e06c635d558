from collections import Counter

import numpy as np
import pytest
import torch

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate import fill_in, sample
from fmcourse.evaluate.sampling import _prompt_tokens

PROMPTS = ["The", "", "If the statement is executed, then", "a b c", "Names"]


def naive(model, prompt, tokens, temperature, top_k, numbers):
    """One prompt, no cache, no padding: the whole text is read again for every token."""
    row = [model.tokenizer.bos_token_id, *model.tokenizer(prompt, add_special_tokens=False)
           .input_ids]
    start = len(row)
    for number in numbers[:tokens]:
        with torch.no_grad():
            logits = model.network(torch.tensor([row]), use_cache=False).logits[0, -1].double()
        order = logits.argsort(descending=True)[:top_k]
        cumulative = torch.softmax(logits[order] / temperature, -1).cumsum(-1)
        row.append(int(order[int((cumulative <= number).sum())]))
        if row[-1] == model.tokenizer.eos_token_id:
            break
    return row[start:]


@pytest.mark.parametrize("top_k", [None, 20])
def test_equals_naive_sampling(causal, top_k):
    frame = sample(causal, PROMPTS, tokens=12, temperature=0.9, top_k=top_k, seed=5)
    for place, prompt in enumerate(PROMPTS):
        numbers = np.random.default_rng([5, place]).random(12)
        ids = naive(causal, prompt, 12, 0.9, top_k, numbers)
        body = [i for i in ids if i != causal.tokenizer.eos_token_id]
        assert frame["text"][place] == causal.tokenizer.decode(body)
        assert frame["tokens"][place] == len(body)
        assert frame["ended"][place] == (len(body) < len(ids))
    assert frame["prompt"].tolist() == PROMPTS


def test_a_device_without_float64_will_do(causal, without_float64):
    assert len(sample(causal, PROMPTS, tokens=3)) == len(PROMPTS)
    assert without_float64.home


def test_the_seed_decides_and_the_batch_does_not(causal):
    one = sample(causal, PROMPTS, tokens=8, seed=1)
    torch.manual_seed(99)
    assert one.equals(sample(causal, PROMPTS, tokens=8, seed=1))
    assert one.equals(sample(causal, PROMPTS, tokens=8, seed=1, batch=2))
    assert not one.equals(sample(causal, PROMPTS, tokens=8, seed=2))
    before = torch.random.get_rng_state()
    sample(causal, "The", tokens=2)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_cache_reads_every_token_once(causal):
    """The speed-up over naive sampling, counted rather than timed."""
    read = []
    handle = causal.network.model.embed_tokens.register_forward_hook(
        lambda _, inputs, __: read.append(inputs[0].numel()))
    try:
        sample(causal, PROMPTS[:1], tokens=20, temperature=0)
    finally:
        handle.remove()
    assert sum(read) <= 2 + 20  # naive: 2 + 3 + … + 21 = 230


def test_samples_follow_the_models_distribution(causal):
    """One-token samples over many rows match softmax(logits / T) over the top k."""
    with torch.no_grad():
        row = torch.tensor([[causal.tokenizer.bos_token_id]])
        logits = causal.network(row).logits[0, -1]
    top = logits.topk(5)
    expected = Counter()  # by text: different bytes of a character look alike
    for token, share in zip(top.indices, torch.softmax(top.values / 0.7, -1), strict=True):
        expected[causal.tokenizer.decode([int(token)])] += float(share)
    frame = sample(causal, [""] * 2000, tokens=1, temperature=0.7, top_k=5, batch=500)
    found = frame["text"].value_counts(normalize=True)
    assert set(found.index) == set(expected)
    assert found.to_dict() == pytest.approx(dict(expected), abs=0.04)


def test_greedy_is_the_likeliest_token(causal):
    frame = sample(causal, PROMPTS, tokens=6, temperature=0)
    for place, prompt in enumerate(PROMPTS):
        ids = naive(causal, prompt, 6, 1.0, 1, np.zeros(6))
        assert frame["text"][place] == causal.tokenizer.decode(ids, skip_special_tokens=True)


def test_a_model_that_ends_the_document_stops(causal, monkeypatch):
    token, = naive(causal, "The", 1, 1.0, 1, [0.0])
    monkeypatch.setattr(type(causal.tokenizer), "eos_token_id", token, raising=False)
    frame = sample(causal, ["The"], tokens=9, temperature=0)
    assert frame.loc[0, ["text", "tokens", "ended"]].tolist() == ["", 0, True]


def test_a_text_that_opens_itself_gets_no_second_bos(causal):
    opened = sample(causal, causal.tokenizer.bos_token + "The", tokens=5)["text"][0]
    assert opened == sample(causal, "The", tokens=5)["text"][0]
    chat, = _prompt_tokens(causal, ["<|im_start|>user"], room=1)
    assert chat == causal.tokenizer("<|im_start|>user", add_special_tokens=False).input_ids


def test_mistakes_are_explained(causal, masked):
    with pytest.raises(ModelError, match="context of 256"):
        sample(causal, "The", tokens=255)
    with pytest.raises(ModelError, match="causal"):
        sample(masked, "The")
    for bad in ({"prompts": []}, {"tokens": 0}, {"temperature": -1}, {"top_k": 0}):
        with pytest.raises(DataError, match="nothing to sample"):
            sample(causal, **{"prompts": "The", **bad})
    with pytest.raises(DataError, match="no blank"):
        fill_in(masked, "no blank here")
    with pytest.raises(ModelError, match="masked"):
        fill_in(causal, "a [MASK]")
    with pytest.raises(ModelError, match="256"):
        fill_in(masked, "[MASK] word" * 200)


def test_fill_in_is_the_softmax_at_each_blank(masked):
    tokenizer = masked.tokenizer
    frame = fill_in(masked, "The [MASK] is a [MASK].", top=4)
    row = [tokenizer.bos_token_id]
    for piece in ("The", " is a"):
        row += [*tokenizer(piece, add_special_tokens=False).input_ids, tokenizer.mask_token_id]
    row += tokenizer(".", add_special_tokens=False).input_ids
    with torch.no_grad():
        expected = torch.softmax(masked.network(torch.tensor([row])).logits[0], -1)
    blanks = [place for place, token in enumerate(row) if token == tokenizer.mask_token_id]
    for number, place in enumerate(blanks):
        best = expected[place].topk(4)
        mine = frame[frame["blank"] == number]
        np.testing.assert_allclose(mine["probability"], best.values, rtol=1e-5)
        assert mine["token"].tolist() == [tokenizer.decode([i]) for i in best.indices.tolist()]
    assert frame.equals(fill_in(masked, "The <|mask|> is a <|mask|>.", top=4))


def test_fill_in_reads_both_sides(masked):
    one, other = (fill_in(masked, f"The [MASK] is {word}.") for word in ("empty", "a string"))
    assert not np.allclose(one["probability"], other["probability"])
