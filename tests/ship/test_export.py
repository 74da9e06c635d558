"""Exports: opened again they are the same model, in releases 4 and 5; nothing half-written."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import tiny
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from fmcourse import models, ship, store
from fmcourse.errors import ModelError, StoreError
from fmcourse.models import Adapter


def test_an_export_is_a_plain_folder_that_opens_without_the_course(model, exported):
    network = AutoModelForCausalLM.from_pretrained(exported)
    tokenizer = AutoTokenizer.from_pretrained(exported)
    ids = tokenizer("The fox lives by the river.", return_tensors="pt").input_ids
    with torch.no_grad():
        assert torch.equal(network(ids).logits, model(ids).logits)
    asked = [{"role": "user", "content": "Hello"}]
    assert tokenizer.apply_chat_template(asked, tokenize=False) == (
        model.tokenizer.apply_chat_template(asked, tokenize=False))
    assert network.generation_config.eos_token_id == model.network.generation_config.eos_token_id
    assert models.load(exported).sha256() == model.sha256()
    assert store.broken_seal(exported / "card.json") == []


def test_it_is_written_as_release_4_of_transformers_wants_it(exported):
    config = json.loads((exported / "config.json").read_text())
    assert config["rope_theta"] == 10000.0
    assert config["torch_dtype"] == "float32"
    assert not {"rope_parameters", "dtype"} & set(config)
    tokenizer = json.loads((exported / "tokenizer_config.json").read_text())
    assert tokenizer["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert tokenizer["additional_special_tokens"] == ["<|im_start|>", "<|im_end|>"]


def test_positions_that_are_scaled_keep_their_scale():
    rope = {"rope_type": "llama3", "factor": 8.0, "rope_theta": 5e5}
    made = ship.portable_config({"rope_parameters": rope})
    assert made == {"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}
    layers = {"rope_parameters": {"full_attention": rope}}  # release 4 has no such thing
    assert ship.portable_config(layers) == layers


def test_an_adapter_is_merged_and_the_model_given_keeps_it(model, tmp_path):
    torch.manual_seed(0)
    tuned = models.adapt(model, Adapter("lora", rank=2))
    for name, weights in tuned.network.named_parameters():
        if "lora_B" in name:
            weights.data.normal_()
    ids = torch.tensor([[0, 5, 9, 40]])
    with torch.no_grad():
        wanted = tuned(ids).logits
        again = models.load(ship.export(tuned, tmp_path / "tuned"))
        assert torch.allclose(again(ids).logits, wanted, atol=1e-5)
        assert not torch.allclose(again(ids).logits, model(ids).logits, atol=1e-2)
    assert models.adapted(tuned)


def test_rounded_weights_are_known_by_the_hash_they_have_when_opened(model, tmp_path):
    folder = ship.export(model, tmp_path / "half", dtype="bfloat16")
    card = json.loads((folder / "card.json").read_text())
    assert models.load(folder).sha256() == card["sha256"]
    assert card["made_of"] == [model.sha256()]
    assert (folder / "model.safetensors").stat().st_size < 0.6 * sum(
        4 * weights.numel() for weights in model.network.parameters())


def test_a_gguf_folder_has_its_card_too(model, tmp_path):
    folder = ship.export(model, tmp_path / "mini", "gguf", "float16")
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md", "card.json", "manifest.json", "manifest.sig", "mini.gguf"]


@pytest.mark.parametrize(("what", "options", "says"), [
    (tiny.model, {"to": "onnx"}, "no form 'onnx'"),
    (tiny.model, {"dtype": "q8_0"}, "no weights of type"),
    (lambda: models.adapt(tiny.model(), Adapter("prompt", tokens=2)), {}, "cannot be merged"),
    (lambda: "nowhere", {}, "no model here")])
def test_what_cannot_be_exported_leaves_nothing(what, options, says, tmp_path):
    with pytest.raises(ModelError, match=says):
        ship.export(what(), tmp_path / "out", **options)
    assert not list(tmp_path.glob("out"))


def with_file(folder):
    (folder / "thesis.txt").write_text("mine")


def with_changed_card(folder):
    (folder / "README.md").write_text("my own words")


def with_file_alone(folder):
    for file in folder.iterdir():
        file.unlink()
    with_file(folder)


@pytest.mark.parametrize(("change", "named"), [
    (with_file, "thesis.txt"), (with_changed_card, "README.md"), (with_file_alone, "thesis.txt")])
def test_nobody_s_file_is_replaced(change, named, model, folder):
    change(folder)
    before = store.sha256_folder(folder)
    with pytest.raises(StoreError, match=named) as found:
        ship.export(model, folder)
    assert "Name another folder" in str(found.value)
    assert store.sha256_folder(folder) == before


def test_an_export_as_it_was_signed_is_replaced_and_a_plain_file_is_not(model, folder, tmp_path):
    assert ship.verify(ship.export(model, folder, limits="New.")).whole
    assert "New." in (folder / "README.md").read_text()
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(StoreError, match="a file here"):
        ship.export(model, tmp_path / "precious")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_key_that_is_none_is_told_before_a_model_is_opened(tmp_path):
    with pytest.raises(StoreError, match="cannot be read") as found:
        ship.export("nowhere", tmp_path / "out", key=tmp_path / "nope")
    assert "file of a key" in str(found.value)


CARD = {"name": "tuned", "recipe": {"epochs": 3}, "metrics": {"loss": 0.25, "quick": True},
        "cost": {"tokens": 1000, "flops": 2e12, "seconds": 7200, "peak_memory_bytes": 2e9},
        "parents": {"data": "a" * 64, "start": "b" * 64},
        "environment": {"device": "cpu", "cores": 2, "name": "A | CPU", "dtype": "float32",
                        "torch": "2"},
        "reads": [{"name": "my\ndata", "texts": 40, "characters": 900, "sha256": "c" * 64,
                   "licence": ["CC0-1.0"], "attribution": ["Somebody"],
                   "steps": [{"step": "clean", "kept": 40, "dropped": 2, "note": ""}]}]}


def test_the_card_of_a_run_says_all_that_was_kept_of_it(model, tmp_path):
    base = model.copy()
    base.card = {"measures": {"bits_per_byte": {"all": 1.5}}, "limits": "It dreams.",
                 "licence": "Apache-2.0", "cost": {**CARD["cost"], "seconds": 3600},
                 "environment": {"device": "cuda", "cores": 2, "name": "G", "dtype": "bfloat16",
                                 "torch": "2"}}
    run = SimpleNamespace(model=base, card=CARD)
    page = (ship.export(run, tmp_path / "out", limits="Not for exams.") / "README.md").read_text()
    for part in ("| my data | 40 | 900 | clean: kept 40, dropped 2 | `cccccccccccc` |",
                 f"| tuned: start | `{'b' * 64}` |", base.sha256(), "epochs 3", "A | CPU",
                 "| loss | 0.25 |", "| bits per byte, all | 1.5 |",
                 "| tuned | 1,000 | 2.00e+12 | 2.00 | 49.5 Wh |", "| 1.00 | not known |",
                 "It dreams.", "Not for exams.", "- CC0-1.0", "- Apache-2.0", "- Somebody"):
        assert part in page, part
    assert "quick" not in page


def test_a_card_without_a_run_says_what_it_does_not_know(exported):
    page = (exported / "README.md").read_text()
    assert "It knows ten animals." in page
    assert "none on record" in page
