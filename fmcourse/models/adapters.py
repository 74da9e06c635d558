"""Adapters: a few added weights that are trained while the model's own stay as they are.

LoRA (Hu et al. 2021, arXiv:2106.09685) adds to each linear layer W a product B·A of two thin
matrices; B starts at nothing, so that training starts at the model as it was. Merged, the sum is
an ordinary linear layer again: same size, same speed, no trace of the library.
"""

from __future__ import annotations

from fmcourse.models.compat import LoraConfig, PreTrainedModel, get_peft_model
from fmcourse.models.language_model import LanguageModel


def with_lora(model: LanguageModel, rank: int, alpha: float | None = None) -> LanguageModel:
    """The model with LoRA on every linear layer but the output one; only that is trainable.

    The model's own network is wrapped, not copied: take `model.copy()` to keep it.

    Args:
        rank: width of the thin matrices.
        alpha: the product is scaled by alpha / rank; by default 2 · rank, a factor of 2.
    """
    settings = LoraConfig(r=rank, lora_alpha=alpha or 2 * rank, target_modules="all-linear",
                          task_type="CAUSAL_LM")
    return LanguageModel(get_peft_model(model.network, settings), model.tokenizer, model.name,
                         model.objective, model.card)


def merged(model: LanguageModel) -> LanguageModel:
    """The model with its adapter added into its weights; one without an adapter, unchanged."""
    if isinstance(model.network, PreTrainedModel):
        return model
    return LanguageModel(model.network.merge_and_unload(), model.tokenizer, model.name,
                         model.objective, model.card)
