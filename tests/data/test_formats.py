"""Records of every format: what is good is read, what is bad named, and nothing lost on the way."""

from __future__ import annotations

import copy
import json
import math

import pytest
from dialogues import dialogues, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data import formats, jumpstart, strict_json
from fmcourse.data.record_checks import RecordError
from fmcourse.errors import DataError

AWS = jumpstart.instruction(jumpstart.AWS)
SCHEMA = "bedrock-conversation-2024"
USER, ASSISTANT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
LABEL = {"class-name": "positive", "confidence": 0.8, "type": "groundtruth/text-classification",
         "job-name": "label-sentiment", "human-annotated": "yes",
         "creation-date": "2020-10-18T22:18:13.527256"}


def blocks(*turns: tuple[str, str]) -> list[dict]:
    return [{"role": role, "content": [{"text": text}]} for role, text in turns]


GOOD = {  # the documentation's own examples, shortened
    "prompt-completion": [{"prompt": "Hi", "completion": "Hello"},
                          {"system": "Be kind.", "prompt": "Hi", "completion": "Hello"}],
    "messages": [{"messages": [USER, ASSISTANT, USER, ASSISTANT]},
                 {"messages": [{"role": "system", "content": "Be kind."}, USER, ASSISTANT]}],
    "bedrock-conversation": [
        {"schemaVersion": SCHEMA, "system": [{"text": "Be kind."}],
         "messages": blocks(("user", "Hi"), ("assistant", "Hello"))}],
    "bedrock-rft": [
        {"messages": [USER], "reference_answer": "Hello"},
        {"id": "sample-001", "messages": [USER, ASSISTANT, USER], "difficulty": 3,
         "reference_answer": {"solution": "x = 4", "steps": ["2x = 8", 4]}}],
    "bedrock-distillation": [
        {"schemaVersion": SCHEMA, "messages": blocks(("user", "Hi"))},
        {"schemaVersion": SCHEMA, "messages": blocks(("user", "Hi"), ("assistant", "Hello"))}],
    "preference": [
        {"prompt": "Hi", "chosen": "Hello", "rejected": "Go away"},
        {"chosen": "Hi: Hello", "rejected": "Hi: Go away"},
        {"system": "Be kind.", "prompt": "Hi", "chosen": "Hello", "rejected": "Go away"},
        {"prompt": [USER], "chosen": [ASSISTANT],
         "rejected": [{"role": "assistant", "content": "Go away"}]},
        {"chosen": [USER, ASSISTANT],
         "rejected": [USER, {"role": "assistant", "content": "Go away"}]}],
    "text": [{"text": "AWS stands for Amazon Web Services"}],
    "ground-truth": [
        {"source": "The food was delicious"},
        {"source-ref": "s3://bucket/image.jpg", "id": 7},
        {"source": "The food was delicious", "mood": "1", "mood-metadata": LABEL},
        {"source-ref": "s3://bucket/city.png", "streets-ref": "s3://bucket/mask.png",
         "streets-ref-metadata": {**LABEL, "type": "groundtruth/semantic-segmentation"}}],
    "jumpstart-instruction": [{"prompt": "Hi", "completion": "Hello"},
                              {"prompt": "Hi", "completion": "Hello", "category": 1}],
    "jumpstart-text": [{"Text": "Estimates"}, {"title": "Estimates", "year": "1995"}],
}


def test_every_format_has_examples_and_sources():
    assert GOOD.keys() == formats.FORMATS.keys()
    for form in formats.FORMATS.values():
        assert form.sources
        assert all(source.startswith("https://") for source in form.sources)


@pytest.mark.parametrize(("name", "record"), [(n, r) for n, rs in GOOD.items() for r in rs])
def test_good_records_are_read(name, record):
    form = formats.named(name)
    (parsed, parts), found = formats.read(json.dumps(record), form)
    assert found is form
    assert parsed == record
    assert parts
    assert all(part["content"] for part in parts)


@pytest.mark.parametrize(("name", "record"), [
    (n, r) for n, rs in GOOD.items() if not n.startswith("jumpstart") for r in rs])
