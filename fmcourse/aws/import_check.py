"""A folder held against what Amazon Bedrock Custom Model Import takes, before it is uploaded.

An import job fails minutes after gigabytes went up; some faults it lets through, and the model then
writes nonsense: Bedrock opens models with an old release of transformers, which does not see the
settings that a new one writes under new names. Everything here can be told from the files, without
loading a model. The rules, their pages and their day are in `import_rules.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fmcourse.aws.findings import Finding
from fmcourse.aws.import_folder import CONFIG, EXPORT, TOKENIZER, Folder, read_folder, rules
from fmcourse.aws.import_weights import WEIGHTS
from fmcourse.errors import AwsError, meant

TEMPLATES = ("chat_template.jinja", "chat_template.json")


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
    checks = (_files, _architecture, _numbers, *WEIGHTS, _context, _positions, _tokenizer,
              _template)
    return [*model.faults, *(one for check in checks for one in check(model)),
            *_region(model, region)]


def _files(model: Folder) -> Iterator[Finding]:
    for name in (CONFIG, TOKENIZER):
        if not model.has(name):
            yield Finding(name, "files", "It is missing.", EXPORT)
    if not (model.has("tokenizer.json") or model.has("tokenizer.model")):
        yield Finding("tokenizer.json", "files", "The vocabulary is missing.", EXPORT)
    if model.has("adapter_config.json"):
        yield Finding("adapter_config.json", "adapter", "This is an adapter, and no model.",
                      "Merge it into its base: fmcourse export does.")


def _architecture(model: Folder) -> Iterator[Finding]:
    known = rules()["architectures"]
    if model.is_read(CONFIG) and model.architecture not in known:
        yield Finding(f"{CONFIG}: architectures", "architecture",
                      f"{model.architecture} is not imported.",
                      f"Import one of {', '.join(known)}.")
    if "auto_map" in model.config:
        yield Finding(f"{CONFIG}: auto_map", "code", "It needs code of its own, which nobody runs.",
                      "Use an architecture that transformers itself has.")


def _numbers(model: Folder) -> Iterator[Finding]:
    """Sizes without which no release of transformers builds the model that was trained."""
    if model.architecture not in rules()["architectures"]:
        return
    context = model.rules.get("context", "max_position_embeddings")
    for name in (*model.rules.get("numbers", rules()["numbers"]), *filter(None, [context])):
        if model.number(name) is None:
            said = model.text.get(name)
            yield Finding(model.key(name), "number", "It is missing, and a default would be taken."
                          if said is None else f"It is {said!r:.40}, and no whole number above 0.",
                          "Write what the model was trained with.")


def _context(model: Folder) -> Iterator[Finding]:
    name = model.rules.get("context", "max_position_embeddings")
    said = model.number(name)
    if said is not None and said > rules()["context"]:
        yield Finding(model.key(name), "context", f"It is {said:,} tokens.",
                      f"Set it to {rules()['context']:,} or less.")


def _positions(model: Folder) -> Iterator[Finding]:
    old = rules()["transformers"]
    rope, scaling = (model.text.get(key) for key in ("rope_parameters", "rope_scaling"))
    if rope is not None and "rope_theta" not in model.text:
        yield Finding(model.key("rope_parameters"), "version",
                      f"transformers {old}, which Bedrock uses, does not see it, and takes its own "
                      "base of positions.", f"Write rope_theta and rope_scaling. {EXPORT}")
    scaling = next((one for one in (scaling, rope) if isinstance(one, dict)), {})
    if scaling.get("rope_type", scaling.get("type")) == "llama3":
        for key, value in rules()["rope_scaling"].items():
            if scaling.get(key) != value:
                yield Finding(model.key(f"rope_scaling.{key}"), "positions",
                              f"Bedrock puts {value} in place of {scaling.get(key)}.",
                              f"Train with {value}.")


def _tokenizer(model: Folder) -> Iterator[Finding]:
    said, old = model.tokenizer.get("tokenizer_class"), rules()["transformers"]
    if model.is_read(TOKENIZER) and said not in rules()["tokenizers"]:
        yield Finding(f"{TOKENIZER}: tokenizer_class", "tokenizer", f"{said} is not imported.",
                      EXPORT if said == "TokenizersBackend" else
                      meant(str(said), rules()["tokenizers"]))
    if isinstance(model.tokenizer.get("extra_special_tokens"), list):
        yield Finding(f"{TOKENIZER}: extra_special_tokens", "version",
                      f"transformers {old}, which Bedrock uses, fails at a list here.",
                      f"Call it additional_special_tokens. {EXPORT}")


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
