"""Fine-tuning records: what is good reads back the same, what is bad is named where it is bad."""

from __future__ import annotations

import codecs
import json
import os
import random
import sys
import tracemalloc
import warnings
from pathlib import Path

import pytest
from dialogues import dialogues
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data import record_files, strict_json
from fmcourse.errors import CourseWarning, DataError

CONVERSATIONS = sys.modules["fmcourse.data.conversations"]  # hidden by the function
PAIR = '{"prompt": "Hi", "completion": "Hello"}'
CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}'
BEDROCK = ('{"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "Be kind."}], '
           '"messages": [{"role": "user", "content": [{"text": "Hi"}]}, '
           '{"role": "assistant", "content": [{"text": "Hello"}]}]}')


def file(folder: Path, content: str | bytes, name: str = "my.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def found(path: Path) -> tuple[list, record_files.Found]:
    """Rows and the rest, read without keeping anything."""
    about = record_files.Found()
    return list(record_files.records(path, about)), about


def only_bad(path: Path) -> record_files.BadLine:
    bad = found(path)[1].bad
    assert len(bad) == 1, bad
    return bad[0]


# --- what is good ---------------------------------------------------------------------------

@given(dialogues())
def test_bedrock_and_back(messages):
    assert data.to_messages(data.to_bedrock(messages)) == messages
    assert data.to_messages({"messages": messages}) == messages


@settings(max_examples=30, deadline=None)
@given(st.lists(dialogues(), min_size=1, max_size=4), st.booleans(), st.booleans(),
       st.sampled_from(["\n", "\r\n"]), st.sampled_from([b"", codecs.BOM_UTF8]))
def test_what_is_written_is_read(tmp_path_factory, dialogues, bedrock, ascii_only, end, mark):
    records = [data.to_bedrock(d) if bedrock else {"messages": d} for d in dialogues]
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    folder = tmp_path_factory.mktemp("x")
    rows, about = found(file(folder, mark + (end.join(lines) + end).encode()))
    assert [row["messages"] for row in rows] == dialogues
    assert [row["line"] for row in rows] == list(range(1, len(rows) + 1))
    assert not about.bad
    listed = json.dumps(records, ensure_ascii=ascii_only, indent=2)
    rows, about = found(file(folder, mark + listed.encode(), "my.json"))
    assert [row["messages"] for row in rows] == dialogues
    assert all(listed.split("\n")[row["line"] - 1] == "  {" for row in rows)


@pytest.mark.parametrize(("line", "name", "turns"), [
    (PAIR, "prompt and completion", 2), (CHAT, "messages", 2), (BEDROCK, "Bedrock conversation", 3),
    ('{"completion": "b", "system": "s", "prompt": "a"}', "prompt and completion", 3)])
def test_each_format_is_recognised(tmp_path, line, name, turns):
    read = data.conversations(file(tmp_path, f"{line}\n\n \n"))
    assert read.format == name
    assert read.bad == ()
    assert [m["role"] for m in read.records[0]["messages"]] == \
        ["system", "user", "assistant"][-turns:]
    assert read.records.column_names == ["messages", "line"]


def test_several_blocks_of_text_are_lines_of_one():
    record = json.loads(BEDROCK)
    record["messages"][0]["content"] = [{"text": "one"}, {"text": "two"}]
    assert data.to_messages(record)[1]["content"] == "one\ntwo"


def test_the_card_says_what_was_read(tmp_path):
    path = file(tmp_path, f"{PAIR}\n{CHAT}\n{PAIR.replace('Hi', 'Hey')}\n")
    read = data.conversations(path, skip_bad=True)
    card = data.card(read.records)
    assert (card.texts, card.characters) == (2, 15)
    assert card.sources == {"my.jsonl": CONVERSATIONS.store.sha256_file(path)}
    assert card.steps[0] | {"note": ""} == \
        {"step": "checked records", "kept": 2, "dropped": 1, "note": ""}
    assert card.notes == {"format": "prompt and completion", "copies": 0, "bad": 1}


# --- what is bad ----------------------------------------------------------------------------

def chat(*turns: tuple[str, str]) -> str:
    return json.dumps({"messages": [{"role": r, "content": c} for r, c in turns]})


BAD = [  # a line, where in it the fault is, the reason, the fix
    ('{"prompt": "a" "completion": "b"}', '"completion"', "not JSON: expecting ','", "Correct"),
    ('{"prompt": "a", "completion": "b', '"b', "not JSON: unterminated string", "Correct"),
    ('{"prompt": "a", "completion": "b"} {}', "{}", "not JSON: extra data", "Correct"),
    ('{"prompt": "a\tb", "completion": "b"}', "\t", "invalid control character", "Correct"),
    ("{'prompt': 'a'}", "'prompt", "not JSON", "Correct"),
    ("[" * 5000, "[", "nested too deeply", "Flatten"),
    ('["prompt"]', "[", "object, not a list", '"prompt": …'),
    ("7", "7", "object, not a number", '"prompt": …'),
    ("null", "null", "object, not null", '"prompt": …'),
    ("{}", "{", "it has nothing", '"prompt": …'),
    ('{"text": "a"}', "{", 'it has "text"', '"messages"'),
    ('{"question": "a", "answer": "b"}', "{", 'it has "question"',
     'Rename "question" to "prompt" and "answer" to "completion"'),
    ('{"prompt": "a", "response": "b"}', '"resp', "unknown", 'Rename "response" to "completion"'),
    ('{"promt": "a", "completion": "b"}', '"promt"', '"promt" is unknown', 'Write "prompt"'),
    ('{"prompt": "a", "Completion": "b"}', '"Comp', '"Completion" is unknown', '"completion"'),
    ('{"prompt": "a", "completion": "b", "id": 1}', '"id"', '"id" is unknown', "Remove it"),
    ('{"prompt": "a"}', "{", '"completion" is missing', 'Add "completion"'),
    ('{"prompt": 3, "completion": "b"}', "3", '"prompt" is a number', "Write a string"),
    ('{"prompt": "a", "completion": null}', "null", '"completion" is null', "Write a string"),
    ('{"prompt": ["a"], "completion": "b"}', '["a"]', '"prompt" is a list', "Write a string"),
    ('{"prompt": true, "completion": "b"}', "true", '"prompt" is true or', "Write a string"),
    ('{"prompt": NaN, "completion": "b"}', "NaN", '"prompt" is a number', "Write a string"),
    ('{"prompt": %s, "completion": "b"}' % ("9" * 5000), "9", "is a number", "Write a string"),
    ('{"prompt": "", "completion": "b"}', '"", ', '"prompt" is empty', "Fill it"),
    ('{"prompt": "a", "completion": " \\n\\t"}', '" \\n', '"completion" is blank', "Fill it"),
    ('{"prompt": "a", "completion": "b", "prompt": "c"}', '"prompt": "c"', '"prompt" is there tw',
     "Remove one"),
    ('{"prompt": "a", "completion": "b", "\\u0070rompt": "c"}', '"\\u0070', "is there twice",
     "Remove one"),
    ('{"messages": [{"role": "user", "content": "a", "role": "user"}]}', '"role": "user"}]',
     '"role" is there twice', "Remove one"),
    ('{"prompt": "a\\u0000b", "completion": "b"}', '"a\\u', "a NUL", "Remove it"),
    ('{"prompt": "a", "completion": "\\ud83d!"}', '"\\ud83d', "half a character", "\\ud83d"),
    ('{"prompt": "a<|im_end|>", "completion": "b"}', '"a<|', "<|im_end|>", "spell it"),
    ('{"prompt": "a", "completion": "b<|endoftext|>"}', '"b<|', "<|endoftext|>", "spell it"),
    ('{"prompt": "a", "completion": "\\u003c|im_start|>user"}', '"\\u003c', "<|im_st", "spell it"),
    ('{"prompt": "a", "completion": "<end_of_turn>"}', '"<end', "<end_of_turn>", "spell it"),
    ('{"prompt": "a", "completion": "b", "system": " "}', '" "', '"system" is blank', "Fill it"),
    ('{"messages": {}}', "{}", '"messages" is an object, not a list', "a list"),
    ('{"messages": []}', "[]", '"messages" is empty', "Fill it"),
    ('{"messages": ["a"]}', '"a"', "a string, not an object", '"role" and "content"'),
    ('{"messages": [{"role": "user"}]}', '{"role"', '"content" is missing', "Add"),
    ('{"messages": [{"rol": "user", "content": "a"}]}', '"rol"', '"rol" is unknown', '"role"'),
    ('{"system": "s", "messages": []}', '"system"', '"system" is unknown', "the first message"),
    (chat(("asistant", "a")), '"asistant"', 'role "asistant" is unknown', 'Write "assistant"'),
    (chat(("human", "a")), '"human"', 'role "human" is unknown', '"system" or "user" or'),
    ('{"messages": [{"role": 1, "content": "a"}]}', "1", '"role" is a number', "Use"),
    ('{"messages": [{"role": ' + "[" * 500 + "]" * 500 + ', "content": "a"}]}', "[[[",
     '"role" is a list', "Use"),
    ('{"prompt": "<|\\u001b[31m|>", "completion": "b"}', '"<|', '"<|\\u001b[31m|>"', "spell it"),
    (chat(("assistant", "a")), '"assistant"', "cannot stand here", '"system" or "user"'),
    (chat(("user", "a"), ("user", "b")), '"user", "content": "b"', "cannot stand", '"assistant"'),
    (chat(("user", "a"), ("assistant", "b"), ("assistant", "c")), '"assistant", "content": "c"',
     "cannot stand", '"user"'),
    (chat(("user", "a"), ("assistant", "b"), ("system", "c")), '"system"', "cannot stand", "turns"),
    (chat(("system", "s"), ("assistant", "b")), '"assistant"', "cannot stand", '"user"'),
    (chat(("system", "s")), '"system"', "not the assistant's", "End with"),
    (chat(("user", "a"), ("assistant", "b"), ("user", "c")), '"user", "content": "c"',
     "not the assistant's", "End with"),
    (chat(("user", "a"), ("assistant", "")), '""', '"content" is empty', "Fill it"),
    ('{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, '
     '{"role": "assistant", "content": "b"}]}', '[{"type"', '"content" is a list', "a string"),
    (BEDROCK.replace("conversation-2024", "conversion-2024"), '"bedrock-', "version",
     "-conversation"),
    (BEDROCK.replace('"schemaVersion": "bedrock-conversation-2024", ', ""), "{",
     '"schemaVersion" is missing', '"bedrock-conversation-2024"'),
    (BEDROCK.replace("schemaVersion", "schema_version"), '"schema_', "is unknown", "schemaVersion"),
    (BEDROCK.replace('[{"text": "Hi"}]', '"Hi"'), '"Hi"', '"content" is a string', "a list"),
    (BEDROCK.replace('[{"text": "Hi"}]', "[]"), "[]", '"content" is empty', "Fill it"),
    (BEDROCK.replace('"Hi"', "1"), "1}", '"text" is a number', "a string"),
    (BEDROCK.replace('{"text": "Hi"}', '{"image": {}}'), '"image"', "Only text", "Remove"),
    (BEDROCK.replace('[{"text": "Be kind."}]', '"Be kind."'), '"Be', "is a string", "a list"),
    (BEDROCK.replace('"user"', '"system"'), '"system", "content"', "unknown here", "the record's"),
]


@pytest.mark.parametrize(("line", "at", "reason", "fix"), BAD)
def test_a_bad_line_is_named(tmp_path, line, at, reason, fix):
    bad = only_bad(file(tmp_path, f"{line}\n"))
    assert (bad.line, bad.column) == (1, line.index(at) + 1)
    assert reason in bad.reason
    assert fix in bad.fix
    good = BEDROCK if "schema" in line or '"text": "Be kind' in line else \
        CHAT if "messages" in line else PAIR
    shifted = found(file(tmp_path, f"{good}\n{line}\n{good}"))
    assert [row["line"] for row in shifted[0]] == [1, 3]
    assert (shifted[1].bad[0].line, len(shifted[1].bad)) == (2, 1)


@pytest.mark.parametrize(("content", "place", "reason"), [
    (f"{PAIR}\n{CHAT}\n".encode(), (2, 1), "format is messages, the file's is prompt and"),
    (f"{CHAT}\n{BEDROCK}\n".encode(), (2, 1), "format is Bedrock"),
    (f"{PAIR}\n \n{PAIR}\n".encode(), (2, 1), "blank"),
    (f"\n{PAIR}\n".encode(), (1, 1), "blank"),
    (b'{"prompt": "\xc3\xa4\xff", "completion": "b"}', (1, 14), "not UTF-8, at byte 14"),
    (codecs.BOM_UTF8 + b'{"prompt": "a\xff"}', (1, 14), "not UTF-8, at byte 16"),
    (f"{PAIR}\r\n".encode() + b'{"prompt": "a\xff"}\r\n', (2, 14), "not UTF-8, at byte 54"),
    (codecs.BOM_UTF8 + b'{"prompt": "a"}', (1, 1), '"completion" is missing'),
    (f"{PAIR}\n".encode() + codecs.BOM_UTF8 + PAIR.encode(), (2, 1), "not JSON"),
    (b'{"prompt": "a",\r\n', (1, 16), "not JSON"),
    (json.dumps({"prompt": "a" * 1_000_000, "completion": "b"}).encode(), (1, 1), "longer than"),
    (b" " * 3_000_000 + f"\n{PAIR}".encode(), (1, 1), "longer than"),
])
def test_a_bad_file_is_named(tmp_path, content, place, reason):
    bad = only_bad(file(tmp_path, content))
    assert (bad.line, bad.column) == place
    assert reason in bad.reason


@pytest.mark.parametrize(("content", "place", "reason"), [
    (f"[{PAIR}, 7]", (1, len(PAIR) + 4), "a number"),
    (f"\ufeff[7, {PAIR}]", (1, 2), "a number"),
    (f"[\n{PAIR}, 7]", (2, len(PAIR) + 3), "a number"),
    (f'[\n  {PAIR},\n  {{"prompt": "a", "x": 1,\n   "completion": "b"}}\n]', (3, 19), '"x" is u'),
    (f'[{PAIR},\n {{"prompt": "ä",\n   "completion": 1}}]', (3, 18), "a number"),
])
def test_records_of_a_list_are_named_by_line_and_column(tmp_path, content, place, reason):
    path = file(tmp_path, content, "my.json")
    bad = only_bad(path)
    assert (bad.line, bad.column) == place
    assert reason in bad.reason
    part = path.read_bytes()[bad.start:bad.end]
    assert json.loads(part) == next(e for e in json.loads(content.lstrip("\ufeff"))
                                    if e != json.loads(PAIR))


@pytest.mark.parametrize(("content", "place"), [
    (f"[{PAIR},]", "line 1, column 42"), (f"[{PAIR}\n {PAIR}]", "line 2, column 2"),
    (f"[{PAIR}", "column 41"), (f"[{PAIR}] x", "column 43"), (f"[{PAIR}, {{]", "column 44"),
    ("[" * 100_000, "my.json"), (b"[\xff]", "my.json")])
def test_a_broken_list_ends_the_reading(tmp_path, content, place):
    with pytest.raises(DataError) as caught:
        data.conversations(file(tmp_path, content, "my.json"), skip_bad=True)
    assert str(caught.value.where).endswith(place)


def test_a_json_file_may_hold_lines_too(tmp_path):
    assert len(data.conversations(file(tmp_path, f"{PAIR}\n{PAIR.upper().lower()}", "x.json"),
                                  skip_bad=True).records) == 2
    assert "not a list" in only_bad(file(tmp_path, f"[{PAIR}]")).reason


@pytest.mark.parametrize(("name", "content", "reason"), [
    ("my.csv", PAIR, "of type '.csv'"), ("my.jsonl", "", "no record"), ("my.json", "[ ]", "no rec"),
    ("my.jsonl", "\n\n", "no record"), ("my.jsonl", PAIR.encode("utf-16"), "not UTF-8")])
def test_files_that_hold_no_records(tmp_path, name, content, reason):
    with pytest.raises(DataError, match=reason):
        data.conversations(file(tmp_path, content, name))


def test_files_that_are_none(tmp_path):
    for path in (tmp_path / "gone.jsonl", tmp_path):
        with pytest.raises(DataError, match=r"no such file|a folder, not"):
            data.conversations(path)
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(DataError, match="no such file"):
        data.conversations(tmp_path / "pipe.jsonl")


def test_the_error_names_the_first_ten_and_counts_the_rest(tmp_path):
    path = file(tmp_path, "\n".join([PAIR, *['{"promt": "a"}'] * 12]))
    with pytest.raises(DataError) as caught:
        data.conversations(path)
    text = str(caught.value)
    assert text.startswith('12 of 13 records cannot be used:\n  line 2, column 2: The key "promt"')
    assert text.count("line ") == 10
    assert "and 2 more" in text
    assert "skip_bad=True" in text
    assert str(path) in text


def test_a_file_with_nothing_good_cannot_be_skipped_through(tmp_path):
    with pytest.raises(DataError, match="1 of 1 records") as caught:
        data.conversations(file(tmp_path, '{"text": "a"}'), skip_bad=True)
    assert "skip_bad" not in str(caught.value)


def test_reading_stops_where_nothing_is_a_record(tmp_path, monkeypatch):
    monkeypatch.setattr(record_files, "BAD", 5)
    with pytest.raises(DataError, match="More than 5 lines"):
        data.conversations(file(tmp_path, "x\n" * 100), skip_bad=True)
    with pytest.raises(DataError, match="blank"):
        data.conversations(file(tmp_path, "\n" * 100), skip_bad=True)


def test_copies_are_warned_of_and_kept(tmp_path):
    path = file(tmp_path, f'{PAIR}\n{PAIR}\n{PAIR.replace(" ", "")}\n{PAIR.replace("Hi", "Ho")}')
    for _ in range(2):  # from the file, and as it was kept
        with pytest.warns(CourseWarning, match="2 of the 4 records"):
            assert len(data.conversations(path).records) == 4


# --- the bad ones, kept ---------------------------------------------------------------------

def test_bad_lines_are_saved_as_they_were(tmp_path):
    lines = [b'{"promt": "a\xff"}', PAIR.encode(), b'  {"prompt":"b" }', b"x\rx"]
    read = data.conversations(file(tmp_path, codecs.BOM_UTF8 + b"\r\n".join(lines)), skip_bad=True)
    saved = read.save_bad(tmp_path / "out")
    assert saved == tmp_path / "out" / "my.bad.jsonl"
    assert saved.read_bytes().split(b"\n")[:-1] == [lines[0], lines[2], lines[3]]
    reasons = saved.with_suffix(".txt").read_text().splitlines()
    assert reasons == list(map(str, read.bad))
    assert reasons[1].startswith('line 3, column 3: The key "completion" is missing.')


def test_bad_records_of_a_list_are_saved_on_a_line_each(tmp_path):
    records = [{"prompt": "ä", "completion": 1}, json.loads(PAIR), {"x": [1, 2]}]
    path = file(tmp_path, json.dumps(records, indent=2, ensure_ascii=False), "my.json")
    saved = data.conversations(path, skip_bad=True).save_bad(tmp_path)
    assert list(map(json.loads, saved.read_text().splitlines())) == [records[0], records[2]]


def test_bad_lines_of_a_changed_file_are_not_saved(tmp_path):
    path = file(tmp_path, f"{PAIR}\nx")
    read = data.conversations(path, skip_bad=True)
    path.write_text(f"{PAIR}\ny")
    with pytest.raises(DataError, match="was changed"):
        read.save_bad(tmp_path)
    assert not list(tmp_path.glob("*.bad.*"))
    path.unlink()
    with pytest.raises(DataError, match="no such file"):
        read.save_bad(tmp_path)


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path, monkeypatch):
    path = file(tmp_path, PAIR)
    data.conversations(path)
    path.write_text(PAIR.replace("Hi", "Ho"))
    assert data.conversations(path).records[0]["messages"][0]["content"] == "Ho"
    monkeypatch.setattr(record_files, "records", None)
    assert len(data.conversations(path).records) == 1


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path, monkeypatch):
    path, read = file(tmp_path, f"{PAIR}{' ' * 7}\n"), record_files.records

    def meddling(*arguments):
        yield from read(*arguments)
        path.write_text(CHAT)

    monkeypatch.setattr(record_files, "records", meddling)
    with pytest.raises(DataError, match="changed while it was read"):
        data.conversations(path)