def test_formats_are_recognised(name, record):
    found = formats.recognised(record)
    if (name, record) == ("bedrock-distillation", GOOD["bedrock-distillation"][1]):
        name = "bedrock-conversation"  # of which it is one
    assert found.name == name


def test_what_is_said_is_told_by_role():
    def roles(name: str, which: int) -> list[str]:
        return [part["role"] for part in formats.named(name).parts(GOOD[name][which])]

    assert roles("preference", 2) == ["system", "prompt", "chosen", "rejected"]
    assert roles("preference", 3) == roles("preference", 4) == ["user", "chosen", "rejected"]
    assert roles("ground-truth", 2) == ["text", "mood"]
    assert roles("bedrock-rft", 0) == ["user", "assistant"]
    assert roles("bedrock-rft", 1) == ["user", "assistant", "user"]


def test_an_implicit_prompt_ends_where_trl_cuts_it():
    from trl.data_utils import extract_prompt

    answers = [[{"role": "assistant", "content": text}] for text in ("Hello", "Go away", "Bye")]
    opening = [{"role": "system", "content": "Be kind."}, USER]
    for shared in (opening, [*opening, ASSISTANT, USER]):
        for chosen, rejected in ((answers[0], answers[1]),
                                 ([*answers[0], USER, *answers[1]], answers[2])):
            record = {"chosen": shared + chosen, "rejected": shared + rejected}
            parts, cut = formats.PREFERENCE.parts(record), extract_prompt(record)
            assert parts[:len(cut["prompt"])] == cut["prompt"] == shared
            for key in ("chosen", "rejected"):
                assert [part["content"] for part in parts if part["role"] == key] == \
                    [message["content"] for message in cut[key]]


# --- what is bad ----------------------------------------------------------------------------

def rft(**changes: object) -> str:
    return json.dumps({"messages": [USER], "reference_answer": "a"} | changes)


def prefer(**changes: object) -> str:
    return json.dumps({"prompt": "a", "chosen": "b", "rejected": "c"} | changes)


def label(name: str = "mood", **changes: object) -> str:
    return json.dumps({"source": "a", name: "1", f"{name}-metadata": LABEL | changes})


