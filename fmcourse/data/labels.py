"""Labelled tasks made from real text: whose documentation is this, and yes or no.

Neither needed an annotator. A paragraph of AWS documentation knows which service it came from, so
once the names that give it away are masked, "which service is meant?" is a task with thousands of
true labels; and BoolQ's answers were written by people. Trade-off: a label by origin is right about
the origin, but some paragraphs ("The name of the resource.") could stand anywhere, so no model, and
no person, reaches 100 %.

Training rows come round-robin over the classes: the first n rows are as balanced as n allows, and
the first 64 are among the first 512, as a learning curve needs.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.card import card, with_card
from fmcourse.data.domain import domain
from fmcourse.data.split import check_no_leak, drawn, split_by_document
from fmcourse.errors import DataError
from fmcourse.sources.group import repeats

SHORTEST, LONGEST = 100, 600  # characters of a paragraph
_HEADER = re.compile(r"^\S+(?: is an operation of |, an? \w+ of ).*\n*")
_TWICE = re.compile(r"\b[Tt]he the service")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_ROLE = re.compile(r"(Request|Response|Result|Output|Input|Message)$")
# Words of service names that every paragraph may use; the others give the answer away.
_ORDINARY = frozenset({
    "access", "amazon", "and", "auto", "aws", "container", "elastic", "identity", "key",
    "management", "provider", "route", "scaling", "service"})


def service_paragraphs(seed: int = 0, train: int = 4096, test: int = 1008) -> DatasetDict:
    """Paragraphs of AWS documentation, labelled with the service they describe.

    The services are those of the domain corpus's part `task`, which no model of the course reads.

    Args:
        seed: which paragraphs, and which of them are held out.
        train, test: rows in each part, over all classes; test rows share no operation or
            structure with training rows. Test has fewer if a class has too few to hold out.

    Returns:
        Parts train and test, columns text, label (0, 1 …), service (its id), document.

    Raises:
        DataError: a service has too few different paragraphs to train on.
    """
    return label_by_service(domain("aws")["task"], seed, train, test)


def label_by_service(texts: Dataset, seed: int, train: int, test: int) -> DatasetDict:
    """`service_paragraphs` from a given data set.

    Args:
        texts: columns text, document (a service's id), service (its full name) and name (of the
            operation or structure a text describes).
        seed, train, test: as in `service_paragraphs`.

    Raises:
        DataError: a service has too few different paragraphs.
    """
    rows = once(masked_paragraphs(texts))
    parts = DatasetDict()
    for part, size in (("train", train), ("test", test)):
        able = of_part(rows, part, seed, share=test / (train + test))
        chosen = _round_robin(able, size, seed, or_fewer=part == "test")
        step = card(texts).step(f"labelled, {part}", len(chosen), len(rows) - len(chosen),
                                f"seed {seed}")
        parts[part] = with_card(Dataset.from_list(chosen), step)
    check_no_leak(parts)
    return parts


def paragraphs(text: str, shortest: int = SHORTEST, longest: int = LONGEST) -> Iterator[str]:
    """The paragraphs of a text that are long enough; longer ones are cut between sentences.

    >>> list(paragraphs("Short.\\nOne sentence here. Another one there.", 15, 25))
    ['One sentence here.', 'Another one there.']
    """
    for block in text.split("\n"):
        piece = ""
        for sentence in _SENTENCE.split(block.strip()):
            if piece and len(piece) + 1 + len(sentence) > longest:
                if shortest <= len(piece) <= longest:
                    yield piece
                piece = ""
            piece = f"{piece} {sentence}".strip()
        if shortest <= len(piece) <= longest:
            yield piece


def giveaways(document: str, service: str) -> re.Pattern[str]:
    """A pattern for every way a paragraph might say which service it belongs to.

    The full name, the name without its vendor, its initials, its telling words, and the id; also
    inside a name such as `GlueTable`, but not inside an ordinary word.

    >>> pattern = giveaways("glue", "AWS Glue")
    >>> pattern.sub("the service", "AWS Glue and its GlueTable, with AWSGlueRole; glued.")
    'the service and its the serviceTable, with the serviceRole; glued.'
    """
    bare = re.sub(r"^(Amazon|AWS)\s+", "", service)
    words = re.findall(r"[A-Za-z0-9]+", bare)
    telling = [word for word in words if len(word) > 2 and word.lower() not in _ORDINARY]
    initials = "".join(word[0] for word in words if word[0].isupper()) if len(words) > 2 else bare
    short = re.sub(r"\s+Service$", "", bare)
    names = {service, bare, short, initials, document, document.replace("-", " "), *telling}
    choices = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(
        rf"(?<![A-Za-z])(?i:(?:(?:amazon|aws)[\s-]?)?(?:{choices})s?)(?![a-z])")


def yes_no(seed: int = 0, held_out: float = 0.1) -> DatasetDict:
    """BoolQ as a balanced task: a question and its passage, answered no (0) or yes (1).

    Args:
        seed: which documents are held out, and which of the surplus answers are dropped.
        held_out: share of the characters in the test part.

    Returns:
        Parts train and test, columns text, label, document, with as many yes as no.
    """
    rows = sources.load("boolq")
    known = [i for i, label in enumerate(rows["label"][:]) if label is not None]
    origin = card(rows).step("answered", len(known), len(rows) - len(known))
    answered = rows.select(known).to_list()
    asked = [{"text": f"{row['question'].rstrip(' ?').capitalize()}? {row['passage']}",
              "label": int(row["label"]), "document": row["document"], "source": row["source"]}
             for row in answered]
    parts = split_by_document(with_card(Dataset.from_list(asked), origin), held_out, seed)
    return DatasetDict({part: _even(parts[part], seed) for part in ("train", "test")})


def masked_paragraphs(texts: Dataset) -> list[dict[str, str]]:
    """Every paragraph without what gives its service away, with its service and document."""
    patterns: dict[str, re.Pattern[str]] = {}
    rows = []
    for row in texts.select_columns(["text", "document", "service", "name"]).to_list():
        name = row["document"]
        pattern = patterns.setdefault(name, giveaways(name, row["service"]))
        topic = f"{name}: {_ROLE.sub('', row['name'])}"  # a call and its request say the same
        for paragraph in paragraphs(_HEADER.sub("", row["text"])):
            masked = _TWICE.sub("the service", pattern.sub("the service", paragraph))
            rows.append({"text": masked, "service": name, "document": topic})
    return rows


def once(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows without paragraphs that mostly repeat others, in whichever service."""
    repeated = repeats([row["text"] for row in rows], [0] * len(rows))
    return [row for row, again in zip(rows, repeated, strict=True) if not again]