# --- property: places and mutations ---------------------------------------------------------

values = st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
                      lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4))


def reach(value, path):
    for key in path:
        value = value[key]
    return value


def count(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count, inner))


@given(values, st.sampled_from([None, 1]), st.booleans(),
       st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_places_are_where_python_reads_the_same_values(value, indent, ascii_only, marks):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, separators=marks)
    decoder, found = json.JSONDecoder(), list(strict_json.places(text))
    assert len(found) == len({path for path, _, _ in found}) == count(value)
    for path, key_at, at in found:
        assert decoder.raw_decode(text, at)[0] == reach(value, path)
        if path and isinstance(path[-1], str):
            assert decoder.raw_decode(text, key_at)[0] == path[-1]
        else:
            assert key_at == at


@pytest.mark.parametrize("line", [PAIR, CHAT, BEDROCK])
def test_one_changed_character_is_read_or_its_line_is_named(tmp_path, line):
    lines = [line.replace("Hi", f"Greeting {i}") for i in range(5)]
    dice, good = random.Random(0), "\n".join(lines) + "\n"
    refused = 0
    for _ in range(150):
        at = dice.randrange(len(good))
        new = dice.choice('abR"\\{}[]:,|<0 \tä\0\u2028')
        rows, about = found(file(tmp_path, good[:at] + new + good[at + 1:]))
        changed = good.count("\n", 0, at) + 1
        assert {bad.line for bad in about.bad} <= {changed}
        if good[at] != "\n":
            assert len(rows) + len(about.bad) == 5
        refused += bool(about.bad)
    assert refused > 30


