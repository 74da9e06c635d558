"""Prompts for Bedrock's distillation: what is written passes the checks, the rest is refused."""

from __future__ import annotations

import json

import pytest
import tiny
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data import formats
from fmcourse.data.chat import conversation
from fmcourse.errors import DataError

PRINTED = st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\u2028")
WORDS = st.text(PRINTED, min_size=1, max_size=40).filter(lambda text: text.strip())


def records(count: int = 100, system: str = "", **last) -> Dataset:
    talks = [conversation(f"Question {i}?", f"Answer {i}.", system) for i in range(count)]
    return Dataset.from_dict({"messages": [*talks, *last.values()]})


@pytest.mark.parametrize("answers", [False, True])
def test_what_is_written_is_read_back_and_accepted(tmp_path, answers):
    path = data.write_distillation(records(system="Be brief."), tmp_path / "prompts.jsonl",
                                   answers=answers)
    reading, faults = data.check_file(path, None if not answers else formats.DISTILLATION,
                                      data.limits("nova-distillation"))
    assert (reading.kept, reading.dropped, faults) == (100, 0, [])
    assert reading.format is formats.DISTILLATION
    first = json.loads(path.read_text().splitlines()[0])
    assert first["system"] == [{"text": "Be brief."}]
    assert [turn["role"] for turn in first["messages"]] == ["user", "assistant"][:1 + answers]


@settings(max_examples=25, deadline=None)
@given(st.lists(WORDS, min_size=100, max_size=100))
def test_any_text_comes_back_as_it_was(tmp_path_factory, texts):
    talks = Dataset.from_dict({"messages": [conversation(text, "Yes.") for text in texts]})
    place = tmp_path_factory.mktemp("made") / "a.jsonl"
    data.write_distillation(talks, place, answers=True)
    found = data.Reading(place, lambda _, record, parts: parts, formats.DISTILLATION)
    assert [parts[0]["content"] for _, parts in found] == texts


def test_what_bedrock_would_refuse_is_not_written(tmp_path):
    place = tmp_path / "prompts.jsonl"
    empty = [{"role": "user", "content": " "}]
    twice = [*conversation("One?", "1."), {"role": "user", "content": "Two?"},
             {"role": "user", "content": "Three?"}]
    for wrong, said in ((records(99), "100 to 15,000"), (records(extra=empty), "line 101"),
                        (records(extra=twice), "line 101")):
        with pytest.raises(DataError, match="nothing was written") as caught:
            data.write_distillation(wrong, place)
        assert said in caught.value.what
        assert not place.exists()
    with pytest.raises(DataError, match="no conversations"):
        data.write_distillation(tiny.dataset(), place)


def test_a_llama_is_distilled_on_single_turns(tmp_path):
    longer = records(extra=[*conversation("One?", "1."), *conversation("Two?", "2.")])
    data.write_distillation(longer, tmp_path / "nova.jsonl")
    with pytest.raises(DataError, match="speaks 2 times"):
        data.write_distillation(longer, tmp_path / "llama.jsonl", model="llama-distillation")
    data.write_distillation(records(), tmp_path / "llama.jsonl", model="llama-distillation")
