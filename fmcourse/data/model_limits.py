"""What a model's training file may hold, and records held against it.

The numbers are data, `limits.toml`, each with its source and the day it was read. Tokens are
estimated as AWS does for planning, by six characters each. English has four to five, and the
model's own tokenizer has the last word: a record that passes here can still be too long.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

from fmcourse.data import formats
from fmcourse.data.record_checks import Message, RecordError
from fmcourse.data.record_formats import Format, contents
from fmcourse.data.strict_json import quoted
from fmcourse.errors import DataError, meant

CHARACTERS = 6  # of a token, says AWS on the page "Prepare data for fine-tuning your models"


@dataclass(frozen=True)
class Limits:
    """What one method of customising one family of models accepts; None is no known limit.

    Attributes are those of `limits.toml`, where they are explained; `title` is an entry's name.
    """

    title: str
    names: tuple[str, ...]
    formats: tuple[str, ...]
    sources: tuple[str, ...]
    read: date
    fewest: int = 1
    most: int | None = None
    together: bool = False
    tokens: int | None = None
    turns: int | None = None
    bytes: int | None = None
    reserved: tuple[str, ...] = ()
    file_name: str | None = None
    ended: date | None = None
    note: str = ""

    def __str__(self) -> str:
        read = f"as {' and '.join(self.sources)} said on {self.read}"
        return f"{self.title}: {self.note} ({read})" if self.note else f"{self.title} ({read})"

    def check_record(self, record: dict[str, Any], parts: list[Message]) -> None:
        """A record is within the limits.

        Raises:
            RecordError: it is not.
        """
        characters = sum(len(part["content"]) for part in parts)
        if self.tokens and characters > self.tokens * CHARACTERS:
            raise RecordError(
                f"This record has {characters:,} characters, some {characters // CHARACTERS:,} "
                f"tokens; {self.title}, takes {self.tokens:,}.", (), "Shorten it, or leave it out.")
        asked = sum(part["role"] == "user" for part in parts)
        if self.turns and asked > self.turns:
            raise RecordError(f"The user speaks {asked} times here; {self.title}, takes "
                              f"{self.turns}.", (), "Cut it into records of one question.")
        if self.reserved and any(word in part["content"] for part in parts
                                 for word in self.reserved if part["role"] != "assistant"):
            self._check_words(record)

    def _check_words(self, record: dict[str, Any]) -> None:
        for role, path, blocks in contents(record):
            for i, block in enumerate(blocks):
                if role != "assistant" and (word := self._word(block["text"])):
                    raise RecordError(f'"{word}" is reserved: with it in a prompt the job fails.',
                                      (*path, i, "text"), "Put it another way.")

    def _word(self, text: str) -> str | None:
        return next((word for word in self.reserved if word in text), None)

    def check_convertible(self, record: dict[str, Any], parts: list[Message], form: Format) -> None:
        """A record of a format that is not taken can be written in the first that is.

        Kinds of formats say only that some can: a prompt without an answer is a good record to
        distil on, and none of any other format.

        Raises:
            DataError: it cannot, and why.
        """
        if self.formats and form.name not in self.formats:
            wanted = formats.named(self.formats[0])
            formats.check_kinds(form, wanted)
            formats.rewritten(record, parts, form, wanted)

    def _way_from(self, form: Format, obstacle: DataError | None) -> str:
        """What to do with records of a format that is not taken."""
        wanted = formats.named(self.formats[0])
        try:
            formats.check_kinds(form, wanted)
        except DataError as error:
            obstacle = error
        if obstacle:
            why = f"{obstacle.what[0].lower()}{obstacle.what[1:]} {obstacle.fix}"
            return f"They cannot be converted: {why}"
        return f"Convert it: fmcourse data convert … --to {wanted.name} …"

    def faults(self, file_name: str, size: int, form: Format, records: int,
               obstacle: DataError | None = None) -> Iterator[str]:
        """What keeps a whole file from being accepted, in sentences.

        Args:
            file_name: its name.
            size: its bytes.
            form: its format.
            records: how many good ones it has.
            obstacle: what `check_convertible` first found in them.
        """
        if self.ended:
            yield f"{self.title}, has taken no new job since {self.ended}. Choose another model."
        elif form.name not in self.formats:
            yield (f"{self.title}, takes {' or '.join(self.formats)}, not {form.name}. "
                   f"{self._way_from(form, obstacle)}")
        if records < self.fewest or (self.most and records > self.most):
            span = f"at least {self.fewest:,}" if not self.most else \
                f"at most {self.most:,}" if self.fewest == 1 else \
                f"{self.fewest:,} to {self.most:,}"
            yield (f"{self.title}, takes {span} records"
                   f"{' with those for validation' * self.together}; good ones here: {records:,}.")
        if self.bytes and size > self.bytes:
            yield (f"{self.title}, takes files of up to {self.bytes:,} bytes; this one has "
                   f"{size:,}. Use fewer records.")
        if self.file_name and not re.fullmatch(self.file_name, file_name):
            yield (f"{self.title}, does not take a file called {quoted(file_name)}. Use letters, "
                   "digits, _ - and . only, and end it in .jsonl.")


@functools.cache
def all_limits() -> tuple[Limits, ...]:
    """Every entry of `limits.toml`."""
    text = files("fmcourse.data").joinpath("limits.toml").read_text(encoding="utf-8")
    return tuple(Limits(title, **{key: tuple(value) if isinstance(value, list) else value
                                  for key, value in entry.items()})
                 for title, entry in tomllib.loads(text).items())


def limits(model: str) -> Limits:
    """The limits of a model, by one of its names.

    Raises:
        DataError: no entry has this name; the nearest is suggested.

    >>> limits("nova-lite").most
    20000
    """
    known = {name: entry for entry in all_limits() for name in entry.names}
    if model not in known:
        raise DataError(f"No limits are known for {quoted(model)}.", where="limits.toml",
                        fix=meant(model, known))
    return known[model]
