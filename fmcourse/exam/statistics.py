"""What is in the bank: how many items of each kind, what is missing, and what gives keys away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

from fmcourse.exam import grade as grading
from fmcourse.exam import item as items
from fmcourse.exam import wording
from fmcourse.exam.bank import statements
from fmcourse.exam.giveaways import Baseline, baselines
from fmcourse.exam.item import Item

ITEMS, PER_CLAIM, SCENARIOS, SEQUENCES = 240, 3, 0.25, 0.20  # what a full bank has
EXPLAINED = {items.ORDERING: 1.0, items.MATCHING: 0.4}  # of an item's wrong orders, or pairs


@dataclass(frozen=True)
class Statistics:
    """Counts of a bank.

    Attributes:
        total: items.
        types, tasks, difficulties: kind → items.
        claims: claim → items, in the syllabus's order; an item counts for each of its claims.
        scenarios: items decided by a constraint in the last sentence.
        beyond: items that go beyond what the exam asks.
        explained: of each ordering and matching, the share of wrong answers that are explained.
        faults: of grammar, each with its item's id.
        doubles: pairs of items that ask nearly the same.
        keys: of multiple choice, letter in the file → keys. Learners see options shuffled; a
            writer who always puts the key first may want to know.
        baselines: what can be had without knowledge.
    """

    total: int
    types: dict[str, int]
    tasks: dict[str, int]
    difficulties: dict[int, int]
    claims: dict[str, int]
    scenarios: int
    beyond: int
    explained: dict[str, dict[str, float]]
    faults: tuple[str, ...]
    doubles: tuple[str, ...]
    keys: dict[str, int]
    baselines: tuple[Baseline, ...]

    @property
    def missing(self) -> list[str]:
        """What a full bank would have more of, in sentences; empty for a full one."""
        found = []
        if self.total < ITEMS:
            found.append(f"{self.total} items of {ITEMS}.")
        few = [f"{claim} {count}" for claim, count in self.claims.items() if count < PER_CLAIM]
        if few:
            found.append(f"Claims with fewer than {PER_CLAIM} items: {', '.join(few)}.")
        sequences = self.types[items.ORDERING] + self.types[items.MATCHING]
        for name, count, least in (("scenarios", self.scenarios, SCENARIOS),
                                   ("ordering and matching", sequences, SEQUENCES)):
            if count < least * self.total:
                found.append(f"{count / self.total:.0%} {name}, where {least:.0%} are wanted.")
        for kind, shares in self.explained.items():
            short = [f"{name} {share:.0%}" for name, share in shares.items()
                     if share < EXPLAINED[kind]]
            if short:
                found.append(f"Too few wrong answers are explained, of {EXPLAINED[kind]:.0%} "
                             f"wanted: {', '.join(short)}.")
        return [*found, *self.faults, *self.doubles]

    @property
    def leaks(self) -> list[Baseline]:
        """Signs that give keys away."""
        return [one for one in self.baselines if one.leaks]

    def __str__(self) -> str:
        shares = "\n".join(f"{name}: {_told(counts)}" for name, counts in (
            ("types", self.types), ("tasks", self.tasks), ("difficulty", self.difficulties),
            ("claims", self.claims), ("letters of keys", self.keys)))
        means = {kind: f"{sum(of.values()) / len(of):.0%}"
                 for kind, of in self.explained.items() if of}
        return "\n".join([
            f"{self.total} items: {self.scenarios} scenarios, {self.beyond} beyond the exam",
            shares, f"wrong answers explained: {_told(means)}", *map(str, self.baselines)])


def measure(bank: Sequence[Item]) -> Statistics:
    """Count a bank and try to answer it without knowledge."""
    return Statistics(
        total=len(bank),
        types=_counts(items.TYPES, (item.type for item in bank)),
        tasks=_counts(items.TASKS, (item.task for item in bank)),
        difficulties=_counts((1, 2, 3), (item.difficulty for item in bank)),
        claims=_counts(statements(), (claim for item in bank for claim in item.claims)),
        scenarios=sum(item.scenario for item in bank),
        beyond=sum(item.beyond for item in bank),
        explained={kind: {item.id: explained(item) for item in bank if item.type == kind}
                   for kind in EXPLAINED},
        faults=tuple(f"{item.id}: {fault}" for item in bank for fault in wording.faults(item)),
        doubles=tuple(f"{first.id} and {second.id} share {share:.0%} of the words of their stems "
                      "and keys." for share, first, second in wording.alike(bank)),
        keys=_counts("abcd", (item.key[0] for item in bank if item.type == items.CHOICE)),
        baselines=tuple(baselines(bank)))


def explained(item: Item) -> float:
    """The share of wrong orders in which a usual mistake is found, or of wrong pairs with a reason.

    An order contains a mistake as the grader sees it, so that a learner who gives it is told why.
    """
    if item.type == items.MATCHING:
        return len(item.wrong) / (len(item.prompts) * (len(item.options) - 1))
    wrong = [order for order in permutations(item.key) if order != item.key]
    return sum(any(note.verdict == grading.WRONG and note.why
                   for note in grading.grade(item, order).notes) for order in wrong) / len(wrong)


def _counts(names: Iterable, found: Iterable) -> dict:
    """How often each name is found, with those that are not, in the order of `names`."""
    counted = Counter(found)
    return {name: counted[name] for name in names}


def _told(counts: dict) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