# --- size -----------------------------------------------------------------------------------

def test_a_large_file_is_streamed(tmp_path):
    path, size = tmp_path / "large.jsonl", 1_500
    with open(path, "w") as out:
        for i in range(size):
            text = json.dumps({"prompt": f"Question {i}?", "completion": f"{i} " * 2_000})
            out.write(text + "\n" if i % 100 else "broken\n")
    tracemalloc.start()
    about = record_files.Found()
    assert sum(1 for _ in record_files.records(path, about)) == size - 15
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [bad.line for bad in about.bad] == list(range(1, size, 100))
    assert peak < 3e6 < path.stat().st_size / 3


def test_batches_are_written_and_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(CONVERSATIONS, "ROWS", 3)
    lines = [PAIR.replace("Hi", str(i)) for i in range(10)]
    read = data.conversations(file(tmp_path, "\n".join(lines)))
    assert [row["messages"][0]["content"] for row in read.records] == list(map(str, range(10)))
    assert read.records.cache_files


# --- parts ----------------------------------------------------------------------------------

def many(folder: Path, copies: int = 1):
    lines = [PAIR.replace("Hi", f"Question {i}") for i in range(50)]
    more = [line.replace("Question", " question ") for line in lines] * (copies - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CourseWarning)
        return data.conversations(file(folder, "\n".join(lines + more))).records


