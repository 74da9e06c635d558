"""Files in every format: kept and dropped add up, nothing is lost, nothing half-written."""

from __future__ import annotations

import codecs
import csv
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmcourse import data, store
from fmcourse.data import format_conversion, formats
from fmcourse.errors import CourseWarning, DataError, StoreError

pytestmark = pytest.mark.filterwarnings("ignore:each reference answer")
PAIR = {"prompt": "Hi", "completion": "Hello"}
many = settings(max_examples=60, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0|｜[<>"),
                min_size=1).filter(str.strip)


def lines(folder: Path, *records: object, name: str = "my.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in records),
                    encoding="utf-8", newline="")
    return path


def instructions(folder: Path, *records: object, template: object = None) -> Path:
    path = folder / "jumpstart"
    path.mkdir(exist_ok=True)
    lines(path, *records, name="train.jsonl")
    if template is not None:
        lines(path, template, name="template.json")
    return path


def form(name: str) -> formats.Format:
    return data.record_format(name)


def attempt(call, *arguments) -> tuple[object, DataError | None]:
    """A result or the error instead."""
    try:
        return call(*arguments), None
    except DataError as error:
        return None, error


def values(path: Path) -> list:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- checking -------------------------------------------------------------------------------

def test_the_first_ten_faults_are_kept_and_the_rest_counted(tmp_path):
    path = lines(tmp_path, PAIR, *['{"promt": "a"}'] * 12, PAIR)
    reading, faults = data.check_file(path)
    assert (reading.read, reading.kept, reading.dropped) == (14, 2, 12)
    assert faults == []
    said = reading.complaint().splitlines()
    assert len(said) == 11
    assert said[0].startswith('  my.jsonl, line 2, column 2: The key "promt" is unknown.')
    assert said[-1] == "  and 2 more"


def test_the_first_good_record_decides_unless_told(tmp_path):
    path = lines(tmp_path, {"text": "a"}, PAIR, {"text": "b"})
    assert data.check_file(path)[0].format.name == "text"
    reading, _ = data.check_file(path, form("prompt-completion"))
    assert (reading.kept, reading.dropped) == (1, 2)
    assert "continued pre-training, the file's is prompt and" in reading.complaint()


@pytest.mark.parametrize(("name", "content", "reason"), [
    ("my.jsonl", "", "no good record"), ("my.jsonl", "\n\n", "no good record"),
    ("my.csv", "Text\n", "no good record"), ("my.txt", "", "no good record")])
def test_files_without_a_good_record(tmp_path, name, content, reason):
    (tmp_path / name).write_text(content)
    assert reason in data.check_file(tmp_path / name)[1][0]


@pytest.mark.parametrize(("name", "content", "wanted", "reason"), [
    ("my.parquet", b"", None, "of type '.parquet'"), ("gone.jsonl", None, None, "no such file"),
    ("my.jsonl", '{"text": "a"}'.encode("utf-16"), None, "not UTF-8"),
    ("my.csv", b"Text\na\xff\n", None, "not UTF-8"), ("my.csv", b"\n", None, "names no columns"),
    ("my.csv", b"Text,Text\na,b\n", None, "one twice"), ("my.csv", b'"a"b\n', None, "not CSV"),
    ("my.txt", b"a", "text", "A .txt file holds jumpstart-text"),
    ("my.jsonl", b"{}", "jumpstart-instruction", "a folder, with its template"),
    ("my.jsonl", b"{}", "jumpstart-text", "is not read from '.jsonl' files"),
    ("my.json", b'[{"text": "a"}', None, "list is not JSON")])
def test_files_that_cannot_be_read(tmp_path, name, content, wanted, reason):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        data.check_file(tmp_path / name, wanted and form(wanted))
    assert reason in caught.value.what


def test_columns_of_text(tmp_path):
    (tmp_path / "a.csv").write_text('id,Text\n1,"a\nb"\n2, \n3\n4,"c"x\n5,d\n', newline="")
    reading, _ = data.check_file(tmp_path / "a.csv")
    assert (reading.kept, reading.dropped) == (2, 3)
    assert [bad.line for _, bad in reading.bad] == [4, 5, 6]
    assert "There are 1 cells here, and 2 in the header." in reading.complaint()
    (tmp_path / "b.csv").write_text("title,body\na,b\n")
    found = data.file_statistics(tmp_path / "b.csv")
    assert found.characters == {"text": 1}


def test_a_json_file_of_text_columns(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"Text": "a"}, {"Text": ""}], indent=1))
    reading, _ = data.check_file(path, form("jumpstart-text"))
    assert (reading.kept, reading.dropped) == (1, 1)
    assert "line 6, column 11" in reading.complaint()


