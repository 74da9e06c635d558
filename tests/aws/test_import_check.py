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
        with_weights(lambda weights: {
            name: value[:300].clone() if "embed_tokens" in name else value
            for name, value in weights.items()}), "tokenizer.json", "vocabulary"),
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


def test_there_is_a_fault_for_every_rule():
    """But size, which needs gigabytes, and region, which is no matter of the folder."""
    text = Path(sys.modules["fmcourse.aws.import_check"].__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'Finding\([^,]*, "([a-z]+)",', text))
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
    "quantization_config", "tokenizer_class", "extra_special_tokens", "weight_map"]), JSON))
def test_no_json_makes_the_check_crash(good, values):
    place = good.parent / "odd"
    place.mkdir(exist_ok=True)
    for name in (CONFIG, TOKENIZER, "model.safetensors.index.json", "tokenizer.json"):
        (place / name).write_text(json.dumps(values))
    assert aws.import_check(place)
