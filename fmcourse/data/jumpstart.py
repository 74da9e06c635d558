"""Training data of SageMaker JumpStart: instruction folders, and files of text.

An instruction folder holds `.jsonl` files and, in `template.json`, how a line's fields are put into
a prompt and a completion; without one, AWS's template for instruction, context and response is
used. Text for domain adaptation is one CSV or JSON file, of which the column `Text` is read, else
the first; or one TXT file.
"""

from __future__ import annotations

import csv
import functools
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmcourse.data.record_checks import (
    Message,
    RecordError,
    check_keys,
    check_string,
    check_text,
    check_value,
    located,
    quoted,
)
from fmcourse.data.record_files import LINE, BadLine, Raw, T, check_utf8
from fmcourse.data.record_formats import SAGEMAKER, Format, check_one_turn
from fmcourse.data.strict_json import MisreadError, parse
from fmcourse.errors import DataError

TEMPLATE = "template.json"
TEXT = 50_000_000  # characters of a TXT file, which is one record and read whole
INSTRUCTION_SOURCE = f"{SAGEMAKER}jumpstart-foundation-models-fine-tuning-instruction-based.html"
TEXT_SOURCE = f"{SAGEMAKER}jumpstart-foundation-models-fine-tuning-domain-adaptation.html"

csv.field_size_limit(max(csv.field_size_limit(), LINE))  # of the process; the default is 131,072


@dataclass(frozen=True)
class Template:
    """How fields become a prompt and a completion: texts with names in braces."""

    prompt: str
    completion: str

    def fields(self) -> tuple[str, ...]:
        """Names that a line must have."""
        return tuple(dict.fromkeys(_names(self.prompt) + _names(self.completion)))


AWS = Template("Below is an instruction that describes a task, paired with an input that provides "
               "further context. Write a response that appropriately completes the request.\n\n"
               "### Instruction:\n{instruction}\n\n### Input:\n{context}", "{response}")
PLAIN = Template("{prompt}", "{completion}")  # what is written here


def template(folder: Path) -> Template:
    """The template of an instruction folder, AWS's where there is none.

    Raises:
        DataError: it is no template, named by line and column.
    """
    path = folder / TEMPLATE
    if not path.is_file():
        return AWS
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
        record = parse(text)
        try:
            return _template(record)
        except RecordError as error:
            raise located(text, error) from error
    except MisreadError as error:
        bad = Raw(data, 1, 1, 0, len(data)).bad(text, error.offset, error.what, error.fix)
        raise DataError(bad.reason, where=f"{path}, line {bad.line}, column {bad.column}",
                        fix=bad.fix) from error
    except UnicodeDecodeError as error:
        raise DataError(f"This template is not UTF-8, at byte {error.start:,}.", where=path,
                        fix="Save it again as UTF-8.") from error


def _template(record: Any) -> Template:
    check_keys(record, (), ("prompt", "completion"))
    for key in ("prompt", "completion"):
        try:
            names = _names(check_string(record[key], (key,)))
        except ValueError as error:
            raise RecordError(f"The braces do not match: {error}.", (key,),
                              "Write names in braces, and a brace itself twice.") from error
        if not names or not all(name.replace("-", "_").isidentifier() for name in names):
            raise RecordError(f'"{key}" names no field, or one that is no plain name.', (key,),
                              "Write fields as {instruction}: a name in braces and no more.")
    return Template(record["prompt"], record["completion"])


def _names(text: str) -> list[str]:
    """Names in braces; what else may stand in braces belongs to the name, and so is refused."""
    return [f"{name}{'!' + how if how else ''}{':' + form if form else ''}"
            for _, name, form, how in string.Formatter().parse(text) if name is not None]


def instruction(how: Template) -> Format:
    """The format of an instruction folder's lines, given its template.

    >>> form = instruction(Template("Q: {question}", "{answer}"))
    >>> form.parts({"question": "2 + 2?", "answer": "4"})[0]["content"]
    'Q: 2 + 2?'
    """
    return Format("jumpstart-instruction", "JumpStart instruction folder", "conversation",
                  (INSTRUCTION_SOURCE,), functools.partial(_filled, how), _as_fields,
                  functools.partial(_check_two_fields, how))


