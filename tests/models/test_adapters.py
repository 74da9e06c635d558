"""Adapters: every method trains its part alone, is kept, and comes back as it was."""

import json
import math
from dataclasses import replace

import pytest
import tiny
import torch
from peft import PeftModel
from safetensors.torch import load_file

from fmcourse import models
from fmcourse.errors import ModelError
from fmcourse.models import METHODS, Adapter, TrainedAdapter, adapt, attach, build, merged

IDS = torch.arange(3, 43).reshape(2, 20)
SMALL = {"rank": 4, "tokens": 4}
OWN = {"full": 1.0, "last block": 0.6, "bitfit": 0.05, "lora": 0.35, "rslora": 0.35, "dora": 0.35,
       "pissa": 0.35, "qlora": 0.35, "prompt": 0.02, "prefix": 0.02, "ia3": 0.02}


@pytest.fixture(scope="module")
def base():
    return build(tiny.SHAPE, tiny.tokenizer(), context=128)


def logits(model):
    with torch.inference_mode():
        return model.network.eval()(input_ids=IDS, use_cache=False).logits.float()


def trained(model, steps=3, rate=1e-2):
    """A few steps of the plain loop, on one batch."""
    weights = [p for p in model.network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate)
    for _ in range(steps):
        loss = model.network.train()(input_ids=IDS, labels=IDS, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_its_part_and_comes_back_as_it_was(base, method, tmp_path):
    torch.manual_seed(0)
    before, settings = base.sha256(), Adapter(method, **SMALL)
    model = adapt(base, settings)
    share = sum(p.numel() for p in model.network.parameters() if p.requires_grad) / base.parameters
    assert 0 < share <= OWN[method]
    start = logits(model)
    if settings.kind in ("weights", "scales") or method in ("lora", "rslora", "dora"):
        assert torch.allclose(start, logits(base), atol=1e-5)  # it begins as the model it was
    elif method == "pissa":
        assert torch.allclose(start, logits(base), atol=1e-3)
    rate = 0.1 if settings.kind == "scales" else 0.01  # a few numbers have to move far
    first, last = trained(model, 1, rate), trained(model, 8, rate)
    assert last < first - 0.02
    assert base.sha256() == before  # a copy was trained
    after = logits(model)
    assert not torch.allclose(after, start, atol=1e-3)
    kept = TrainedAdapter.of(model, settings, before)
    kept.save(tmp_path / "adapter")
    again = attach(base, TrainedAdapter.load(tmp_path / "adapter"))
    tolerance = 1e-4 if method == "pissa" else 0.0  # its product is formed anew, as LoRA's
    assert torch.allclose(logits(again), after, atol=tolerance, rtol=0)
    if models.mergeable(model):
        plain = merged(model)
        assert not models.adapted(plain)
        tolerance = 1e-4 if method != "qlora" else 0.05  # there, layers compute in bfloat16
        assert torch.allclose(logits(plain), after, atol=tolerance)
    else:
        with pytest.raises(ModelError, match="cannot be merged"):
            merged(model)


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "prompt", "prefix"])
def test_the_folder_is_peft_s_own(base, method, tmp_path):
    model = adapt(base, Adapter(method, **SMALL))
    trained(model)
    TrainedAdapter.of(model, Adapter(method, **SMALL), base.sha256()).save(tmp_path / "a")
    network = PeftModel.from_pretrained(base.copy().network, tmp_path / "a").eval()
    with torch.inference_mode():
        found = network(input_ids=IDS, use_cache=False).logits[:, -IDS.shape[1]:]
    assert torch.allclose(found, logits(model), atol=1e-5)


def test_four_bits_are_really_four_and_compute_nearly_the_same(base):
    small = models.quantized(base, "float32")
    stored = {name: p for name, p in small.network.named_parameters() if p.dtype == torch.uint8}
    assert len(stored) == len(models.linear_layers(base.network))
    assert small.parameters == base.parameters
    halves = sum(layer.weight.numel() for layer in models.linear_layers(base.network).values()) / 2
    assert sum(p.numel() for p in stored.values()) == halves
    assert torch.nn.functional.cosine_similarity(logits(small), logits(base), -1).mean() > 0.98
    with pytest.raises(ModelError, match="plain model"):
        models.quantized(small)


