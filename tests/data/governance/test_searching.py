"""Somebody is found whatever a file makes of their name, and what was not searched is told."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import data, sources, store
from fmcourse.data import governance
from fmcourse.data.governance.searching import Search, alike, in_source
from fmcourse.errors import DataError

NAME = 'Renée "Zoë" O\'Dåm'
RECORDS = [{"prompt": "Who wrote?", "completion": "Nobody."},
           {"prompt": "Who called?", "completion": f"It was {NAME}."},
           {"messages": [{"role": "user", "content": f"I am\n{NAME.upper()}, no. 7."}]}]


def searched(path, words=NAME, **more):
    search = Search(words, **more)
    in_source(path.name, path, search)
    return search.records, search.faults


def written(path, records=RECORDS):
    """Records in the form that the file's name says, with everything escaped that can be."""
    if path.suffix == ".parquet":
        names = {name: None for one in records for name in one}
        pq.write_table(pa.Table.from_pylist([names | one for one in records]), path)
    elif path.suffix in (".csv", ".tsv"):
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows(
                [one.get("prompt"), one.get("completion") or one["messages"][0]["content"]]
                for one in records)
    elif path.suffix == ".json":
        path.write_text(json.dumps(records, indent=1))
    else:
        path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


@pytest.mark.parametrize("form", ["jsonl", "json", "manifest", "csv", "tsv", "parquet"])
def test_records_are_found_in_every_form(tmp_path, form):
    path = written(tmp_path / f"a.{form}")
    if form != "parquet":
        assert form in ("csv", "tsv") or NAME not in path.read_text()
    assert searched(path) == (2, [])
    assert searched(path, "nobody at all") == (0, [])


def test_a_search_of_raw_text_would_miss_them(tmp_path):
    """The mechanism broken: as it stands, the file does not say the name."""
    for form in ("jsonl", "json", "csv"):
        raw = written(tmp_path / f"a.{form}").read_bytes().decode("utf-8", "replace")
        assert alike(NAME) not in alike(raw)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: alike(name).strip()), st.booleans())
def test_any_name_is_found_deep_in_a_record(name, escaped):
    record = json.loads(json.dumps({"a": [{"b": {"c": f"x {name} y"}}], "n": 1},
                                   ensure_ascii=escaped))
    assert Search(name).holds(record)


def test_names_are_the_same_however_they_are_spelt():
    assert Search("Zoe\u0308  Strasse").holds("by ZO\u00cb\nstra\u00dfe")
    assert Search("4915").holds({"phone": 4915112345})
    assert not Search("role").holds({"role": "user"})
    assert not Search("true").holds({"said": True, "not": None})


def test_a_text_file_is_one_record_and_cuts_hide_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x" * 999_990 + f" by {NAME} to nobody\n" * 3, encoding="utf-8")
    assert searched(path) == (1, [])
    path.write_text("The fox.")
    assert searched(path, "", record=store.sha256_text("The fox.")) == (1, [])


def test_what_is_no_json_is_searched_as_it_stands_and_told(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "Ann"}\n{"text": "Ann\n\n[1, "Bo"\n')
    assert searched(path, "ann") == (
        2, ["line 2 is not JSON, and was searched as it stands",
            "line 4 is not JSON, and was searched as it stands"])
    many = Search("x", faults=[f"fault {i}" for i in range(5)])
    assert many.why() == "fault 0; fault 1; fault 2; and 2 more"


def test_what_is_not_utf8_is_told(tmp_path):
    for name in ("a.txt", "a.csv", "a.jsonl"):
        (tmp_path / name).write_bytes("Ann, Renée".encode("latin-1"))
        found, faults = searched(tmp_path / name, "ann")
        assert found == 1
        assert "as it stands" in faults[0]


def test_what_cannot_be_read_is_told(tmp_path):
    for name in ("a.pdf", "a.parquet", ".hidden"):
        (tmp_path / name).write_bytes(b"\x00Ann")
    written(tmp_path / "b.jsonl")
    found, faults = searched(tmp_path)
    assert found == 2
    assert faults[0] == "a.pdf: files of type '.pdf' are not read" or "a.parquet" in faults[0]
    assert sorted(fault.partition(":")[0] for fault in faults) == ["a.parquet", "a.pdf"]


def test_a_link_to_a_folder_is_not_followed_and_told(tmp_path):
    (tmp_path / "notes").mkdir()
    written(tmp_path / "notes" / "a.jsonl")
    (tmp_path / "notes" / "more").symlink_to(tmp_path, target_is_directory=True)
    assert searched(tmp_path / "notes") == (2, ["more: a link to a folder"])


def conversations(project):
    """Read of a file, without a column `text`, and saved."""
    path = project.folder / "sources" / "talks.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps({"messages": data.conversation(asked, "Yes.")}) + "\n"
                            for asked in ("Is it so?", f"Am I {NAME}?")))
    project.save(data.conversations(path).records, "talks")


