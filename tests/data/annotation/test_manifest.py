"""Labels as a Ground Truth manifest: strict on the way out, the same on the way back."""

from __future__ import annotations

import json
from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data.annotation import majority, manifest_records, read_manifest, write_manifest
from fmcourse.errors import DataError

CLASSES, WHEN = ("red", "blue"), datetime(2026, 10, 18, 22, 18, 13)


def consensus(*rows):
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    return majority(table.assign(order=range(len(table))), 2)


def test_a_record_by_hand():
    found = consensus((0, "a", 1), (0, "b", 1), (0, "c", 0), (1, "a", 0))
    records = manifest_records(["sky", "fox"], found, CLASSES, people=False, label="colour",
                               when=WHEN)
    assert records[0] == {"source": "sky", "colour": 1, "colour-metadata": {
        "class-name": "blue", "confidence": 0.6667, "type": "groundtruth/text-classification",
        "job-name": "labeling-job/fmcourse", "human-annotated": "no",
        "creation-date": "2026-10-18T22:18:13.000000"}}
    assert records[1]["colour-metadata"]["confidence"] == 0.0  # one worker, as AWS documents it


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=8), st.booleans())
def test_what_is_written_is_read_back(tmp_path_factory, texts, people):
    found = consensus(*((i, who, i % 2) for i in range(len(texts)) for who in "ab"))
    try:
        records = manifest_records(texts, found, CLASSES, people=people)
    except DataError:  # a lone surrogate, say, has no place in a file
        return
    path = write_manifest(tmp_path_factory.mktemp("out") / "output.manifest", records)
    back = read_manifest(path)
    assert back["text"].tolist() == texts
    assert back["label"].tolist() == [CLASSES[i % 2] for i in range(len(texts))]
    assert set(back["confidence"]) == {1.0}
    assert set(back["people"]) == {people}
    reading, faults = data.check_file(path)
    assert (reading.format.name, reading.kept, faults) == ("ground-truth", len(texts), [])


def test_a_text_that_ground_truth_would_refuse_is_refused():
    with pytest.raises(DataError):
        manifest_records([""], consensus((0, "a", 1)), CLASSES, people=True)


def test_other_manifests_are_refused_with_their_line(tmp_path):
    path = tmp_path / "output.manifest"
    records = manifest_records(["sky"], consensus((0, "a", 1)), CLASSES, people=True, when=WHEN)
    write_manifest(path, records)
    with pytest.raises(DataError, match="no text with a class 'colour'") as error:
        read_manifest(path, "colour")
    assert f"{path}:1" in str(error.value)
    records[0]["label-metadata"]["human-annotated"] = "maybe"
    path.write_text(json.dumps(records[0]) + "\n")
    with pytest.raises(DataError, match="whether people did it"):
        read_manifest(path)
