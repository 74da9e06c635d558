"""Constraints: fair to every right form, deaf to near misses, worth nothing to empty talk."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.data.constrained import FORMS
from fmcourse.errors import DataError
from fmcourse.evaluate.constraint_checks import (
    CONSTRAINTS,
    constraint,
    sentence_count,
    word_count,
    words,
)
from fmcourse.evaluate.constraints import (
    constraint_items,
    constraint_rate,
    follows_loosely,
    variants,
)
from fmcourse.evaluate.instructions import PLAIN, follows, instruction_rate

WORDS = st.lists(st.from_regex(r"[A-Za-z]{1,8}(-[a-z]{1,3})?", fullmatch=True), max_size=12)


class Puppet:
    """A 'model' that has a reply to each item."""

    name = "puppet"
    tokenizer = None

    def __init__(self, items, replies):
        self.replies = {PLAIN.format(instruction=said): reply
                        for said, reply in zip(items["instruction"], replies, strict=True)}

    def generate(self, prompts, tokens, temperature, seed):
        assert temperature == 0
        return [self.replies[prompt] for prompt in prompts]


@pytest.fixture(scope="module")
def items():
    return constraint_items()


def _text(item: dict) -> str:
    return json.loads(item["parameters"])["text"]


# What a willing writer makes of a reply so far and of telling words, to meet one more constraint.
BUILD = {
    "max_words": lambda reply, own: reply,
    "min_words": lambda reply, own, least: " ".join([reply, *(f"no{n}" for n in range(least))]),
    "exact_words": lambda reply, own, count: " ".join(own[:count]),
    "sentences": lambda reply, own, count: " ".join(f"Here is {word}." for word in own[:count]),
    "lower_case": lambda reply, own: reply.lower(),
    "capitals": lambda reply, own: reply.upper(),
    "no_commas": lambda reply, own: reply.replace(",", ""),
    "include_word": lambda reply, own, word, times: f"{reply} {' and '.join([word] * times)}",
    "begin_word": lambda reply, own, word: f"{word}, {reply}",
    "end_phrase": lambda reply, own, phrase: f"{reply}, {phrase}.",
    "in_quotes": lambda reply, own: f'"{reply}"',
    "in_brackets": lambda reply, own: f"[{reply}]",
    "json_key": lambda reply, own, key: json.dumps({key: reply}),
    "bullets": lambda reply, own, count: "\n".join(f"- the {word}" for word in own[:count]),
    "numbered": lambda reply, own, count: "\n".join(
        f"{n}. the {word}" for n, word in enumerate(own[:count], 1)),
    "commas": lambda reply, own, count: ", ".join(own[:count]),
    "title": lambda reply, own: f"<<{own[0]}>>\n{reply}",
    "postscript": lambda reply, own: f"{reply}.\n\nP.S. I liked it.",
    "repeat_request": lambda reply, own, request: f"{request} {reply}",
}


def _obey(item: dict) -> str:
    wanted = json.loads(item["parameters"])
    own = [word for word in dict.fromkeys(words(wanted["text"]))
           if word.startswith(tuple(wanted["about"]))]
    reply = f"There was {own[0]} with {own[1]}"
    for name, parameters in wanted["checks"].items():
        if name == "max_words":
            assert word_count(reply) <= parameters["most"]
        elif name not in ("one_line", "without_word"):
            reply = BUILD[name](reply, own, **parameters)
    return reply


def test_there_are_enough_kinds_items_and_texts(items):
    counts = Counter(items["kind"])
    assert set(counts) == {*CONSTRAINTS, "two"}
    assert len(counts) >= 16
    assert min(counts.values()) >= 6
    assert len(set(items["instruction"])) == len(items)
    assert len({_text(item).replace("\n", " ") for item in items}) == 24
    assert constraint_items(seed=3).to_list() == items.to_list()


def test_every_item_can_be_obeyed_and_not_by_chance(items):
    replies = [_obey(item) for item in items]
    for item, reply in zip(items, replies, strict=True):
        assert follows(item, reply), (item["instruction"], reply)
    assert constraint_rate(Puppet(items, replies), items)["strict"].eq(1).all()
    others = [*replies[60:], *replies[:60]]  # answers to other requests, some about the same text
    assert constraint_rate(Puppet(items, others), items)["strict"].iloc[-1] < 0.02


def test_instructions_show_text_and_parameters(items):
    for item in items:
        wanted = json.loads(item["parameters"])
        assert wanted["text"] in item["instruction"]
        assert 20 <= word_count(wanted["text"]) <= 32
        assert "," in wanted["text"]
        assert len(wanted["about"]) >= 5
        for parameters in wanted["checks"].values():
            told = [str(value) for value in parameters.values() if value != 1]  # once goes unsaid
            assert all(value in item["instruction"] for value in told), item["instruction"]


def test_a_form_is_trained_if_all_its_checks_are_taught(items):
    assert set(FORMS) < set(CONSTRAINTS)
    for item in items:
        checks = set(json.loads(item["parameters"])["checks"])
        assert item["trained"] == (checks <= set(FORMS))
        if item["kind"] != "two":
            assert checks == {item["kind"]}
    untrained = {item["kind"] for item in items if not item["trained"]}
    assert {"in_brackets", "numbered", "without_word", "min_words", "capitals"} <= untrained


DEGENERATE = {
    "nothing": lambda item: "",
    "white space": lambda item: " \n ",
    "echo": lambda item: item["instruction"],
    "echo on one line": lambda item: item["instruction"].replace("\n", " "),
    "echo twice": lambda item: f"{item['instruction']}\n{item['instruction']}",
    "prompt": lambda item: f"Instruction: {item['instruction']}\nResponse:",
    "request": lambda item: item["instruction"].replace(_text(item), "").strip(),
    "text": _text,
    "one word": lambda item: "the " * 3,
    "one word on and on": lambda item: "the " * 64,
    "a telling word": lambda item: f"{json.loads(item['parameters'])['about'][0]} " * 5,
    "the text's first word": lambda item: _text(item).split()[0],
    "punctuation": lambda item: '"." - !? [;] << >> 1. P.S. {}',
    "a blank object": lambda item: "{}",
    "a sentence": lambda item: "The king was a good man.",
    "a small remark": lambda item: "i am a language model",
    "a phrase": lambda item: "this is what it was about when they came",
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_replies_earn_nothing(items, name):
    replies = [DEGENERATE[name](item) for item in items]
    table = constraint_rate(Puppet(items, replies), items).set_index("kind")
    assert table.loc["all", "strict"] == 0, table[table["strict"] > 0]
    assert table.loc["all", "loose"] <= 0.02, table[table["loose"] > 0]


def test_it_is_substance_that_stops_them(items):
    assert CONSTRAINTS["no_commas"]("")
    assert CONSTRAINTS["lower_case"]("the the the")
    assert CONSTRAINTS["max_words"]("The king was a good man.", 12)
    told = {"instruction": "Say in small letters what happens here.", "checks": {"lower_case": {}},
            "text": "", "about": ["bus"]}
    assert constraint("a late bus", **told)
    for reply in ("bus", "a bus", "a late train", "a bus and a bus and a bus and a bus and a bus",
                  "say in small letters what happens here. a bus", ""):
        assert not constraint(reply, **told), reply


REPLIES = [
    ("max_words", {"most": 4}, ["It rained all day.", "Well-known men sang songs", "A - b c d"],
     ["It rained all day long.", "one two three four five"]),
    ("min_words", {"least": 4}, ["It rained all day.", "It rained all day long"],
     ["It rained - today.", "A well-known man"]),
    ("exact_words", {"count": 3}, ["A wet day.", '"A wet day"', "One well-known man"],
     ["A day", "A very wet day", "A . day"]),
    ("sentences", {"count": 2}, ["It rained. We left!", '"Did it rain? It did."', "3.5 cm. Yes."],
     ["It rained.", "It rained. We left", "It rained. We left. Why?", "It rained, we left."]),
    ("lower_case", {}, ["it rained, twice.", "3 days"], ["It rained", "it rained on Anna", "3, 4"]),
    ("capitals", {}, ["IT RAINED.", "3 DAYS"], ["IT RAINeD", "It rained", "12"]),
    ("no_commas", {}, ["It rained; we left."], ["It rained, we left.", ","]),
    ("include_word", {"word": "wet", "times": 2}, ["Wet grass, wet sand.", "WET wet \"wet\""],
     ["Wet grass", "Wetter grass is wet", "wets and wet"]),
    ("without_word", {"word": "her"}, ["There she is", "The hermit left"],
     ["He saw her.", "Her hat", '"her"']),
    ("begin_word", {"word": "Well"}, ["Well, it rained", '"well it did"', "**Well** it did"],
     ["It rained, well", "Wells are wet", "So well"]),
    ("end_phrase", {"phrase": "what a pity"}, ["It rained. What a pity!", '"Rain, what a pity."'],
     ["What a pity, it rained", "What a pit", "what a pity it is", "what a pity P.S. yes"]),
    ("in_quotes", {}, ['"It rained."', ' "It rained" \n', "“It rained”"],
     ['"It rained', "It \"rained\"", "'It rained'", '"', '""', '"Rain" and "sun"', '"Rain".']),
    ("in_brackets", {}, ["[It rained.]", " [rain] "],
     ["[It rained", "It [rained]", "(It rained)", "[]", "[rain] [sun]", "[rain]."]),
    ("json_key", {"key": "topic"}, ['{"topic": "rain"}', '```json\n{"topic": ["rain"]}\n```',
                                    '{"a": 1,\n "topic": "rain"}'],
     ["", "{}", '{"Topic": "rain"}', "{'topic': 'rain'}", '{"topic": ""}', '{"topic": "rain"} Yes.',
      '["topic"]', '{"topic": "rain"', "[" * 100_000]),
    ("bullets", {"count": 2}, ["- rain\n- sun", "* rain\n\n* sun", "• rain\n-sun"],
     ["- rain", "- rain\n- sun\n- snow", "- rain\n- rain", "Here:\n- rain\n- sun", "- rain, sun",
      "1. rain\n2. sun", "- rain\n-", "- rain\n- !"]),
    ("numbered", {"count": 2}, ["1. rain\n2. sun", "1) rain\n\n2) sun", "1.rain\n2.sun"],
     ["1. rain", "1. rain\n1. sun", "2. rain\n3. sun", "1. rain\n2. rain", "- rain\n- sun",
      "1. rain\n2. sun\nDone.", "1. rain 2. sun"]),
    ("commas", {"count": 3}, ["rain, sun, snow", "rain,sun, and snow.", "wet rain, sun, ice"],
     ["rain, sun", "rain sun snow", "rain, sun, rain", "rain, sun,", "rain,\nsun, snow",
      "Here are some of the three: rain, sun, snow", "rain, sun, snow, ice"]),
    ("one_line", {}, ["It rained. We left.", "\nrain\n"], ["It rained.\nWe left.", "a\n\nb", ""]),
    ("title", {}, ["<<Rain>>", "<<A wet day>>\nIt rained.", "It rained. <<Rain>>"],
     ["<Rain>", "<<Rain", "<< >>", "<<Rain\n>>", "((Rain))", ">>Rain<<"]),
    ("postscript", {}, ["Rain.\n\nP.S. More rain.", "Rain. P.S. It was wet", "Rain.\np. s. wet"],
     ["P.S. Rain.", "Rain.\nP.S.", "Rain.\nPS more", "Rain.\nP.S. Wet.\nBye.", ""]),
    ("repeat_request", {"request": "Why did it rain?"},
     ["Why did it rain? It was May.", "why did it rain - clouds"],
     ["Why did it rain?", "It was May. Why did it rain?", "Why did it snow? It was May.",
      "Question: Why did it rain? May"]),
]


@pytest.mark.parametrize(("name", "parameters", "right", "wrong"), REPLIES,
                         ids=[row[0] for row in REPLIES])
def test_checks_are_fair_and_strict(name, parameters, right, wrong):
    for reply in right:
        assert CONSTRAINTS[name](reply, **parameters), reply
    for reply in wrong:
        assert not CONSTRAINTS[name](reply, **parameters), reply


def test_every_check_has_replies():
    assert [row[0] for row in REPLIES] == list(CONSTRAINTS)


@pytest.mark.parametrize(("kind", "dress"), [
    ("in_quotes", "Sure, here it is:\n{}"), ("bullets", "Of course:\n{}\nI hope that helps."),
    ("capitals", "{}\nI hope that helps."), ("json_key", "**{}**"),
    ("in_brackets", "**{}**\nDone."), ("numbered", "Sure!\n{}"),
    ("lower_case", "*{}*\nI hope that helps."),
])
def test_loose_forgives_the_frame_and_strict_does_not(items, kind, dress):
    for item in items.filter(lambda item: item["kind"] == kind):
        reply = dress.format(_obey(item))
        assert not follows(item, reply), reply
        assert follows_loosely(item, reply), reply
        assert not follows_loosely(item, f"Sure!\nHere it is.\n{reply}\nWell.\nDone."), reply


@given(st.text(alphabet="ab *\n.", max_size=30))
def test_variants_are_the_eight_of_ifeval(reply):
    forms = variants(reply)
    assert len(forms) == 8
    assert forms[0] == reply.strip()
    assert set(forms) == {form.strip() for form in forms}
    assert forms[7] == "\n".join(reply.strip().split("\n")[1:-1]).replace("*", "").strip()


@given(WORDS)
def test_words_are_counted_as_a_reader_counts(said):
    assert word_count(" ".join(said)) == word_count(" - ".join(said)) == len(said)
    assert word_count("\n".join(f'"{word}",' for word in said)) == len(said)
    assert len(words(" ".join(said))) == sum(word.count("-") + 1 for word in said)


@given(st.lists(st.tuples(WORDS.filter(bool), st.sampled_from([".", "!", "?!", '."', "..."]))))
def test_sentences_are_counted_by_their_ends(parts):
    text = " ".join(" ".join(said) + end for said, end in parts)
    assert sentence_count(text) == len(parts)
    assert CONSTRAINTS["sentences"](text, len(parts)) == bool(parts)


@given(st.integers(1, 9), st.integers(1, 9))
def test_lists_have_the_number_asked_for(written, asked):
    points = [f"thing {n}" for n in range(written)]
    bullets = "\n".join(f"- {point}" for point in points)
    numbers = "\n".join(f"{n}. {point}" for n, point in enumerate(points, 1))
    assert CONSTRAINTS["bullets"](bullets, asked) == (written == asked)
    assert CONSTRAINTS["numbered"](numbers, asked) == (written == asked)
    assert CONSTRAINTS["commas"](", ".join(points), asked) == (written == asked)


def test_rates_are_those_of_strict_and_loose(items):
    replies = [_obey(item) if place % 2 else f"Sure!\n{_obey(item)}"
               for place, item in enumerate(items)]
    table = constraint_rate(Puppet(items, replies), items)
    assert list(table) == ["kind", "n", "strict", "strict_low", "strict_high", "loose",
                           "loose_low", "loose_high"]
    assert table["kind"].iloc[-1] == "all"
    assert table["n"].iloc[-1] == len(items)
    again = instruction_rate(Puppet(items, replies), items)
    assert table["strict"].tolist() == again["rate"].tolist()
    assert table["loose"].eq(1).all()
    assert 0.5 <= table["strict"].iloc[-1] < 0.8
    assert (table["strict_low"] <= table["strict"]).all()
    assert (table["loose_low"] < table["loose_high"]).all()


def test_a_limit_draws_equally_many_of_each_kind(items):
    kinds = len(set(items["kind"]))
    few = constraint_items(2 * kinds + 1, seed=1)
    assert set(Counter(few["kind"]).values()) == {2}
    assert few.to_list() == constraint_items(2 * kinds, seed=1).to_list()
    assert few.to_list() != constraint_items(2 * kinds, seed=2).to_list()
    assert set(few["instruction"]) <= set(items["instruction"])
    for limit in (0, kinds - 1, -1):
        with pytest.raises(DataError, match="at least"):
            constraint_items(limit)


def test_an_untrained_model_keeps_to_nothing(causal):
    table = constraint_rate(causal, constraint_items(22), max_tokens=8)
    assert table["n"].iloc[-1] == 22
    assert table[["strict", "loose"]].iloc[-1].eq(0).all()
