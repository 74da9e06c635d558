"""Manifests of SageMaker Ground Truth: what was or is to be labelled, a JSON object a line.

A line has its object in `source` (a text) or `source-ref` (where in S3 it lies). A finished job
adds the label under a name of its choice and what it knows of it under `<name>-metadata`; all other
keys are passed through. Checked in metadata is what AWS documents for every type of job, and class
and confidence where a label is one class.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from fmcourse.data.record_checks import (
    Message,
    RecordError,
    check_keys,
    check_string,
    check_value,
    either,
    quoted,
)
from fmcourse.data.record_formats import SAGEMAKER, Format
from fmcourse.data.strict_json import Path

OBJECT, ATTRIBUTE = 100_000, 20_000  # characters of an object, and of one attribute of it
METADATA = "-metadata"
_SOURCES = ("source", "source-ref")
_STANDARD = ("type", "job-name", "human-annotated", "creation-date")
_ONE_CLASS = ("groundtruth/text-classification", "groundtruth/image-classification")
_NEVER_REF = (*_ONE_CLASS, "groundtruth/text-span", "groundtruth/object-detection")
_ALWAYS_REF = ("groundtruth/semantic-segmentation",)
_S3 = re.compile(r"s3://[^/\s]+/\S.*", re.DOTALL)


def _manifest(record: dict[str, Any]) -> list[Message]:
    """The text, or where the object lies; and the class of each label that is one."""
    has = [key for key in _SOURCES if key in record]
    if len(has) != 1:
        what = 'There are "source" and "source-ref".' if has else \
            'There is no "source" and no "source-ref".'
        raise RecordError(what, (), 'Keep "source" for a text, "source-ref" for an object in S3.')
    check_value(record, ())
    for key, value in record.items():
        _check_attribute(key, value)
    text = check_string(record[has[0]], (has[0],))
    if has[0] == "source-ref" and not _S3.fullmatch(text):
        raise RecordError("This is no place in S3.", ("source-ref",), "Write s3://bucket/key.")
    classes = [_check_metadata(key.removesuffix(METADATA), value, record)
               for key, value in record.items()
               if key.endswith(METADATA) and _is_of_a_job(value)]
    return [{"role": "text" if has[0] == "source" else "source-ref", "content": text},
            *(part for part in classes if part)]


def _check_attribute(key: str, value: Any) -> None:
    if key.startswith("$"):
        raise RecordError(f"The key {quoted(key)} begins with a dollar sign.", (key,),
                          "Rename it.", at_key=True)
    if isinstance(value, str) and len(value) > ATTRIBUTE:
        raise RecordError(f"This attribute has {len(value):,} characters, more than "
                          f"{ATTRIBUTE:,}.", (key,), 'Shorten it, or put it in S3 ("source-ref").')


def _is_of_a_job(value: Any) -> bool:
    """Whether metadata is Ground Truth's, not a key passed through that only ends like it."""
    kind = value.get("type") if isinstance(value, dict) else None
    return isinstance(kind, str) and kind.startswith("groundtruth/")


def _check_metadata(label: str, value: dict[str, Any], record: dict[str, Any]) -> Message | None:
    """The class of a label as a message of its name; None where a label is more than a class."""
    path: Path = (label + METADATA,)
    kind = value["type"]
    if label not in record:
        raise RecordError(f"There is no label {quoted(label)} to this metadata.", path,
                          "Add the label, or remove its metadata.", at_key=True)
    if METADATA in label:
        raise RecordError(f'The label {quoted(label)} has "{METADATA}" in its name.', (label,),
                          "Rename it.", at_key=True)
    if label.endswith("-ref") and kind in _NEVER_REF:
        raise RecordError(f'The label {quoted(label)} ends in "-ref", which {kind} must not.',
                          (label,), "Rename it.", at_key=True)
    if not label.endswith("-ref") and kind in _ALWAYS_REF:
        raise RecordError(f'The label {quoted(label)} does not end in "-ref", as {kind} must.',
                          (label,), "Rename it.", at_key=True)
    one_class = kind in _ONE_CLASS
    check_keys(value, path, _STANDARD + ("class-name", "confidence") * one_class, None)
    if value["human-annotated"] not in ("yes", "no"):
        raise RecordError("This does not say whether people did it.", (*path, "human-annotated"),
                          f'Use {either(("yes", "no"))}.')
    check_string(value["job-name"], (*path, "job-name"))
    _check_date(value["creation-date"], (*path, "creation-date"))
    if not one_class:
        return None
    _check_confidence(value["confidence"], (*path, "confidence"))
    return {"role": label, "content": check_string(value["class-name"], (*path, "class-name"))}


def _check_date(value: Any, path: Path) -> None:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise RecordError("This is no date and time.", path,
                          "Write it as 2026-10-18T22:18:13.527256.") from error


def _check_confidence(value: Any, path: Path) -> None:
    if not isinstance(value, float) or not 0 <= value <= 1:
        raise RecordError("This is no confidence.", path, "Write a number from 0 to 1.")


def _check_unlabelled(record: dict[str, Any]) -> None:
    """There is a text and nothing else."""
    if "source-ref" in record:
        raise RecordError("The text itself is not here but in S3; its place would be lost.",
                          ("source-ref",), 'Put the text in "source".', at_key=True)
    for key in record:
        if key != "source":
            what = "label or attribute" if not key.endswith(METADATA) else "metadata"
            raise RecordError(f"The {what} {quoted(key)} would be lost.", (key,),
                              "Remove it, or keep the manifest as it is.", at_key=True)


def _as_manifest(messages: list[Message]) -> dict[str, Any]:
    return {"source": messages[0]["content"]}


GROUND_TRUTH = Format(
    "ground-truth", "Ground Truth manifest", "text",
    (f"{SAGEMAKER}sms-input-data-input-manifest.html", f"{SAGEMAKER}sms-data-output.html"),
    _manifest, _as_manifest, _check_unlabelled, OBJECT)
