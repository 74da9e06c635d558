"""Labels as a manifest of SageMaker Ground Truth, and back.

A line is a text, its class as a number and, in the metadata, the class's name, how sure the
consensus is, and whether people did it: labels of simulated annotators say no. As AWS documents
it, an item that one worker labelled has a confidence of 0, whoever it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from fmcourse import store
from fmcourse.data.annotation.consensus import Consensus
from fmcourse.data.format_files import Reading
from fmcourse.data.formats import as_line, check
from fmcourse.data.label_manifest import GROUND_TRUTH, METADATA
from fmcourse.errors import DataError

TYPE = "groundtruth/text-classification"


def manifest_records(texts: Sequence[str], found: Consensus, classes: Sequence[str], *,
                     people: bool, label: str = "label", job: str = "fmcourse",
                     when: datetime | None = None) -> list[dict[str, Any]]:
    """One record a labelled item, as Ground Truth writes them.

    Args:
        texts: of items 0, 1 …
        found: their labels, from `majority`, `dawid_skene` or `review`.
        classes: names of the labels 0, 1 …
        people: whether people labelled them; simulated annotators are none.
        label, job: names of the attribute and of the job.
        when: it was done; default now.

    Raises:
        RecordError: a record that Ground Truth would refuse, such as an empty text.
    """
    date = (when or datetime.now()).isoformat(timespec="microseconds")
    records = []
    for row in found.items.itertuples():
        sure = float(row.confidence) if row.votes > 1 else 0.0
        records.append({"source": texts[row.item], label: int(row.label), f"{label}{METADATA}": {
            "class-name": classes[row.label], "confidence": round(sure, 4), "type": TYPE,
            "job-name": f"labeling-job/{job}", "human-annotated": "yes" if people else "no",
            "creation-date": date}})
        check(records[-1], GROUND_TRUTH)
    return records


def write_manifest(path: Path | str, records: Sequence[dict[str, Any]]) -> Path:
    """Write records to a `.manifest` file, a line each, whole or not at all."""
    return store.atomic_write(path, "".join(f"{as_line(record)}\n" for record in records))


def read_manifest(path: Path | str, label: str = "label") -> pd.DataFrame:
    """The texts of a manifest and their class.

    Args:
        path: a `.manifest` or `.jsonl` file.
        label: name of the attribute.

    Returns:
        Columns text, label (the class's name), confidence and people (whether they did it).

    Raises:
        DataError: it cannot be read, or a line is no text with such a label.
    """
    def row(_form: object, record: dict[str, Any], _parts: object) -> dict[str, Any] | None:
        about = record.get(f"{label}{METADATA}")
        if "source" not in record or not isinstance(about, dict) or about.get("type") != TYPE:
            return None
        return {"text": record["source"], "label": about["class-name"],
                "confidence": about["confidence"], "people": about["human-annotated"] == "yes"}

    reading = Reading(Path(path), row, GROUND_TRUTH)
    rows = [(raw.line, made) for raw, made in reading]
    if reading.dropped:
        raise DataError(f"This manifest has lines that are wrong:\n{reading.complaint()}",
                        where=path, fix="Mend or remove them.")
    for line, made in rows:
        if made is None:
            raise DataError(f"There is no text with a class {label!r}.", where=f"{path}:{line}",
                            fix="Name the label as the manifest does.")
    return pd.DataFrame([made for _, made in rows],
                        columns=["text", "label", "confidence", "people"])
