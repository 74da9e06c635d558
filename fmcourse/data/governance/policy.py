"""A policy that a machine checks: rules as data, and what of a data set breaks them.

What a rule asks, and why, is read from `policy.toml`; here is a small function for each, which
looks at the card alone. The trade-off: the check believes the card. That the facts on it are true
is for the owner to answer for, and that nobody changed them for the seal and the audit log.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from datasets import Dataset

from fmcourse.data.card import Card, attached, card
from fmcourse.data.facts import SENSITIVITIES, Governance
from fmcourse.errors import DataError, PolicyError, meant

POLICY = Path(__file__).with_name("policy.toml")
TABLES = ("rules", "redaction", "purposes", "licences")  # what a policy is made of
ABOUT_PEOPLE = ("personal", "special")


@dataclass(frozen=True)
class Rule:
    """What must hold, why, and what to do where it does not."""

    name: str
    asks: str
    why: str
    fix: str


@dataclass(frozen=True)
class Breach:
    """One rule that one data set breaks."""

    rule: Rule
    data: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule.name}: {self.what}\n  where: {self.data}\n  why: {self.rule.why}" \
               f"\n  what to do: {self.rule.fix}"


@dataclass(frozen=True)
class Purpose:
    """What licences are asked for, and the highest sensitivity that may be read."""

    use: str
    sensitivity: str


@dataclass(frozen=True)
class Policy:
    """Rules, purposes, and what licences allow.

    Attributes:
        rules: those asked, by name.
        purposes: name → what it needs.
        licences: SPDX identifier → the uses that it allows.
        redaction: how the names of steps begin that redact.
    """

    rules: Mapping[str, Rule]
    purposes: Mapping[str, Purpose]
    licences: Mapping[str, tuple[str, ...]]
    redaction: tuple[str, ...]

    def purpose(self, name: str) -> Purpose:
        """A purpose by name; one that the policy does not know is a `PolicyError`."""
        if name not in self.purposes:
            raise PolicyError(f"The policy knows no purpose {name!r}.", where="policy.toml",
                              fix=meant(name, self.purposes) if self.purposes else "Add one.")
        return self.purposes[name]

    def breaches(self, about: Card | None, purpose: str, today: date | None = None,
                 name: str = "a data set without a card") -> list[Breach]:
        """What of a card breaks the rules, in their order.

        Args:
            about: the card; without one, that is the only breach.
            purpose: one of the policy's.
            today: by default, the day in UTC.
            name: what to call data without a card.
        """
        asked = Question(about or Card(name, {}), self.purpose(purpose), purpose, self,
                         today or datetime.now(UTC).date())
        if about is None:
            rules = [self.rules["card"]] if "card" in self.rules else []
            return [Breach(rule, name, "There is no card.") for rule in rules]
        found = [(rule, CHECKS[rule.name](asked)) for rule in self.rules.values()]
        return [Breach(rule, about.name, what) for rule, what in found if what]


@dataclass(frozen=True)
class Question:
    """A card, and what it is held against."""

    card: Card
    needs: Purpose
    purpose: str
    policy: Policy
    today: date

    @property
    def facts(self) -> Governance:
        """What is stated; nothing, where nothing is."""
        return self.card.governance or Governance()


def policy(path: Path | str | None = None) -> Policy:
    """Read a policy; by default the course's.

    Raises:
        PolicyError: it cannot be read, or has a rule that there is no check of.

    >>> list(policy().rules)[:4]
    ['card', 'owner', 'licence', 'purpose']
    """
    path = Path(path) if path else POLICY
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PolicyError("The policy is not there.", where=path,
                          fix=f"Put it back, or copy the course's: {POLICY}.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PolicyError(f"This policy cannot be used: {error}.", where=path,
                          fix=f"Write it like {POLICY.name} of the course.") from error


@cache
def _parsed(text: str) -> Policy:
    raw = tomllib.loads(text)
    for name in raw.keys() - TABLES:
        raise ValueError(f"nothing reads its part {name!r}; {meant(name, TABLES)}")
    for name in raw["rules"]:
        if name not in CHECKS:
            raise ValueError(f"there is no check of a rule {name!r}; {meant(name, CHECKS)}")
    purposes = {name: Purpose(**told) for name, told in raw["purposes"].items()}
    for name, needs in purposes.items():
        if needs.sensitivity not in SENSITIVITIES:
            raise ValueError(f"purpose {name!r} has no sensitivity out of {SENSITIVITIES}")
    return Policy({name: Rule(name, **told) for name, told in raw["rules"].items()}, purposes,
                  {name: tuple(uses) for name, uses in raw["licences"].items()},
                  tuple(raw["redaction"]["steps"]))


def govern(dataset: Dataset, facts: Governance) -> Dataset:
    """The data set with these facts on its card; from now on training checks them.

    Raises:
        DataError: it has no card.
    """
    return attached(dataset, replace(card(dataset), governance=facts))


def check(dataset: Dataset | Card, purpose: str, *, today: date | None = None,
          by: Policy | None = None) -> list[Breach]:
    """Which rules a data set breaks, if it were used for this purpose; none is good news.

    Args:
        dataset: with a card, or without; or the card itself.
        purpose: a name in the policy, such as 'research'.
        today: to see what will be refused on another day.
        by: a policy; by default the course's.

    Raises:
        PolicyError: the policy has no such purpose.
    """
    rules = by or policy()
    if isinstance(dataset, Card):
        return rules.breaches(dataset, purpose, today)
    try:
        about = card(dataset)
    except DataError:
        about = None
    return rules.breaches(about, purpose, today)


def allows(licence: str, use: str, known: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether an SPDX expression allows a use: one side of an OR must, both sides of an AND.

    Brackets are not read, so that what has them counts as unknown: no harm, but a refusal.

    >>> known = {"MIT": ("commercial",), "CC-BY-NC-4.0": ("research",)}
    >>> allows("MIT OR CC-BY-NC-4.0", "research", known), allows("MIT", "research", known)
    (True, False)
    >>> allows("MIT AND CC-BY-NC-4.0", "commercial", known)
    False
    """
    return any(all(use in known.get(term.strip(), ()) for term in side.split(" AND "))
               for side in licence.split(" OR "))


