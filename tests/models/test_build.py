"""Fresh models: as large as their names say, the same for a seed, ordinary transformers inside."""

from __future__ import annotations

import pytest
import tiny
import torch
from transformers import LlamaConfig, LlamaForCausalLM, ModernBertForMaskedLM

from fmcourse import models
from fmcourse.errors import ModelError
from fmcourse.models import LanguageModel
from fmcourse.models.build import SIZES, build, untrained


class Vocabulary:
    """As many tokens as the sizes are named for, without learning them."""

    bos_token_id = eos_token_id = 0
    pad_token_id = 1

    def __len__(self) -> int:
        return 8192


@pytest.mark.parametrize("objective", ["causal", "masked"])
@pytest.mark.parametrize("size", SIZES)
def test_a_size_has_about_as_many_weights_as_its_name(size, objective):
    with torch.device("meta"):  # shapes without memory
        count = build(size, Vocabulary(), objective).parameters
    named = 0.65 if size == "tiny" else float(size.removesuffix("m"))
    assert count / 1e6 == pytest.approx(named, rel=0.2)


def test_sizes_ascend_and_heads_divide_the_width():
    with torch.device("meta"):
        counts = [build(size, Vocabulary()).parameters for size in SIZES]
    assert counts == sorted(counts)
    for shape in SIZES.values():
        assert shape.width % (2 * shape.heads) == 0  # rotary positions turn pairs


def test_the_classes_are_those_of_transformers():
    assert type(tiny.model("causal").network) is LlamaForCausalLM
    assert type(tiny.model("masked").network) is ModernBertForMaskedLM


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_a_seed_decides_the_weights_and_nothing_else_does(objective):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = tiny.model(objective, seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)  # the global state is left alone
    torch.manual_seed(2)
    assert tiny.model(objective, seed=5).sha256() == first.sha256()
    assert tiny.model(objective, seed=6).sha256() != first.sha256()


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_a_new_model_knows_nothing(objective):
    model = tiny.model(objective)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[0, 70, 80]])).logits
    assert logits.shape == (1, 3, len(model.tokenizer))
    assert logits.log_softmax(-1).exp().max() < 0.02  # next to uniform over 384
    assert not model.network.training


def test_the_untrained_twin_has_the_shape_and_other_weights():
    model = tiny.model("causal", seed=1)
    twin = untrained(model, seed=2)
    assert twin.parameters == model.parameters
    assert twin.context == model.context
    assert twin.tokenizer is model.tokenizer
    assert twin.sha256() != model.sha256()
    assert twin.sha256() == tiny.model("causal", seed=2).sha256()
    assert not twin.network.training


def test_the_untrained_twin_has_the_same_architecture_and_leaves_the_random_state_alone():
    config = LlamaConfig(vocab_size=384, hidden_size=32, num_hidden_layers=2, intermediate_size=48,
                         num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                         max_position_embeddings=64, rope_theta=5e5, tie_word_embeddings=False)
    model = LanguageModel(LlamaForCausalLM(config), tiny.tokenizer(), "grouped")
    before = torch.random.get_rng_state()
    twin = untrained(model, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    shapes = [{key: value.shape for key, value in some.network.state_dict().items()}
              for some in (model, twin)]
    assert shapes[0] == shapes[1]
    assert twin.network.config is not config
    assert twin.network.config.to_dict() == config.to_dict()
    assert untrained(model, seed=1).sha256() == twin.sha256()
    assert untrained(model, seed=2).sha256() != twin.sha256()


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_the_twin_of_a_trained_model_is_next_to_uniform(objective):
    twin = untrained(tiny.model(objective, scale=9))
    with torch.no_grad():
        logits = twin(input_ids=torch.tensor([[0, 70, 80]])).logits
    assert logits.log_softmax(-1).exp().max() < 0.02


@pytest.mark.parametrize(("arguments", "said"), [
    (("4m", None), "no size called '4m'"),
    (("tiny", None, "both"), "no objective called 'both'"),
])
def test_unknown_names_list_the_known(arguments, said):
    with pytest.raises(ModelError, match=said) as caught:
        models.build(*arguments)
    assert "tiny" in caught.value.fix or "causal" in caught.value.fix