# --- instruction folders --------------------------------------------------------------------

def test_an_instruction_folder_is_read_by_its_template(tmp_path):
    record = {"question": "2 + 2?", "answer": "4", "id": 1}
    path = instructions(tmp_path, record, {"question": "3 + 3?"},
                        template={"prompt": "Q: {question}", "completion": "{answer}"})
    lines(path, record, name="more.jsonl")
    reading, _ = data.check_file(path)
    assert (reading.kept, reading.dropped) == (2, 1)
    assert 'train.jsonl, line 2, column 1: The key "answer" is missing.' in reading.complaint()
    found = data.file_statistics(path)
    assert found.characters == {"user": 2 * len("Q: 2 + 2?"), "assistant": 2}


def test_without_a_template_it_is_that_of_aws(tmp_path):
    path = instructions(tmp_path, {"instruction": "a", "context": "", "response": "b"})
    assert data.check_file(path)[0].kept == 1


@pytest.mark.parametrize(("template", "place", "reason"), [
    ('{"prompt": "{a}"}', "column 1", '"completion" is missing'),
    ('{"prompt": "{a}",\n "completion": "b"}', "line 2, column 16", "names no field"),
    ('{"prompt": "{a", "completion": "{b}"}', "column 12", "braces do not match"),
    ('{"prompt": "{}", "completion": "{b}"}', "column 12", "names no field"),
    ('{"prompt": "{a.b}", "completion": "{b}"}', "column 12", "no plain name"),
    ('{"prompt": "{a!r}", "completion": "{b}"}', "column 12", "no plain name"),
    ('{"prompt": "{a:>9}", "completion": "{b}"}', "column 12", "no plain name"),
    ('{"prompt": "{a}", "prompt": "{b}"}', "column 19", "twice"), ("[]", "column 1", "a list")])
def test_a_template_that_is_none(tmp_path, template, place, reason):
    with pytest.raises(DataError) as caught:
        data.check_file(instructions(tmp_path, PAIR, template=template))
    assert reason in caught.value.what
    assert str(caught.value.where).endswith(place)


def test_a_template_that_is_not_text(tmp_path):
    path = instructions(tmp_path, PAIR)
    (path / "template.json").write_bytes(b"\xff")
    with pytest.raises(DataError, match="not UTF-8"):
        data.check_file(path)


def test_a_folder_of_nothing(tmp_path):
    with pytest.raises(DataError, match="file in this folder"):
        data.check_file(tmp_path)


# --- converting -----------------------------------------------------------------------------

OUT = {"jumpstart-instruction": "out", "jumpstart-text": "out.csv", "ground-truth": "out.manifest"}


@many
@given(records=st.lists(st.tuples(texts, texts), min_size=1, max_size=4), route=st.permutations(
    ["messages", "bedrock-conversation", "bedrock-rft", "bedrock-distillation",
     "jumpstart-instruction"]))
def test_pairs_go_through_files_of_every_format_and_back(tmp_path_factory, records, route):
    folder = tmp_path_factory.mktemp("x")
    first = lines(folder, *({"prompt": p, "completion": c} for p, c in records))
    path = first
    for number, name in enumerate([*route, "prompt-completion"]):
        out = folder / f"{number}{OUT.get(name, 'out.jsonl')}"
        source = "bedrock-distillation" if path.name.endswith("distilled.jsonl") else None
        if name == "bedrock-distillation":
            out = folder / f"{number}distilled.jsonl"
        reading = data.convert_file(path, form(name), out, source and form(source))
        assert (reading.kept, reading.dropped) == (len(records), 0)
        path = out
    assert values(path) == values(first)


