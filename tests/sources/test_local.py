"""A learner's own files and hub data sets."""

import codecs
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmcourse import store
from fmcourse.data.card import card
from fmcourse.errors import SourceError
from fmcourse.sources import kept, load, local, records
from fmcourse.sources.pieces import PIECE


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch) -> Path:
    """A place of its own for the rows that are kept, away from the files that are read."""
    place = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("FMCOURSE_HOME", str(place))
    return place


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
    (tmp_path / "ignored.csv").write_text("no")
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


def skipped(data) -> dict:
    """What the card says was left out."""
    return card(data).notes["skipped"]


def test_a_folder_with_bad_files_is_read_and_the_card_names_them(tmp_path):
    (tmp_path / "good.txt").write_text("good")
    (tmp_path / "good.MD").write_text("# marked")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "photo.txt").write_bytes(b"JFIF" + b"\x00" * 20)
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "blank.rst").write_text(" \n\t")
    (tmp_path / "broken.parquet").write_bytes(b"rubbish")
    pq.write_table(pa.table({"body": ["b"]}), tmp_path / "no_text.parquet")
    (tmp_path / "table.csv").write_text("a,b")
    with pytest.warns(UserWarning, match="6 files") as warned:
        data = load(tmp_path)
    assert len(warned) == 1
    assert "\n" not in str(warned[0].message)
    assert sorted(data["text"][:]) == ["# marked", "good"]
    left = skipped(data)
    assert left["files"].keys() == {"latin.txt", "photo.txt", "empty.txt", "blank.rst",
                                    "broken.parquet", "no_text.parquet"}
    assert left["files"]["latin.txt"] == "This file is not UTF-8 at byte 3"
    assert left["files"]["photo.txt"] == "This is binary: a NUL at byte 4"
    assert left["files"]["empty.txt"] == left["files"]["blank.rst"] == "empty"
    assert "no text column (it has: body)" in left["files"]["no_text.parquet"]
    assert (left["read"], left["other"]) == (2, 1)
    step = card(data).steps[-1]
    assert (step["step"], step["kept"], step["dropped"]) == ("skipped", 2, 6)
    assert "blank.rst: empty" in step["note"]
    assert all(name in step["note"] for name in left["files"])


def test_what_was_skipped_is_told_again_when_the_rows_come_from_disk(tmp_path, monkeypatch):
    (tmp_path / "good.txt").write_text("good")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.warns(UserWarning, match="latin"):
        first = load(tmp_path)
    monkeypatch.setattr(kept, "write", lambda *_: pytest.fail("read again"))
    with pytest.warns(UserWarning, match="latin"):
        again = load(tmp_path)
    assert card(again) == card(first)
    assert again["text"][:] == ["good"]


def test_a_clean_folder_warns_of_nothing(tmp_path):
    (tmp_path / "good.txt").write_text("good")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [step["step"] for step in card(load(tmp_path)).steps] == ["read"]
        (tmp_path / "photo.png").write_bytes(b"")  # on the card, but worth no warning
        assert skipped(load(tmp_path))["other"] == 1


def test_bad_lines_of_a_folder_s_file_are_counted_and_the_first_named(tmp_path):
    deep = b"[" * 100_000
    bad = [b"{oops", b"[1]", b"\xff", deep, b"9" * 5000, b'{"n": 1}', b'{"text": "\\ud800"}',
           b'{"text": "x", "document": "\\ud800"}']
    lines = [b'{"text": "first"}', *bad, b'{"text": "last"}']
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    with pytest.warns(UserWarning, match="8 records"):
        data = load(tmp_path)
    assert data["text"][:] == ["first", "last"]
    left = skipped(data)
    assert (left["records"], left["read"], left["files"]) == (8, 1, {})
    assert "line 2: " in left["partly"]["x.jsonl"]
    assert "line 4: " in left["partly"]["x.jsonl"]
    assert "line 5: " not in left["partly"]["x.jsonl"]


def test_a_line_too_long_to_parse_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "LINE", 100)
    (tmp_path / "x.jsonl").write_bytes(
        b'{"text": "a"}\n{"text": "' + b"b" * 1000 + b'"}\n{"text": "c"}\n')
    with pytest.warns(UserWarning, match="line 2: This line is longer than 100 bytes"):
        assert load(tmp_path)["text"][:] == ["a", "c"]
    with pytest.raises(SourceError, match=r"x\.jsonl:2"):
        load(tmp_path / "x.jsonl")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_believed(tmp_path, encoding):
    (tmp_path / "x.txt").write_bytes("Grüße\r\n😀".encode(encoding))
    assert load(tmp_path / "x.txt")["text"][:] == ["Grüße\n😀"]


