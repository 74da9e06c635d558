"""The dry run says what training really takes, for tensors that exist and for those that do not."""

import copy
import warnings

import pytest

from fmcourse import models
from fmcourse.errors import CourseWarning, ModelError
from fmcourse.hardware import gpus
from fmcourse.models import METHODS, Adapter, compat
from fmcourse.models.adapters import inject
from fmcourse.train import memory
from fmcourse.train.dry_run import alive_in, shape

CONFIG = compat.LlamaConfig(vocab_size=512, hidden_size=64, intermediate_size=192,
                            num_hidden_layers=6, num_attention_heads=4, num_key_value_heads=2,
                            tie_word_embeddings=True)
SETTING = {"sequence": 32, "batch": 2}


def real(adapter, **options):
    """The same counter around the same step, with real tensors."""
    network = inject(compat.LlamaForCausalLM(copy.deepcopy(CONFIG)).train(), adapter)
    return alive_in(network, **{**SETTING, "compute": "float32", "attention": "eager",
                                "checkpointing": False, **options})


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"qlora", "pissa"}))
def test_the_dry_run_counts_what_a_real_step_has(method):
    adapter = Adapter(method, rank=4, tokens=4)
    told = memory(CONFIG, adapter, **SETTING, compute="float32", attention="eager")
    found = real(adapter)
    assert told.weights == found["weights"]
    assert told.trainable == found["trainable"]
    # a real mask of ones is seen to be one and left out; the contents of a fake one cannot be seen
    close = 0.12 if method == "prompt" else 0.02
    assert told.activations == pytest.approx(found["activations"], rel=close)
    peak = max(found["forward"], found["backward"], found["update"])
    assert told.peak == pytest.approx(peak, rel=close + 0.01)


def test_weights_gradients_and_moments_of_full_training_are_sixteen_bytes_a_weight():
    told = memory(CONFIG, **SETTING)
    assert told.weights + told.gradients + told.optimizer == pytest.approx(
        16 * told.parameters, rel=0.001)  # besides the table of rotary positions


def test_checkpointing_and_smaller_types_take_less():
    usual = memory(CONFIG, Adapter(rank=2), **SETTING)
    assert memory(CONFIG, Adapter(rank=2), **SETTING, checkpointing=True).activations < (
        usual.activations / 2)
    half = memory(CONFIG, Adapter(rank=2), **SETTING, frozen="bfloat16")
    assert half.weights < 0.6 * usual.weights
    quarter = memory(CONFIG, Adapter("qlora", rank=2), **SETTING)
    assert quarter.weights < half.weights
    assert quarter.parameters == half.parameters


@pytest.mark.parametrize(("size", "weights"), [
    ("1b", 1.236e9), ("3b", 3.21e9), ("7b", 6.74e9), ("8b", 8.03e9), ("13b", 13.0e9),
    ("70b", 70.6e9), ("405b", 405.9e9)])
def test_published_sizes_have_the_weights_that_their_makers_say(size, weights):
    assert memory(size, sequence=8).parameters == pytest.approx(weights, rel=0.003)


def test_four_bits_are_counted_as_they_are_stored():
    """Against the library's own network: half a byte a weight, and the scales that belong to it."""
    network = compat.LlamaForCausalLM(copy.deepcopy(CONFIG))
    small = models.quantized(models.LanguageModel(network, None, "a shape"), "bfloat16").network
    scales = [tensor for weights in small.parameters() if hasattr(weights, "quant_state")
              for state in (weights.quant_state, weights.quant_state.state2)
              for tensor in (state.absmax,)]
    stored = small.get_memory_footprint() + sum(s.numel() * s.element_size() for s in scales)
    lora = Adapter("qlora", rank=2)
    told = memory(CONFIG, lora, **SETTING)
    assert told.weights - 4 * told.trainable == pytest.approx(stored, rel=0.01)


def test_a_long_row_costs_more_than_a_short_one():
    short, long = (memory("7b", Adapter("qlora"), sequence=n).peak for n in (256, 2048))
    assert long > 2 * short


@pytest.mark.parametrize(("settings", "message"), [
    ({"model": "nonsense"}, "no size or model"), ({"sequence": 0}, "nothing to train on"),
    ({"batch": 10**6}, "more than a forward pass"),
    ({"frozen": "int3"}, "Nothing is computed in"), ({"compute": "fp8"}, "Nothing is computed")])
def test_what_cannot_be_is_refused(settings, message):
    with pytest.raises(ModelError, match=message):
        memory(**{"model": "7b", **settings})


def test_a_row_beyond_the_model_s_context_is_remarked_on():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", CourseWarning)
        within, beyond = (memory("7b", Adapter("qlora"), sequence=n) for n in (4096, 8192))
    assert [str(one.message) for one in said if one.category is CourseWarning] == [
        "8,192 tokens are more than this model's context of 4,096; it was never trained on such "
        "rows."]
    assert beyond.peak > within.peak  # it is told all the same


def test_the_course_s_own_models_have_a_shape():
    assert shape("base").hidden_size == 384


def test_the_smallest_gpu_that_fits_is_named():
    assert gpus.smallest(10**9).name == "T4"
    assert gpus.smallest(30 * 10**9).name == "L40S"  # one, where A100s come by eight
    assert gpus.smallest(60 * 10**9).memory == 80 * 2**30
    assert gpus.smallest(130 * 10**9).name == "H200"
    assert gpus.smallest(10**12) is None
    for gpu in gpus.GPUS:
        assert gpu.needed(gpu.usable, 0) == 1
        assert gpu.needed(gpu.usable + 1, 0) == 2
        assert gpu.needed(gpu.usable, gpu.usable // 2) == 2  # each has its own activations
        assert gpu.needed(1, gpu.usable) is None


def test_what_rows_keep_is_not_split_over_gpus():
    told = memory("70b", sequence=4096)
    assert told.activations > 77e9
    assert "fewer or shorter rows, or checkpointing" in str(told)
    assert "of H100 (8 in a p5.48xlarge), split by FSDP" in str(
        memory("70b", sequence=4096, checkpointing=True))


def test_weights_cast_by_autocast_are_told_apart_from_activations():
    low, full = (memory("base", sequence=64, compute=kind) for kind in ("bfloat16", "float32"))
    layers = models.linear_layers(models.load("base").network).values()
    numbers = sum(layer.weight.numel() for layer in layers)
    assert (low.copies, full.copies) == (pytest.approx(2 * numbers, rel=0.01), 0)
    assert low.activations < full.activations