@many
@given(records=st.lists(texts, min_size=1, max_size=4),
       route=st.permutations(["ground-truth", "jumpstart-text"]))
def test_texts_go_through_files_of_every_format_and_back(tmp_path_factory, records, route):
    folder = tmp_path_factory.mktemp("x")
    first = path = lines(folder, *({"text": text} for text in records))
    for number, name in enumerate([*route, "text"]):
        out = folder / f"{number}{OUT.get(name, 'out.jsonl')}"
        assert data.convert_file(path, form(name), out).kept == len(records)
        path = out
    assert values(path) == values(first)


@many
@given(text=texts)
def test_one_text_goes_through_a_text_file(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("x")
    first, out = lines(folder, {"text": text}), folder / "o.txt"
    if text.startswith("\ufeff"):
        with pytest.raises(DataError, match="byte order mark"):
            data.convert_file(first, form("jumpstart-text"), out)
        return
    data.convert_file(first, form("jumpstart-text"), out)
    assert out.read_bytes() == text.encode()
    data.convert_file(out, form("text"), folder / "back.jsonl")
    assert values(folder / "back.jsonl") == [{"text": text}]


def test_what_is_written_as_csv_is_csv(tmp_path):
    strange = ['"a", b', "c\r\nd\re", "  ", "\ufeff x"]
    path = lines(tmp_path, *({"text": text + "."} for text in strange))
    data.convert_file(path, form("jumpstart-text"), tmp_path / "o.csv")
    with open(tmp_path / "o.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["Text"], *([text + "."] for text in strange)]


def test_an_instruction_folder_is_written_with_its_template(tmp_path):
    data.convert_file(lines(tmp_path, PAIR), form("jumpstart-instruction"), tmp_path / "o")
    assert values(tmp_path / "o" / "train.jsonl") == [PAIR]
    assert store.read_json(tmp_path / "o" / "template.json") == {
        "prompt": "{prompt}", "completion": "{completion}"}


def test_into_its_own_format_records_are_copied_as_they_stand(tmp_path):
    odd = ('{"reference_answer":{"n": 1.50,"e":1e2}, '
           '"messages":[{"role":"user","content":"\\u00e4"}]}')
    path = tmp_path / "my.jsonl"
    path.write_bytes(codecs.BOM_UTF8 + f"{odd}\r\n\r\n{odd}".encode())
    reading = data.convert_file(path, form("bedrock-rft"), tmp_path / "o.jsonl", skip_bad=True)
    assert (reading.kept, reading.dropped) == (2, 1)
    assert (tmp_path / "o.jsonl").read_text() == f"{odd}\n{odd}\n"


def test_records_of_a_list_are_copied_to_a_line_each(tmp_path):
    path = tmp_path / "my.json"
    path.write_bytes(b'[{"text":\r\n "a"},\n{"text": "b"}]')
    data.convert_file(path, form("text"), tmp_path / "o.jsonl")
    assert (tmp_path / "o.jsonl").read_bytes() == b'{"text":   "a"}\n{"text": "b"}\n'


def test_reference_answers_that_become_answers_are_warned_of(tmp_path):
    path = lines(tmp_path, {"messages": [{"role": "user", "content": "a"}],
                            "reference_answer": "mentions b"})
    with pytest.warns(CourseWarning, match="not criteria"):
        data.convert_file(path, form("messages"), tmp_path / "o.jsonl")
    assert values(tmp_path / "o.jsonl") == [{"messages": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "mentions b"}]}]


def test_a_bad_record_stops_the_writing_or_is_left_out(tmp_path):
    two = {"messages": [{"role": r, "content": "a"} for r in ("user", "assistant") * 2]}
    one = {"messages": two["messages"][:2]}
    path, out = lines(tmp_path, one, two, "{", one), tmp_path / "o.jsonl"
    with pytest.raises(DataError) as caught:
        data.convert_file(path, form("prompt-completion"), out)
    assert caught.value.what.startswith("2 of 4 records cannot be written as prompt and completion")
    assert "my.jsonl, line 2, column 1: There are 4 messages" in caught.value.what
    assert "my.jsonl, line 3, column 2: This is not JSON" in caught.value.what
    assert [p.name for p in tmp_path.iterdir()] == ["my.jsonl"]
    reading = data.convert_file(path, form("prompt-completion"), out, skip_bad=True)
    assert (reading.read, reading.kept, reading.dropped, len(values(out))) == (4, 2, 2, 2)