@pytest.mark.parametrize(("content", "message"), [
    (codecs.BOM_UTF8 + b"ab\xff", "not UTF-8 at byte 5"),
    (codecs.BOM_UTF16_LE + b"a\x00b", "not UTF-16 at byte 4"),
    (b"a" * (1 << 20) + "é".encode()[:1], f"not UTF-8 at byte {1 << 20}"),
    (b"a" * (1 << 20) + b"a\x00", f"NUL at byte {(1 << 20) + 1}"),
])
def test_the_wrong_byte_is_named_wherever_it_is(tmp_path, content, message):
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        load(tmp_path / "x.txt")


def test_json_lines_in_utf_16_say_so(tmp_path):
    (tmp_path / "x.jsonl").write_bytes('{"text": "a"}\n'.encode("utf-16"))
    with pytest.raises(SourceError, match="not UTF-8"):
        load(tmp_path / "x.jsonl")
    (tmp_path / "x.jsonl").write_bytes('{"text": "a"}\n'.encode("utf-8-sig"))
    assert load(tmp_path / "x.jsonl")["text"][:] == ["a"]


def test_links_pipes_and_names_that_lead_nowhere(tmp_path):
    (tmp_path / "good.txt").write_text("good")
    (tmp_path / "circle.txt").symlink_to("circle.txt")
    (tmp_path / "gone.txt").symlink_to("nothing")
    (tmp_path / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.txt")).write_text("odd name")
    with pytest.warns(UserWarning, match="4 files"):
        data = load(tmp_path)
    assert sorted(data["document"][:]) == ["b\\udcff.txt", "good.txt"]
    assert skipped(data)["files"]["up"] == "a link to a folder"
    with pytest.raises(SourceError, match="not a file"):
        load(tmp_path / "pipe.txt")


def test_what_may_not_be_opened_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "good.txt").write_text("good")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "secret.jsonl").write_text("secret")
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "in.txt").write_text("inside")
    for name in ("secret.txt", "secret.jsonl", "closed"):
        (tmp_path / name).chmod(0)
    if os.geteuid() == 0:  # to whom nothing is closed: as somebody else would see it
        refuse_below(tmp_path, monkeypatch)
    with pytest.warns(UserWarning, match="3 files"):
        data = load(tmp_path)
    assert data["text"][:] == ["good"]
    assert all("Permission denied" in why for why in skipped(data)["files"].values())


def refuse_below(folder: Path, monkeypatch) -> None:
    """Make `open` and `scandir` refuse what has no permissions, as they do for all but root."""
    def refusing(function):
        def checked(path, *arguments, **options):
            if str(path).startswith(str(folder)) and not os.stat(path).st_mode & 0o777:
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *arguments, **options)
        return checked

    monkeypatch.setattr("builtins.open", refusing(open))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir))


def test_a_folder_where_nothing_can_be_read_says_why(tmp_path, home):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(SourceError, match=r"no text in it; left out: 1 file \(latin\.txt"):
        load(tmp_path)
    assert not [p for p in home.rglob("*") if p.is_file() and p.suffix != ".lock"]


def test_a_large_text_is_several_rows_of_one_document(tmp_path):
    text = "A line of words, and then some more.\n" * 60_000
    (tmp_path / "x.txt").write_text(text)
    (tmp_path / "y.jsonl").write_text(json.dumps({"text": text, "n": 7}))
    data = load(tmp_path)
    assert len(data) == 6
    for document in ("x.txt", "y.jsonl:1"):
        texts = [row["text"] for row in data if row["document"] == document]
        assert "".join(texts) == text
        assert max(map(len, texts)) <= PIECE
        assert all(piece.endswith("\n") for piece in texts)
    assert set(data["n"][3:]) == {7}


