"""Instruction checks: strict, satisfiable, and worth nothing to an echo or an empty reply."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate import checkers
from fmcourse.evaluate.instructions import (
    follows,
    instruction_prompts,
    instruction_rate,
    instructions,
)


@dataclass
class Puppet:
    """A 'model' whose reply is a function of the instruction."""

    speak: object
    name: str = "puppet"
    tokenizer: object = None
    asked: list[dict] = field(default_factory=list)

    def generate(self, prompts, tokens, temperature, seed):
        self.asked.append({"tokens": tokens, "temperature": temperature, "prompts": prompts})
        return [self.speak(prompt) for prompt in prompts]


class Template:
    """A tokenizer with a chat template, as far as prompts need one."""

    chat_template = "…"

    def apply_chat_template(self, messages, tokenize, add_generation_prompt):
        assert not tokenize
        assert add_generation_prompt
        return f"<user>{messages[0]['content']}</user><assistant>"


@pytest.fixture(scope="module")
def items():
    return instructions()


def _said(prompt: str) -> str:
    return prompt.removeprefix("Instruction: ").removesuffix("\nResponse:")


def _obey(item: dict) -> str:
    """A reply that a willing reader would give."""
    wanted, own = json.loads(item["parameters"]), "patience brings many good things"
    category = wanted.get("category")
    three = checkers._MEMBERS[category].split()[:3] if category else []
    marks = {"commas": ", ".join(three), "bullets": "\n".join(f"- {it}" for it in three),
             "numbers": "\n".join(f"{n}. {it}" for n, it in enumerate(three, 1))}
    words = " and the ".join(wanted.get("include") or wanted.get("about", [])[:1])
    return {
        "answer": lambda: wanted["accepted"][0].capitalize() + ".",
        "text": lambda: wanted["text"],
        "json_object": lambda: json.dumps(wanted["expected"]),
        "begins": lambda: f"{wanted['opening']}, {own}.",
        "ends": lambda: f"In the end {own}, {wanted['ending']}.",
        "items": lambda: marks[wanted["marks"]],
        "number": lambda: str(wanted["above"] + 1),
        "states": lambda: f"I think that it is {wanted['accepted'][0]}.",
        "sentence": lambda: f"Everybody here remembers the {words}.",
    }[item["checker"]]()


def test_there_are_enough_kinds_and_items(items):
    counts = Counter(items["kind"])
    assert len(items) >= 60
    assert len(counts) >= 8
    assert set(counts.values()) == {6}
    assert len(set(items["instruction"])) == len(items)
    assert set(items["checker"]) == set(checkers.CHECKERS)
    assert instructions().to_list() == items.to_list()


def test_answers_are_balanced(items):
    told = Counter(json.loads(row["parameters"])["accepted"][0] for row in items
                   if row["kind"] == "yes_no")
    assert told == {"yes": 3, "no": 3}


def test_every_instruction_can_be_obeyed(items):
    for item in items:
        assert follows(item, _obey(item)), item
    table = instruction_rate(Puppet({f"Instruction: {item['instruction']}\nResponse:": _obey(item)
                                     for item in items}.__getitem__))
    assert table["rate"].eq(1).all()


ECHOES = {
    "the prompt": lambda prompt: prompt,
    "the prompt in capitals": str.upper,
    "the instruction": _said,
    "the instruction, twice": lambda prompt: f"{_said(prompt)}\n{_said(prompt)}",
    "the prompt, going on": lambda prompt: f" {_said(prompt)}\n\n{prompt} {_said(prompt)}",
    "nothing": lambda prompt: "",
    "white space": lambda prompt: " \n ",
    "one word again and again": lambda prompt: "the " * 48,
    "the last word": lambda prompt: _said(prompt).split()[-1],
    "a sentence on and on": lambda prompt: "It is a good thing. " * 8,
    "punctuation": lambda prompt: '"."',
}


@pytest.mark.parametrize("name", ECHOES)
def test_echoes_and_empty_replies_earn_nothing(items, name):
    table = instruction_rate(Puppet(ECHOES[name]), items).set_index("kind")
    assert table.loc["all", "rate"] == 0, table[table["rate"] > 0]


CONSTANT = ("Yes.", "No.", "the", "7", "55", "{}", "red, green, blue", "1. head\n2. arm\n3. leg",
            "The king was a good man and the people loved him.", "I am a language model.",
            "The sea was calm that night and the moon gave us light.")


@pytest.mark.parametrize("reply", CONSTANT)
def test_no_constant_reply_earns_much(items, reply):
    table = instruction_rate(Puppet(lambda prompt: reply), items).set_index("kind")
    assert table.loc["all", "rate"] < 0.05


def test_answering_and_then_running_on_is_not_following(items):
    for item in items:
        if item["checker"] != "begins":  # a beginning is kept, whatever follows
            assert not follows(item, f"{_obey(item)}\n\nInstruction: Say more.\nResponse: More.")


ACCEPTED = [
    ("answer", {"accepted": ["dog", "dogs"]}, ["dog", "Dogs.", ' "Dog" ', "DOG!"]),
    ("text", {"text": "The door is red."},
     ["The door is red.", " The door is red", '"The door is red."', "“The door is red”"]),
    ("json_object", {"expected": {"name": "Mary", "age": 30}},
     ['{"name": "Mary", "age": 30}', '```json\n{"age": "30", "name": "mary"}\n```',
      ' {"name":"MARY","age":30} ']),
    ("begins", {"opening": "Long ago"},
     ["Long ago a ship sailed east.", "Long ago, there was a ship that sank",
      '"Long ago the sea was calm and wide."']),
    ("ends", {"ending": "thank you"},
     ["I love the ring you sent, thank you.", "You gave me bread; thank you!",
      "It was a kind gift. Thank you"]),
    ("items", {"marks": "commas", "category": "animal"},
     ["dog, cat, horse", "Dogs, cats, and wolves.", "lion, ox, mouse"]),
    ("items", {"marks": "bullets", "category": "fruit"},
     ["- apple\n- pear\n- fig", "* Apples\n* Cherries\n* Peaches.", "\n- Lime \n- Plum\n- Kiwi\n"]),
    ("items", {"marks": "numbers", "category": "body"},
     ["1. Head\n2. Feet\n3. Hands", "1. eye\n2. ear\n3. nose", " 1. Arm\n2. Leg\n3. Toe "]),
    ("number", {"above": 10, "below": 20}, ["11", " 15.", "19", '"12"']),
    ("states", {"accepted": ["seven", "7"]},
     ["Seven", "There are 7 days in a week.", "A week has seven days.", "7."]),
    ("sentence", {"about": ["moon"]},
     ["The moon shines on the sea.", "I love to watch the moon!",
      '"How far away is the moon tonight?"']),
    ("sentence", {"include": ["bread", "king"]},
     ["The king gave his people bread.", "The king's bread was brought to us.",
      "No king can live without bread!"]),
]

REJECTED = [
    ("answer", {"accepted": ["dog", "dogs"]},
     ["", "A dog barks.", "dog dog", "cat", "Answer: dog", "dog or cat", "dog\n\nInstruction:"]),
    ("text", {"text": "The door is red."},
     ["", "The door is red. The door is red.", "the door is red.", "THE DOOR IS RED.",
      "The door is red. I hope that helps", "Repeat: The door is red.", "The door is"]),
    ("json_object", {"expected": {"name": "Mary", "age": 30}},
     ["", "{}", '{"name": "Mary"}', '{"name": "Mary", "age": 30, "city": "Rome"}', "Mary, 30",
      '{"name": "Mary", "age": 30} I hope that helps.', "{'name': 'Mary', 'age': 30}",
      '[["name", "Mary"], ["age", 30]]', '{"name": "Mary", "age": 30, "age": 30}',
      '{"name": ["Mary"], "age": 30}', "[" * 5000]),
    ("begins", {"opening": "Long ago"},
     ["", "Long ago", "Long ago a ship", "A ship sailed long ago to the east.",
      "Long ago long ago long ago long ago long ago", "Once, long ago, a ship sailed east."]),
    ("ends", {"ending": "thank you"},
     ["", "Thank you.", "I thank you for the ring that you sent.", "Thank you for the ring.",
      "thank you thank you thank you thank you thank you", "A gift: thank you"]),
    ("items", {"marks": "commas", "category": "animal"},
     ["", "dog, cat", "dog, cat, horse, cow", "dog, dog, dog", "dog, dogs, cat", "red, green, blue",
      "dog cat horse", "Here are three: dog, cat, horse", "dog, cat, horse, and so on"]),
    ("items", {"marks": "bullets", "category": "fruit"},
     ["", "- apple\n- pear", "apple, pear, fig", "- apple\n- apple\n- apple", "- a\n- b\n- c",
      "Fruits:\n- apple\n- pear\n- fig", "1. apple\n2. pear\n3. fig"]),
    ("items", {"marks": "numbers", "category": "body"},
     ["", "1. Head\n2. Feet", "1. Head\n1. Feet\n1. Hands", "head, feet, hands",
      "1. Head\n2. Feet\n3. Hands\n4. Eyes"]),
    ("number", {"above": 10, "below": 20},
     ["", "10", "20", "10 20", "fifteen", "15 16", "It is 15", "-15", "15.5", "1e1", "１５"]),
    ("states", {"accepted": ["seven", "7"]},
     ["", "There are six days.", "seven seven seven seven seven seven.", "A week has seven days",
      "It has seven days. It has seven nights.", "How many days are there in a week?"]),
    ("sentence", {"about": ["moon"]},
     ["", "The moon.", "The sun shines on the sea.", "The moon shines on the sea",
      "The moon is up. The sea is calm.", "moon moon moon moon moon moon.",
      "Write exactly one sentence about the moon.", "The moon\nshines on the sea."]),
    ("sentence", {"include": ["bread", "king"]},
     ["", "The king gave his people wine.", "Bread and king.",
      "Bread and king and bread and king and bread and king.", "The kings ate breads at night."]),
]


@pytest.mark.parametrize(("name", "parameters", "replies"), ACCEPTED)
def test_checkers_accept(name, parameters, replies):
    assert len(replies) >= 3
    for reply in replies:
        assert checkers.check(name, reply, _instruction(parameters), parameters), reply


@pytest.mark.parametrize(("name", "parameters", "replies"), REJECTED)
def test_checkers_reject(name, parameters, replies):
    assert len(replies) >= 3
    for reply in replies:
        assert not checkers.check(name, reply, _instruction(parameters), parameters), reply


def _instruction(parameters: dict) -> str:
    return "Write exactly one sentence about the moon." if "about" in parameters else "Do so."


def test_checker_tables_cover_every_checker():
    assert {name for name, *_ in ACCEPTED} == {name for name, *_ in REJECTED}
    assert {name for name, *_ in ACCEPTED} == set(checkers.CHECKERS)
    with pytest.raises(DataError, match="magic"):
        checkers.check("magic", "", "", {})


def test_styles_choose_the_prompt(items):
    plain = Puppet(str, tokenizer=object())
    chat = Puppet(str, tokenizer=Template())
    first = items.select([0])
    said = first[0]["instruction"]
    for model, style in ((plain, "auto"), (plain, "plain"), (chat, "plain")):
        assert instruction_prompts(model, first, style) == [f"Instruction: {said}\nResponse:"]
    for style in ("auto", "chat"):
        assert instruction_prompts(chat, first, style) == [f"<user>{said}</user><assistant>"]
    with pytest.raises(ModelError, match="template"):
        instruction_prompts(plain, first, "chat")
    with pytest.raises(DataError, match="poem"):
        instruction_prompts(plain, first, "poem")
    with pytest.raises(DataError, match="kind"):
        instruction_prompts(plain, first.remove_columns("kind"), "plain")


def test_replies_are_greedy_and_can_be_read(items):
    model = Puppet(lambda prompt: "Yes.")
    table, replies = instruction_rate(model, items, max_tokens=9, details=True)
    assert {(asked["tokens"], asked["temperature"]) for asked in model.asked} == {(9, 0)}
    assert sum(len(asked["prompts"]) for asked in model.asked) == len(items) == len(replies)
    assert list(table) == ["kind", "n", "rate", "low", "high"]
    assert list(replies) == ["kind", "instruction", "reply", "followed"]
    assert table.set_index("kind").loc["yes_no", "rate"] == 0.5
    assert replies["followed"].sum() == 3


def test_an_untrained_model_follows_nothing(causal):
    table = instruction_rate(causal, instructions(13), max_tokens=12)
    assert table["n"].to_list() == [1] * 13 + [13]
    assert table["rate"].iloc[-1] == 0
    with pytest.raises(DataError, match="at least 13"):
        instructions(5)
