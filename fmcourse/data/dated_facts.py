"""Facts that change: limits that AWS's documentation states, as of November 2022 and of 2026.

A question is the name of a page and the beginning of a sentence on it, up to a number ("CopyObject
of Amazon Simple Storage Service: You can store individual objects of up to"); the answer is the
number. Both releases have the same number in most of the sentences, some thirty have another one
now, and some sentences are of services that did not exist. Real facts and real changes; nothing is
made up. Which numbers count as limits is told in `data.stated_limits`.

Trade-off: a person would ask in words of their own. These words are the page's, so a search finds
the page more easily than it would for a person. And a sentence to be finished can be asked of any
model, a base too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datasets import Dataset, DatasetDict

from fmcourse import sources
from fmcourse.data.cache import cached
from fmcourse.data.card import card, with_card
from fmcourse.data.sentences import sentences
from fmcourse.data.stated_limits import BLANK, Stated, in_both, page_of, stated
from fmcourse.data.task_rows import Row, task_row

RELEASES = {2022: "aws-docs-2022", 2026: "aws-docs"}
RECIPE = "dated-facts-3"  # raise it when a step below changes, so that caches are made anew
PASSAGE = 300  # characters of a passage, at most


@dataclass(frozen=True)
class DatedFacts:
    """Questions on limits, and what two releases say.

    The rows of the three sets have `prompt`, `completion` (the number of 2026, right today),
    `messages`, `before` (that of 2022, or ''), `sentence` (with a blank), `page`, `service` and
    `document`.

    Attributes:
        changed: stated in both releases, with different numbers.
        unchanged: stated in both with the same number, of the services of `changed`.
        new: of services that did not exist in 2022.
        pages: the pages of 2022 on which what is asked was stated, as `text`.
        passages: year → sentences that state a number, with the page they stand on; of the services
            that are asked about, and not of all documents.
    """

    changed: Dataset
    unchanged: Dataset
    new: Dataset
    pages: Dataset
    passages: dict[int, list[str]]


def dated_facts() -> DatedFacts:
    """All such facts of the services of which at least one limit has changed; cached on disk."""
    prints = [sources.fingerprint(name) for name in RELEASES.values()]
    parts = cached("dated-facts", [RECIPE, prints], _made)
    return DatedFacts(*(parts[name] for name in ("changed", "unchanged", "new", "pages")),
                      {year: parts[f"passages-{year}"]["text"][:] for year in RELEASES})


def as_of_2022(facts: Dataset) -> Dataset:
    """The same questions with the answers of 2022, to train on; those of `new` have none."""
    rows = [{**row, **task_row(row["prompt"], row["before"], row["document"])}
            for row in facts if row["before"]]
    return with_card(Dataset.from_list(rows), card(facts).step(
        "answers of 2022", len(rows), len(facts) - len(rows)))


def question(sentence: str, page: str) -> str:
    """How a fact is asked for.

    >>> question("You can have up to ___ tags.", "CreateFox of Amazon Zoo")
    'CreateFox of Amazon Zoo: You can have up to'
    """
    return f"{page}: {sentence.partition(BLANK)[0].rstrip()}"


def passages(rows: Sequence[Row]) -> Iterator[str]:
    """Sentences with a number in them, as many as fit, each headed by its page."""
    for row in rows:
        page = page_of(row)
        room = PASSAGE - len(page) - 2
        held = ""
        for sentence in sentences(row["text"]):
            sentence = sentence.removeprefix("- ")
            if not re.search(r"\d", sentence) or len(sentence) > room:
                continue
            if held and len(held) + 1 + len(sentence) > room:
                yield f"{page}: {held}"
                held = ""
            held = f"{held} {sentence}".strip()
        if held:
            yield f"{page}: {held}"


def _made() -> DatasetDict:
    releases = {year: sources.load(name) for year, name in RELEASES.items()}
    old, new = (stated(list(release)) for release in releases.values())
    both = in_both(old, new)
    changed = _distinct([(one, before) for one, before in both if one.number != before])
    asked = {one.document for one, _ in changed}
    unchanged = _distinct([(one, before) for one, before in both
                           if one.number == before and one.document in asked])
    before = set(releases[2022]["document"][:])
    young = _distinct([(one, "") for key, one in new.items() if key[0] not in before])
    log = card(releases[2026])
    parts = {name: with_card(_rows(facts), log.step(name, len(facts), 0, "limits stated"))
             for name, facts in (("changed", changed), ("unchanged", unchanged), ("new", young))}
    stand = {(one.document, one.page.split(" of ")[0]) for one, _ in (*changed, *unchanged)}
    held = [row for row in releases[2022] if (row["document"], row["name"]) in stand]
    parts["pages"] = with_card(Dataset.from_list([
        {"text": row["text"], "document": row["document"]} for row in held]),
        card(releases[2022]).step("pages asked about", len(held), 0))
    services = asked | {one.document for one, _ in young}
    for year, release in releases.items():
        lines = sorted(set(passages([row for row in release if row["document"] in services])))
        parts[f"passages-{year}"] = Dataset.from_dict({"text": lines})
    return DatasetDict(parts)


def _distinct(facts: list[tuple[Stated, str]]) -> list[tuple[Stated, str]]:
    """One of each service's facts that share both numbers: most say the same thing again."""
    found: dict[tuple[str, ...], tuple[Stated, str]] = {}
    for one, before in sorted(facts):
        found.setdefault((one.document, one.number, before), (one, before))
    return list(found.values())


def _rows(facts: list[tuple[Stated, str]]) -> Dataset:
    return Dataset.from_list([
        {**task_row(question(one.question, one.page), one.number, one.document), "before": before,
         "sentence": one.question, "page": one.page, "service": one.service}
        for one, before in facts])
