"""All formats of records that the course knows, and a record of one as a record of another.

A conversion keeps everything or is refused: what a record says is put into the other format, read
back from there, and must be the same; and what its messages do not say (a label, a second block of
text, a grader's field) must not be there at all. That is checked for each record as it is
converted, not promised.
"""

from __future__ import annotations

import json
from typing import Any

from fmcourse.data.jumpstart import PLAIN, TEXT_FILE, instruction
from fmcourse.data.label_manifest import GROUND_TRUTH
from fmcourse.data.preference_records import PREFERENCE
from fmcourse.data.prompt_records import DISTILLATION, REINFORCEMENT
from fmcourse.data.record_checks import (
    Message,
    RecordError,
    check_keys,
    check_string,
    located,
    quoted,
    renamed,
    type_name,
)
from fmcourse.data.record_formats import BEDROCK, CHAT, PAIR, Format
from fmcourse.data.record_formats import recognised as conversation
from fmcourse.data.strict_json import MisreadError, parse
from fmcourse.errors import DataError, meant


def _text(record: dict[str, Any]) -> list[Message]:
    check_keys(record, (), ("text",))
    return [{"role": "text", "content": check_string(record["text"], ("text",))}]


TEXT = Format(
    "text", "continued pre-training", "text",
    ("https://docs.aws.amazon.com/nova/latest/nova2-userguide/nova-data-prep-cpt-2.html",
     "https://huggingface.co/docs/trl/dataset_formats"),
    _text, lambda messages: {"text": messages[0]["content"]})
INSTRUCTION = instruction(PLAIN)  # as it is written; a folder is read by its own template
FORMATS = {form.name: form for form in (
    PAIR, CHAT, BEDROCK, REINFORCEMENT, DISTILLATION, PREFERENCE, TEXT, GROUND_TRUTH,
    INSTRUCTION, TEXT_FILE)}
_MARKS = {"chosen": PREFERENCE, "rejected": PREFERENCE, "reference_answer": REINFORCEMENT,
          "source": GROUND_TRUTH, "source-ref": GROUND_TRUTH, "text": TEXT}
_REJECTED = ("Which answer was rejected would be lost.", "Train on the preferences themselves.")
_NO_TURNS = ("There is no question with its answer in a plain text.",
             "Write pairs, or train on the text itself.")
_ONE_ANSWER = ("There is one answer here; a preference needs a better and a worse one.",
               "Collect a second answer to each prompt.")
_REFUSED = {
    ("conversation", "text"): ("Who says what would be lost in a plain text.",
                               "Train on the conversations themselves."),
    ("conversation", "preference"): _ONE_ANSWER, ("text", "preference"): _ONE_ANSWER,
    ("preference", "conversation"): _REJECTED, ("preference", "text"): _REJECTED,
    ("text", "conversation"): _NO_TURNS,
}

_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}

Record = tuple[dict[str, Any], list[Message]]  # parsed, and what it says


def named(name: str) -> Format:
    """The format of a name.

    Raises:
        DataError: there is none; the nearest is suggested.

    >>> named("bedrock-rft").title
    'Bedrock reinforcement fine-tuning'
    """
    if name not in FORMATS:
        raise DataError(f"There is no format called {quoted(name)}.", where="formats",
                        fix=meant(name, FORMATS))
    return FORMATS[name]


def recognised(record: Any) -> Format | None:
    """The format a parsed record is in, or was meant to be; None if it could be any.

    A Bedrock conversation that ends with the user is taken for a prompt to distil on.
    """
    if not isinstance(record, dict):
        return None
    for key, form in _MARKS.items():
        if key in record:
            return form
    form = conversation(record)
    turns = record.get("messages")
    if form is BEDROCK and isinstance(turns, list) and turns and isinstance(turns[-1], dict):
        return DISTILLATION if turns[-1].get("role") == "user" else BEDROCK
    return form


