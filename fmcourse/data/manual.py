"""The AWS CLI's manual: a line for every command that calls an operation, to be looked up.

What a new colleague would be given: the name of each command, and what it does in a sentence. It
knows the services that no training example shows, so retrieval over it is the honest rival of
fine-tuning on `data.commands`. Names and sentences are those of the API models that the CLI ships.

Trade-off: options are left out. A model that is shown the line knows what to call, not how to fill
it in; whole pages would not fit a small model's context.
"""

from __future__ import annotations

from collections.abc import Iterable

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.aws_cli import operations
from fmcourse.data.cache import cached
from fmcourse.data.card import Card, with_card
from fmcourse.data.commands import SYSTEM
from fmcourse.data.retrieval import Retriever
from fmcourse.data.sentences import sentences
from fmcourse.sources.markup import plain

RECIPE = "manual-1"  # raise it when a step below changes, so that caches are made anew
LONGEST = 160  # characters of a sentence; a longer one is cut at a word
ASKED = "{lines}\n\nRequest: {request}"


def manual() -> Dataset:
    """The commands of the AWS CLI and what they do; cached on disk.

    Returns:
        Columns `command` (such as 'aws kms create-key'), `says` (a sentence, '' where nobody
        wrote one), `text` (both), `service` and `operation`.
    """
    recipe = [RECIPE, sources.fingerprint("awscli-examples")]
    return cached("manual", recipe, lambda: DatasetDict({"train": _made()}))["train"]


def with_manual(prompts: Iterable[str], lines: Dataset, count: int = 3,
                examples: Iterable[tuple[str, str]] = ()) -> list[list[dict[str, str]]]:
    """Requests as chats that show what the manual has on them: retrieval without training.

    Args:
        prompts: the requests.
        lines: rows with `text`, such as `manual()`.
        count: lines in front of each request, those most like it (BM25).
        examples: requests and the commands that fulfil them, shown first, each with its lines.

    Returns:
        For each request messages with `role` and `content`, the request last.
    """
    prompts, examples = list(prompts), list(examples)
    found = Retriever(lines["text"][:]).find([*prompts, *(asked for asked, _ in examples)], count)
    asked = [ASKED.format(lines="\n".join(near), request=request) for near, request
             in zip(found, [*prompts, *(said for said, _ in examples)], strict=True)]
    shown = [("system", f"Lines of the manual come before each request. {SYSTEM}")]
    for question, (_, answer) in zip(asked[len(prompts):], examples, strict=True):
        shown += [("user", question), ("assistant", answer)]
    return [[{"role": role, "content": content} for role, content in [*shown, ("user", request)]]
            for request in asked[:len(prompts)]]


def _made() -> Dataset:
    source, rows = sources.get("awscli-examples"), []
    for service, operation, documentation in operations():
        command, said = f"aws {service} {operation}", _first_sentence(documentation)
        rows.append({"command": command, "says": said, "text": f"{command}: {said}",
                     "service": service, "operation": operation})
    step = {"step": "commands", "kept": len(rows), "dropped": 0, "note": "of every service"}
    return with_card(Dataset.from_list(rows), Card(
        "manual", {"awscli-examples": source.sha256}, (source.licence,), (source.attribution,),
        (step,)))


def _first_sentence(documentation: str) -> str:
    said = next(iter(sentences(plain(documentation))), "")
    return said if len(said) <= LONGEST else f"{said[:LONGEST].rsplit(maxsplit=1)[0]} …"