def test_a_request_reaches_conversations_and_their_source(project):
    conversations(project)
    found = project.erasure(NAME.lower())
    assert {found.graph.nodes[key].name: count for key, count in found.holds.items()} == {
        "talks.jsonl": 1, "talks": 1}
    assert found.unsearched == ()
    assert "1 record: " in str(found)
    assert project.log.entries()[-1].note == "things touched: 2, not searched: 0"
    assert not project.erasure("Yes.\\n")


def test_copies_with_other_columns_are_searched_too(project):
    rows = governance.govern(tiny.dataset(), governance.Governance("x", ("research",)))
    project.save(rows, "plain")
    project.save(rows.add_column("who", [NAME] * 2 + ["nobody"] * (len(rows) - 2)), "signed")
    found = project.erasure(NAME)
    assert list(found.holds.values()) == [2]
    assert "data/plain/card.json, data/signed/card.json" in {row["where"] for row in found.rows()}


def test_sources_of_other_types_are_told(project):
    path = project.folder / "sources" / "scan.pdf"
    store.atomic_write(path, b"%PDF")
    rows = data.with_card(Dataset.from_dict({"text": ["Read from a scan."]}),
                          data.Card("scan", {"scan.pdf": store.sha256_file(path),
                                             "gone.txt": "0" * 64}))
    project.save(rows, "scan")
    found = project.erasure("Ann")
    assert {one.node.name: one.why for one in found.unsearched} == {
        "scan.pdf": "files of type '.pdf' are not read", "gone.txt": "it is not here"}
    assert "find it, and search it" in str(found)


def test_a_registered_source_is_searched_as_its_reader_has_it(project, monkeypatch):
    monkeypatch.setattr(sources, "load", lambda name: tiny.dataset())
    search = Search("heron")
    in_source("web-bible", project.folder / "archive.whl", search)
    assert (search.records, search.faults) == (12, [])


def test_damaged_data_and_half_written_runs_are_told(project, letters):
    arrow = next((project.folder / "data" / "letters").glob("*.arrow"))
    arrow.write_bytes(b"no arrow")
    store.write_json(project.folder / "runs" / "half" / "plan.json", {})
    store.atomic_write(project.folder / "runs" / "torn" / "run.json", '{"name":')
    found = project.erasure("ann@example.org")
    told = {(row["kind"], row["name"]): row for row in found.rows()
            if row["why"].startswith("not searched, for it ")}
    assert set(told) == {("data set", "letters"), ("run", "half"), ("file", "torn")}
    assert "checkpoints may have learnt" in told["run", "half"]["what to do"]
    assert told["file", "torn"]["where"] == "runs/torn/run.json"
    assert "letters" in [node.name for node in found.learnt]  # it may be in there
    assert str(project.erasure("nobody")).startswith("Nothing that could be searched here holds it")


def test_requests_that_mean_nothing_are_refused(project):
    graph = governance.lineage(project.folder)
    for wrong in ({"words": None}, {"record": "xyz"}, {"record": "0" * 63}):
        with pytest.raises(DataError, match=r"names a person|not the hash"):
            governance.touched_by(graph, **wrong)
    assert str(governance.touched_by(graph, "Ann")) == \
        "There is no data here that could be searched."
