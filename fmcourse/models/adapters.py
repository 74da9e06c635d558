"""Adapters: a small part of a model that is trained while the rest stays as it is.

`adapt` prepares a model for any method of `METHODS`. Most are PEFT's; three need no library: all
weights, the last block alone, and added biases (BitFit). What every method has in common: training
starts at the model as it was (prompts excepted), only the part is trained, and only the part is
kept (`TrainedAdapter`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import nn

from fmcourse.errors import ModelError, meant
from fmcourse.models import compat
from fmcourse.models.four_bits import (
    full_precision,
    is_quantized,
    linear_layers,
    quantized,
)
from fmcourse.models.language_model import LanguageModel


@dataclass(frozen=True)
class Method:
    """A way to train a part of a model.

    Attributes:
        kind: 'weights' of the model itself, 'low rank' matrices beside them, 'scales' of what
            flows through it, or a 'prompt' in front of its input.
        settings: of PEFT's configuration, besides those that `Adapter` has.
        source: where it was published.
    """

    kind: str
    source: str
    settings: tuple[tuple[str, Any], ...] = ()


METHODS = {
    "full": Method("weights", "every weight"),
    "last block": Method("weights", "the last block and the norm after it"),
    "bitfit": Method("weights", "Ben Zaken et al. 2021, arXiv:2106.10199"),
    "lora": Method("low rank", "Hu et al. 2021, arXiv:2106.09685"),
    "rslora": Method("low rank", "Kalajdzievski 2023, arXiv:2312.03732", (("use_rslora", True),)),
    "dora": Method("low rank", "Liu et al. 2024, arXiv:2402.09353", (("use_dora", True),)),
    "pissa": Method("low rank", "Meng et al. 2024, arXiv:2404.02948",
                    (("init_lora_weights", "pissa_niter_4"),)),
    "qlora": Method("low rank", "Dettmers et al. 2023, arXiv:2305.14314"),
    "prompt": Method("prompt", "Lester et al. 2021, arXiv:2104.08691"),
    "prefix": Method("prompt", "Li and Liang 2021, arXiv:2101.00190"),
    "ia3": Method("scales", "Liu et al. 2022, arXiv:2205.05638"),
}
ON_FOUR_BITS = ("lora", "rslora", "dora", "qlora", "ia3")
START = "Answer the request in the way that the examples do, and write nothing else."


@dataclass(frozen=True)
class Adapter:
    """What to train of a model.

    Attributes:
        method: a name of `METHODS`.
        rank: width of the thin matrices of the low-rank methods.
        alpha: their product is scaled by alpha / rank, of rsLoRA by alpha / √rank; None means
            2 · rank, a factor of 2 at any rank, and for rsLoRA 8, which is 2 at rank 16 and
            falls with √rank, as its paper has it.
        targets: names of the linear layers that get them, such as 'q_proj'; or 'all-linear', all
            but the output layer.
        tokens: virtual ones, of prompt and prefix tuning.
    """

    method: str = "lora"
    rank: int = 16
    alpha: float | None = None
    targets: str | tuple[str, ...] = "all-linear"
    tokens: int = 16

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            self._refuse(f"No method is called {self.method!r}.", "method",
                         meant(str(self.method), METHODS))
        if self.rank < 1:
            self._refuse(f"A rank of {self.rank} leaves nothing to train.", "rank",
                         "1 or more; 8 to 64 are usual.")
        if not self.targets:
            self._refuse("No layer is named.", "targets", "'all-linear', or names of layers.")
        if self.tokens < 1:
            self._refuse(f"{self.tokens} virtual tokens leave nothing to train.", "tokens",
                         "1 or more; 8 to 100 are usual.")
        if self.alpha is not None and not self.alpha > 0:
            self._refuse(f"An alpha of {self.alpha} switches the adapter off.", "alpha",
                         "More than 0; 2 · rank is usual.")

    def _refuse(self, what: str, field: str, fix: str) -> NoReturn:
        raise ModelError(what, where=f"Adapter.{field}", fix=fix)

    @property
    def kind(self) -> str:
        """Of the method, as `Method.kind`."""
        return METHODS[self.method].kind

    @property
    def lora_alpha(self) -> float:
        """PEFT's `lora_alpha`."""
        if self.alpha is not None:
            return self.alpha
        return 8 if self.method == "rslora" else 2 * self.rank


def adapt(model: LanguageModel, adapter: Adapter | None = None, seed: int = 0) -> LanguageModel:
    """A copy of the model of which only the adapter can be trained.

    Args:
        adapter: by default LoRA of rank 16 on every linear layer.
        seed: of the matrices that begin at random.

    Raises:
        ModelError: the model has an adapter already, or none of the targets; a rank larger than
            a layer is wide; or a method that this network or machine cannot have.
    """
    adapter = adapter or Adapter()
    if adapted(model):
        raise ModelError("This model has an adapter already.", where=model.name,
                         fix="models.merged(model) adds it into the weights.")
    if model.objective != "causal":
        raise ModelError("Adapters are for models that predict the next token.", where=model.name)
    if is_quantized(model) and adapter.method not in ON_FOUR_BITS:
        raise ModelError(f"{adapter.method!r} cannot train a model of four bits.", where=model.name,
                         fix=f"Use {', '.join(ON_FOUR_BITS)}, or the model it was made of.")
    made = quantized(model) if adapter.method == "qlora" and not is_quantized(model) else (
        model.copy())
    devices = [made.device] if made.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        made.network = inject(made.network, adapter, made.tokenizer)
    return made


