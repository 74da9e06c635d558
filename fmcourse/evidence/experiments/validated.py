"""D5: records in the framework's format, what a check of them catches, and an honest split."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from datasets import Dataset, DatasetDict

from fmcourse import data, evaluate, models
from fmcourse.data import formats
from fmcourse.data.strict_json import MisreadError
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import LanguageModel

FAULTY, GOOD = "faulty records accepted", "good records accepted"
FLATTERY = "bits per byte by which validation flatters"
CHECKED, PARSED = "checked", "parsed as JSON"
BY_DOCUMENT, BY_RECORD = "split by document", "split by record"
Record = dict[str, Any]
CSV, FOLDER = "jumpstart-text", "jumpstart-instruction"  # a file and a folder, not JSON lines


def validated(seed: int, records: int = 40, characters: int = 2_000_000) -> Outcome:
    """Real records in every format of JSON lines, right ones and ones with a single fault.

    A check by the rules of the format is held against one that only parses the JSON. And two
    splits: how much better does a model do on a validation part than on documents that are new to
    it? The texts are AWS documentation, where the pages of a service repeat each other's phrases;
    the model counts three-grams, so that nothing but the split differs.

    Args:
        records: of each format.
        characters: of the corpus that is split.
    """
    right = {name: list(some) for name, some in written(seed, records)}
    draw = random.Random(seed)
    wrong = [text for some in right.values() for record in some for text in faults(record, draw)]
    lines = [formats.as_line(record) for some in right.values() for record in some]
    arms = {arm: {FAULTY: share(accepts, wrong), GOOD: share(accepts, lines)}
            for arm, accepts in ((CHECKED, is_good), (PARSED, is_json))}
    base, corpus = models.load("base"), data.domain("aws")
    pages = data.sized(corpus["train"], characters, seed)
    new = data.excerpt(corpus["test"], characters // 20, seed)
    for arm, parts in ((BY_DOCUMENT, data.split_by_document(pages, 0.1, seed)),
                       (BY_RECORD, by_record(pages, 0.1, seed))):
        arms[arm] = {FLATTERY: flattery(parts, new, base)}
    return Outcome(arms, {"pages": data.card(pages).sha256},
                   {"formats": list(right), "records": len(lines), "faults": len(wrong)})


def written(seed: int, records: int) -> Iterator[tuple[str, Iterator[Record]]]:
    """Requests for AWS commands, and texts, in every format that is JSON lines."""
    pairs = data.sample(data.commands(seed)["train"], records, seed)
    pairs = [{"prompt": row["prompt"], "completion": row["completion"]} for row in pairs]
    other = [row["completion"] for row in pairs[1:] + pairs[:1]]
    texts = data.sized(data.general()["train"], 400 * records, seed)["text"][:records]
    for name, form in data.FORMATS.items():
        if name == "preference":
            yield name, ({"prompt": pair["prompt"], "chosen": pair["completion"],
                          "rejected": worse} for pair, worse in zip(pairs, other, strict=True))
        elif form.kind == "conversation" and name != FOLDER:
            yield name, (data.convert_record(pair, formats.PAIR, form) for pair in pairs)
        elif form.kind == "text" and name != CSV:
            yield name, (data.convert_record({"text": text}, formats.TEXT, form)
                         for text in texts)


def faults(record: Record, draw: random.Random) -> Iterator[str]:
    """The same record as a line with one fault, by each way of making one that it has room for."""
    line = formats.as_line(record)
    yield line[:draw.randrange(1, len(line))]  # cut off
    yield f"{line[:-1]},}}"
    yield line.replace('"', "'")
    yield f"{line} {line}"
    for change in CHANGES:
        other = copy.deepcopy(record)
        if change(other, draw):
            yield json.dumps(other, ensure_ascii=False)


def _key_lost(record: Record, draw: random.Random) -> bool:
    del record[draw.choice(_needed(record))]
    return True


def _key_misspelt(record: Record, draw: random.Random) -> bool:
    key = draw.choice(_needed(record))
    record[key + "s"] = record.pop(key)
    return True


def _emptied(record: Record, draw: random.Random) -> bool:
    key = draw.choice(_needed(record))
    record[key] = type(record[key])()
    return True


def _of_another_type(record: Record, draw: random.Random) -> bool:
    key = draw.choice(_needed(record))
    record[key] = draw.choice((7, None, True, {"value": record[key]}))
    return True


def _turns_in_reverse(record: Record, _: random.Random) -> bool:
    turns = record.get("messages", [])
    turns.reverse()
    return len(turns) > 1


def _role_unknown(record: Record, draw: random.Random) -> bool:
    for turn in record.get("messages", []):
        turn["role"] = draw.choice(("bot", "human", "User", ""))
    return "messages" in record


def _turn_without_content(record: Record, draw: random.Random) -> bool:
    turns = record.get("messages")
    if turns:
        del draw.choice(turns)["content"]
    return bool(turns)


def _nothing_to_prefer(record: Record, _: random.Random) -> bool:
    if "rejected" in record:
        record["rejected"] = record["chosen"]
    return "rejected" in record


CHANGES: tuple[Callable[[Record, random.Random], bool], ...] = (
    _key_lost, _key_misspelt, _emptied, _of_another_type, _turns_in_reverse, _role_unknown,
    _turn_without_content, _nothing_to_prefer)


def _needed(record: Record) -> list[str]:
    """Keys that a record of its format cannot do without."""
    optional = {"schemaVersion", "system", "reference_answer"}
    if "chosen" in record:
        optional.add("prompt")  # answers may begin with it instead
    return [key for key in record if key not in optional]


def is_good(line: str) -> bool:
    """What the course's check says of a line."""
    try:
        formats.read(line)
    except MisreadError:
        return False
    return True


def is_json(line: str) -> bool:
    """What a parser says of a line."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def share(accepts: Callable[[str], bool], lines: list[str]) -> float:
    """Of the lines, those that are accepted."""
    return sum(map(accepts, lines)) / len(lines)


def by_record(dataset: Dataset, held_out: float, seed: int) -> DatasetDict:
    """A split into the same shares that takes no notice of documents: the control."""
    parts = dataset.train_test_split(2 * held_out, seed=seed)
    held = parts["test"].train_test_split(0.5, seed=seed)
    return DatasetDict({"train": parts["train"], "validation": held["train"],
                        "test": held["test"]})


def flattery(parts: DatasetDict, new: list[str], base: LanguageModel) -> float:
    """How much better a model of the training part does on validation than on new documents."""
    grams = evaluate.NGram(3).fit(
        [base.tokenizer(text)["input_ids"] for text in parts["train"]["text"][:]],
        len(base.tokenizer))
    held = parts["validation"]["text"][:]
    bits = grams.bits_per_byte({"held": held, "new": new}, base.tokenizer)
    return bits["new"] - bits["held"]
