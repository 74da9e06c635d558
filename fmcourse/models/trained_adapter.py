"""A trained adapter as a thing of its own: a few megabytes that turn one base into an expert.

Saved, it is a folder in PEFT's format (so `PeftModel.from_pretrained` opens it, too) with a card
that names the base it was trained on by hash. On any other base its numbers mean nothing, so it is
refused there. Several adapters of one base can share it in memory, and take turns.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fmcourse import store
from fmcourse.errors import ModelError
from fmcourse.models import compat
from fmcourse.models.adapters import Adapter, adapt, adapted, mergeable
from fmcourse.models.four_bits import is_quantized
from fmcourse.models.language_model import LanguageModel

WEIGHTS, CARD = "adapter_model.safetensors", "card.json"


@dataclass(frozen=True)
class TrainedAdapter:
    """What training has made of an `Adapter`.

    Attributes:
        settings: how it sits on its base.
        base: SHA-256 of the model it belongs on, as `LanguageModel.sha256` gives it.
        weights: name → tensor, all that was trained.
        peft: PEFT's configuration as plain values; none where the method needs no PEFT.
        name: for people.
    """

    settings: Adapter
    base: str
    weights: dict[str, Tensor]
    peft: dict[str, Any]
    name: str = ""

    @classmethod
    def of(cls, model: LanguageModel, settings: Adapter, base: str) -> TrainedAdapter:
        """Take the adapter of a model that `adapt` made, and that was trained since.

        Args:
            settings: those it was made by.
            base: hash of the model that was adapted.
        """
        network = model.network
        if not adapted(model):
            weights = {name: p for name, p in network.named_parameters() if p.requires_grad}
            return cls(settings, base, _kept(weights), {}, model.name)
        weights, peft = compat.adapter_state(network)
        if settings.method == "pissa":
            weights, peft, settings = _as_lora(network, weights, peft, settings)
        return cls(settings, base, _kept(weights), peft, model.name)

    @property
    def parameters(self) -> int:
        """Numbers in it."""
        return sum(value.numel() for value in self.weights.values())

    def sha256(self) -> str:
        """Hash of the settings, the base's hash, and the weights with their names."""
        about = store.sha256_json([asdict(self.settings), self.base])
        digest = hashlib.sha256(about.encode())
        for name in sorted(self.weights):
            digest.update(name.encode())
            digest.update(self.weights[name].contiguous().reshape(-1).view(torch.uint8).numpy())
        return digest.hexdigest()

    def save(self, folder: Path | str) -> Path:
        """Write a folder that PEFT can open as well; whole or not at all."""
        with store.atomic_folder(folder) as draft:
            save_file(self.weights, draft / WEIGHTS, metadata={"format": "pt"})
            (draft / WEIGHTS).chmod(0o644)
            if self.peft:
                store.write_json(draft / "adapter_config.json", self.peft)
            store.seal(draft / CARD, {"name": self.name, "base": self.base,
                                      "sha256": self.sha256(), "settings": asdict(self.settings)},
                       draft.iterdir())
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> TrainedAdapter:
        """Read it back.

        Raises:
            ModelError: there is no adapter here, or a broken one.
        """
        folder = Path(folder)
        if (folder / "run.json").is_file():  # a run's
            folder = folder / "adapter"
        try:
            card = store.read_json(folder / CARD)
            peft = folder / "adapter_config.json"
            settings = card["settings"]
            if isinstance(settings["targets"], list):
                settings["targets"] = tuple(settings["targets"])
            return cls(Adapter(**settings), card["base"], load_file(folder / WEIGHTS),
                       store.read_json(peft) if peft.exists() else {}, card["name"])
        except Exception as error:  # a damaged file fails in each library's own way
            raise ModelError("There is no whole adapter here.", where=folder,
                             fix="Name a folder that TrainedAdapter.save has written.") from error


