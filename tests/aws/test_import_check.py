"""The lint for Custom Model Import: what the course exports is good, and each fault is named."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from fmcourse import aws, models, ship
from fmcourse.errors import AwsError


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    return ship.export(models.with_chat(tiny.model()), tmp_path_factory.mktemp("good") / "model")


@pytest.fixture
def folder(good, tmp_path) -> Path:
    for file in good.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def without(*names: str) -> Callable[[Path], None]:
    return lambda folder: [(folder / name).unlink() for name in names]


def with_file(name: str, content: str = "{}") -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content)


def with_values(name: str, **changes) -> Callable[[Path], None]:
    """A JSON file with some values changed; None takes one out."""
    def change(folder: Path) -> None:
        made = {**json.loads((folder / name).read_text()), **changes}
        (folder / name).write_text(json.dumps(
            {key: value for key, value in made.items() if value is not None}))
    return change


def with_weights(change) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        path = folder / "model.safetensors"
        save_file(change(load_file(path)), path)
    return write


def as_bin(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


CONFIG, TOKENIZER = "config.json", "tokenizer_config.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PARTS = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
EMBEDDING = "model.embed_tokens.weight"


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)
    return change


def in_parts(index: bool = True) -> Callable[[Path], None]:
    """The weights in two files, as large ones are, with the list of what is where or without."""
    def cut(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS)
        names = sorted(weights)
        halves = names[::2], names[1::2]
        for part, half in zip(PARTS, halves, strict=True):
            save_file({name: weights[name] for name in half}, folder / part)
        (folder / WEIGHTS).unlink()
        if index:
            (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": {
                name: part for part, half in zip(PARTS, halves, strict=True) for name in half}}))
    return cut


def of_the_first(folder: Path) -> None:
    """An index of the first part alone."""
    told = json.loads((folder / INDEX).read_text())
    told["weight_map"] = {name: part for name, part in told["weight_map"].items()
                          if part == PARTS[0]}
    (folder / INDEX).write_text(json.dumps(told))


def swapped(folder: Path) -> None:
    """The first tensor of the index is in the other file."""
    told = json.loads((folder / INDEX).read_text())
    first = next(iter(told["weight_map"]))
    told["weight_map"][first] = PARTS[1 - PARTS.index(told["weight_map"][first])]
    (folder / INDEX).write_text(json.dumps(told))


def nested(**changes) -> Callable[[Path], None]:
    """As a multimodal model has it: what concerns text is in a config within the config."""
    def change(folder: Path) -> None:
        told = json.loads((folder / CONFIG).read_text())
        inner = {key: value for key, value in {**told, **changes}.items() if value is not None}
        (folder / CONFIG).write_text(json.dumps({
            "architectures": ["MllamaForConditionalGeneration"], "text_config": inner}))
    return change


LLAMA3 = {"rope_type": "llama3", "original_max_position_embeddings": 8192, "high_freq_factor": 4.0,
          "low_freq_factor": 1.0, "factor": 32.0}
FAULTS = {
    "no config": (without(CONFIG), CONFIG, "files"),
    "a config that is no JSON": (with_file(CONFIG, "{"), CONFIG, "json"),
    "no vocabulary": (without("tokenizer.json"), "tokenizer.json", "files"),
    "a broken vocabulary": (with_file("tokenizer.json"), "tokenizer.json", "json"),
    "no settings of the tokenizer": (without(TOKENIZER), TOKENIZER, "files"),
    "no weights": (without("model.safetensors"), "*.safetensors", "files"),
    "weights as a pickle": (as_bin, "*.safetensors", "files"),
    "damaged weights": (with_file("model.safetensors", "x"), "model.safetensors", "damaged"),
    "a part that is missing": (
        with_file("model.safetensors.index.json", '{"weight_map": {"a": "model-2.safetensors"}}'),
        "model-2.safetensors", "files"),
    "an adapter": (with_file("adapter_config.json"), "adapter_config.json", "adapter"),
    "another architecture": (with_values(CONFIG, architectures=["Gemma3ForCausalLM"]),
                             f"{CONFIG}: architectures", "architecture"),
    "an embedding model": (with_values(CONFIG, architectures=["LlamaModel"]),
                           f"{CONFIG}: architectures", "architecture"),
    "code of its own": (with_values(CONFIG, auto_map={"AutoModel": "mine.Model"}),
                        f"{CONFIG}: auto_map", "code"),
    "quantised": (with_values(CONFIG, quantization_config={"bits": 4}),
                  f"{CONFIG}: quantization_config", "quantized"),
    "integers for weights": (
        with_weights(lambda weights: {**weights, "more": torch.ones(2, dtype=torch.int8)}),
        "more", "precision"),
    "too long": (with_values(CONFIG, max_position_embeddings=262144),
                 f"{CONFIG}: max_position_embeddings", "context"),
    "positions as release 5 writes them": (
        with_values(CONFIG, rope_theta=None, rope_parameters={"rope_theta": 1e5}),
        f"{CONFIG}: rope_parameters", "version"),
    "positions that Bedrock replaces": (with_values(CONFIG, rope_scaling=LLAMA3),
                                        f"{CONFIG}: rope_scaling.factor", "positions"),
    "a tokenizer as release 5 names it": (
        with_values(TOKENIZER, tokenizer_class="TokenizersBackend"),
        f"{TOKENIZER}: tokenizer_class", "tokenizer"),
    "another tokenizer": (with_values(TOKENIZER, tokenizer_class="GemmaTokenizer"),
                          f"{TOKENIZER}: tokenizer_class", "tokenizer"),
    "special tokens as release 5 lists them": (
        with_values(TOKENIZER, extra_special_tokens=["<|im_start|>"]),
        f"{TOKENIZER}: extra_special_tokens", "version"),
    "more tokens than rows": (
        both(with_weights(lambda weights: {
            name: value[:300].clone() if "embed_tokens" in name else value
            for name, value in weights.items()}), with_values("config.json", vocab_size=300)),
        "tokenizer.json", "vocabulary"),
    "another number of rows than the config says": (
        with_values(CONFIG, vocab_size=512), f"{CONFIG}: vocab_size", "vocabulary"),
    "a config that is a list": (with_file(CONFIG, "[]"), CONFIG, "json"),
    "a config that says nothing": (with_file(CONFIG, "{}"), f"{CONFIG}: architectures",
                                   "architecture"),
    "no context": (with_values(CONFIG, max_position_embeddings=None),
                   f"{CONFIG}: max_position_embeddings", "number"),
    "a context in words": (with_values(CONFIG, max_position_embeddings="2048"),
                           f"{CONFIG}: max_position_embeddings", "number"),
    "half a layer": (with_values(CONFIG, num_hidden_layers=1.5), f"{CONFIG}: num_hidden_layers",
                     "number"),
    "no heads": (with_values(CONFIG, num_attention_heads=True), f"{CONFIG}: num_attention_heads",
                 "number"),
    "weights by a name that is not looked for": (
        lambda folder: (folder / WEIGHTS).rename(folder / "weights.safetensors"),
        "weights.safetensors", "files"),
    "parts without an index": (in_parts(index=False), INDEX, "index"),
    "a part that the index does not name": (
        both(in_parts(), of_the_first), PARTS[1], "index"),
    "an index that says nothing": (both(in_parts(), with_values(INDEX, weight_map=None)),
                                   f"{INDEX}: weight_map", "index"),
    "an index that is wrong": (both(in_parts(), swapped), f"{INDEX}: weight_map", "index"),
    "the second part is missing": (both(in_parts(), without(PARTS[1])), PARTS[1], "files"),
    "one lone tensor": (
        with_weights(lambda weights: {EMBEDDING: weights[EMBEDDING]}),
        "model.layers.0.input_layernorm.weight", "tensors"),
    "a tensor that is missing": (
        with_weights(lambda weights: {name: value for name, value in weights.items()
                                      if name != "model.layers.1.mlp.up_proj.weight"}),
        "model.layers.1.mlp.up_proj.weight", "tensors"),
    "an output layer that is missing": (with_values(CONFIG, tie_word_embeddings=False),
                                        "lm_head.weight", "tensors"),
    "a layer more than there is": (with_values(CONFIG, num_hidden_layers=3),
                                   "model.layers.2.input_layernorm.weight", "tensors"),
    "a layer less than there is": (with_values(CONFIG, num_hidden_layers=1), "layer 1",
                                   "tensors"),
    "another width": (with_values(CONFIG, hidden_size=64), "model.embed_tokens.weight", "tensors"),
    "fewer keys than the config says": (
        with_weights(lambda weights: {name: value[:16].clone() if "0.self_attn.k_proj" in name
                                      else value for name, value in weights.items()}),
        "model.layers.0.self_attn.k_proj.weight", "tensors"),
    "biases that Qwen2 has": (with_values(CONFIG, architectures=["Qwen2ForCausalLM"]),
                              "model.layers.0.self_attn.q_proj.bias", "tensors"),
    "a layer of another kind that is missing": (
        both(with_values(CONFIG, architectures=["MixtralForCausalLM"], num_hidden_layers=3)),
        "layer 2", "tensors"),
    "no embedding, of another kind": (
        both(with_values(CONFIG, architectures=["MixtralForCausalLM"]),
             with_weights(lambda weights: {name: value for name, value in weights.items()
                                           if name != EMBEDDING})), "*.safetensors", "tensors"),
    "positions of release 5 in a nested config": (
        nested(rope_theta=None, rope_parameters={"rope_theta": 1e5}),
        f"{CONFIG}: text_config.rope_parameters", "version"),
    "a nested context in words": (
        nested(max_position_embeddings="long"), f"{CONFIG}: text_config.max_position_embeddings",
        "number"),
    "two templates": (with_values(TOKENIZER, chat_template="{{ messages }}"),
                      f"{TOKENIZER}: chat_template", "template"),
}


def test_what_the_course_exports_can_be_imported(good):
    for region in (None, *aws.import_rules()["regions"]):
        assert aws.import_check(good, region) == []


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_with_its_remedy(name, folder):
    damage, where, rule = FAULTS[name]
    damage(folder)
    found = aws.import_check(folder)
    assert [(one.where, one.rule) for one in found] == [(where, rule)]
    assert all(one.what and one.fix for one in found)


def test_weights_in_parts_are_good_with_their_index(folder):
    in_parts()(folder)
    assert aws.import_check(folder) == []


def test_a_multimodal_config_is_read_where_it_concerns_text(folder):
    nested()(folder)
    assert aws.import_check(folder) == []


def test_the_first_of_two_parts_alone_is_two_faults(folder):
    both(in_parts(index=False), without(PARTS[1]))(folder)
    assert [(one.where, one.rule) for one in aws.import_check(folder)] == [
        (INDEX, "index"), (PARTS[1], "files")]


CONFIGS = {"Llama": {}, "Mistral": {}, "Qwen2": {}, "Qwen3": {"head_dim": 8}, "Mixtral": {},
           "GPTBigCode": None}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_kind_that_transformers_writes_is_whole(name, folder):
    """The rules are held against what transformers itself saves, with more queries than keys."""
    sizes = {"vocab_size": 384, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, **(CONFIGS[name] or {})}
    if CONFIGS[name] is None:
        sizes = {"vocab_size": 384, "n_embd": 32, "n_layer": 2, "n_head": 4}
    config = getattr(transformers, f"{name}Config")(**sizes, bos_token_id=0, eos_token_id=0)
    network = getattr(transformers, f"{name}ForCausalLM")(config)
    network.save_pretrained(folder)
    told = ship.portable_config(json.loads((folder / CONFIG).read_text()))
    (folder / CONFIG).write_text(json.dumps(told))
    assert aws.import_check(folder) == []


def test_there_is_a_fault_for_every_rule():
    """But size, which needs gigabytes, and region, which is no matter of the folder."""
    texts = [Path(sys.modules[f"fmcourse.aws.import_{name}"].__file__).read_text(encoding="utf-8")
             for name in ("check", "folder", "weights")]
    named = {rule for text in texts for rule in re.findall(r'Finding\(.*?, "([a-z]+)",', text)}
    assert named - {"size", "region"} == {rule for _, _, rule in FAULTS.values()}


def test_size_and_region(folder, monkeypatch):
    assert [one.rule for one in aws.import_check(folder, "eu-west-1")] == ["region"]
    with_values(CONFIG, architectures=["GptOssForCausalLM"])(folder)
    assert [one.fix for one in aws.import_check(folder, "us-west-2")] == ["Use us-east-1."]
    monkeypatch.setitem(aws.import_rules(), "text_gigabytes", 1e-6)
    assert [one.rule for one in aws.import_check(folder)] == ["size"]


def test_our_base_as_release_5_saved_it_is_not_importable():
    found = {one.where for one in aws.import_check(models.BASE)}
    assert found == {f"{CONFIG}: rope_parameters", f"{TOKENIZER}: tokenizer_class",
                     f"{TOKENIZER}: extra_special_tokens"}


def test_a_folder_that_is_none_is_told(tmp_path):
    with pytest.raises(AwsError, match="no such folder"):
        aws.import_check(tmp_path / "nowhere")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=4),
                    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
                        st.sampled_from(["rope_type", "factor", "type", "x"]), inner, max_size=2),
                    max_leaves=6)


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.sampled_from([
    "architectures", "text_config", "max_position_embeddings", "rope_parameters", "rope_scaling",
    "quantization_config", "tokenizer_class", "extra_special_tokens", "weight_map",
    "num_hidden_layers", "hidden_size", "num_attention_heads", "vocab_size", "added_tokens",
    "model", "head_dim", "n_positions"]), JSON))
def test_no_json_makes_the_check_crash(good, values):
    place = good.parent / "odd"
    place.mkdir(exist_ok=True)
    for name in (CONFIG, TOKENIZER, "model.safetensors.index.json", "tokenizer.json"):
        (place / name).write_text(json.dumps(values))
    assert aws.import_check(place)
    (place / WEIGHTS).write_bytes((good / WEIGHTS).read_bytes())
    (place / CONFIG).write_text(json.dumps({**values, "architectures": ["LlamaForCausalLM"]}))
    assert aws.import_check(place)
