"""Records: a few fields with their values, to be looked up either way.

Made from real texts, as a catalogue would list them: what a sentence is from, how it begins and how
many words it has. Unanswerable questions are asked too, with the words to refuse in: a model
that always answers, or never, gets half of them.
"""

from __future__ import annotations

import json
import random

from fmcourse.data.tasks.family import Family, Item, one_of
from fmcourse.data.tasks.material import ORIGINS, Material, Text

_KIND = "records"
_TITLES = {"encyclopaedia": "article", "scripture": "book", "manual": "service"}
_ABSENT = ("author", "price", "colour", "country", "language", "publisher", "weight", "date")
_REFUSALS = ("unknown", "not given", "the record does not say")
_LONGEST = 30  # characters of a title


def _fields(text: Text) -> dict[str, str]:
    """What a catalogue would say of a sentence."""
    words = text.text.removesuffix(".").split()
    title = text.document.partition(": ")[2] or text.document
    return {_TITLES[ORIGINS[text.source]]: title, "start": words[0].rstrip(","),
            "end": words[-1], "words": str(len(words))}


def record(rng: random.Random, material: Material) -> tuple[dict[str, str], str, Text]:
    """The fields of a sentence in random order, how they are written, and the sentence.

    The values are all different, short and plain.
    """
    while True:
        text = material.sentence(rng)
        fields = _fields(text)
        values = [value.casefold() for value in fields.values()]
        title = next(iter(fields.values()))
        plain = title.isascii() and fields["start"].isalpha() and fields["end"].isalpha()
        if len(set(values)) == len(values) and len(title) <= _LONGEST and plain:
            break
    fields = dict(rng.sample(list(fields.items()), len(fields)))
    lines = [f"{key}: {value}" for key, value in fields.items()]
    return fields, rng.choice(("\n", "; ")).join(lines), text


def _value(rng: random.Random, material: Material) -> Item:
    fields, written, text = record(rng, material)
    key = rng.choice(list(fields))
    return Item({"input": written, "key": key}, fields[key], one_of(fields[key]), text.document,
                text.source)


def _key(rng: random.Random, material: Material) -> Item:
    fields, written, text = record(rng, material)
    key = rng.choice(list(fields))
    return Item({"input": written, "value": fields[key]}, key, one_of(key), text.document,
                text.source)


def _or_refuse(rng: random.Random, material: Material) -> Item:
    fields, written, text = record(rng, material)
    refusal = rng.choice(_REFUSALS)
    key = rng.choice(rng.choice((list(fields), _ABSENT)))
    wanted = fields.get(key, refusal)
    return Item({"input": written, "key": key, "refusal": refusal}, wanted, one_of(wanted),
                text.document, text.source)


def _json(rng: random.Random, material: Material) -> Item:
    fields, written, text = record(rng, material)
    key = rng.choice(list(fields))
    wanted = {key: fields[key]}
    return Item({"input": written, "key": key}, json.dumps(wanted), {"expected": wanted},
                text.document, text.source)


RECORDS = (
    Family("value_of_key", _KIND, _value, phrasings=(
        "What is the value of \"{key}\" in this record?\n\n{input}",
        "{input}\n\nWhat does the record say under \"{key}\"?",
        "Look up \"{key}\" and write down its value.\n\n{input}",
        "Record:\n{input}\n\nGive the value of {key} and nothing else.",
        "Find {key} in this record: {input}",
        "{input}\n\nWhat stands after \"{key}\"?",
    )),
    Family("key_of_value", _KIND, _key, chance=0.3, held_out=True, phrasings=(
        "Which field has the value \"{value}\" in this record?\n\n{input}",
        "{input}\n\nUnder which name does the record say \"{value}\"?",
        "Look up \"{value}\" and write down the name of its field.\n\n{input}",
        "Record:\n{input}\n\nGive the name of the field that is {value} and nothing else.",
        "Find the field with \"{value}\" in this record and name it: {input}",
        "{input}\n\nWhich name stands before \"{value}\"?",
    )),
    Family("value_or_refusal", _KIND, _or_refuse, chance=0.5, phrasings=(
        "What is the value of \"{key}\" here? If it isn't there, say \"{refusal}\".\n\n{input}",
        "{input}\n\nWhat does the record say under \"{key}\"? If nothing, say \"{refusal}\".",
        "Look up \"{key}\". Reply with its value, or \"{refusal}\" if it is missing.\n\n{input}",
        "Record:\n{input}\n\nGive the value of {key}, or \"{refusal}\" if there is none.",
        "Find {key} in this record, and where there is no such field say \"{refusal}\": {input}",
        "{input}\n\nWhat is its {key}? Say \"{refusal}\" when you can't know.",
    )),
    Family("json_value", _KIND, _json, checker="json_object", phrasings=(
        "Write \"{key}\" and its value in this record as a JSON object.\n\n{input}",
        "{input}\n\nGive {key} as JSON, with the key \"{key}\".",
        "Make a JSON object with one key, \"{key}\", and its value from the record.\n\n{input}",
        "Record:\n{input}\n\nReply in JSON with {key} only.",
        "Find {key} in this record and reply in JSON: {input}",
        "{input}\n\nOnly the {key}, as a JSON object, please.",
    )),
)