def test_nothing_good_is_not_written(tmp_path):
    for content in ("", "{\n"):
        (tmp_path / "my.jsonl").write_text(content)
        with pytest.raises(DataError, match=r"no record|1 of 1 records"):
            data.convert_file(tmp_path / "my.jsonl", form("text"), tmp_path / "o.jsonl",
                              skip_bad=True)
    assert not (tmp_path / "o.jsonl").exists()


def test_formats_of_different_kinds_end_at_once(tmp_path):
    path = lines(tmp_path, PAIR, "{")
    with pytest.raises(DataError, match="Who says what would be lost"):
        data.convert_file(path, form("text"), tmp_path / "o.jsonl", skip_bad=True)


def test_a_text_file_holds_one_text(tmp_path):
    path = lines(tmp_path, {"text": "a"}, {"text": "b"})
    with pytest.raises(DataError, match="where this one begins would be lost"):
        data.convert_file(path, form("jumpstart-text"), tmp_path / "o.txt")


def test_a_text_too_long_for_a_line(tmp_path):
    (tmp_path / "long.txt").write_text("word " * 300_000)
    assert data.check_file(tmp_path / "long.txt")[0].kept == 1
    with pytest.raises(DataError, match="longer than 1,000,000 bytes"):
        data.convert_file(tmp_path / "long.txt", form("text"), tmp_path / "o.jsonl")


def test_what_is_there_stays_unless_forced(tmp_path):
    path, out = lines(tmp_path, PAIR), tmp_path / "o.jsonl"
    out.write_text("mine")
    with pytest.raises(DataError, match="something here already"):
        data.convert_file(path, form("messages"), out)
    assert out.read_text() == "mine"
    data.convert_file(path, form("messages"), out, force=True)
    assert len(values(out)) == 1
    data.convert_file(path, form("messages"), path, force=True)  # onto itself
    assert "messages" in values(path)[0]


def test_a_folder_with_other_things_in_it_stays_always(tmp_path):
    path, out = lines(tmp_path, PAIR), tmp_path / "o"
    data.convert_file(path, form("jumpstart-instruction"), out)
    data.convert_file(path, form("jumpstart-instruction"), out, force=True)
    (out / "thesis.doc").write_text("mine")
    with pytest.raises(DataError, match="stays"):
        data.convert_file(path, form("jumpstart-instruction"), out, force=True)
    (tmp_path / "d.jsonl").mkdir()
    with pytest.raises(DataError, match="stays"):
        data.convert_file(path, form("messages"), tmp_path / "d.jsonl", force=True)


@pytest.mark.parametrize(("target", "out"), [
    ("messages", "o.txt"), ("jumpstart-text", "o.jsonl"), ("jumpstart-instruction", "o.jsonl")])
def test_names_that_a_format_is_not_written_under(tmp_path, target, out):
    with pytest.raises(DataError, match="is not written as"):
        data.convert_file(lines(tmp_path, PAIR), form(target), tmp_path / out)


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out, target in (("o.jsonl", "messages"), ("o", "jumpstart-instruction")):
        with pytest.raises((DataError, StoreError), match=r"cannot be written|folder is needed"):
            data.convert_file(lines(tmp_path, PAIR), form(target), tmp_path / "file" / out)