def test_looking_at_a_four_bit_model_does_not_spoil_its_training(base):
    """bitsandbytes would repack the weights at the first forward pass in evaluation mode."""
    losses = []
    for look in (False, True):
        torch.manual_seed(0)
        model = adapt(base, Adapter("qlora", rank=4))
        if look:
            logits(model)
        losses.append(trained(model, 6))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_a_merged_four_bit_model_computes_what_the_adapter_learnt(base):
    model = models.quantized(base, "float32")
    made = adapt(replace(model), Adapter("lora", rank=4))
    trained(made, 10)
    after = logits(made)
    assert torch.allclose(logits(merged(made)), after, atol=1e-4)


def test_an_adapter_is_refused_on_another_base(base, tmp_path):
    model = adapt(base, Adapter(rank=2))
    kept = TrainedAdapter.of(model, Adapter(rank=2), base.sha256())
    other = build(tiny.SHAPE, tiny.tokenizer(), context=128, seed=1)
    with pytest.raises(ModelError, match="another model"):
        attach(other, kept)
    with pytest.raises(ModelError, match="no whole adapter"):
        attach(base, tmp_path)
    folder = kept.save(tmp_path / "a")
    (folder / "adapter_model.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match="no whole adapter"):
        TrainedAdapter.load(folder)


@pytest.mark.parametrize(("settings", "message"), [
    ({"rank": 0}, "rank of 0"), ({"method": "loar"}, "No method is called"),
    ({"tokens": 0}, "virtual tokens"), ({"targets": ()}, "No layer is named"),
    ({"alpha": 0}, "switches the adapter off"),
])
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ModelError, match=message):
        Adapter(**settings)


def test_what_does_not_fit_the_network_is_refused(base):
    with pytest.raises(ModelError, match="No linear layer is called 'query'"):
        adapt(base, Adapter(targets=("q_proj", "query")))
    with pytest.raises(ModelError, match="more than a layer of width"):
        adapt(base, Adapter(rank=10_000))
    with pytest.raises(ModelError, match="already"):
        adapt(adapt(base), Adapter())


def test_targets_are_the_layers_named(base):
    model = adapt(base, Adapter(targets="q_proj", rank=2))
    named = {name for name, p in model.network.named_parameters() if p.requires_grad}
    assert named
    assert all("q_proj" in name for name in named)


def test_several_adapters_take_turns_on_one_base(base):
    kept, alone = {}, {}
    for i, name in enumerate(("north", "south")):
        torch.manual_seed(i)
        model = adapt(base, Adapter(rank=2 + i))
        trained(model, 3 + 3 * i)
        kept[name], alone[name] = TrainedAdapter.of(model, Adapter(rank=2 + i), base.sha256()), (
            logits(model))
    both = models.attach_all(base, kept)
    assert both.parameters < 1.5 * base.parameters  # the base is there once
    assert torch.allclose(logits(both), alone["north"], atol=1e-5)
    with models.using(both, "south"):
        assert torch.allclose(logits(both), alone["south"], atol=1e-5)
    with models.using(both, None):
        assert torch.allclose(logits(both), logits(base), atol=1e-5)
    assert torch.allclose(logits(both), alone["north"], atol=1e-5)
    models.blend(both, {"north": 1.0, "south": 0.0}, "all north")
    assert torch.allclose(logits(both), alone["north"], atol=1e-4)
    models.blend(both, {"north": 0.5, "south": 0.5}, "even")
    assert not torch.allclose(logits(both), alone["north"], atol=1e-3)
    with pytest.raises(ModelError, match="no adapter 'west'"), models.using(both, "west"):
        pass
    with pytest.raises(ModelError, match="already"):
        models.blend(both, {"north": 1.0}, "even")
    with pytest.raises(ModelError, match="nothing to blend"):
        models.blend(both, {}, "empty")
    with pytest.raises(ModelError, match="cannot be called 'half'"):  # PyTorch's, of a module
        models.blend(both, {"north": 1.0}, "half")


@pytest.mark.parametrize("method", ["rslora", "dora", "ia3"])
def test_what_is_no_plain_sum_is_not_blended(base, method):
    settings = Adapter(method, **SMALL)
    kept = TrainedAdapter.of(adapt(base, settings), settings, base.sha256())
    with pytest.raises(ModelError, match="cannot be blended"):
        models.blend(models.attach_all(base, {"a": kept}), {"a": 1.0}, "b")


def test_a_blend_keeps_to_each_adapter_s_own_scale(base):
    settings = Adapter(rank=2, alpha=7.0)
    model = adapt(base, settings)
    trained(model, 4)
    other = TrainedAdapter.of(adapt(base, Adapter(rank=3)), Adapter(rank=3), base.sha256())
    both = models.attach_all(base, {
        "other": other, "x": TrainedAdapter.of(model, settings, base.sha256())})
    models.blend(both, {"x": 1.0, "other": 1.0}, "sum")  # the other one has learnt nothing
    assert torch.allclose(logits(both), logits(model), atol=1e-4)


