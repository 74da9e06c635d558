"""The AWS CLI's manual: a line for every command that calls an operation, to be looked up.

What a new colleague would be given: the name of each command, and what it does in a sentence. It
knows the services that no training example shows, so retrieval over it is the honest rival of
fine-tuning on `data.commands`. Names and sentences are those of the API models that the CLI ships.

Trade-off: of the options only those that a command can't do without are named, and none is
explained; whole pages would not fit a small model's context.
"""

from __future__ import annotations

from collections.abc import Mapping

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.aws_cli import operations
from fmcourse.data.cache import cached
from fmcourse.data.card import Card, card, with_card
from fmcourse.data.commands import SYSTEM
from fmcourse.data.retrieval import Retriever
from fmcourse.data.sentences import sentences
from fmcourse.data.task_rows import task_row
from fmcourse.sources.markup import plain

RECIPE = "manual-1"  # raise it when a step below changes, so that caches are made anew
LONGEST = 160  # characters of a sentence; a longer one is cut at a word
SEPARATOR = " — "  # between a command and what it does
TOLD_SYSTEM = (f"{SYSTEM} Lines of the manual stand before each request; the command that is "
               "needed is often in one of them.")


def manual() -> Dataset:
    """The commands of the AWS CLI and what they do; cached on disk.

    Returns:
        Columns `command` (such as 'aws ec2 stop-instances'), `says` (a sentence, '' where nobody
        wrote one), `text` (the command with its required options, and the sentence), `service`
        and `operation`.
    """
    recipe = [RECIPE, sources.fingerprint("awscli-examples")]
    return cached("manual", recipe, lambda: DatasetDict({"train": _made()}))["train"]


def with_manual(pairs: Dataset, lines: Dataset, count: int = 3) -> Dataset:
    """Requests that come with what the manual says on them: retrieval, to prompt or to tune with.

    Args:
        pairs: a part of `data.commands()`.
        lines: rows with `text`, such as `manual()`.
        count: lines in front of each request, those most like it (BM25). The right one may not
            be among them.

    Returns:
        The pairs, with the lines in `prompt`, `messages` and `text`.
    """
    found = Retriever(lines["text"][:]).find(pairs["prompt"][:], count)
    rows = [{**row, **task_row("\n".join([*near, "", row["prompt"]]), row["completion"],
                               row["document"])}
            for row, near in zip(pairs, found, strict=True)]
    return with_card(Dataset.from_list(rows), card(pairs).step(
        "with the manual", len(rows), 0, f"{count} lines each"))


def is_told(row: Mapping[str, str]) -> bool:
    """Whether the operation that a row of `with_manual` needs is in one of its lines."""
    command = f"aws {row['service']} {row['operation']}"
    return any(f"{line} ".startswith(f"{command} ") for line in row["prompt"].splitlines())


def first_lines(pairs: Dataset) -> list[str]:
    """The command in the first line before each request, as if that were the reply.

    What a search alone earns; options are named and have no values.
    """
    return [prompt.splitlines()[0].partition(SEPARATOR)[0] for prompt in pairs["prompt"]]


def _made() -> Dataset:
    source, rows = sources.get("awscli-examples"), []
    for service, operation, needed, documentation in operations():
        command, said = f"aws {service} {operation}", _first_sentence(documentation)
        rows.append({"command": command, "says": said,
                     "text": f"{' '.join([command, *needed])}{SEPARATOR}{said}",
                     "service": service, "operation": operation})
    step = {"step": "commands", "kept": len(rows), "dropped": 0, "note": "of every service"}
    return with_card(Dataset.from_list(rows), Card(
        "manual", {"awscli-examples": source.sha256}, (source.licence,), (source.attribution,),
        (step,)))


def _first_sentence(documentation: str) -> str:
    said = next(iter(sentences(plain(documentation))), "")
    return said if len(said) <= LONGEST else f"{said[:LONGEST].rsplit(maxsplit=1)[0]} …"