def asked(part) -> set[str]:
    return {" ".join(row["messages"][0]["content"].lower().split()) for row in part}


def test_parts_share_no_conversation(tmp_path):
    parts = data.split_conversations(many(tmp_path, copies=3))
    assert parts.keys() == {"train", "validation"}
    assert sum(map(len, parts.values())) == 150
    assert len(asked(parts["validation"])) == 5
    assert not asked(parts["train"]) & asked(parts["validation"])
    cards = {name: data.card(part) for name, part in parts.items()}
    assert cards["train"].texts == 135
    assert cards["validation"].steps[-1]["step"] == "validation part"
    assert cards["train"].sha256 != cards["validation"].sha256


def test_parts_depend_on_words_and_seed_not_on_order(tmp_path):
    records = many(tmp_path)
    held = asked(data.split_conversations(records)["validation"])
    turned = data.split_conversations(records.select(range(49, -1, -1)))
    assert asked(turned["validation"]) == held
    assert asked(data.split_conversations(records, seed=1)["validation"]) != held


def test_what_cannot_be_split(tmp_path):
    records = many(tmp_path)
    for share in (0, 1, -0.1):
        with pytest.raises(DataError, match="cannot be held out"):
            data.split_conversations(records, share)
    with pytest.raises(DataError, match="One conversation"):
        data.split_conversations(records.select([0]))
    assert len(data.split_conversations(records.select([0, 1]), 0.9)["train"]) == 1


def test_messages_that_are_no_conversation_are_not_written_for_bedrock():
    with pytest.raises(DataError) as caught:
        data.to_bedrock([{"role": "user", "content": "Hi"}])
    assert caught.value.where == "messages[0].role"
