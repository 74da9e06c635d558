"""A folder held against what Amazon Bedrock Custom Model Import takes, before it is uploaded.

An import job fails minutes after gigabytes went up; some faults it lets through, and the model then
writes nonsense: Bedrock opens models with an old release of transformers, which does not see the
settings that a new one writes under new names. Everything here can be told from the files, without
loading a model. The rules, their pages and their day are in `import_rules.toml`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fmcourse.aws.findings import Finding
from fmcourse.errors import AwsError, meant

CONFIG, TOKENIZER, INDEX = (
    "config.json", "tokenizer_config.json", "model.safetensors.index.json")
TEMPLATES = ("chat_template.jinja", "chat_template.json")
EXPORT = "Export it anew: fmcourse export … --to hf."


@dataclass(frozen=True)
class Folder:
    """What the files of a model say, read once.

    Attributes:
        path: of the folder.
        config, tokenizer, index: contents of config.json, tokenizer_config.json and the index of
            split weights; {} where there is none.
        tensors: name → its type as safetensors names it, and its shape.
        faults: what could not be read.
    """

    path: Path
    config: dict[str, Any] = field(default_factory=dict)
    tokenizer: dict[str, Any] = field(default_factory=dict)
    index: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, tuple[str, list[int]]] = field(default_factory=dict)
    faults: tuple[Finding, ...] = ()

    @property
    def rules(self) -> dict[str, Any]:
        """Of its architecture; {} for one that cannot be imported."""
        return rules()["architectures"].get(self.architecture, {})

    @property
    def architecture(self) -> str:
        """The class of transformers that its config names."""
        named = self.config.get("architectures")
        return str(named[0]) if isinstance(named, list) and named else "None"

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.path / name).is_file()


@cache
def rules() -> dict[str, Any]:
    """`import_rules.toml`."""
    text = files("fmcourse.aws").joinpath("import_rules.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def import_check(folder: Path | str, region: str | None = None) -> list[Finding]:
    """Everything that Custom Model Import would have against a folder, as far as files tell.

    Args:
        folder: with a model in Hugging Face's layout.
        region: where it is to be imported, if that is known.

    Raises:
        AwsError: there is no such folder.
    """
    if not Path(folder).is_dir():
        raise AwsError("There is no such folder.", where=folder,
                       fix="Write one: fmcourse export … --to hf")
    model = read_folder(Path(folder))
    checks = (_files, _architecture, _weights, _size, _context, _positions, _tokenizer,
              _vocabulary, _template)
    return [*model.faults, *(one for check in checks for one in check(model)),
            *_region(model, region)]


def read_folder(path: Path) -> Folder:
    """The files of a model; what cannot be read is a fault."""
    from safetensors import SafetensorError, safe_open

    faults, read, tensors = [], {}, {}
    for name in (CONFIG, TOKENIZER, INDEX):
        try:
            found = json.loads((path / name).read_text(encoding="utf-8"))
            read[name] = found if isinstance(found, dict) else {}
        except FileNotFoundError:
            read[name] = {}
        except ValueError as error:
            read[name] = {}
            faults.append(Finding(name, "json", f"It is no JSON: {error}.", EXPORT))
    for file in sorted(path.glob("*.safetensors")):
        try:
            with safe_open(file, framework="numpy") as weights:
                for name in weights.keys():  # noqa: SIM118  (no mapping)
                    piece = weights.get_slice(name)
                    tensors[name] = piece.get_dtype(), piece.get_shape()
        except (SafetensorError, OSError) as error:
            faults.append(Finding(file.name, "damaged", f"It cannot be read: {error}.", EXPORT))
    return Folder(path, read[CONFIG], read[TOKENIZER], read[INDEX], tensors, tuple(faults))


def _files(model: Folder) -> Iterator[Finding]:
    for name in (CONFIG, TOKENIZER):
        if not model.has(name):
            yield Finding(name, "files", "It is missing.", EXPORT)
    if not (model.has("tokenizer.json") or model.has("tokenizer.model")):
        yield Finding("tokenizer.json", "files", "The vocabulary is missing.", EXPORT)
    if model.has("adapter_config.json"):
        yield Finding("adapter_config.json", "adapter", "This is an adapter, and no model.",
                      "Merge it into its base: fmcourse export does.")
    elif not list(model.path.glob("*.safetensors")):
        other = next((one.name for end in ("*.bin", "*.pt", "*.pth", "*.gguf")
                      for one in model.path.glob(end)), None)
        yield Finding("*.safetensors", "files", f"The weights are in {other}." if other else
                      "There are no weights.", EXPORT)
    parts = model.index.get("weight_map", {})
    named = parts.values() if isinstance(parts, dict) else ()
    for name in sorted({one for one in named if isinstance(one, str)}):
        if not model.has(name):
            yield Finding(name, "files", "The index names it, and it is missing.",
                          "Upload all parts of the weights.")


def _architecture(model: Folder) -> Iterator[Finding]:
    known = rules()["architectures"]
    if model.config and model.architecture not in known:
        yield Finding(f"{CONFIG}: architectures", "architecture",
                      f"{model.architecture} is not imported.",
                      f"Import one of {', '.join(known)}.")
    if "auto_map" in model.config:
        yield Finding(f"{CONFIG}: auto_map", "code", "It needs code of its own, which nobody runs.",
                      "Use an architecture that transformers itself has.")


def _weights(model: Folder) -> Iterator[Finding]:
    if "quantization_config" in model.config:
        yield Finding(f"{CONFIG}: quantization_config", "quantized",
                      "Quantised models are not imported.", EXPORT)
    odd = {kind: name for name, (kind, _) in reversed(model.tensors.items())
           if kind not in rules()["precisions"]}
    for kind, name in odd.items():
        yield Finding(name, "precision", f"Its type is {kind}.",
                      f"Save weights as {' or '.join(rules()['precisions'])}.")


def _size(model: Folder) -> Iterator[Finding]:
    kind = "multimodal" if model.rules.get("multimodal") else "text"
    most = rules()[f"{kind}_gigabytes"]
    size = sum(file.stat().st_size for file in model.path.glob("*.safetensors")) / 1e9
    if size >= most:
        yield Finding("*.safetensors", "size", f"They are {size:,.1f} GB.",
                      f"Less than {most} GB: save them as bfloat16, or choose a smaller model.")


def _context(model: Folder) -> Iterator[Finding]:
    inner = model.config.get("text_config")  # of multimodal models
    said = (inner if isinstance(inner, dict) else model.config).get("max_position_embeddings")
    if isinstance(said, int) and said > rules()["context"]:
        yield Finding(f"{CONFIG}: max_position_embeddings", "context", f"It is {said:,} tokens.",
                      f"Set it to {rules()['context']:,} or less.")


def _positions(model: Folder) -> Iterator[Finding]:
    old = rules()["transformers"]
    rope, scaling = (model.config.get(key) for key in ("rope_parameters", "rope_scaling"))
    if rope is not None and "rope_theta" not in model.config:
        yield Finding(f"{CONFIG}: rope_parameters", "version",
                      f"transformers {old}, which Bedrock uses, does not see it, and takes its own "
                      "base of positions.", f"Write rope_theta and rope_scaling. {EXPORT}")
    scaling = next((one for one in (scaling, rope) if isinstance(one, dict)), {})
    if scaling.get("rope_type", scaling.get("type")) == "llama3":
        for key, value in rules()["rope_scaling"].items():
            if scaling.get(key) != value:
                yield Finding(f"{CONFIG}: rope_scaling.{key}", "positions",
                              f"Bedrock puts {value} in place of {scaling.get(key)}.",
                              f"Train with {value}.")


def _tokenizer(model: Folder) -> Iterator[Finding]:
    said, old = model.tokenizer.get("tokenizer_class"), rules()["transformers"]
    if model.tokenizer and said not in rules()["tokenizers"]:
        yield Finding(f"{TOKENIZER}: tokenizer_class", "tokenizer", f"{said} is not imported.",
                      EXPORT if said == "TokenizersBackend" else
                      meant(str(said), rules()["tokenizers"]))
    if isinstance(model.tokenizer.get("extra_special_tokens"), list):
        yield Finding(f"{TOKENIZER}: extra_special_tokens", "version",
                      f"transformers {old}, which Bedrock uses, fails at a list here.",
                      f"Call it additional_special_tokens. {EXPORT}")


def _vocabulary(model: Folder) -> Iterator[Finding]:
    """Every token has a row of the embedding."""
    rows = next((shape[0] for name, (_, shape) in model.tensors.items()
                 if name.endswith(("embed_tokens.weight", "wte.weight", "shared.weight"))), None)
    if rows is None or not model.has("tokenizer.json"):
        return
    try:
        told = json.loads((model.path / "tokenizer.json").read_text(encoding="utf-8"))
        numbers = [one["id"] for one in told["added_tokens"]]
        vocabulary = told["model"]["vocab"]
        numbers += vocabulary.values() if isinstance(vocabulary, dict) else [len(vocabulary) - 1]
    except (ValueError, KeyError, TypeError) as error:
        yield Finding("tokenizer.json", "json", f"It is no tokenizer: {error}.", EXPORT)
        return
    if max(numbers, default=0) >= rows:
        yield Finding("tokenizer.json", "vocabulary",
                      f"It has token {max(numbers)}, and the embedding {rows:,} rows.",
                      "Resize the embedding: model.resize_token_embeddings(len(tokenizer)).")


def _template(model: Folder) -> Iterator[Finding]:
    there = [name for name in TEMPLATES if model.has(name)]
    there += [f"{TOKENIZER}: chat_template"] * ("chat_template" in model.tokenizer)
    if len(there) > 1:
        yield Finding(there[-1], "template", f"There are several chat templates: "
                      f"{', '.join(there)}.", "Keep one; Bedrock takes the file.")


def _region(model: Folder, region: str | None) -> Iterator[Finding]:
    known = model.rules.get("regions", rules()["regions"])
    if region and region not in known:
        yield Finding("region", "region", f"Such a model is not imported in {region}.",
                      f"Use {' or '.join(known)}.")