BAD = [  # format, a line, where in it the fault is, the reason, the fix
    ("bedrock-rft", rft(messages=[USER, ASSISTANT]), '"assistant"', "the assistant's: a prompt",
     "the user's"),
    ("bedrock-rft", rft(messages=[]), "[]", "is empty", "Fill it"),
    ("bedrock-rft", rft(reference_answer=None), "null", "no reference answer", "what the grader"),
    ("bedrock-rft", rft(reference_answer=" "), '" "', "is blank", "Fill it"),
    ("bedrock-rft", rft(reference_answer=[math.nan]), "NaN", "no finite number", "a string"),
    ("bedrock-rft", rft(id="\ud800"), '"\\ud800"', "half a character", "\\ud800"),
    ("bedrock-rft", rft(**{"\udfff": 1}), "1}", "half a character", "\\udfff"),
    ("bedrock-rft", '{"messages": [], "reference_anser": 1}', "{", '"reference_answer" is missing',
     'Rename "reference_anser" to "reference_answer"'),
    ("bedrock-rft", '{"reference_answer": "a"}', "{", '"messages" is missing', "Add"),
    ("bedrock-distillation", json.dumps({"schemaVersion": "bedrock-conversion-2024",
                                         "messages": blocks(("user", "a"))}),
     '"bedrock-', "version", SCHEMA),
    ("bedrock-distillation", json.dumps({"schemaVersion": SCHEMA,
                                         "messages": blocks(("assistant", "a"))}),
     '"assistant"', "cannot stand here", '"user"'),
    ("bedrock-distillation", json.dumps({
        "schemaVersion": SCHEMA,
        "messages": [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]}),
     '{"text": "b"}', "2 blocks", "Join"),
    ("preference", prefer(rejected="b"), '"b"}', "nothing to prefer", "worse"),
    ("preference", prefer(rejected=""), '""', "is empty", "Fill it"),
    ("preference", prefer(margin=1), '"margin"', "is unknown", "Remove it"),
    ("preference", prefer(chosen=[ASSISTANT]), '"a"', '"prompt" is a string, not a list', "a list"),
    ("preference", prefer(prompt=[USER], chosen=[USER], rejected=[ASSISTANT]),
     '"user", "content": "Hi"}], "rej', "cannot stand here", '"assistant"'),
    ("preference", json.dumps({"chosen": [USER, ASSISTANT],
                               "rejected": [{"role": "user", "content": "Ho"}, ASSISTANT]}),
     '{"role": "user", "content": "Ho"}', "different prompts", "the same messages"),
    ("preference", json.dumps({"chosen": [USER, ASSISTANT], "rejected": [USER, ASSISTANT, USER,
                                                                         ASSISTANT]}),
     '{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}',
     "different prompts", "the same messages"),
    ("preference", '{"prompt": "a", "chosen": "b"}', "{", '"rejected" is missing', "Add"),
    ("preference", '{"prompt": "a", "choosen": "b", "rejected": "c"}', '"choosen"', "is unknown",
     'Write "chosen"'),
    ("text", '{"text": 1}', "1}", '"text" is a number', "a string"),
    ("text", '{"text": "a", "title": "b"}', '"title"', "is unknown", "Remove it"),
    ("text", '{"text": "\\n"}', '"\\n"', "is blank", "Fill it"),
    ("ground-truth", '{"source": "a", "source-ref": "s3://b/c"}', "{", "There are ",
     '"source" for'),
    ("ground-truth", '{"text": "a"}', "{", "continued pre-training, the file's", "one format"),
    ("ground-truth", '{"text": "a", "b": 1}', "{", "There is no ", '"source" for'),
    ("ground-truth", '{"source-ref": "https://b/c"}', '"https', "no place in S3", "s3://bucket"),
    ("ground-truth", '{"source": "a", "$b": 1}', '"$b"', "a dollar sign", "Rename"),
    ("ground-truth", json.dumps({"source": "a" * 20_001}), '"aaa', "20,001 characters", "Shorten"),
    ("ground-truth", label("mood-ref"), '"mood-ref"', 'ends in "-ref"', "Rename"),
    ("ground-truth", label(type="groundtruth/semantic-segmentation"), '"mood"', "does not end",
     "Rename"),
    ("ground-truth", label("a-metadata-b"), '"a-metadata-b"', '"-metadata" in its name', "Rename"),
    ("ground-truth", json.dumps({"source": "a", "mood-metadata": LABEL}), '"mood-metadata"',
     'no label "mood"', "Add"),
    ("ground-truth", label(confidence=80), "80", "no confidence", "0 to 1"),
    ("ground-truth", label(**{"human-annotated": "maybe"}), '"maybe"', "whether people",
     '"yes" or "no"'),
    ("ground-truth", label(**{"creation-date": "yesterday"}), '"yesterday"', "no date", "2026-"),
    ("ground-truth", json.dumps({"source": "a", "mood": "1", "mood-metadata": {
        "type": "groundtruth/text-classification"}}), '{"type"', '"job-name" is missing', "Add"),
    (AWS, '{"instruction": "a", "context": "b"}', "{", '"response" is missing', "Add"),
    (AWS, '{"instruction": "a", "context": "b", "respons": "c"}', "{", '"response" is missing',
     'Rename "respons" to "response"'),
    (AWS, '{"instruction": 1, "context": "b", "response": "c"}', "1", '"instruction" is a number',
     "a string"),
    (AWS, '{"instruction": "a", "context": "b", "response": ""}', "{", "completion is blank",
     "response"),
    (AWS, '{"instruction": "[INST]", "context": "b", "response": "c"}', '"[INST]"',
     "another's turn", "spell it"),
    ("jumpstart-text", "{}", "{", "no column", '"Text"'),
    ("jumpstart-text", '{"title": "a", "Text": " "}', '" "', '"Text" is blank', "Fill it"),
    ("messages", GOOD and rft(), "{", "reinforcement fine-tuning, the file's is messages", "one"),
    ("prompt-completion", prefer(), "{", "format is preference, the file's is prompt", "one"),
    (None, '{"question": 1, "answer": 2}', "{", "no known record", 'Rename "question" to "prompt"'),
    (None, '{"a": 1}', "{", 'it has "a"', "Choose from prompt-completion"),
    (None, "7", "7", "an object, not a number", "one object a line"),
]