def attach(base: LanguageModel, adapter: TrainedAdapter | Path | str) -> LanguageModel:
    """A copy of the base with this adapter on it.

    Raises:
        ModelError: it was trained on another base; or the folder holds none.
    """
    adapter = _read(adapter)
    _check_base(base, adapter)
    made = adapt(base, adapter.settings)
    _check_whole(adapter, compat.adapter_state(made.network)[0] if adapter.peft else {
        name: p for name, p in made.network.named_parameters() if p.requires_grad})
    if adapter.peft:
        compat.set_adapter_state(made.network, adapter.weights)
    else:
        made.network.load_state_dict(adapter.weights, strict=False)
    made.name = adapter.name or base.name
    made.card = {**made.card, "made_of": [adapter.base, adapter.sha256()]}
    made.network.eval()
    return made


def attach_all(base: LanguageModel, adapters: Mapping[str, TrainedAdapter | Path | str]
               ) -> LanguageModel:
    """One copy of the base with several adapters in memory; the first one answers.

    Args:
        adapters: name → adapter, all of low-rank methods or all of IA3. See `using`, `blend`.

    Raises:
        ModelError: none given, another base, or of kinds that cannot share one.
    """
    read = {name: _read(adapter) for name, adapter in adapters.items()}
    if not read:
        raise ModelError("There is no adapter to attach.", where="models.attach_all")
    kinds = {adapter.settings.kind for adapter in read.values()}
    four_bits = {adapter.settings.method == "qlora" for adapter in read.values()}
    if len(kinds) > 1 or not kinds <= {"low rank", "scales"}:
        raise ModelError(f"Adapters of these kinds cannot share a base: {', '.join(kinds)}.",
                         where="models.attach_all",
                         fix="Attach low-rank ones together, and others one by one.")
    if len(four_bits) > 1:
        raise ModelError("Some of these were trained on four bits, and some not.",
                         where="models.attach_all", fix="Attach either kind to a base of its own.")
    _check_new(read, "models.attach_all")
    for adapter in read.values():
        _check_base(base, adapter)
    made = adapt(base, next(iter(read.values())).settings)
    compat.replace_adapters(made.network, {name: adapter.peft for name, adapter in read.items()})
    for name, adapter in reversed(read.items()):  # the first one answers
        made.network.set_adapter(name)
        _check_whole(adapter, compat.adapter_state(made.network)[0])
        compat.set_adapter_state(made.network, adapter.weights, name)
    made.network.eval()
    return made


@contextlib.contextmanager
def using(model: LanguageModel, name: str | None) -> Iterator[LanguageModel]:
    """Inside, this adapter of several answers, or with None the bare base; after, as before.

    Raises:
        ModelError: the model has no adapter of that name.
    """
    network = model.network
    _check_names(model, [name] if name is not None else [])
    if name is None:
        with network.disable_adapter():
            yield model
        return
    before = network.active_adapter
    network.set_adapter(name)
    try:
        yield model
    finally:
        network.set_adapter(before)


@contextlib.contextmanager
def while_merged(model: LanguageModel) -> Iterator[LanguageModel]:
    """Inside, the adapter that answers is added into the weights, and costs no time; after, it is
    taken off them again, up to the rounding of one addition. `merged` is for good.

    Raises:
        ModelError: there is no adapter in the model's layers; or its weights have four bits, which
            cannot hold what an adapter adds.
    """
    if not adapted(model) or not mergeable(model) or is_quantized(model):
        raise ModelError("This model has no adapter that could be added into its weights.",
                         where=model.name, fix="Attach a low-rank one or IA3 to a base that is not "
                                               "quantised.")
    model.network.merge_adapter()
    try:
        yield model
    finally:
        model.network.unmerge_adapter()