def inject(network: nn.Module, adapter: Adapter,
           tokenizer: compat.PreTrainedTokenizerFast | None = None) -> nn.Module:
    """The network itself, not copied, with the adapter in place and all else frozen.

    Args:
        tokenizer: makes prompts and prefixes begin as words; without one they begin at random.
    """
    network.requires_grad_(adapter.method == "full")
    if adapter.method == "last block":
        for part in _end(network):
            part.requires_grad_(True)
    elif adapter.method == "bitfit":
        _train_biases(network)
    elif adapter.kind == "prompt":
        return compat.prompted(network, tokenizer, adapter.method, adapter.tokens, START)
    elif adapter.kind in ("low rank", "scales"):
        return _wrapped(network, adapter)
    return network


def adapted(model: LanguageModel) -> bool:
    """Whether a model has layers of PEFT in it or in front of it."""
    return isinstance(model.network, compat.PeftModel)


def merged(model: LanguageModel) -> LanguageModel:
    """The model with its adapter added into its weights; one without an adapter, unchanged.

    The network given is used up: take `model.copy()` to keep it. A quantised base becomes float32
    first, since four bits cannot hold what a small adapter adds (`full_precision`).

    Raises:
        ModelError: prompts and prefixes are input, and no weight can hold them.
    """
    if not adapted(model):
        return model
    if not mergeable(model):
        raise ModelError("A prompt or a prefix cannot be merged: it is input, and no weight.",
                         where=model.name, fix="Keep it as an adapter.")
    if is_quantized(model):
        model = full_precision(model)
    return LanguageModel(model.network.merge_and_unload(), model.tokenizer, model.name,
                         model.objective, model.card)


def mergeable(model: LanguageModel) -> bool:
    """Whether the adapter of a model, if it has one, can be added into its weights."""
    return not adapted(model) or not model.network.active_peft_config.is_prompt_learning


def bare(model: LanguageModel) -> LanguageModel:
    """The model without its prompt or prefix; one that has none, unchanged.

    Raises:
        ModelError: its adapter is in its layers.
    """
    if not adapted(model):
        return model
    if mergeable(model):
        raise ModelError("This model's adapter is in its layers.", where=model.name,
                         fix="models.merged(model) adds it into the weights.")
    return LanguageModel(model.network.get_base_model(), model.tokenizer, model.name,
                         model.objective, model.card)


def _end(network: nn.Module) -> Sequence[nn.Module]:
    """The last block, and the norm that follows."""
    body = network.base_model
    if not hasattr(body, "layers") or not hasattr(body, "norm"):
        raise ModelError("It is not known which block of this network is its last.",
                         where=type(network).__name__, fix="Use LoRA: it needs no such knowledge.")
    return body.layers[-1], body.norm


def _train_biases(network: nn.Module) -> None:
    """Train biases alone; a network of the Llama family, which has none, gets them at 0."""
    if hasattr(network.config, "attention_bias") and hasattr(network.config, "mlp_bias"):
        for layer in linear_layers(network).values():
            if layer.bias is None:
                layer.bias = nn.Parameter(layer.weight.new_zeros(layer.out_features))
        network.config.attention_bias = network.config.mlp_bias = True
    biases = [p for n, p in network.named_parameters() if n.endswith(".bias")]
    if not biases:
        raise ModelError("This network has no biases to train.", where=type(network).__name__,
                         fix="Use IA3.")
    for bias in biases:
        bias.requires_grad_(True)


def _wrapped(network: nn.Module, adapter: Adapter) -> compat.PeftModel:
    """The network inside PEFT's."""
    targets = _targets(network, adapter)
    if adapter.kind == "scales":
        if adapter.targets == "all-linear":  # the paper's: keys, values, and inside the MLP
            targets = [name for name in ("k_proj", "v_proj", "down_proj") if name in targets]
        settings = compat.IA3Config(task_type="CAUSAL_LM", target_modules=targets,
                                    feedforward_modules=[n for n in targets if n == "down_proj"])
    else:
        settings = compat.LoraConfig(
            task_type="CAUSAL_LM", r=adapter.rank, lora_alpha=adapter.lora_alpha,
            target_modules=targets, **dict(METHODS[adapter.method].settings))
    wrapped = compat.get_peft_model(network, settings)
    if adapter.method == "pissa":  # it was taken out of the base, and is needed to put it back
        state, _ = compat.adapter_state(wrapped)
        wrapped.start_of_adapter = {name: value.clone() for name, value in state.items()}
    return wrapped


def _targets(network: nn.Module, adapter: Adapter) -> list[str]:
    """Last parts of the names of the layers to adapt."""
    kinds = {path.rsplit(".", 1)[-1]: layer for path, layer in linear_layers(network).items()}
    wanted = (sorted(kinds) if adapter.targets == "all-linear" else
              [adapter.targets] if isinstance(adapter.targets, str) else list(adapter.targets))
    missing = [target for target in wanted if target not in kinds]
    if missing:
        raise ModelError(f"No linear layer is called {missing[0]!r}.", where="Adapter.targets",
                         fix=f"Known here: {', '.join(sorted(kinds))}; or 'all-linear'.")
    narrow = min(min(kinds[target].in_features, kinds[target].out_features) for target in wanted)
    if adapter.method == "pissa":
        narrow //= 2  # kept as LoRA, it has twice the rank
    if adapter.kind == "low rank" and adapter.rank > narrow:
        raise ModelError(f"A rank of {adapter.rank} is more than a layer of width {narrow} can "
                         "use.", where="Adapter.rank", fix=f"Use {narrow} or less.")
    return wanted