def read(text: str, form: Format | None = None) -> tuple[Record, Format]:
    """One JSON text parsed, what it says, and its format.

    Args:
        text: one record.
        form: the only format to accept; None accepts each.

    Raises:
        MisreadError: it is not JSON, or not such a record.

    >>> (record, parts), form = read('{"text": "Once upon a time"}')
    >>> form.name, parts[0]["role"]
    ('text', 'text')
    """
    record = parse(text)
    try:
        checked = check(record, form)
    except RecordError as error:
        raise located(text, error) from error
    if checked[1].longest and len(text) > checked[1].longest:
        raise MisreadError(f"This record has {len(text):,} characters, more than "
                           f"{checked[1].longest:,}.", 0, "Shorten it.")
    return checked


def check(record: Any, form: Format | None = None) -> tuple[Record, Format]:
    """A parsed record, what it says, and its format.

    Raises:
        RecordError: it has a fault, or is in another format than the one to accept.
    """
    if not isinstance(record, dict):
        raise RecordError(f"A record is an object, not {type_name(record)}.", (),
                          'Write one object a line, such as {"prompt": …, "completion": …}.')
    form = form or recognised(record)
    if form is None:
        has = ", ".join(map(quoted, list(record)[:5])) or "nothing"
        raise RecordError(f"This is no known record: it has {has}.", (),
                          renamed(record) or f"Choose from {', '.join(FORMATS)}.")
    try:
        return (record, form.parts(record)), form
    except RecordError as error:
        if (other := recognised(record)) and other.name != form.name and _accepts(other, record):
            raise RecordError(f"This record's format is {other.title}, the file's is {form.title}.",
                              (), "Keep records of one format in a file.") from error
        raise


def _accepts(form: Format, record: dict[str, Any]) -> bool:
    try:
        form.parts(record)
    except RecordError:
        return False
    return True


def check_kinds(source: Format, target: Format) -> None:
    """Records of the one can at all be records of the other.

    Raises:
        DataError: with what would be lost or is missing.
    """
    if source.kind != target.kind:
        what, fix = _REFUSED[source.kind, target.kind]
        raise DataError(what, where=f"{source.name} to {target.name}", fix=fix)


def converted(record: dict[str, Any], source: Format, target: Format) -> dict[str, Any]:
    """A record of one format as one of another, losing nothing; of the same, it stays as it is.

    Raises:
        DataError: it has a fault, or something of it would be lost.

    >>> pair = {"prompt": "2 + 2?", "completion": "4"}
    >>> converted(pair, PAIR, REINFORCEMENT)
    {'messages': [{'role': 'user', 'content': '2 + 2?'}], 'reference_answer': '4'}
    """
    check_kinds(source, target)
    if source is target:
        return check(record, source)[0][0]
    return rewritten(record, source.parts(record), source, target)


def rewritten(record: dict[str, Any], parts: list[Message], source: Format,
              target: Format) -> dict[str, Any]:
    """`converted`, where the kinds are checked and what the record says is known."""
    source.whole(record)
    new = target.record(parts)
    try:
        same = target.parts(new) == parts
    except RecordError as error:  # its path is one of the new record
        raise RecordError(f"As {target.title}: {error.what}", (), error.fix) from error
    if target.longest and len(as_line(new)) > target.longest:
        raise RecordError(f"As {target.title} this has more than {target.longest:,} characters.",
                          (), "Shorten it.")
    if not same:
        raise RecordError(f"As {target.title} this would say something else.", (),
                          f"Keep it as {source.title}.")
    return new


def as_line(record: dict[str, Any]) -> str:
    """A record as a line of a JSON-lines file, without the line's end.

    What some readers take for the end of a line, though JSON does not, is written as an escape.

    >>> as_line({"text": "a\\u2028ü"})
    '{"text": "a\\\\u2028ü"}'
    """
    line = json.dumps(record, ensure_ascii=False, allow_nan=False)
    return line if line.isascii() else line.translate(_LINE_ENDS)