@pytest.mark.parametrize(("name", "line", "at", "reason", "fix"), BAD)
def test_bad_records_are_named(name, line, at, reason, fix):
    form = formats.named(name) if isinstance(name, str) else name
    with pytest.raises(strict_json.MisreadError) as caught:
        formats.read(line, form)
    assert caught.value.offset == line.index(at)
    assert reason in caught.value.what
    assert fix in caught.value.fix


def test_a_record_longer_than_its_format_allows():
    line = json.dumps({"source": "a", **{f"k{i}": "b" * 19_000 for i in range(6)}})
    with pytest.raises(strict_json.MisreadError, match="more than 100,000"):
        formats.read(line)


def test_a_format_of_another_name():
    with pytest.raises(DataError, match="no format called") as caught:
        formats.named("bedrock-conversion")
    assert caught.value.fix == "Did you mean bedrock-conversation?"
    with pytest.raises(DataError) as caught:
        formats.named("parquet")
    assert "bedrock-rft" in caught.value.fix


# --- what would be lost ---------------------------------------------------------------------

two_blocks = copy.deepcopy(GOOD["bedrock-conversation"][0])
two_blocks["messages"][0]["content"].append({"text": "there"})
LOST = [  # a record, its format, another, the reason
    (GOOD["messages"][0], "messages", "prompt-completion", "all but two of them would be lost"),
    (GOOD["messages"][0], "messages", "jumpstart-instruction", "all but two"),
    (GOOD["messages"][1], "messages", "jumpstart-instruction", "no system message"),
    (GOOD["messages"][0], "messages", "text", "Who says what would be lost"),
    (GOOD["messages"][0], "messages", "preference", "a better and a worse one"),
    (GOOD["messages"][0], "messages", "ground-truth", "Who says what"),
    (two_blocks, "bedrock-conversation", "messages", "2 blocks of text"),
    (GOOD["bedrock-rft"][1], "bedrock-rft", "messages", 'key "id", for the grader'),
    (rft(reference_answer=4), "bedrock-rft", "messages", "its structure would be lost"),
    (GOOD["bedrock-distillation"][0], "bedrock-distillation", "messages", "not the assistant's"),
    (GOOD["bedrock-distillation"][0], "bedrock-distillation", "bedrock-rft", "no answer here"),
    (GOOD["bedrock-distillation"][0], "bedrock-distillation", "prompt-completion", "no answer"),
    (GOOD["bedrock-distillation"][0], "bedrock-distillation", "bedrock-conversation",
     "not the assistant's"),
    (GOOD["preference"][0], "preference", "prompt-completion", "rejected would be lost"),
    (GOOD["preference"][0], "preference", "text", "rejected would be lost"),
    (GOOD["text"][0], "text", "messages", "no question with its answer"),
    (GOOD["text"][0], "text", "preference", "a better and a worse"),
    (GOOD["ground-truth"][1], "ground-truth", "text", "not here but in S3"),
    (GOOD["ground-truth"][2], "ground-truth", "text", '"mood" would be lost'),
    ({"text": "a" * 20_001}, "text", "ground-truth", "20,001 characters"),
    ({"text": "\x01" * 19_000}, "text", "ground-truth", "more than 100,000"),
    (GOOD["jumpstart-instruction"][1], "jumpstart-instruction", "messages", '"category" would be'),
    ({"instruction": "a", "context": "", "response": "b"}, AWS, "messages", "text around fields"),
    (GOOD["jumpstart-text"][1], "jumpstart-text", "text", '"year" would be lost'),
]


@pytest.mark.parametrize(("record", "source", "target", "reason"), LOST)
def test_what_would_be_lost_is_said(record, source, target, reason):
    record = json.loads(record, parse_int=float) if isinstance(record, str) else record
    with pytest.raises(DataError) as caught:
        data.convert_record(record, source if source is AWS else formats.named(source),
                            formats.named(target))
    assert reason in caught.value.what
    assert caught.value.fix


# --- properties -----------------------------------------------------------------------------

def of_kind(kind: str) -> list[str]:
    return [name for name, form in formats.FORMATS.items() if form.kind == kind]