def _filled(how: Template, record: dict[str, Any]) -> list[Message]:
    """The prompt and the completion as the model will see them; a field may be empty, they not."""
    check_keys(record, (), how.fields(), None)
    fields = how.fields()
    for key, value in record.items():
        if key in fields and value != "":
            check_text(value, (key,))
    check_value({key: value for key, value in record.items() if key not in fields}, ())
    parts = []
    for role, text in (("user", how.prompt), ("assistant", how.completion)):
        filled = text.format_map(record)
        if not filled.strip():
            name = "prompt" if role == "user" else "completion"
            raise RecordError(f"The {name} is blank.", (), f"Fill {_names(text)[0]!r}.")
        parts.append({"role": role, "content": filled})
    return parts


def _check_two_fields(how: Template, record: dict[str, Any]) -> None:
    """The prompt is one field and the completion another, and there is no third."""
    prompt, completion = _names(how.prompt)[0], _names(how.completion)[0]
    if (how.prompt, how.completion) != (f"{{{prompt}}}", f"{{{completion}}}"):
        raise RecordError("The template puts text around fields or joins them; where a field "
                          "begins and ends would be lost.", (), "Use this folder as it is, or a "
                          "template of one field for the prompt and one for the completion.")
    for key in record:
        if key not in (prompt, completion):
            raise RecordError(f"The field {quoted(key)} would be lost.", (key,),
                              "Remove it, or use this folder as it is.", at_key=True)


def _as_fields(messages: list[Message]) -> dict[str, str]:
    if messages[0]["role"] == "system":
        raise RecordError("A JumpStart template has no system message: it would be lost.", (),
                          "Write it into the prompt yourself, or choose messages.")
    check_one_turn(messages, "a JumpStart instruction folder")
    return {"prompt": messages[0]["content"], "completion": messages[1]["content"]}


def _text(record: dict[str, Any]) -> list[Message]:
    if not record:
        raise RecordError("There is no column here.", (), 'Add "Text".')
    column = _column(record)
    return [{"role": "text", "content": check_string(record[column], (column,))}]


def _column(record: dict[str, Any]) -> str:
    return "Text" if "Text" in record else next(iter(record))


def _check_one_column(record: dict[str, Any]) -> None:
    for key in record:
        if key != _column(record):
            raise RecordError(f"The column {quoted(key)} would be lost.", (key,), "Remove it.",
                              at_key=True)


TEXT_FILE = Format("jumpstart-text", "JumpStart text", "text", (TEXT_SOURCE,), _text,
                   lambda messages: {"Text": messages[0]["content"]}, _check_one_column)


def rows(path: Path, read: Callable[[dict[str, str]], T]) -> Iterator[tuple[Raw, T | BadLine]]:
    """Every record of a CSV or TXT file, with what was read of it or what is wrong with it.

    A row of a CSV file is named by its first line. A TXT file is one record.

    Raises:
        DataError: it is not UTF-8, or has no header.
    """
    check_utf8(path)
    is_table, number = path.suffix.lower() == ".csv", 0
    longest = LINE if is_table else TEXT
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            for number, record in (_cells(file, path) if is_table else
                                   [(1, {"Text": file.read(TEXT + 1)})]):
                raw = Raw(b"", number, 1, 0, 0)
                if isinstance(record, str):
                    yield raw, raw.bad("", 0, record, "Write CSV with a library.")
                elif sum(map(len, record.values())) > longest:
                    yield raw, raw.bad("", 0, f"This record is longer than {longest:,} "
                                       "characters.", "Cut it into shorter ones.")
                else:
                    yield raw, _read(raw, record, read)
    except UnicodeDecodeError as error:
        raise DataError(f"This file is not UTF-8, after line {number:,}.", where=path,
                        fix="Save it again as UTF-8.") from error


def _read(raw: Raw, record: dict[str, str], read: Callable[[dict[str, str]], T]) -> T | BadLine:
    try:
        return read(record)
    except RecordError as error:
        return raw.bad("", 0, error.what, error.fix)


def _cells(file: Any, path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    """First line and cells of every row of a CSV file; a string says what is wrong with it."""
    lines = csv.reader(file, strict=True)
    try:
        header = next(lines, [])
    except csv.Error as error:
        raise DataError(f"The header is not CSV: {error}.", where=path,
                        fix="Write CSV with a library.") from error
    if not header or len(set(header)) < len(header):
        raise DataError("The first line names no columns, or one twice.", where=path,
                        fix='Write a header; call the column with the text "Text".')
    while True:
        first = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield first, f"This is not CSV: {error}."
            continue
        if len(cells) == len(header):
            yield first, dict(zip(header, cells, strict=True))
        else:
            yield first, f"There are {len(cells)} cells here, and {len(header)} in the header."
