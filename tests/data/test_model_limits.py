"""Limits per model: complete as data, and records and files held against them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from fmcourse import data
from fmcourse.data import formats, model_limits
from fmcourse.errors import DataError


def conversation(question: str = "Hi", answer: str = "Hello", turns: int = 1) -> dict:
    said = [("user", question), ("assistant", answer)] * turns
    return data.to_bedrock([{"role": role, "content": text} for role, text in said])


def written(folder: Path, *records: dict, name: str = "train.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_every_entry_has_its_source_and_day():
    entries = model_limits.all_limits()
    names = [name for entry in entries for name in entry.names]
    assert len(names) == len(set(names)) > 15
    for entry in entries:
        assert entry.read >= date(2026, 11, 1)
        assert entry.sources
        assert all(source.startswith("https://") for source in entry.sources)
        assert set(entry.formats) <= formats.FORMATS.keys()
        assert entry.formats or entry.ended
        assert entry.most is None or entry.fewest < entry.most
        assert str(entry.read) in str(entry)


def test_a_model_of_another_name():
    with pytest.raises(DataError, match="No limits are known") as caught:
        data.limits("nova-light")
    assert caught.value.fix == "Did you mean nova-lite?"
    with pytest.raises(DataError) as caught:
        data.limits("gpt-2")
    assert "nova-pro" in caught.value.fix


def test_a_file_within_its_limits_is_good(tmp_path):
    reading, faults = data.check_file(written(tmp_path, *[conversation()] * 8), None,
                                      data.limits("nova-micro"))
    assert (reading.kept, reading.dropped, faults) == (8, 0, [])


@pytest.mark.parametrize("word", ["User:", "Bot:", "Assistant:", "System:", "<image>", "<video>",
                                  "[EOS]"])
def test_reserved_words_are_named_where_they_stand(tmp_path, word):
    good = conversation(answer=f"No {word} here is reserved.")
    bad = conversation(turns=2)
    bad["messages"][2]["content"][0]["text"] = f"The {word} is."
    system = data.to_bedrock([{"role": "system", "content": word}, *data.to_messages(good)])
    path = written(tmp_path, *[good] * 8, bad, system)
    reading, faults = data.check_file(path, None, data.limits("nova-lite"))
    assert (reading.kept, reading.dropped, faults) == (8, 2, [])
    (_, turn), (_, opening) = reading.bad
    assert (turn.line, turn.column) == (9, json.dumps(bad).index(f'"The {word}') + 1)
    assert (opening.line, opening.column) == (10, json.dumps(system).index(f'"{word}"') + 1)
    assert f'"{word}" is reserved' in turn.reason
    assert data.check_file(path, None, data.limits("llama-3.3-70b"))[0].dropped == 0


def test_a_record_with_too_many_tokens(tmp_path):
    most = data.limits("llama-3.2-90b").tokens * 6
    reading, _ = data.check_file(
        written(tmp_path, *(conversation("a" * (most - 1), "b" * n) for n in (1, 2))), None,
        data.limits("llama-3.2-90b"))
    assert [bad.line for _, bad in reading.bad] == [2]
    assert "some 10,000 tokens" in reading.complaint()
    assert data.check_file(reading.path, None, data.limits("llama-3.2-1b"))[0].kept == 2


def test_a_record_with_too_many_turns(tmp_path):
    path = written(tmp_path, *[conversation()] * 100, conversation(turns=2))
    form = formats.DISTILLATION
    reading, faults = data.check_file(path, form, data.limits("llama-distillation"))
    assert (reading.dropped, faults) == (1, [])
    assert "speaks 2 times" in reading.complaint()
    assert data.check_file(path, form, data.limits("nova-distillation"))[0].dropped == 0


@pytest.mark.parametrize(("model", "records", "said"), [
    ("nova-lite", 7, "takes 8 to 20,000 records; good ones here: 7."),
    ("llama-3.3-70b", 8, "takes 100 to 10,000 records with those for validation"),
    ("llama-3.1-8b", 100, "takes prompt-completion, not bedrock-conversation. Convert it"),
    ("claude-3-haiku", 32, "no new job since 2026-03-10")])
def test_a_file_that_a_model_does_not_take(tmp_path, model, records, said):
    path = written(tmp_path, *[conversation()] * records)
    assert any(said in fault for fault in data.check_file(path, None, data.limits(model))[1])


def test_a_file_that_cannot_be_converted_is_not_told_to_be():
    said = " ".join(data.limits("nova-2-lite-rft").faults("a.jsonl", 0, formats.PREFERENCE, 200))
    assert "not preference. They cannot be converted: " in said
    assert "fmcourse data convert" not in said


@pytest.mark.parametrize("model", ["nova-2-lite-rft", "nova-lite", "llama-3.1-8b"])
def test_prompts_to_distil_on_are_not_told_to_be_converted_to_what_needs_answers(tmp_path, model):
    answered, prompt = conversation(), conversation()
    prompt["messages"].pop()
    told = {}
    for name, records in (("answered", [answered] * 200), ("prompts", [prompt] * 200),
                          ("mixed", [*[answered] * 150, *[prompt] * 50])):
        path = written(tmp_path, *records, name=f"{name}.jsonl")
        _, faults = data.check_file(path, formats.DISTILLATION, data.limits(model))
        told[name] = " ".join(faults)
        form = formats.named(data.limits(model).formats[0])
        if name == "answered":
            data.convert_file(path, form, tmp_path / f"new-{name}.jsonl", formats.DISTILLATION)
        else:
            with pytest.raises(DataError, match="cannot be written"):
                data.convert_file(path, form, tmp_path / f"new-{name}.jsonl",
                                  formats.DISTILLATION)
    assert "Convert it: fmcourse data convert" in told["answered"]
    for name in ("prompts", "mixed"):
        assert "not bedrock-distillation. They cannot be converted: " in told[name]
        assert "answer" in told[name]
        assert "fmcourse data convert" not in told[name]


def test_the_most_records_bytes_and_the_name_of_a_file():
    def faults(model: str, name: str = "a.jsonl", size: int = 0, records: int = 1000) -> str:
        entry = data.limits(model)
        form = formats.named((*entry.formats, "messages")[0])
        return " ".join(entry.faults(name, size, form, records))

    assert faults("nova-pro") == faults("titan-text-lite", size=10**9) == ""
    assert "8 to 20,000" in faults("nova-pro", records=20_001)
    assert "at most 10,000" in faults("cohere-command", records=10_001)
    assert "at least 100" in faults("llama-distillation", records=99)
    assert "up to 1,000,000,000 bytes" in faults("titan-text-lite", size=10**9 + 1)
    for name in ("a b.jsonl", "ä.jsonl", "a.json"):
        assert "does not take a file called" in faults("nova-pro", name=name)


def test_records_of_another_format_are_not_held_against_the_limits(tmp_path):
    path = written(tmp_path, {"text": "User: hello"})
    reading, faults = data.check_file(path, None, data.limits("nova-lite"))
    assert (reading.kept, len(faults)) == (1, 2)