def attempt(call, *arguments) -> tuple[object, DataError | None]:
    """A result or the error instead."""
    try:
        return call(*arguments), None
    except DataError as error:
        return None, error


@given(dialogues(), st.sampled_from(of_kind("conversation")),
       st.sampled_from(of_kind("conversation")))
def test_a_conversation_goes_there_and_back(messages, source, target):
    turns = len([m for m in messages if m["role"] != "system"])
    for name in (source, target):
        new, error = attempt(data.convert_record, {"messages": messages}, formats.CHAT,
                             formats.named(name))
        fits = name not in ("prompt-completion", "jumpstart-instruction") or (
            turns == 2 and (name != "jumpstart-instruction" or turns == len(messages)))
        assert fits == (new is not None)
        assert fits or "would be lost" in error.what
        if not fits:
            return
    source, target = formats.named(source), formats.named(target)
    record = data.convert_record({"messages": messages}, formats.CHAT, source)
    assert data.convert_record(record, source, target) == new
    assert formats.check(new, target)[0][1] == messages
    assert data.convert_record(new, target, source) == record


@given(texts, st.sampled_from(of_kind("text")), st.sampled_from(of_kind("text")))
def test_a_text_goes_there_and_back(text, source, target):
    source, target = formats.named(source), formats.named(target)
    record = source.record([{"role": "text", "content": text}])
    new = data.convert_record(record, source, target)
    assert text in new.values()
    assert data.convert_record(new, target, source) == record


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters()) |
    st.sampled_from(["user", "assistant", "system", SCHEMA, "groundtruth/text-classification"]),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(
        st.text(st.characters(), max_size=3) | st.sampled_from(
            ["role", "content", "text", "type", "messages", "reference_answer", "x-metadata"]),
        v, max_size=4), max_leaves=8)


@st.composite
def spoilt(draw) -> object:
    """A good record with a value changed, added or removed somewhere."""
    name = draw(st.sampled_from(sorted(GOOD)))
    record = copy.deepcopy(draw(st.sampled_from(GOOD[name])))
    for _ in range(draw(st.integers(0, 2))):
        inside = record
        while True:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(inside[key], dict | list) and draw(st.booleans()):
                inside = inside[key]
                continue
            change = draw(st.sampled_from(["replace", "remove", "add"]))
            if change == "replace":
                inside[key] = draw(values)
            elif change == "remove":
                del inside[key]
            elif isinstance(inside, dict):
                inside[draw(st.text(st.characters(), max_size=4))] = draw(values)
            else:
                inside.append(draw(values))
            break
    return record


@settings(max_examples=400)
@given(spoilt() | values, st.sampled_from([None, *sorted(GOOD)]))
def test_no_value_makes_a_validator_crash(value, name):
    line = json.dumps(value)
    read, error = attempt(formats.read, line, name and formats.named(name))
    if error:
        assert 0 <= error.offset <= len(line)
        assert error.fix
        assert str(error).encode()  # no half characters
        return
    (record, parts), form = read
    assert all(isinstance(part["content"], str) for part in parts)
    for target in formats.FORMATS.values():
        new, error = attempt(data.convert_record, record, form, target)
        assert error.fix if error else target.parts(new) == parts


@given(st.text(st.characters()) | st.text('{}[]",:\\ntru0u'))
def test_no_text_makes_a_validator_crash(text):
    with pytest.raises(strict_json.MisreadError) as caught:
        formats.read(text)
    assert 0 <= caught.value.offset <= len(text)


def test_deep_nesting_is_a_fault_or_read():
    for depth in (100, 900, 990, 100_000):
        deep = "[" * depth + "1" + "]" * depth
        line = f'{{"messages": [{json.dumps(USER)}], "reference_answer": "a", "x": {deep}}}'
        read, error = attempt(formats.read, line)
        assert "nested too deeply" in error.what if error else read[1].name == "bedrock-rft"


def test_a_fault_of_a_record_is_an_error_of_data():
    with pytest.raises(RecordError) as caught:
        formats.check({"prompt": "a", "chosen": "b", "rejected": "b"})
    assert caught.value.where == "rejected"
