"""The weights of a model to be imported: in files that are found, whole, and of the sizes it says.

Opened by transformers, a file of another name is not seen, and a tensor that is missing is made up
at random with a warning that nobody reads on Bedrock. So names of files, the index, and the tensors
with their shapes are held against the config. Shapes are known for the plain decoders (see
`import_rules.toml`); of other architectures every layer must be there, and the embedding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fmcourse.aws.findings import Finding
from fmcourse.aws.import_folder import CONFIG, EXPORT, INDEX, Folder, rules

WHOLE = "model.safetensors"
PART = re.compile(r"model-(\d{5})-of-(\d{5})\.safetensors")
EMBEDDING = ("embed_tokens.weight", "wte.weight", "shared.weight")
LAYER = re.compile(r"\b(?:layers|h|block)\.(\d+)\.")
ADAPTER = "adapter_config.json"


def _parts(model: Folder) -> Iterator[Finding]:
    """Weights are in `model.safetensors`, or in parts with an index of what is where."""
    names = sorted(file.name for file in model.path.glob("*.safetensors"))
    parts = [name for name in names if PART.fullmatch(name)]
    if model.has(ADAPTER):
        return
    if not names:
        other = next((one.name for end in ("*.bin", "*.pt", "*.pth", "*.gguf")
                      for one in model.path.glob(end)), None)
        yield Finding("*.safetensors", "files", f"The weights are in {other}." if other else
                      "There are no weights.", EXPORT)
    elif not (WHOLE in names or parts or model.has(INDEX)):
        yield Finding(names[0], "files", f"transformers looks for {WHOLE}, and does not see it.",
                      f"Call it {WHOLE}, if it is the whole model.")
    elif WHOLE not in names and not model.has(INDEX):
        yield Finding(INDEX, "index", "The weights are in parts, and nothing says what is where.",
                      f"Upload it with them, or save the model anew. {EXPORT}")
    opened = [] if WHOLE in names else names  # the whole file goes before any parts
    absent = _absent(opened)
    if absent:
        more = f", and so are {len(absent) - 1} more" * (len(absent) > 1)
        yield Finding(absent[0], "files", f"The other parts tell of it, and it is missing{more}.",
                      "Upload all parts of the weights.")
    if model.is_read(INDEX):
        yield from _index(model, opened, absent)


def _absent(names: list[str]) -> list[str]:
    """The parts that are not there, though the names of others tell of them."""
    count = max((int(found[2]) for name in names if (found := PART.fullmatch(name))), default=0)
    return [name for i in range(1, min(count, len(names) + 1) + 1)
            if (name := f"model-{i:05d}-of-{count:05d}.safetensors") not in names]


def _index(model: Folder, opened: list[str], absent: list[str]) -> Iterator[Finding]:
    """What the index says is so."""
    listed = model.index.get("weight_map")
    if not isinstance(listed, dict) or not listed or not all(
            isinstance(name, str) for name in listed.values()):
        yield Finding(f"{INDEX}: weight_map", "index", "It does not say what is where.", EXPORT)
        return
    for name in sorted({*listed.values()} - {*absent}):
        if not model.has(name):
            yield Finding(name, "files", "The index names it, and it is missing.",
                          "Upload all parts of the weights.")
    for name in opened:
        if name not in listed.values():
            yield Finding(name, "index", "The index does not name it, so it is not opened.", EXPORT)
    moved = next((name for name, place in listed.items()
                  if place in opened and model.places.get(name) != place), None)
    if moved and not model.faults:
        yield Finding(f"{INDEX}: weight_map", "index", f"{moved} is not in {listed[moved]}.",
                      EXPORT)


def _precision(model: Folder) -> Iterator[Finding]:
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


def _tensors(model: Folder) -> Iterator[Finding]:
    """Every tensor that the architecture has is there, in the size that the config says."""
    if (model.faults or not model.tensors or model.has(ADAPTER) or any(_parts(model))
            or model.architecture not in rules()["architectures"]):
        return
    count = model.number(model.rules.get("layers", "num_hidden_layers"))
    there = {int(found[1]) for name in model.tensors if (found := LAYER.search(name))}
    absent = [name for name in _named(model, min(count or 0, len(there) + 1))
              if name not in model.tensors]
    lacking = next((i for i in range(count or 0) if i not in there), None)
    if _rows(model) is None and not absent:
        yield Finding("*.safetensors", "tensors", "There is no embedding.", EXPORT)
    elif absent:
        more = f", and so are {len(absent) - 1} more" * (len(absent) > 1)
        yield Finding(absent[0], "tensors", f"It is missing{more}.", EXPORT)
    elif lacking is not None:
        yield Finding(f"layer {lacking}", "tensors", f"It is missing; there should be {count}.",
                      EXPORT)
    elif count and there and max(there) >= count:
        yield Finding(f"layer {max(there)}", "tensors",
                      f"There should be {count} layers, and the others would be left out.",
                      "Write in config.json how many there are.")
    else:
        yield from _shapes(model, count or 0)


def _shapes(model: Folder, layers: int) -> Iterator[Finding]:
    """Of the plain decoders; the number of rows of the embedding is a matter of `_vocabulary`."""
    sizes = _sizes(model)
    wrong = [(name, shape, wanted) for name, sized in _named(model, layers).items()
             if (shape := model.tensors[name][1]) != (wanted := [sizes.get(one) for one in sized])
             and None not in wanted]
    if wrong:
        name, shape, wanted = wrong[0]
        more = f", and {len(wrong) - 1} more are wrong, too" * (len(wrong) > 1)
        yield Finding(name, "tensors", f"Its shape is {shape}; by config.json it should be "
                      f"{wanted}{more}.", EXPORT)


def _named(model: Folder, layers: int) -> dict[str, list[str]]:
    """Names of the tensors that the files must have, with their sizes by name."""
    made = {}
    for table in model.rules.get("tensors", ()):
        for name, sized in rules()["tensors"][table].items():
            if name == "lm_head.weight" and model.text.get("tie_word_embeddings"):
                continue
            made |= {name.replace("{}", str(i)): sized
                     for i in range(layers if "{}" in name else 1)}
    return made


def _sizes(model: Folder) -> dict[str, Any]:
    """Sizes of a plain decoder by their names in the rules; None for one that is not known."""
    width, heads = model.number("hidden_size"), model.number("num_attention_heads")
    head = model.number("head_dim") or model.rules.get("head") or (
        width // heads if width and heads else None)
    pairs = model.number("num_key_value_heads") or heads
    return {"width": width, "inner": model.number("intermediate_size"), "head": head,
            "queries": heads and head and heads * head, "keys": pairs and head and pairs * head,
            "words": _rows(model)}


def _rows(model: Folder) -> int | None:
    """Rows of the embedding."""
    return next((shape[0] for name, (_, shape) in model.tensors.items()
                 if name.endswith(EMBEDDING) and shape), None)


def _vocabulary(model: Folder) -> Iterator[Finding]:
    """Every token has a row of the embedding, and the config knows how many rows there are."""
    rows, said = _rows(model), model.number("vocab_size")
    if rows is None:
        return
    if said is not None and (said > rows if model.rules.get("multimodal") else said != rows):
        yield Finding(model.key("vocab_size"), "vocabulary",
                      f"It is {said:,}, and the embedding has {rows:,} rows.",
                      f"Write {rows}, if the weights are right.")
    if not model.has("tokenizer.json"):
        return
    try:
        told = json.loads((model.path / "tokenizer.json").read_text(encoding="utf-8"))
        numbers = [one["id"] for one in told["added_tokens"]]
        vocabulary = told["model"]["vocab"]
        numbers += vocabulary.values() if isinstance(vocabulary, dict) else [len(vocabulary) - 1]
        most = max(numbers, default=0)
        beyond = most >= rows
    except (ValueError, KeyError, TypeError) as error:
        yield Finding("tokenizer.json", "json", f"It is no tokenizer: {error}.", EXPORT)
        return
    if beyond:
        yield Finding("tokenizer.json", "vocabulary",
                      f"It has token {most}, and the embedding {rows:,} rows.",
                      "Resize the embedding: model.resize_token_embeddings(len(tokenizer)).")


WEIGHTS = (_parts, _precision, _size, _tensors, _vocabulary)
