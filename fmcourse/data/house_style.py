"""House style: customers' questions, answered as a made-up company wants its answers to be.

Alpenglow does not exist; its style guide (`house_style.toml`) is ours, and every rule of it can be
checked by reading: how a reply opens and closes, that it names the product in full, how long it
may be, and what it must not say. What is asked about is real: operations of AWS services, each
with the sentence of its documentation, which the prompt gives and the reply has to keep word for
word. So a reply can be judged by its style and by its content, apart (`evaluate.style_rates`).

Trade-off: the answers follow one pattern. A house style is one, and a small model can learn it from
a few hundred examples; it says nothing of how well a model writes. Parts are those of the AWS
corpus, by service, and no sentence nearly repeats in another part.
"""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.cache import cached
from fmcourse.data.card import Card, card, with_card
from fmcourse.data.domain import RECIPE as DOMAIN_RECIPE
from fmcourse.data.domain import domain, services
from fmcourse.data.records import operation_pairs
from fmcourse.data.sentences import sentences
from fmcourse.data.split import check_no_leak
from fmcourse.data.task_rows import Row, distinct, only, task_row
from fmcourse.errors import DataError

RECIPE = "house-style-1"  # raise it when a step below changes, so that caches are made anew
SIZES = {"test": 300, "validation": 100, "train": 2000}  # held-out ones keep what they share
SURPLUS = 2  # times as many are drawn, since facts that repeat are dropped
SHORTEST, LONGEST = 25, 200  # characters of a fact
_GUIDE = Path(__file__).with_name("house_style.toml")


@dataclass(frozen=True)
class Guide:
    """A style guide that can be checked.

    Attributes:
        opening, closing: what a reply begins and ends with, letter for letter; the closing has a
            line of its own.
        most_sentences: how many a reply may have, the closing left out.
        forbidden: words that no reply has, in any case.
        answer: a pattern of `product`, `operation` and `fact`; `questions` ask for `operation`.
    """

    opening: str
    closing: str
    most_sentences: int
    forbidden: tuple[str, ...]
    answer: str
    questions: tuple[str, ...]

    def rules(self) -> str:
        """The guide in words, to be put before a question."""
        return (f'Begin your reply with "{self.opening}" Name the product in full and keep the '
                f"manual's sentence word for word. Write at most {self.most_sentences} sentences "
                f"and no exclamation mark. Do not use the words {', '.join(self.forbidden)}. End "
                f'with a line of its own: "{self.closing}"')

    def forbidden_in(self, text: str) -> list[str]:
        """The forbidden words that a text has, lower-cased."""
        return [word for word in re.findall(r"[a-z]+", text.lower()) if word in self.forbidden]

    def reply(self, product: str, operation: str, fact: str) -> str:
        """A fact about an operation, in the style of the house."""
        answer = self.answer.format(product=product, operation=operation, fact=fact)
        return f"{self.opening} {answer}\n{self.closing}"


@cache
def guide() -> Guide:
    """Alpenglow's.

    >>> guide().reply("Amazon Athena", "DeleteNotebook", "Deletes the specified notebook.")
    'Thank you for asking. Our guide to Amazon Athena says of DeleteNotebook: Deletes the \
specified notebook.\\nYour Alpenglow team'
    """
    found = tomllib.loads(_GUIDE.read_text(encoding="utf-8"))
    return Guide(**{key: tuple(value) if isinstance(value, list) else value
                    for key, value in found.items()})


def house_style(seed: int = 0) -> DatasetDict:
    """Questions about AWS operations, answered in Alpenglow's style; cached on disk.

    Args:
        seed: which operations, and how they are asked about.

    Returns:
        Parts train, validation and test, by service; columns `messages`, `prompt`, `completion`,
        `product` (a service's full name), `operation`, `fact` (the sentence to be kept),
        `document` (the service's id) and `text`.
    """
    rules = _GUIDE.read_text(encoding="utf-8")
    recipe = [RECIPE, DOMAIN_RECIPE, sources.fingerprint("aws-docs"), services(), rules, seed]
    return cached("house-style", recipe, lambda: in_style(domain("aws"), seed))


def in_style(documentation: DatasetDict, seed: int = 0, sizes: dict[str, int] = SIZES
             ) -> DatasetDict:
    """`house_style` from parts of documentation.

    Args:
        documentation: parts as `data.domain("aws")` has them.
        sizes: at most so many rows of each part; the parts named first keep what they share.

    Raises:
        DataError: a part has no usable fact, or two parts share a service or a text.
    """
    draw, rows, log = random.Random(seed), [], card(documentation["train"])
    log = replace(log, name="house_style", steps=log.steps[:-1])  # the last is of train alone
    for part, size in sizes.items():
        facts, log = _facts(documentation[part], log, part)
        drawn = draw.sample(facts, min(len(facts), SURPLUS * size))
        rows += [{**row, "part": part} for row in drawn]
    rows, log = distinct(rows, log, "fact")
    parts = DatasetDict()
    for part in reversed(sizes):
        own = [row for row in rows if row["part"] == part][:sizes[part]]
        if not own:
            raise DataError(f"The {part} part has no usable sentence.", where="data.house_style",
                            fix="Use more documentation.")
        parts[part] = with_card(Dataset.from_list([_row(row, draw) for row in own]), log.step(
            f"{part} part", len(own), len(rows) - len(own), "by service"))
    check_no_leak(parts)
    return parts


def plain_style(pairs: Dataset) -> Dataset:
    """The same questions, answered with the manual's sentence and nothing else: a control.

    Args:
        pairs: a part of `house_style()`.
    """
    rows = [_answered(row, row["fact"]) for row in pairs]
    return with_card(Dataset.from_list(rows), card(pairs).step("in plain style", len(rows), 0))


def _facts(documentation: Dataset, log: Card, part: str) -> tuple[list[Row], Card]:
    """What a part says of operations in one sentence that the style of the house allows."""
    rules = guide()
    rows = [{"fact": pair["completion"], "product": pair["service"], "document": pair["document"],
             "operation": pair["page"].split(" ", 1)[0]} for pair in operation_pairs(documentation)]

    def usable(row: Row) -> bool:
        said = rules.reply(row["product"], row["operation"], row["fact"])
        return (SHORTEST <= len(row["fact"]) <= LONGEST and sentences(row["fact"]) == [row["fact"]]
                and "!" not in said and not rules.forbidden_in(said))

    return only(rows, log, f"{part}: one sentence that the style allows", usable)


def _row(row: Row, draw: random.Random) -> Row:
    names = {key: row[key] for key in ("product", "operation", "fact")}
    asked = draw.choice(guide().questions).format(operation=row["operation"])
    prompt = f"From the manual of {row['product']}: {row['fact']}\n\n{asked}"
    return _answered({**names, "prompt": prompt, "document": row["document"]},
                     guide().reply(**names))


def _answered(row: Row, reply: str) -> Row:
    names = {key: row[key] for key in ("product", "operation", "fact")}
    return task_row(row["prompt"], reply, row["document"], **names)
