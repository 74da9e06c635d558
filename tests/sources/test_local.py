"""A learner's own files and hub data sets."""

import json

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmcourse.data.card import card
from fmcourse.errors import SourceError
from fmcourse.sources import load


def test_text_file(tmp_path):
    (tmp_path / "notes.txt").write_text("\ufeffHello there.\n", encoding="utf-8")
    data = load(tmp_path / "notes.txt")
    assert data[0] == {"text": "Hello there.\n", "document": "notes.txt", "source": "notes.txt"}


def test_folder_of_many_kinds(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.jsonl").write_text('{"text": "two", "colour": "red"}\n\n{"text": " "}\n')
    (tmp_path / "deep").mkdir()
    pq.write_table(pa.table({"text": ["three"], "document": [7], "source": ["x"]}),
                   tmp_path / "deep" / "c.parquet")
    (tmp_path / "ignored.md").write_text("no")
    data = load(str(tmp_path))
    assert data["text"][:] == ["one", "two", "three"]
    assert data["document"][:] == ["a.txt", "b.jsonl:1", "7"]
    assert set(data["source"][:]) == {tmp_path.name}
    assert data["colour"][:] == [None, "red", None]


RECORDS = st.lists(st.fixed_dictionaries(
    {"text": st.text(min_size=1)}, optional={"document": st.text(), "n": st.integers(0, 9)}),
    min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(RECORDS)
def test_jsonl_keeps_every_text_that_is_not_blank(tmp_path, records):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records))
    wanted = [r["text"] for r in records if r["text"].strip()]
    if not wanted:
        with pytest.raises(SourceError, match="no text"):
            load(path)
        return
    data = load(path)
    assert data["text"][:] == wanted
    assert all(isinstance(name, str) for name in data["document"])
    assert card(data).characters == sum(map(len, wanted))
    assert load(path, limit=1)["text"][:] == wanted[:1]


@pytest.mark.parametrize(("line", "message"), [
    (b"{oops", "x.jsonl:2"),
    (b"[1]", "x.jsonl:2"),
    (b'"text"', "x.jsonl:2"),
    (b"\xff\xfe", "x.jsonl:2"),
    (b'{"body": "b"}', r"Record 2 has no text column \(it has: body\)"),
    (b'{"text": null}', "Record 2 has no text column"),
    (b'{"text": "\\ud800"}', "half a character"),
    (b'{"text": "b", "n": {"x": "\\ud800"}}', "one type"),
    (b'{"text": "b", "n": 1}\n{"text": "c", "n": "one"}', "one type"),
])
def test_bad_lines_are_named(tmp_path, line, message):
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "a"}\n' + line + b"\n")
    with pytest.raises(SourceError, match=message):
        load(tmp_path / "x.jsonl")


def test_other_bad_input(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"rubbish")
    (tmp_path / "x.txt").write_bytes(b"caf\xe9")
    (tmp_path / "x.pdf").write_bytes(b"")
    (tmp_path / "empty.txt").write_text(" ")
    (tmp_path / "void").mkdir()
    for name, message in [("x.parquet", "cannot be read"), ("x.txt", "not UTF-8 at byte 3"),
                          ("x.pdf", r"'\.pdf' cannot be read"), ("empty.txt", "no text in it"),
                          ("void", "no text in it"), ("gone.txt", "no such file")]:
        with pytest.raises(SourceError, match=message):
            load(tmp_path / name)


def test_a_name_that_is_nothing():
    with pytest.raises(SourceError, match="web-bible"):
        load("web-bibel")


@pytest.mark.parametrize("step", ["huggingface_hub.HfApi.dataset_info", "datasets.load_dataset"])
def test_hub_unreachable(monkeypatch, step):
    def fail(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: None)
    monkeypatch.setattr(step, fail)
    with pytest.raises(SourceError, match="'a/b' could not be loaded: ConnectionError"):
        load("hub:a/b")


def test_hub_rows(monkeypatch):
    rows = datasets.Dataset.from_dict({"text": ["one", "two"]})
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: None)
    monkeypatch.setattr(datasets, "load_dataset",
                        lambda *_, **__: datasets.DatasetDict({"test": rows, "train": rows}))
    data = load("hub:a/b", limit=1)
    assert data[0] == {"text": "one", "document": "a/b:1", "source": "hub:a/b"}
    assert card(data).licence == ("unknown",)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: datasets.DatasetDict(
        {"train": datasets.Dataset.from_dict({"body": ["x"]})}))
    with pytest.raises(SourceError, match="no text column"):
        load("hub:a/b")