def of_part(rows: list[dict[str, str]], part: str, seed: int, share: float
            ) -> list[dict[str, str]]:
    """The rows whose operation or structure a hash puts in this part."""
    return [row for row in rows
            if (drawn(seed, row["document"]) < share) == (part == "test")]


def _round_robin(rows: list[dict[str, str]], size: int, seed: int, or_fewer: bool
                 ) -> list[dict[str, str | int]]:
    """`size` rows drawn at random, one of each service in turn, in random turns.

    With `or_fewer`, as many as the rarest service has, where that is less.
    """
    services, draw = sorted({row["service"] for row in rows}), random.Random(seed)
    own = [[{**row, "label": label} for row in rows if row["service"] == name]
           for label, name in enumerate(services)]
    count, least = -(-size // len(services)), min(map(len, own), default=0)
    if least < count and not (or_fewer and least):
        rare = next(name for name, some in zip(services, own, strict=True) if len(some) == least)
        raise DataError(f"{rare} has {least} different paragraphs here, not {count}.",
                        where="data.service_paragraphs", fix="Ask for fewer rows.")
    columns = [draw.sample(some, min(count, least)) for some in own]
    turns = [draw.sample(turn, len(turn)) for turn in zip(*columns, strict=True)]
    return [row for turn in turns for row in turn][:size]


def _even(rows: Dataset, seed: int) -> Dataset:
    """As many rows of each label, in turns: what is left over of the commoner is dropped."""
    by_label: dict[int, list[int]] = defaultdict(list)
    for i, label in enumerate(rows["label"][:]):
        by_label[label].append(i)
    draw = random.Random(seed)
    count = min(map(len, by_label.values()))
    columns = [draw.sample(by_label[label], count) for label in sorted(by_label)]
    kept = [i for turn in zip(*columns, strict=True) for i in turn]
    even = rows.select(kept).select_columns(["text", "label", "document"]).flatten_indices()
    return with_card(even, card(rows).step("as many of each", len(kept), len(rows) - len(kept)))