def test_changed_files_are_never_served_stale(tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("old")
    stamp = file.stat()
    assert load(file)["text"][:] == load(file)["text"][:] == ["old"]
    file.write_text("new")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # same size, same time
    assert load(file)["text"][:] == ["new"]
    folder_before = load(tmp_path)["text"][:]
    (tmp_path / "y.txt").write_text("more")
    assert load(tmp_path)["text"][:] == [*folder_before, "more"]


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path, home, monkeypatch):
    (tmp_path / "x.txt").write_text("old")
    read = local.of_file

    def meddling(*arguments):
        yield from read(*arguments)
        (tmp_path / "x.txt").write_text("newer")

    monkeypatch.setattr(local, "of_file", meddling)
    with pytest.raises(SourceError, match="changed while it was read"):
        load(tmp_path)
    assert not list((home / "data" / "own").glob("[!.]*"))


def test_damaged_kept_rows_say_what_to_delete(tmp_path, home):
    (tmp_path / "x.txt").write_text("text")
    load(tmp_path)
    rows = next(home.rglob("rows.arrow"))
    rows.write_bytes(b"rubbish")
    with pytest.raises(SourceError, match="Delete this folder"):
        load(tmp_path)


def test_columns_that_grow_are_one_table(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "ROWS", 2)
    rows = [{"text": "a"}, {"text": "b", "n": None}, {"text": "c", "n": 1}, {"text": "d"},
            {"text": "e", "n": 1.5, "tags": ["x"]}, {"text": "f", "at": {"k": 1}},
            {"text": "g", "at": {"j": "two"}}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    data = load(tmp_path / "x.jsonl")
    assert data["text"][:] == list("abcdefg")
    assert data["n"][:] == [None, None, 1.0, None, 1.5, None, None]
    assert data["at"][5:] == [{"k": 1, "j": None}, {"k": None, "j": "two"}]
    only = load(tmp_path / "x.jsonl", text_only=True)
    assert set(only.column_names) == {"text", "document", "source"}
    assert only["text"][:] == data["text"][:]


def test_columns_that_clash_between_batches_are_an_error_unless_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "ROWS", 1)
    (tmp_path / "x.jsonl").write_text('{"text": "a", "n": 1}\n{"text": "b", "n": "one"}')
    (tmp_path / "y.jsonl").write_text(json.dumps({"text": "c", "n": 10**30}))
    for path in (tmp_path, tmp_path / "x.jsonl", tmp_path / "y.jsonl"):
        with pytest.raises(SourceError, match="one type"):
            load(path)
    assert load(tmp_path, text_only=True)["text"][:] == ["a", "b", "c"]


def test_kept_rows_equal_rows_in_memory(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.jsonl").write_text('{"text": "two", "n": 1}\n{"text": "three", "m": "x"}')
    whole, some = load(tmp_path), load(tmp_path, limit=100)
    assert whole.to_list() == some.to_list()
    assert card(whole) == card(some)
    assert card(whole).sha256 == store.sha256_json(whole["text"][:])
    assert card(whole).sources == {tmp_path.name: local.digest(tmp_path)}  # bytes, not texts
    assert whole.cache_files
    assert not some.cache_files


def test_hub_rows_stored_in_files_are_kept(monkeypatch, tmp_path):
    datasets.Dataset.from_dict({"text": ["one", "two"]}).save_to_disk(tmp_path)
    split = datasets.load_from_disk(tmp_path)
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: None)
    monkeypatch.setattr(datasets, "load_dataset",
                        lambda *_, **__: datasets.DatasetDict({"train": split}))
    data = load("hub:a/b")
    assert data["document"][:] == ["a/b:1", "a/b:2"]
    assert data.cache_files


GROWTH = """
import resource, sys, threading, time
from fmcourse import data

def anonymous():
    return int(next(line for line in open("/proc/self/status") if "RssAnon" in line).split()[1])

before, peak = anonymous(), 0
def watch():
    global peak
    while True:
        peak = max(peak, anonymous())
        time.sleep(0.005)

threading.Thread(target=watch, daemon=True).start()
data.own(sys.argv[1])
print((peak - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's own account")
def test_memory_does_not_grow_with_the_file(tmp_path):
    def growth(size: int) -> int:
        file = tmp_path / f"{size}.txt"
        with open(file, "w") as out:
            for number in range(size * 10_000):
                out.write(f"{number:09d} " + "x" * 89 + "\n")
        done = subprocess.run([sys.executable, "-c", GROWTH, file], capture_output=True, text=True,
                              check=True)
        return int(done.stdout.split()[-1])

    assert growth(130) - growth(65) < 40  # MB; held as Python text the difference is at least 65