def redacted(about: Card, beginnings: tuple[str, ...]) -> bool:
    """Whether a step on the card says so."""
    return any(str(step.get("step", "")).lower().startswith(beginnings) for step in about.steps)


def _licence(asked: Question) -> str:
    if not any(asked.card.licence):
        return "No licence is named."
    bad = [one for one in asked.card.licence
           if not allows(one, asked.needs.use, asked.policy.licences)]
    return f"{', '.join(bad)} is not known to allow {asked.needs.use} use." if bad else ""


def _purpose(asked: Question) -> str:
    allowed = asked.facts.purposes
    if not allowed:
        return "No purpose is stated."
    return "" if asked.purpose in allowed else (
        f"It is for {', '.join(allowed)}, not for {asked.purpose}.")


def _retention(asked: Question) -> str:
    until = asked.facts.keep_until
    if not until:
        return "No last day is stated."
    return f"Its last day was {until}." if asked.today > date.fromisoformat(str(until)) else ""


def _sensitivity(asked: Question) -> str:
    found, most = asked.facts.sensitivity, asked.needs.sensitivity
    if not found:
        return "Nobody has said how sensitive it is."
    too_much = SENSITIVITIES.index(found) > SENSITIVITIES.index(most)
    return f"It is {found}; for {asked.purpose}, {most} is the most." if too_much else ""


def _about_people(asked: Question) -> bool:
    return asked.facts.sensitivity in ABOUT_PEOPLE


CHECKS: dict[str, Callable[[Question], Any]] = {
    "card": lambda asked: "" if asked.card.sources else "Its card names no source.",
    "owner": lambda asked: "" if asked.facts.owner.strip() else "Nobody answers for it.",
    "licence": _licence,
    "purpose": _purpose,
    "retention": _retention,
    "sensitivity": _sensitivity,
    "basis": lambda asked: "Nothing says why it may be held." if (
        _about_people(asked) and not asked.facts.basis.strip()) else "",
    "redaction": lambda asked: "No step on its card redacts it." if (
        _about_people(asked) and not redacted(asked.card, asked.policy.redaction)) else "",
}
