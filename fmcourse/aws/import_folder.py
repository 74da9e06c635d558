"""What the files of a model to be imported say, read once; and the rules for them.

The rules, their pages and their day are in `import_rules.toml`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fmcourse.aws.findings import Finding

CONFIG, TOKENIZER, INDEX = (
    "config.json", "tokenizer_config.json", "model.safetensors.index.json")
INNER = "text_config"  # of multimodal models: what concerns text
EXPORT = "Export it anew: fmcourse export … --to hf."


@dataclass(frozen=True)
class Folder:
    """What the files of a model say, read once.

    Attributes:
        path: of the folder.
        config, tokenizer, index: contents of config.json, tokenizer_config.json and the index of
            split weights; {} where there is none.
        tensors: name → its type as safetensors names it, and its shape.
        places: name → the file that it is in.
        faults: what could not be read.
    """

    path: Path
    config: dict[str, Any] = field(default_factory=dict)
    tokenizer: dict[str, Any] = field(default_factory=dict)
    index: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, tuple[str, list[int]]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
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

    @property
    def text(self) -> Mapping[str, Any]:
        """What of its config concerns text: all of it, or `text_config`."""
        inner = self.config.get(INNER)
        return inner if isinstance(inner, dict) else self.config

    def key(self, name: str) -> str:
        """Where in the config a setting of `text` is."""
        return f"{CONFIG}: {f'{INNER}.' * (self.text is not self.config)}{name}"

    def number(self, name: str) -> int | None:
        """A whole number above 0 in its config; None where there is none."""
        value = self.text.get(name)
        return value if type(value) is int and value > 0 else None

    def is_read(self, name: str) -> bool:
        """Whether a file is there, and could be read."""
        return self.has(name) and name not in {one.where for one in self.faults}

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.path / name).is_file()


@cache
def rules() -> dict[str, Any]:
    """`import_rules.toml`."""
    text = files("fmcourse.aws").joinpath("import_rules.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def read_folder(path: Path) -> Folder:
    """The files of a model; what cannot be read is a fault."""
    from safetensors import SafetensorError, safe_open

    faults, read, tensors, places = [], {}, {}, {}
    for name in (CONFIG, TOKENIZER, INDEX):
        try:
            found = json.loads((path / name).read_text(encoding="utf-8"))
            read[name] = found if isinstance(found, dict) else {}
            if not isinstance(found, dict):
                faults.append(Finding(name, "json", "It is no JSON object.", EXPORT))
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
                    places[name] = file.name
        except (SafetensorError, OSError) as error:
            faults.append(Finding(file.name, "damaged", f"It cannot be read: {error}.", EXPORT))
    return Folder(path, read[CONFIG], read[TOKENIZER], read[INDEX], tensors, places,
                  tuple(faults))
