"""API models of a made-up cloud: what becomes a text, how it reads, and what is said once."""

import gzip
import json
import re

import pytest
from archives import make_zip

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.readers import aws_docs


def model(service: str, about: str, operations: dict, shapes: dict) -> bytes:
    return json.dumps({"metadata": {"serviceFullName": service}, "documentation": about,
                       "operations": operations, "shapes": shapes}).encode()


def structure(about: str = "", **members: str) -> dict:
    return {"type": "structure", "documentation": about,
            "members": {name: {"shape": "String", "documentation": text} if text
                        else {"shape": "String"} for name, text in members.items()}}


LAMP = model(
    "Amazon Lamp", "<p>Lights, <b>on</b> demand.</p><p>For every room.</p>",
    {"Light": {"documentation": "<p>Lights a lamp.</p>", "input": {"shape": "LightRequest"},
               "output": {"shape": "Lamp"}},
     "Dim": {"documentation": "<p>Dims a lamp.</p>", "input": {"shape": "DimRequest"},
             "output": {"shape": "Lamp"}},
     "Silent": {"input": {"shape": "SilentRequest"}}},
    {"LightRequest": structure("Left out.", Name="<p>Which lamp.</p><p>By name.</p>", Bare=""),
     "DimRequest": structure("", Level="<p>How dark.</p>"),
     "SilentRequest": structure("", Nothing=""),
     "Lamp": structure("<p>A lamp.</p>", Name="<p>Its name.</p>"),
     "Colour": {"type": "string", "documentation": "<p>Its colour.</p>", "enum": ["RED", "BLUE"]},
     "Lamps": {"type": "list", "documentation": "<p>Lamps.</p>",
               "member": {"shape": "Lamp", "documentation": "<p>One lamp.</p>"}},
     "Level": {"type": "integer", "documentation": "<p>In percent.</p>"},
     "Broken": {**structure("<p>It is broken.</p>"), "exception": True},
     "String": {"type": "string"}})


@pytest.fixture
def archive(tmp_path):
    old = model("Amazon Lamp (old)", "<p>Outdated.</p>", {}, {})
    return Archive(make_zip(tmp_path / "cloud.whl", {
        "botocore/data/lamp/2014-01-01/service-2.json.gz": gzip.compress(old),
        "botocore/data/lamp/2015-02-03/service-2.json.gz": gzip.compress(LAMP),
        "botocore/data/lamp/2015-02-03/waiters-2.json": b"{}",
        "botocore/data/desk/2020-01-01/service-2.json": model("Desk", "<p>Furniture.</p>", {}, {}),
        "botocore/data/bare/2020-01-01/service-2.json": model("Bare", "", {}, {}),
        "botocore/data/endpoints.json": b"{}"}), "cloud")


@pytest.fixture
def rows(archive):
    return {(row["kind"], row["name"] or row["document"]): row for row in aws_docs.texts(archive)}


def test_everything_documented_is_a_row_and_nothing_else(rows):
    assert [name for kind, name in rows if kind == "service"] == ["desk", "lamp"]
    assert [name for kind, name in rows if kind == "operation"] == ["Dim", "Light"]
    assert [name for kind, name in rows if kind == "shape"] == ["Broken", "Colour", "Lamp", "Lamps",
                                                                "Level"]
    lamp = [row for row in rows.values() if row["document"] == "lamp"]
    assert {row["service"] for row in lamp} == {"Amazon Lamp"}  # the newest version's name


def test_a_service_is_its_name_and_what_it_is_for(rows):
    assert rows["service", "lamp"]["text"] == (
        "Amazon Lamp\n\nLights, on demand.\n\nFor every room.")


def test_an_operation_holds_what_it_alone_takes_and_names_what_others_return_too(rows):
    assert rows["operation", "Light"]["text"] == (
        "Light is an operation of Amazon Lamp.\n\nLights a lamp.\n\n"
        "Parameters\nName: Which lamp.\nBy name.\n\nReturns Lamp.")
    assert sum("Its name." in row["text"] for row in rows.values()) == 1


@pytest.mark.parametrize(("name", "text"), [
    ("Lamp", "Lamp, a structure of Amazon Lamp.\n\nA lamp.\n\nName: Its name."),
    ("Colour", "Colour, a string of Amazon Lamp.\n\nIts colour.\n\nValues: RED, BLUE"),
    ("Lamps", "Lamps, a list of Amazon Lamp.\n\nLamps.\n\nmember: One lamp."),
    ("Level", "Level, an integer of Amazon Lamp.\n\nIn percent."),
    ("Broken", "Broken, an exception of Amazon Lamp.\n\nIt is broken."),
])
def test_shapes_read_like_documentation(rows, name, text):
    assert rows["shape", name]["text"] == text


def test_prose_counts_documentation_not_names(rows):
    assert rows["shape", "Level"]["prose"] == len("In percent.")
    assert rows["operation", "Light"]["prose"] == len("Lights a lamp.Which lamp.\nBy name.")


@pytest.mark.parametrize("reader", [aws_docs.texts, aws_docs.fragments])
def test_an_archive_without_models_says_so(tmp_path, reader):
    empty = Archive(make_zip(tmp_path / "x.whl", {"botocore/x.py": b""}), "cloud")
    with pytest.raises(SourceError, match="no API models"):
        list(reader(empty))


def test_fragments_are_all_the_html_as_it_is_and_as_often_as_it_is(archive):
    found = [row["text"] for row in aws_docs.fragments(archive) if row["document"] == "lamp"]
    assert found[0] == "<p>Lights, <b>on</b> demand.</p><p>For every room.</p>"
    assert "Left out." in found  # what a shape says of itself is there too
    assert sorted(filter(None, found)) == sorted(
        re.findall(r'"documentation": "([^"]+)"', LAMP.decode()))


def test_a_member_that_is_called_documentation_is_no_text(tmp_path):
    page = {"type": "structure", "members": {
        "documentation": {"shape": "String", "documentation": "<p>A link.</p>"}}}
    archive = Archive(make_zip(tmp_path / "x.whl", {
        "botocore/data/lamp/2015-02-03/service-2.json": model("Lamp", "", {}, {"Page": page})}),
        "cloud")
    assert [row["text"] for row in aws_docs.fragments(archive)] == ["<p>A link.</p>"]


@pytest.mark.parametrize("blob", [b"{", b"[]", b'{"metadata": {}}', b"\xff\xfe"])
@pytest.mark.parametrize("ending", ["json", "json.gz"])
def test_a_model_that_is_none_is_named(tmp_path, blob, ending):
    member = f"botocore/data/lamp/2015-02-03/service-2.{ending}"
    content = gzip.compress(blob) if ending.endswith("gz") else blob
    broken = Archive(make_zip(tmp_path / "x.whl", {member: content}), "cloud")
    with pytest.raises(SourceError, match=f"x.whl/{member}"):
        list(aws_docs.texts(broken))


def test_a_model_that_is_not_gzipped_is_named(tmp_path):
    member = "botocore/data/lamp/2015-02-03/service-2.json.gz"
    with pytest.raises(SourceError, match="not an API model"):
        list(aws_docs.texts(Archive(make_zip(tmp_path / "x.whl", {member: LAMP}), "cloud")))
