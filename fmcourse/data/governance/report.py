"""A compliance report: what an auditor asks, and what log, cards and lineage have to say to it.

Questions are data (`questions.toml`); each has a function here that looks for evidence and says
what is missing. It prepares for an audit; it is none, and no legal advice.
"""

from __future__ import annotations

import html
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pandas as pd

from fmcourse import store
from fmcourse.data.card import Card
from fmcourse.data.governance.admission import UNGUARDED
from fmcourse.data.governance.audit_log import Entry
from fmcourse.data.governance.graph import DATA, RUN, SOURCE, Lineage
from fmcourse.data.governance.lineage import lineage
from fmcourse.data.governance.policy import ABOUT_PEOPLE, Breach, policy, redacted
from fmcourse.data.governance.project import Project, read

QUESTIONS = Path(__file__).with_name("questions.toml")
SHOWN, GAP, OUTSIDE = "evidence", "gap", "not here"
DISCLAIMER = "A preparation for an audit, and no legal advice."


@dataclass(frozen=True)
class Answer:
    """One question: `state` is 'evidence', 'gap', or 'not here' for what is kept elsewhere."""

    asks: str
    rule: str
    state: str
    evidence: str


@dataclass(frozen=True)
class Report:
    """The answers for one project."""

    project: Project
    answers: tuple[Answer, ...]

    @property
    def gaps(self) -> list[Answer]:
        """Questions to which the evidence is missing, or speaks against the project."""
        return [answer for answer in self.answers if answer.state == GAP]

    @property
    def table(self) -> pd.DataFrame:
        """One row a question."""
        return pd.DataFrame([vars(answer) for answer in self.answers])

    def __str__(self) -> str:
        lines = [f"[{one.state}] {one.asks} ({one.rule})\n    {one.evidence}"
                 for one in self.answers]
        return "\n".join([f"Compliance report of {self.project.name}. {DISCLAIMER}", *lines])

    def _repr_html_(self) -> str:
        head = html.escape(f"Compliance report of {self.project.name}. {DISCLAIMER}")
        return f"<p>{head}</p>" + self.table.to_html(index=False)


@dataclass(frozen=True)
class Evidence:
    """What there is to look at."""

    project: Project
    today: date | None = None

    @cached_property
    def graph(self) -> Lineage:
        """The project's lineage."""
        return lineage(self.project.folder)

    @cached_property
    def entries(self) -> list[Entry]:
        """The lines of the log that can be read."""
        return self.project.log.entries()

    @cached_property
    def cards(self) -> list[Card]:
        """Of the data sets that lie here, and of what runs say they read."""
        nodes = self.graph.nodes.values()
        told = [_bare(node.facts) for node in nodes if node.kind == DATA]
        told += [one for node in nodes if node.kind == RUN for one in node.facts["reads"]]
        found: dict[str, Card] = {}
        for one in told:
            found.setdefault(one["sha256"], Card.of(one))
        return list(found.values())

    @cached_property
    def breaches(self) -> list[Breach]:
        """Rules broken by data that lies here or was read."""
        rules, purpose = self.project.policy, self.project.purpose
        return [breach for card in self.cards
                for breach in rules.breaches(card, purpose, self.today)]

    def broken(self, *rules: str) -> str:
        """What breaks these rules; nothing, if nothing does."""
        return "; ".join(f"{one.data}: {one.what}" for one in self.breaches
                         if one.rule.name in rules)


def audit(folder: Path | str, today: date | None = None) -> Report:
    """The compliance report of a governed project.

    Args:
        folder: its top.
        today: to see what will be asked on another day.

    Raises:
        PolicyError: the folder is no governed project.
    """
    found = Evidence(read(folder), today)
    asked = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["questions"]
    return Report(found.project, tuple(
        Answer(one["asks"], one["rule"], *ANSWERS[one["evidence"]](found)) for one in asked))


def _bare(facts: object) -> dict:
    """What a sealed file tells, without its seal."""
    return {key: value for key, value in dict(facts).items()
            if key not in (store.FILES, store.SEAL)}


def _told(gap: str, evidence: str) -> tuple[str, str]:
    return (GAP, gap) if gap else (SHOWN, evidence)


def inventory(found: Evidence) -> tuple[str, str]:
    """Every data set has a card with an owner."""
    if not found.cards:
        return GAP, "There is no data set with a card here."
    owners = sorted({card.governance.owner for card in found.cards if card.governance})
    return _told(found.broken("card", "owner"),
                 f"{len(found.cards)} data sets with cards; owners: {', '.join(owners)}.")


def purposes(found: Evidence) -> tuple[str, str]:
    """The project's purpose is one of each data set's."""
    return _told(found.broken("purpose"),
                 f"All data here may be used for {found.project.purpose}.")


def bases(found: Evidence) -> tuple[str, str]:
    """Data about people has a basis."""
    people = [c for c in found.cards if c.governance and c.governance.sensitivity in ABOUT_PEOPLE]
    stated = "; ".join(f"{card.name}: {card.governance.basis}" for card in people)
    return _told(found.broken("basis", "sensitivity"), stated or "No data here is about people.")


