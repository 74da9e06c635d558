"""GGUF: what is written gives the same logits when read, and `gguf` finds llama.cpp's layout."""

from __future__ import annotations

from copy import deepcopy

import gguf
import numpy as np
import pytest
import tiny
import torch
from tokenizers import pre_tokenizers

from fmcourse import models, ship
from fmcourse.errors import ModelError
from fmcourse.models import LanguageModel, compat
from fmcourse.ship import gguf_file

TEXT = "In 1984 the fox said:\n\n  12. Behold, it's a café (naïve) 3.14!  \n"


def grouped(theta: float = 1e5, **changes) -> LanguageModel:
    """A random Llama whose queries share keys, with a base of positions that is no default."""
    config = compat.LlamaConfig(
        vocab_size=400, hidden_size=32, num_hidden_layers=1, intermediate_size=64,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
        tie_word_embeddings=False, bos_token_id=0, eos_token_id=0,
        rope_parameters={"rope_type": "default", "rope_theta": theta}, **changes)
    torch.manual_seed(0)
    network = compat.LlamaForCausalLM(config).eval()
    for weights in network.parameters():  # far from uniform, or positions would hardly matter
        weights.data.mul_(3 if weights.ndim > 1 else 1)
    return LanguageModel(network, tiny.tokenizer(), "grouped")


def difference(one: LanguageModel, other: LanguageModel) -> float:
    ids = torch.tensor([one.tokenizer(TEXT).input_ids[:30]])
    assert other.tokenizer(TEXT).input_ids[:30] == ids[0].tolist()
    with torch.no_grad():
        return float((one(ids).logits - other(ids).logits).abs().max())


def rounded(model: LanguageModel, dtype: str) -> LanguageModel:
    """With matrices as the file has them."""
    made = model.copy()
    for weights in made.network.parameters():
        if weights.ndim > 1:
            weights.data = weights.data.to(getattr(torch, dtype)).float()
    return made


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_same_model_comes_back(dtype, tmp_path):
    model = grouped()
    again = ship.open_gguf(ship.write_gguf(model, tmp_path / "a.gguf", dtype))
    assert difference(rounded(model, dtype), again) < 1e-5
    assert not list(tmp_path.glob(".*"))


def test_the_order_of_positions_matters(tmp_path, monkeypatch):
    monkeypatch.setattr(gguf_file, "permuted", lambda rows, heads: rows)
    model = grouped()
    again = ship.open_gguf(ship.write_gguf(model, tmp_path / "a.gguf"))
    assert difference(model, again) > 1e-3


def test_our_base_and_its_conversation_come_back(tmp_path):
    base = models.with_chat(models.load("base"))
    again = ship.open_gguf(ship.write_gguf(base, tmp_path / "base.gguf", "bfloat16"))
    assert difference(base, again) < 1e-5  # whose weights are bfloat16 already
    assert again.tokenizer.chat_template == base.tokenizer.chat_template


def error(model: LanguageModel, other: LanguageModel) -> float:
    """How far logits are off, as a share of how far they are from each other (root mean squares).
    """
    ids = torch.tensor([model.tokenizer(TEXT).input_ids])
    with torch.no_grad():
        right, found = model(ids).logits, other(ids).logits
    return float((right - found).pow(2).mean().sqrt() / right.std())


def test_eight_bits_cost_a_hundredth_of_the_logits_and_no_more(tmp_path):
    """Of our base: 1 %. Fewer bits, or a wrong scale of a block, would cost several times that."""
    base = models.load("base", "cpu")
    path = ship.write_gguf(base, tmp_path / "base.gguf", "q8_0")
    assert 0.001 < error(base, ship.open_gguf(path)) < 0.015
    assert path.stat().st_size < 0.3 * 4 * base.parameters
    assert error(base, rounded_to(base, gguf.GGMLQuantizationType.Q5_0)) > 0.04


def rounded_to(model: LanguageModel, kind: gguf.GGMLQuantizationType) -> LanguageModel:
    """With matrices of so many bits."""
    made = model.copy()
    for weights in made.network.parameters():
        if weights.ndim > 1:
            packed = gguf.quants.quantize(weights.detach().numpy(), kind)
            weights.data = torch.from_numpy(gguf.quants.dequantize(packed, kind).copy())
    return made


@pytest.mark.data
@pytest.mark.slow
def test_the_published_tokenizer_comes_back(tmp_path):
    model = models.load("smollm2")
    config = compat.with_layers(model.network.config, 1)
    config.hidden_size, config.num_attention_heads, config.num_key_value_heads = 192, 3, 1
    small = LanguageModel(compat.LlamaForCausalLM(config).eval(), model.tokenizer, "small")
    again = ship.open_gguf(ship.write_gguf(small, tmp_path / "a.gguf"))
    assert difference(small, again) < 1e-5
    assert again.tokenizer.chat_template == model.tokenizer.chat_template


def test_ggufs_own_reader_finds_llamas_layout(model, tmp_path):
    path = ship.write_gguf(model, tmp_path / "tiny.gguf", "q8_0")
    kinds = {tensor.name: tensor.tensor_type for tensor in gguf.GGUFReader(path).tensors}
    assert kinds["blk.0.attn_q.weight"] == gguf.GGMLQuantizationType.Q8_0
    assert kinds["output_norm.weight"] == gguf.GGMLQuantizationType.F32
    assert "output.weight" not in kinds  # it is the embedding
    told = ship.metadata(path)
    assert told["general.architecture"] == "llama"
    assert (told["tokenizer.ggml.model"], told["tokenizer.ggml.pre"]) == ("gpt2", "smollm")
    assert told["tokenizer.ggml.tokens"][4] == "<|im_end|>"
    assert told["tokenizer.ggml.token_type"][:6] == [3, 3, 3, 3, 3, 1]
    assert (told["tokenizer.ggml.add_bos_token"], told["tokenizer.ggml.eot_token_id"]) == (True, 4)


def test_each_head_is_reordered_by_itself():
    rows = np.arange(8)[:, None]
    assert gguf_file.permuted(rows, 2).ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def split_by(pre_tokenizer: pre_tokenizers.PreTokenizer) -> LanguageModel:
    """A model whose tokenizer, its own and not the one that other tests share, splits otherwise."""
    made = tiny.model()
    tokenizer = deepcopy(made.tokenizer)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizer
    return LanguageModel(made.network, tokenizer, made.name)


@pytest.mark.parametrize(("make", "dtype", "says"), [
    (lambda: tiny.model("masked"), "float32", "Only a Llama"),
    (lambda: grouped(attention_bias=True), "float32", "biases"),
    (lambda: split_by(pre_tokenizers.Whitespace()), "float32", "may split text"),
    (tiny.model, "float8", "no type 'float8'")])
def test_what_llama_cpp_would_read_otherwise_is_refused(make, dtype, says, tmp_path):
    with pytest.raises(ModelError, match=says):
        ship.write_gguf(make(), tmp_path / "a.gguf", dtype)
    assert not list(tmp_path.iterdir())


def test_a_tokenizer_that_keeps_digits_together_is_told_apart(tmp_path):
    made = split_by(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True))
    path = ship.write_gguf(made, tmp_path / "a.gguf")
    assert ship.metadata(path)["tokenizer.ggml.pre"] == "gpt-2"
    assert difference(made, ship.open_gguf(path)) < 1e-5


def test_a_damaged_file_is_a_sentence(model, tmp_path):
    path = ship.write_gguf(model, tmp_path / "tiny.gguf")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ModelError, match="cannot be opened"):
        ship.open_gguf(path)
