"""Open a model: ours, the published SmolLM2, a local folder or a hub id, all behind `load`.

Only safetensors are read, never pickles, and no code that comes with a model is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fmcourse import hardware, sources, store
from fmcourse.errors import ModelError, meant
from fmcourse.models import compat
from fmcourse.models.language_model import LanguageModel
from fmcourse.models.trained_adapter import TrainedAdapter, attach

BASE = Path(__file__).parent / "base"
OURS = ("base", "smollm2")


def load(name: str | Path, device: str | None = None) -> LanguageModel:
    """Open a model in float32, ready to use or to train further.

    Args:
        name: 'base' (ours, shipped with the course), 'smollm2' (SmolLM2-135M-Instruct, out of
            its package), a local folder (a model's or a run's), or a hub id such as 'org/model'.
        device: where to put it; by default what `hardware.detect()` chose.

    Raises:
        ModelError: no such folder, not a model, or the hub cannot be reached.
    """
    device = device or hardware.detect().device
    if str(name) == "smollm2":
        return _smollm2(device)
    if str(name) == "base" and not BASE.is_dir():
        raise ModelError("The base model is missing from this installation.", where="base",
                         fix="Reinstall the course, or train one: fmcourse train base --publish.")
    folder = BASE if str(name) == "base" else Path(name).expanduser()
    if (folder / "run.json").is_file():  # a run: its model lies beside its card
        return _of_run(folder, device)
    if (folder / "config.json").is_file():
        return _open(folder, str(name) if str(name) == "base" else folder.name, device)
    if str(name).count("/") == 1 and not str(name).startswith((".", "/", "~")):
        return _open(str(name), str(name), device)
    raise ModelError("There is no model here.", where=folder,
                     fix=f"{meant(str(name), OURS)} Or a folder with config.json, or a hub id.")


def _of_run(folder: Path, device: str) -> LanguageModel:
    """What a run made: its model, behind its prompt or prefix if it has one."""
    model = _open(folder / "model", folder.name, device)
    if (folder / "adapter").is_dir():
        adapter = TrainedAdapter.load(folder / "adapter")
        if adapter.settings.kind == "prompt":
            return attach(model, adapter)
    return model


def _open(place: Path | str, name: str, device: str) -> LanguageModel:
    network, tokenizer, card = opened(place)
    masked = "MaskedLM" in type(network).__name__
    if tokenizer.bos_token is None:  # as GPT-2 does, the end of a text opens the next
        tokenizer.bos_token = tokenizer.eos_token
    network = compat.trainable_4bit(network)
    return LanguageModel(network.to(device).eval(), tokenizer, name,
                         "masked" if masked else "causal", card)


def opened(
    place: Path | str, scores: bool = False
) -> tuple[compat.PreTrainedModel, compat.PreTrainedTokenizerFast, dict[str, Any]]:
    """The network in float32, the tokenizer and the card in a folder or of a hub id.

    Args:
        scores: whether it is to be one that gives texts numbers, and not one that predicts tokens.

    Raises:
        ModelError: it cannot be opened, lacks weights, or is of the other kind.
    """
    compat.quiet()
    fix = "Check the files in the folder." if isinstance(place, Path) else (
        "Check the name; the hub may be out of reach: download the model to a folder.")
    try:
        config = compat.AutoConfig.from_pretrained(place, trust_remote_code=False)
        kind = _kind(config, scores, place)
        network, report = kind.from_pretrained(
            place, config=config, dtype=torch.float32, use_safetensors=True,
            trust_remote_code=False, output_loading_info=True)
        tokenizer = compat.AutoTokenizer.from_pretrained(place, trust_remote_code=False)
    except ModelError:
        raise
    except Exception as error:  # a damaged file fails in each library's own way
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"This model cannot be opened: {said}", where=place, fix=fix) from error
    if report["missing_keys"]:  # transformers would start these at random, with only a warning
        raise ModelError(f"Weights are missing: {', '.join(sorted(report['missing_keys'])[:3])}.",
                         where=place, fix=fix)
    card = Path(place) / "card.json"
    return network, tokenizer, _facts(card) if card.is_file() else {}


def _kind(config: Any, scores: bool, place: Path | str) -> Any:
    """Which of the Auto classes opens a model of this config."""
    named = " ".join(config.architectures or [])
    if scores != ("SequenceClassification" in named):  # with shared embeddings it would open
        raise ModelError(
            f"This is {'no' if scores else 'a'} reward model: it is a {named}.", where=place,
            fix="models.load opens it." if scores else "models.RewardModel.load opens it.")
    if scores:
        return compat.AutoModelForSequenceClassification
    return compat.AutoModelForMaskedLM if "MaskedLM" in named else compat.AutoModelForCausalLM


def _facts(card: Path) -> dict[str, Any]:
    """A card without what holds for the files alone, and not for what becomes of the model."""
    return {key: value for key, value in store.read_json(card).items()
            if key not in (store.FILES, store.SEAL, "sha256")}


def _smollm2(device: str) -> LanguageModel:
    """SmolLM2, converted once from GGUF (about 15 s) and kept as a plain folder (540 MB)."""
    source = sources.get("smollm2")
    folder = store.folder("models") / f"smollm2-{source.sha256[:12]}"
    with store.lock(folder):
        if not folder.exists():
            compat.quiet()
            file = next(sources.fetch("smollm2").rglob("*.gguf"))
            network, tokenizer = compat.load_gguf(file)
            card = {"source": source.name, "sha256": source.sha256, "licence": source.licence,
                    "attribution": source.attribution}
            tokenizer.pad_token = "<|endoftext|>"  # not <|im_end|>: a masked end is never learnt
            LanguageModel(network, tokenizer, "smollm2", card=card).save(folder)
    return _open(folder, "smollm2", device)
