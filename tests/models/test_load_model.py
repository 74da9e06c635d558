"""What is saved opens here and with transformers alone, bit for bit; what is broken says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import tiny
import torch

from fmcourse import models, store
from fmcourse.errors import ModelError, StoreError

ALONE = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer
kinds = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}
said = {}
for objective in ("causal", "masked"):
    folder = f"{sys.argv[1]}/{objective}"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = kinds[objective].from_pretrained(folder, use_safetensors=True).eval()
    batch = tokenizer("The fox lives by the 17 rivers.", return_tensors="pt")
    with torch.no_grad():
        logits = network(input_ids=batch.input_ids).logits
    said[objective] = {"ids": batch.input_ids.tolist(), "logits": logits.double().tolist()}
    if objective == "causal":
        said["text"] = tokenizer.decode(network.generate(
            **batch, max_new_tokens=8, do_sample=False)[0, batch.input_ids.shape[1]:])
assert not [name for name in sys.modules if name.startswith("fmcourse")]
print(json.dumps(said))
"""


def test_transformers_alone_computes_the_same(tmp_path):
    made = {kind: tiny.model(kind, seed=2, scale=4) for kind in ("causal", "masked")}
    for kind, model in made.items():
        model.save(tmp_path / kind)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    output = subprocess.run([sys.executable, "-I", "-c", ALONE, tmp_path], env=environment,
                            capture_output=True, text=True, check=True, cwd=tmp_path)
    said = json.loads(output.stdout)
    for kind, model in made.items():
        ids = model.tokenizer("The fox lives by the 17 rivers.").input_ids
        assert said[kind]["ids"] == [ids]
        assert ids[0] == model.tokenizer.bos_token_id
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits
        assert torch.equal(torch.tensor(said[kind]["logits"]).float(), logits)
    assert said["text"] == made["causal"].generate("The fox lives by the 17 rivers.", tokens=8,
                                                   temperature=0)


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_a_saved_model_comes_back_whole(tmp_path, objective):
    model = tiny.model(objective, seed=3)
    model.card = {"seen": 5, "licence": ["CC0-1.0"]}
    again = models.load(model.save(tmp_path / "mine"))
    assert again.sha256() == model.sha256()
    assert (again.objective, again.name, again.context) == (objective, "mine", tiny.CONTEXT)
    assert again.card == {**model.card, "name": model.name, "objective": objective}
    text = "7 foxes<|mask|>"
    assert again.tokenizer(text).input_ids == model.tokenizer(text).input_ids
    assert again.tokenizer.bos_token_id == again.tokenizer.eos_token_id == 0
    assert not again.network.training
    names = {p.name for p in (tmp_path / "mine").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "card.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def test_a_shorter_dtype_on_disk_is_float32_in_memory(tmp_path):
    model = tiny.model(seed=3)
    again = models.load(model.save(tmp_path / "half", dtype=torch.bfloat16))
    assert {p.dtype for p in again.network.parameters()} == {torch.float32}
    for first, second in zip(model.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(first.bfloat16().float(), second)
    assert {p.dtype for p in model.network.parameters()} == {torch.float32}  # ours is untouched
    model.save(tmp_path / "whole")
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.6 * sizes[1]


@pytest.mark.parametrize("name", ["nothing", "./runs/k1", "/no/such/folder", "a/b/c", "~/nowhere"])
def test_a_wrong_name_lists_what_can_be_named(name):
    with pytest.raises(ModelError, match="no model here") as caught:
        models.load(name)
    assert "base" in caught.value.fix


def test_a_hub_that_is_out_of_reach_is_said_in_a_sentence():
    with pytest.raises(ModelError, match="cannot be opened") as caught:  # the tests are offline
        models.load("nobody/nothing")
    assert "hub" in caught.value.fix


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("harm", ["gone", "cut", "noise"])
def test_a_damaged_model_is_a_course_error(tmp_path, name, harm):
    folder = tiny.model().save(tmp_path / "m")
    file = folder / name
    said = "no model here" if (name, harm) == ("config.json", "gone") else "cannot be opened"
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-40] if harm == "cut" else b"\x00noise" * 20)
    with pytest.raises(ModelError, match=said):
        models.load(folder)


def test_missing_weights_are_not_made_up(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tiny.model().save(tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="up_proj"):
        models.load(folder)


def test_a_broken_card_is_named(tmp_path):
    folder = tiny.model().save(tmp_path / "m")
    (folder / "card.json").write_text("{")
    with pytest.raises(StoreError, match=r"card\.json"):
        models.load(folder)


def test_code_beside_a_model_is_not_run(tmp_path):
    folder = tiny.model().save(tmp_path / "m")
    config = store.read_json(folder / "config.json")
    config["auto_map"] = {"AutoModelForCausalLM": "evil.Evil", "AutoConfig": "evil.Config"}
    store.write_json(folder / "config.json", config)
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    models.load(folder)
    assert not (tmp_path / "run").exists()


def test_pickled_weights_are_refused(tmp_path):
    model = tiny.model()
    folder = model.save(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    torch.save(model.network.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be opened"):
        models.load(folder)