def blend(model: LanguageModel, shares: Mapping[str, float], name: str) -> None:
    """Add a weighted sum of a model's LoRA adapters as one more of them, and let it answer.

    Args:
        shares: adapter → weight, such as {"formal": 0.5, "brief": 0.5}. What is summed are the
            products B·A, so the new one's rank is the sum of theirs.
        name: of the new one.

    Raises:
        ModelError: an unknown name, or one that is taken; or adapters that cannot be summed.
    """
    if not shares:
        raise ModelError("There is nothing to blend.", where="models.blend",
                         fix="Name adapters of this model, each with its weight.")
    _check_names(model, shares)
    for one in shares:
        kind = model.network.peft_config[one]
        if not isinstance(kind, compat.LoraConfig) or kind.use_dora or kind.use_rslora:
            raise ModelError(f"{one!r} cannot be blended.", where="models.blend",
                             fix="Only plain LoRA (PiSSA and QLoRA too) is a sum of products.")
    if name in model.network.peft_config:
        raise ModelError(f"There is an adapter {name!r} already.", where="models.blend",
                         fix="Choose another name.")
    _check_new([name], "models.blend")
    model.network.add_weighted_adapter(list(shares), list(shares.values()), name,
                                       combination_type="cat")
    model.network.set_adapter(name)


def _check_names(model: LanguageModel, names: Iterable[str]) -> None:
    known = list(model.network.peft_config) if adapted(model) else []
    for name in names:
        if name not in known:
            raise ModelError(f"There is no adapter {name!r}.", where=model.name,
                             fix=f"Known: {', '.join(known) or 'none'}.")


def _check_new(names: Iterable[str], where: str) -> None:
    """Refuse names that PEFT or PyTorch has for something else, such as 'half' or 'a.b'."""
    for name in names:
        if name in ("", compat.DEFAULT) or "." in name or hasattr(nn.ModuleDict, name):
            raise ModelError(f"An adapter cannot be called {name!r}.", where=where,
                             fix="Choose another name, without a dot.")


def _check_whole(adapter: TrainedAdapter, wanted: Mapping[str, Tensor]) -> None:
    """Refuse an adapter whose tensors are not those that its settings ask for."""
    shapes = {name: tuple(value.shape) for name, value in adapter.weights.items()}
    if shapes != {name: tuple(value.shape) for name, value in wanted.items()}:
        raise ModelError(f"The adapter {adapter.name!r} is not whole.", where=adapter.name,
                         fix="Train it again: weights are missing, or are another method's.")


def _check_base(base: LanguageModel, adapter: TrainedAdapter) -> None:
    found = base.sha256()
    if found != adapter.base:
        raise ModelError(
            f"The adapter {adapter.name!r} was trained on another model "
            f"({adapter.base[:12]}…, this is {found[:12]}…).", where=base.name,
            fix="Load the base it was trained on; on another its numbers mean nothing.")


def _read(adapter: TrainedAdapter | Path | str) -> TrainedAdapter:
    return adapter if isinstance(adapter, TrainedAdapter) else TrainedAdapter.load(adapter)


def _kept(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of their own, in float32, on the CPU."""
    return {name: value.detach().float().cpu().contiguous().clone()
            for name, value in weights.items()}


def _as_lora(network: compat.PeftModel, weights: Mapping[str, Tensor], peft: dict[str, Any],
             settings: Adapter) -> tuple[dict[str, Tensor], dict[str, Any], Adapter]:
    """A PiSSA adapter as LoRA on the untouched base.

    PiSSA takes B₀·A₀ out of each weight at the start; what was learnt is B·A - B₀·A₀, the product
    of [B, -B₀] and [A; A₀].
    """
    start = network.start_of_adapter
    made = {}
    for name, value in weights.items():
        first = start[name].to(value.device)
        made[name] = torch.cat([value, first], 0) if "lora_A" in name else torch.cat(
            [value, -first], 1)
    settings = replace(settings, method="lora", rank=2 * settings.rank,
                       alpha=2 * settings.lora_alpha)
    peft = {**peft, "r": settings.rank, "lora_alpha": settings.alpha, "init_lora_weights": True}
    return made, peft, settings
