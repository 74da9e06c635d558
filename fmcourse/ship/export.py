"""A finished model in the form that others open: a plain Hugging Face folder, or one GGUF file.

An adapter is merged into its base, so that nobody needs PEFT, and four bits become numbers again.
Beside the model lie its card, as facts (`card.json`) and as a page (`README.md`), and a signed list
of all files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fmcourse import models, store
from fmcourse.errors import ModelError, meant
from fmcourse.models import LanguageModel
from fmcourse.models.four_bits import full_precision
from fmcourse.ship import keys
from fmcourse.ship.gguf_file import TYPES, write_gguf
from fmcourse.ship.manifest import others, sign
from fmcourse.ship.model_card import model_card
from fmcourse.ship.portable import write_folder

if TYPE_CHECKING:
    from fmcourse.train import Run

FORMS = {"hf": ("float32", "float16", "bfloat16"), "gguf": tuple(TYPES)}  # form → its dtypes


def export(what: Run | LanguageModel | Path | str, folder: Path | str, to: str = "hf",
           dtype: str = "float32", limits: str = "", key: Path | None = None) -> Path:
    """Write a model with its card and a signed manifest; whole, or not at all.

    Args:
        what: a run, a model, or what `models.load` opens: a folder, a hub id, 'base', 'smollm2'.
        folder: to write. One that is there already is replaced if it is empty, or an export that
            is still as it was signed.
        to: 'hf', or 'gguf' for llama.cpp and its kind.
        dtype: of the weights; 'q8_0' (eight bits) for GGUF alone. float32 loses nothing.
        limits: what else the card should warn of.
        key: file of the private key to sign with; by default this machine's own.

    Raises:
        ModelError: no such form or dtype, or a model that cannot be written so: a prompt or a
            prefix cannot be merged, and GGUF takes Llamas only.
        StoreError: something else lies there, or the key cannot be read.
    """
    if to not in FORMS:
        raise ModelError(f"There is no form {to!r}.", where="export", fix=meant(to, FORMS))
    if dtype not in FORMS[to]:
        raise ModelError(f"{to} has no weights of type {dtype!r}.", where="export",
                         fix=meant(dtype, FORMS[to]))
    store.refuse_others(folder, others)
    if key:
        keys.private_key(key)  # before a large model is opened for nothing
    model, run = _opened(what)
    with store.atomic_folder(folder, others) as draft:
        if to == "gguf":
            write_gguf(model, draft / f"{Path(folder).name}.gguf", dtype)
        else:
            write_folder(model, draft, getattr(torch, dtype))
        about = _about(model, run, to, dtype)
        store.atomic_write(draft / "README.md", model_card(about, limits))
        store.seal(draft / "card.json", about, [f for f in draft.rglob("*") if f.is_file()])
        sign(draft, key)
    return Path(folder)


def _opened(what: Run | LanguageModel | Path | str) -> tuple[LanguageModel, dict[str, Any]]:
    """The model, without an adapter or four bits, and the card of its run, if there is one."""
    run: Mapping[str, Any] = {}
    if isinstance(what, (str, Path)):
        model, place = models.load(what), Path(what) / "run.json"
        if place.is_file():
            run = store.read_json(place)
    elif isinstance(what, LanguageModel):
        model = what
    else:
        model, run = what.model, what.card
    if models.adapted(model):
        model = models.merged(model.copy())
    elif models.is_quantized(model):
        model = full_precision(model.copy())
    kept = {key: value for key, value in run.items() if key not in (store.FILES, store.SEAL)}
    return replace(model, name=kept.get("name", model.name)), kept


def _about(model: LanguageModel, run: dict[str, Any], to: str, dtype: str) -> dict[str, Any]:
    """What `card.json` says: the run, what it started from, and the hash that tells it again."""
    config = model.network.config
    about = {"name": model.name, "objective": model.objective, "form": to, "dtype": dtype,
             "size": f"{model.parameters / 1e6:,.1f} million parameters "
                     f"({type(model.network).__name__}) in {dtype}, vocabulary "
                     f"{config.vocab_size:,}, context {model.context:,} tokens.",
             "run": run, "before": model.card}
    if hasattr(torch, dtype):  # what it is when it is loaded again: rounded, in float32
        about["sha256"] = model.in_dtype(dtype).in_dtype("float32").sha256()
        about["made_of"] = [] if about["sha256"] == model.sha256() else [model.sha256()]
    return about
