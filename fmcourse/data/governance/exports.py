"""A data set handed on: its records, and its card in the two forms that others read.

Croissant (MLCommons 2024, "Croissant: A Metadata Format for ML-Ready Datasets", arXiv:2403.19546;
specification 1.1) is JSON-LD for machines; the Hugging Face card is a README for people, with YAML
in front. Both say the same: licence, attribution, sources with their hashes, steps, counts, and the
facts of governance, for which Croissant has the words of its RAI vocabulary.

The trade-off: columns with a list or an object in each row, such as `messages`, are in the file of
records, but Croissant's record set describes plain columns alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from datasets import Dataset, Value

from fmcourse import sources, store
from fmcourse.data.card import Card, card
from fmcourse.data.governance.policy import ABOUT_PEOPLE

RECORDS, CROISSANT, README = "records.jsonl", "croissant.json", "README.md"
CONTEXT = Path(__file__).with_name("croissant_context.json")
SPECIFICATIONS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
# Licences by the names that the Hugging Face hub has for them; others are given as 'other'.
HUB_LICENCES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "BSD-3-Clause": "bsd-3-clause",
                "CC0-1.0": "cc0-1.0", "CC-BY-3.0": "cc-by-3.0", "CC-BY-4.0": "cc-by-4.0",
                "CC-BY-SA-3.0": "cc-by-sa-3.0", "CC-BY-SA-4.0": "cc-by-sa-4.0",
                "CC-BY-NC-4.0": "cc-by-nc-4.0", "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
                "ODC-By-1.0": "odc-by", "GFDL-1.3-or-later": "gfdl"}
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def hand_on(dataset: Dataset, folder: Path | str) -> Path:
    """Write a folder with the records (JSON lines), `croissant.json` and `README.md`.

    Raises:
        DataError: the data set has no card.
    """
    about = card(dataset)
    with store.atomic_folder(folder) as draft:
        with open(draft / RECORDS, "w", encoding="utf-8", newline="\n") as file:
            for row in dataset:
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        digest, size = store.sha256_file(draft / RECORDS), (draft / RECORDS).stat().st_size
        store.write_json(draft / CROISSANT, croissant(dataset, digest, size))
        store.atomic_write(draft / README, hub_card(about))
    return Path(folder)


def croissant(dataset: Dataset, records_sha256: str, size: int) -> dict[str, Any]:
    """A data set's card as Croissant JSON-LD.

    Args:
        dataset: with a card.
        records_sha256: of the file `records.jsonl` with its records.
        size: of that file, in bytes.
    """
    about = card(dataset)
    kinds = {name: kind for name, feature in dataset.features.items()
             if (kind := _kind(feature))}
    return {
        "@context": store.read_json(CONTEXT), "@type": "sc:Dataset", "conformsTo": SPECIFICATIONS,
        "name": about.name, "description": _description(about), "version": _version(about),
        "url": f"urn:sha256:{about.sha256}", "identifier": f"sha256:{about.sha256}",
        "license": [_licence_url(one) for one in about.licence] or "unknown",
        "citeAs": "; ".join(filter(None, about.attribution)),
        "isBasedOn": [{"@type": "sc:CreativeWork", "name": name, "identifier": f"sha256:{digest}"}
                      for name, digest in about.sources.items()],
        **_governance(about),
        "distribution": [{
            "@type": "cr:FileObject", "@id": "records", "name": RECORDS, "contentUrl": RECORDS,
            "encodingFormat": "application/jsonlines", "contentSize": f"{size} B",
            "sha256": records_sha256}],
        "recordSet": [{
            "@type": "cr:RecordSet", "@id": "default", "name": "default",
            "description": f"{len(dataset):,} records",
            "field": [{"@type": "cr:Field", "@id": f"default/{name}", "name": name,
                       "dataType": kind, "source": {"fileObject": {"@id": "records"},
                                                    "extract": {"column": name}}}
                      for name, kind in kinds.items()]}],
    }


def hub_card(about: Card) -> str:
    """A card as the README of a Hugging Face data set: YAML for the hub, then text."""
    names = [HUB_LICENCES.get(one, "other") for one in about.licence]
    front: dict[str, Any] = {
        "pretty_name": about.name, "license": names[0] if len(names) == 1 else names or "unknown",
        "size_categories": [_size(about.texts)], "task_categories": ["text-generation"],
        "configs": [{"config_name": "default", "data_files": RECORDS}]}
    if "other" in names:
        front["license_name"] = ", ".join(about.licence)
    facts = about.governance
    told = [("Owner", facts.owner), ("May be used for", ", ".join(facts.purposes)),
            ("Until", facts.keep_until), ("Sensitivity", facts.sensitivity),
            ("Basis", facts.basis)] if facts else []
    parts = [
        f"---\n{yaml.safe_dump(front, allow_unicode=True, sort_keys=False)}---",
        f"# {about.name}", _description(about),
        "## Governance\n\n" + _table(["fact", "stated"], [
            (name, value or "not stated") for name, value in told]) if told else "",
        "## Sources\n\n" + _table(["source", "SHA-256 of what was read"], about.sources.items()),
        "## Licence and attribution\n\n" + "\n".join(
            f"- {item}" for item in (*about.licence, *filter(None, about.attribution))),
        "## What was done\n\n" + _table(["step", "kept", "dropped", "note"], [
            (step["step"], step["kept"], step["dropped"], step.get("note", ""))
            for step in about.steps]),
        f"SHA-256 of the texts: `{about.sha256}`"]
    return "\n\n".join(filter(None, parts)) + "\n"


def _governance(about: Card) -> dict[str, Any]:
    """The facts in the words of Croissant RAI; only those that are stated."""
    steps = [f"{step['step']}: kept {step['kept']}, dropped {step['dropped']} "
             f"{step.get('note', '')}".strip() for step in about.steps]
    told: dict[str, Any] = {"rai:dataPreprocessingProtocol": steps}
    facts = about.governance
    if facts:
        told |= {
            "creator": {"@type": "sc:Organization", "name": facts.owner} if facts.owner else None,
            "rai:dataUseCases": list(facts.purposes),
            "rai:dataReleaseMaintenancePlan":
                facts.keep_until and f"Not to be used after {facts.keep_until}.",
            "rai:personalSensitiveInformation": facts.sensitivity and [
                f"Sensitivity: {facts.sensitivity}."
                + (" It is about people." if facts.sensitivity in ABOUT_PEOPLE else "")],
            "rai:dataCollection": facts.basis and f"Basis: {facts.basis}"}
    return {name: value for name, value in told.items() if value}


def _kind(feature: Any) -> str:
    """A plain column's type in Croissant; nothing for lists and objects."""
    if not isinstance(feature, Value):
        return ""
    kind = feature.dtype
    if "string" in kind:
        return "sc:Text"
    if kind == "bool":
        return "sc:Boolean"
    return "sc:Integer" if "int" in kind else "sc:Float" if "float" in kind else ""


def _version(about: Card) -> str:
    """Croissant asks for a version of three numbers; which one this is, its hash says."""
    return f"1.0.0+{about.sha256[:12] or 'unknown'}"


def _description(about: Card) -> str:
    return (f"{about.texts:,} texts of {about.documents:,} documents, {about.characters:,} "
            f"characters, from {', '.join(about.sources) or 'no source named'}.")


def _licence_url(licence: str) -> str:
    """Where a licence can be read: as the registry has it, else by its SPDX name."""
    known = {one.licence: one.licence_url for one in sources.registry().values()}
    if licence in known:
        return known[licence]
    return f"https://spdx.org/licenses/{licence}" if licence in HUB_LICENCES else licence


def _size(texts: int) -> str:
    return next((name for limit, name in SIZES if texts < limit), "1M<n<10M")


def _table(head: list[str], rows: Any) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in row) + " |" for row in lines)


def _cell(value: Any) -> str:
    return " ".join(str(value).replace("|", "\\|").split())