def redactions(found: Evidence) -> tuple[str, str]:
    """Data about people was redacted."""
    ways = found.project.policy.redaction
    done = [card.name for card in found.cards if redacted(card, ways)]
    return _told(found.broken("redaction"), f"Redacted: {', '.join(done)}." if done else
                 "No data here is about people.")


def retention(found: Evidence) -> tuple[str, str]:
    """Last days are stated and not past."""
    days = [str(c.governance.keep_until) for c in found.cards if c.governance]
    return _told(found.broken("retention"), f"The first last day is {min(days, default='none')}.")


def licences(found: Evidence) -> tuple[str, str]:
    """Licences allow the use."""
    named = sorted({one for card in found.cards for one in card.licence})
    return _told(found.broken("licence"), f"{', '.join(named) or 'No licence to name'}.")


def accesses(found: Evidence) -> tuple[str, str]:
    """The log has lines, and each run that lies here has its line."""
    made = {entry.what for entry in found.entries if entry.event == "training ended"}
    silent = [path.parent.relative_to(found.graph.folder).as_posix()
              for node in found.graph.nodes.values() if node.kind == RUN for path in node.paths
              if path.parent.relative_to(found.graph.folder).as_posix() not in made]
    counts = Counter(entry.event for entry in found.entries)
    people = sorted({entry.who for entry in found.entries})
    told = ", ".join(f"{count} × {event}" for event, count in counts.most_common())
    gap = f"Runs without a line in the log: {', '.join(silent)}." if silent else (
        "" if found.entries else "The log is empty.")
    return _told(gap, f"{len(found.entries)} lines by {', '.join(people)}: {told}.")


def chain(found: Evidence) -> tuple[str, str]:
    """The log's chain holds."""
    fault, head = found.project.log.verify(), found.project.log.head
    kind = "keyed" if found.project.keyed else "not keyed, so a whole new chain would not show"
    return _told(f"The log was changed: {fault}." if fault else "",
                 f"The chain of {head.count} lines holds up to {head.hash[:12]} ({kind}). Compare "
                 "with a head kept elsewhere.")


def integrity(found: Evidence) -> tuple[str, str]:
    """Seals are whole."""
    names = [found.graph.nodes[key].name for key in sorted(found.graph.changed())]
    names += [path.relative_to(found.graph.folder).as_posix() for path in found.graph.broken]
    here = sum(bool(node.paths) for node in found.graph.nodes.values())
    return _told(f"Changed or gone: {', '.join(names)}." if names else "",
                 f"All {here} things here are as they were made.")


def traceability(found: Evidence) -> tuple[str, str]:
    """Each run reaches a source whose bytes are here."""
    graph = found.graph
    runs = [key for key, node in graph.nodes.items() if node.kind == RUN]
    lost = [graph.nodes[key].name for key in runs if not any(
        graph.nodes[one].kind == SOURCE for one in graph.ancestors(key))]
    dark = [graph.nodes[key].name for key in graph.unchecked()]
    beside = f" Known by hash alone: {', '.join(sorted(dark))}." if dark else ""
    return _told(f"No source is known of {', '.join(lost)}." if lost else "",
                 f"All {len(runs)} runs are traced to their sources.{beside}")


def refusals(found: Evidence) -> tuple[str, str]:
    """The policy holds for training here; what was refused, and what does not ask."""
    refused = [entry for entry in found.entries if entry.event == "training refused"]
    told = "; ".join(f"{entry.what}: {entry.note.split(';')[0]}" for entry in refused[-3:])
    so_far = f"refusals so far: {len(refused)}, lately {told}" if refused else \
        "nothing was refused so far"
    rules = found.project.policy.rules
    dropped = [name for name in policy().rules if name not in rules]
    fewer = f", all of the course's but {', '.join(dropped)}" if dropped else ""
    return _told("" if rules else "The policy has no rules.",
                 f"{len(rules)} rules are checked before each pre-training or tuning{fewer}; "
                 f"{so_far}. Not checked: {', '.join(UNGUARDED)}, which see no card or "
                 f"keep no run.")


def erasure(found: Evidence) -> tuple[str, str]:
    """There is lineage to follow; whether requests were."""
    asked = [entry for entry in found.entries if entry.event == "erasure asked"]
    return SHOWN, (f"Lineage of {len(found.graph.nodes)} things can be followed; "
                   f"{len(asked)} requests in the log. A trained model has to be trained again.")


def access_control(found: Evidence) -> tuple[str, str]:
    """Not here: that is for the store's own policies."""
    return OUTSIDE, "A folder on disk has the rights of its files. See fmcourse.aws for S3 and IAM."


ANSWERS: dict[str, Callable[[Evidence], tuple[str, str]]] = {
    one.__name__: one for one in (inventory, purposes, bases, redactions, retention, licences,
                                  accesses, chain, integrity, traceability, refusals, erasure,
                                  access_control)}