def test_four_bits_and_full_precision_do_not_share_a_base(base):
    kept = {}
    for method in ("lora", "qlora"):
        settings = Adapter(method, rank=2)
        kept[method] = TrainedAdapter.of(adapt(base, settings), settings, base.sha256())
    with pytest.raises(ModelError, match="four bits"):
        models.attach_all(base, kept)


def test_a_four_bit_model_merges_whatever_its_adapter_is_called(base):
    settings = Adapter("qlora", rank=2)
    kept = TrainedAdapter.of(adapt(base, settings), settings, base.sha256())
    model = merged(models.attach_all(base, {"mine": kept}))
    assert not models.adapted(model)
    assert not models.is_quantized(model)
    assert models.is_quantized(models.quantized(model))  # it is a plain model again


@pytest.mark.parametrize("method", ["full", "last block", "bitfit", "pissa", "prompt"])
def test_four_bits_are_trained_by_matrices_beside_them_only(base, method):
    with pytest.raises(ModelError, match="four bits"):
        adapt(models.quantized(base), Adapter(method, **SMALL))


def test_adapters_begin_by_their_seed(base):
    first, again, other = (adapt(base, Adapter(rank=2), seed).sha256() for seed in (0, 0, 1))
    assert first == again != other
    assert adapt(base, Adapter(rank=2, alpha=64.0)).sha256() != first


def test_half_an_adapter_is_refused(base):
    kept = TrainedAdapter.of(adapt(base), Adapter(), base.sha256())
    half = replace(kept, weights=dict(list(kept.weights.items())[::2]))
    thin = replace(kept, weights={name: value[:1] for name, value in kept.weights.items()})
    for broken in (half, thin):
        with pytest.raises(ModelError, match="not whole"):
            attach(base, broken)
        with pytest.raises(ModelError, match="not whole"):
            models.attach_all(base, {"good": kept, "broken": broken})


@pytest.mark.parametrize("method", ["lora", "dora", "ia3"])
def test_an_adapter_is_added_into_the_weights_and_taken_off_again(base, method):
    model = adapt(base, Adapter(method, **SMALL))
    trained(model, 4, 0.1 if method == "ia3" else 0.01)
    apart = logits(model)
    weights = model.network.base_model.model.model.layers[0].self_attn.k_proj.get_base_layer()
    plain = weights.weight.clone()
    with models.while_merged(model):
        assert not torch.equal(weights.weight, plain)
        assert torch.allclose(logits(model), apart, atol=1e-4)
    assert torch.allclose(weights.weight, plain, atol=1e-6)
    assert torch.allclose(logits(model), apart, atol=1e-4)


def test_what_has_no_adapter_to_add_is_said(base):
    for model in (base, adapt(base, Adapter("prompt", **SMALL)), adapt(base, Adapter("qlora"))):
        with pytest.raises(ModelError, match="no adapter that could"), models.while_merged(model):
            pass


def test_prompts_and_matrices_cannot_share_a_base(base):
    kept = {}
    for method in ("lora", "prompt"):
        settings = Adapter(method, **SMALL)
        kept[method] = TrainedAdapter.of(adapt(base, settings), settings, base.sha256())
    with pytest.raises(ModelError, match="cannot share"):
        models.attach_all(base, kept)
    with pytest.raises(ModelError, match="no adapter to attach"):
        models.attach_all(base, {})


def test_generation_and_likelihoods_work_behind_a_prompt(base):
    from fmcourse import evaluate

    model = adapt(base, Adapter("prompt", tokens=4))
    assert logits(model).shape[1] == IDS.shape[1]
    assert math.isfinite(evaluate.bits_per_byte(model, ["The fox lives by the river."], context=64))
    assert isinstance(model.generate("The fox", tokens=4, temperature=0), str)


def test_the_card_says_where_an_adapter_belongs(base, tmp_path):
    folder = TrainedAdapter.of(adapt(base), Adapter(), base.sha256()).save(tmp_path / "a")
    card = json.loads((folder / "card.json").read_text())
    assert card["base"] == base.sha256()
    assert card["settings"]["method"] == "lora"
    weights = load_file(folder / "adapter_model.safetensors")
    assert all("lora_" in name for name in weights)
