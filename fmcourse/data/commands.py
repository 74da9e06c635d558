"""Natural language to AWS command: real requests, real commands, and operations nobody has seen.

The pairs are the examples that the AWS CLI ships. What makes the task a test is the split: all
examples of an operation are in one part, and an operation is known by its name alone, because
services share names (`tag-resource` is in dozens) and versions of a service share many. Besides,
some services are wholly unseen. Requests that say nearly the same are kept once, held-out ones
first, and so are commands. Only what the AWS CLI's own parser takes is kept.

Trade-off: a description of an example is not quite what a person would ask. Its opening ("The
following `run-instances` example launches …") becomes an imperative ("Launch …"), which also takes
the operation's name away; values that the command needs and the description leaves out stay unsaid,
so exact agreement has a ceiling well below 100 %.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.aws_cli import read
from fmcourse.data.cache import cached
from fmcourse.data.card import Card, card, with_card
from fmcourse.data.domain import services
from fmcourse.data.retrieval import Retriever
from fmcourse.data.split import check_no_leak, drawn
from fmcourse.data.task_rows import distinct, only, task_row
from fmcourse.errors import DataError

RECIPE = "commands-4"  # raise it when a step below changes, so that caches are made anew
LONGEST = 300  # characters of a command
SHORTEST_REQUEST, LONGEST_REQUEST = 20, 400  # characters of a request
PARTS = ("train", "validation", "test_operations", "test_services")
HELD_OUT = {"test_operations": 0.12, "validation": 0.06}  # shares of the names of operations
# Unseen besides the domain corpus's test and validation: classes of its task, read by no model
# either, and close relatives of unseen services.
UNSEEN = ("dax", "ecr", "ecr-public", "ecs", "firehose", "kinesis", "kms")
SYSTEM = ("You turn requests into commands of the AWS command line interface. "
          "Reply with one command and nothing else.")
_NAME = r"`?\b[a-z0-9]+(?:-[a-z0-9]+)+`?"
_OPENING = (rf"(?:in )?(?:the following|this|the)"
            rf"(?: (?:{_NAME}|%s|code|sample|example|commands?|operation)(?!s))++,?"
            r"(?: (?:shows|demonstrates|describes|illustrates)(?: you)? how to"
            rf"| (?:uses|calls)(?: the)? {_NAME}(?: command| operation)? to| (?:will|to)"
            r"|(?P<verb> [a-z]+s)\b) ")
_ASIDE = re.compile(r"\s*For (?:more|additional) information\b[^.]*(?:\.|$)")
_TO = re.compile(r"^To (?=[a-z])")
_NOT_VERBS = frozenset({"as", "is", "has", "was", "does", "its", "examples"})


def commands(seed: int = 0) -> DatasetDict:
    """Requests and the AWS commands that fulfil them; cached on disk.

    Args:
        seed: which operations are held out.

    Returns:
        Parts train, validation, test_operations (operations no other part has, of services of
        train) and test_services (services no other part has); columns as in `task_row`
        (`completion` is one line), and `service`, `operation`.
    """
    recipe = [RECIPE, sources.fingerprint("awscli-examples"), sorted(unseen_services()), seed]
    return cached("commands", recipe, lambda: by_operation(
        sources.load("awscli-examples"), unseen_services(), seed))


def unseen_services() -> frozenset[str]:
    """The services of part test_services."""
    return frozenset([*services()["test"], *services()["validation"], *UNSEEN])


def by_operation(examples: Dataset, unseen: Iterable[str], seed: int = 0) -> DatasetDict:
    """Make pairs of examples and split them by service and operation.

    Args:
        examples: rows of the reader `aws_examples`.
        unseen: services of part test_services.
        seed: which operations are held out.

    Raises:
        DataError: a part would be empty, or two parts share an operation or a text.
    """
    rows, log = _pairs(examples.to_list(), replace(card(examples), name="commands"))
    random.Random(seed).shuffle(rows)
    unseen = frozenset(unseen)
    rows.sort(key=lambda row: -PARTS.index(_part(row, unseen, seed)))  # held-out ones first
    for column in ("prompt", "completion"):
        rows, log = distinct(rows, log, column)
    seen = {row["service"] for row in rows if _part(row, unseen, seed) == "train"}
    rows, log = only(rows, log, "held-out operations of services of train", lambda row:
                      row["service"] in seen or row["service"] in unseen)
    parts = DatasetDict()
    for part in PARTS:
        own = [row for row in rows if _part(row, unseen, seed) == part]
        if not own:
            raise DataError(f"The {part} part is empty.", where=log.name,
                            fix="Use more examples, of more services.")
        parts[part] = with_card(Dataset.from_list(own), log.step(
            f"{part} part", len(own), len(rows) - len(own), "by service and operation"))
    check_no_leak(parts)
    return parts


def request(text: str, operation: str) -> str:
    """A description of an example as what someone would ask for, without the operation's name.

    >>> request("The following run-instances example launches a t2.micro.", "run-instances")
    'Launch a t2.micro.'
    >>> request("To delete a bucket", "rb")
    'Delete a bucket.'
    """
    text = _ASIDE.sub("", text)
    found = re.match(_OPENING % re.escape(operation), text, re.I)
    verb = (found["verb"] or "").strip().lower() if found else ""
    if found and verb not in _NOT_VERBS:
        text = f"{imperative(verb)} {text[found.end():]}".strip()
    text = _TO.sub("", text).strip(" .:")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def imperative(verb: str) -> str:
    """A verb without the ending of the third person.

    >>> [imperative(verb) for verb in ("launches", "applies", "uses", "gets")]
    ['launch', 'apply', 'use', 'get']
    """
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    return re.sub(r"(?<=ch|sh|ss)es$|s$", "", verb)


def few_shot(prompts: Iterable[str], examples: Dataset, count: int = 4, similar: bool = True,
             system: str = SYSTEM) -> list[list[dict[str, str]]]:
    """Requests as chats that show examples first: what prompting does without training.

    Args:
        prompts: the requests.
        examples: rows with `prompt` and `completion`, such as part train.
        count: examples in each chat; 0 for none.
        similar: the examples most like the request (BM25), the nearest last; else the first ones
            of `examples`, the same in every chat.
        system: what the chats begin with.

    Returns:
        For each request messages with `role` and `content`, the request last.
    """
    prompts = list(prompts)
    answers = dict(zip(examples["prompt"][:], examples["completion"][:], strict=True))
    shown = [list(answers)[:count]] * len(prompts)
    if similar and count:
        shown = [found[::-1] for found in Retriever(list(answers)).find(prompts, count)]
    return [_chat(system, [(asked, answers[asked]) for asked in examples_of], prompt)
            for examples_of, prompt in zip(shown, prompts, strict=True)]


def _chat(system: str, shown: Iterable[tuple[str, str]], prompt: str) -> list[dict[str, str]]:
    turns = [("system", system)]
    for asked, answered in shown:
        turns += [("user", asked), ("assistant", answered)]
    return [{"role": role, "content": content} for role, content in [*turns, ("user", prompt)]]


def _pairs(examples: list[dict[str, Any]], log: Card) -> tuple[list[dict[str, str]], Card]:
    """Usable examples as rows of the data set; the card says what was dropped, and why."""
    for problem, passed in (("several lines", "a command on one line"),
                            ("another operation", "an example of its own operation"),
                            ("no description", "with a description")):
        examples, log = only(examples, log, passed,
                              lambda row, problem=problem: row["problem"] != problem)
    examples, log = only(examples, log, "command not too long",
                          lambda row: len(row["command"]) <= LONGEST, f"(<= {LONGEST} characters)")
    examples, log = only(examples, log, "taken by the AWS CLI's parser", _is_taken)
    rows = [task_row(request(row["text"], row["operation"]), row["command"], row["document"],
                     service=row["service"], operation=row["operation"]) for row in examples]
    rows, log = only(rows, log, "request of sane length",
                      lambda row: SHORTEST_REQUEST <= len(row["prompt"]) <= LONGEST_REQUEST,
                      f"({SHORTEST_REQUEST} to {LONGEST_REQUEST} characters)")
    return only(rows, log, "operation not named in the request",
                lambda row: "-" not in row["operation"] or row["operation"] not in row["prompt"])


def _is_taken(row: dict[str, Any]) -> bool:
    """Whether the CLI would take the command as a call of the operation it is an example of."""
    try:
        call = read(row["command"])
    except DataError:
        return False
    return (call.service, call.operation) == (row["service"], row["operation"])


def _part(row: dict[str, str], unseen: frozenset[str], seed: int) -> str:
    """The part of a row; an operation's is drawn by a hash of its name."""
    if row["service"] in unseen:
        return "test_services"
    left = drawn(seed, row["operation"])
    for name, share in HELD_OUT.items():
        if left < share:
            return name
        left -= share
    return "train"