def test_an_interrupted_conversion_leaves_nothing(tmp_path, monkeypatch):
    def stop(raw):
        raise KeyboardInterrupt

    monkeypatch.setattr(format_conversion, "_line", stop)
    with pytest.raises(KeyboardInterrupt):
        data.convert_file(lines(tmp_path, PAIR), form("prompt-completion"), tmp_path / "o.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["my.jsonl"]


# --- properties -----------------------------------------------------------------------------

GOOD = [json.dumps(r) for r in (PAIR, {"text": "a"}, {"source": "a"}, {
    "messages": [{"role": "user", "content": "a"}], "reference_answer": "b"}, {
    "prompt": "a", "chosen": "b", "rejected": "c"})]
pieces = st.sampled_from([*GOOD, "", " ", "{", '{"text": 1}', "[]", '{"a": "\\ud800"}']) | \
    st.text('{}[]",:\\a1 ').filter(lambda text: "\n" not in text)


@many
@given(parts=st.lists(pieces, max_size=12), wanted=st.sampled_from(
    [None, *(name for name in formats.FORMATS if name != "jumpstart-text")]),
       end=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_no_line_is_lost(tmp_path_factory, parts, wanted, end, last):
    path = tmp_path_factory.mktemp("x") / "my.jsonl"
    path.write_bytes((end.join(parts) + end * last).encode())
    while parts and not parts[-1].strip():  # blank lines at the end are none
        parts.pop()
    if wanted == "jumpstart-instruction":
        path = path.parent
    reading, _ = data.check_file(path, wanted and form(wanted))
    assert reading.kept + reading.dropped == reading.read == len(parts)
    assert len(reading.bad) == min(reading.dropped, 10)
    for target in formats.FORMATS.values():
        out = path.with_name("o" + Path(OUT.get(target.name, "o.jsonl")).suffix)
        written, error = attempt(data.convert_file, path, target, out, reading.format, True, True)
        assert error.fix if error else written.read == len(parts)
        if written:
            again, _ = data.check_file(out, target)
            assert (again.kept, again.dropped) == (written.kept, 0)


@many
@given(content=st.binary(max_size=80) | st.text().map(str.encode),
       suffix=st.sampled_from([".jsonl", ".json", ".manifest", ".csv", ".txt"]))
def test_no_bytes_make_a_check_crash(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("x") / f"my{suffix}"
    path.write_bytes(content)
    found, error = attempt(data.file_statistics, path)
    assert error.fix if error else str(found)


@many
@given(cells=st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])),
                                st.text(st.characters(exclude_categories=["Cs"]))), max_size=5))
def test_no_row_is_lost(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("x") / "my.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow(["id", "Text"])
        rows.writerows(cells)
    reading, _ = data.check_file(path)
    assert reading.read == len(cells)
    good = [text for _, text in cells if text and not text.isspace() and "\0" not in text]
    assert reading.kept == len(good)


# --- size and counts ------------------------------------------------------------------------

def test_a_large_file_is_read_and_written_in_little_memory(tmp_path):
    path = tmp_path / "large.jsonl"
    with open(path, "w") as file:
        for i in range(1_500):
            file.write(json.dumps({"prompt": f"{i}?", "completion": f"{i} " * 2_000})
                       if i % 3 else "broken")
            file.write("\n")
    tracemalloc.start()
    data.check_file(path)
    data.file_statistics(path)
    reading = data.convert_file(path, form("messages"), tmp_path / "o.jsonl", skip_bad=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (reading.kept, reading.dropped) == (1_000, 500)
    assert peak < 1.5e6 < path.stat().st_size / 5


def test_statistics(tmp_path):
    path = lines(tmp_path, *({"prompt": "a" * n, "completion": "b"} for n in range(1, 100)), "{")
    found = data.file_statistics(path)
    assert found.parts == {"user": 99, "assistant": 99}
    assert found.characters == {"user": 4_950, "assistant": 99}
    assert found.longest == 100
    assert abs(found.length(0.5) - 51) <= 1
    assert abs(found.length(0.95) - 96) <= 1
    assert found.length(1) == 100
    assert "100 read = 99 kept + 1 dropped" in str(found)


def test_labels_of_many_names_are_counted_as_others(tmp_path):
    kind = {"class-name": "x", "confidence": 0, "type": "groundtruth/text-classification",
            "job-name": "j", "human-annotated": "no", "creation-date": "2026-01-01"}
    path = lines(tmp_path, *({"source": "a", f"l{i}": 0, f"l{i}-metadata": kind}
                             for i in range(50)))
    found = data.file_statistics(path)
    assert len(found.parts) == 21
    assert sum(found.parts.values()) == 100
