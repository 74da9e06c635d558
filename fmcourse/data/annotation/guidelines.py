"""Guidelines for annotators: what each kind of item is to be called, and what they leave open.

A guideline that does not decide a case leaves it to the annotators, and each decides it once, for
themselves, and then sticks to it. So the disagreement that vagueness causes is no noise: it is
systematic for each annotator, and more care or more practice does not make it smaller; only a rule
does. That is how it is simulated here: a rule has one class, or several of which everybody
privately takes one. The first is what the owner of the data means.

The example is real text: a paragraph of AWS documentation, and the area of its service. Some
services stand between two areas (is Config management, or security?).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fmcourse.errors import DataError, meant

AREAS = {
    "compute": ("autoscaling", "batch", "ecs", "eks"),
    "analytics": ("emr", "glue", "kinesis", "redshift"),
    "security": ("cognito-idp", "guardduty", "iam", "kms"),
    "management": ("cloudformation", "cloudtrail", "cloudwatch", "config"),
    "machine learning": ("comprehend", "rekognition", "transcribe"),
    "storage, network, devices": ("backup", "cloudfront", "elasticache", "iot", "route53"),
}
BETWEEN = {"cloudtrail": "security", "config": "security", "autoscaling": "management",
           "kinesis": "storage, network, devices", "elasticache": "analytics", "emr": "compute",
           "comprehend": "analytics", "backup": "management"}


@dataclass(frozen=True)
class Guideline:
    """What annotators are told.

    Attributes:
        classes: names of the labels 0, 1 …
        rules: kind of item → the classes that it may be read as; the first is meant.
    """

    classes: tuple[str, ...]
    rules: Mapping[str, tuple[int, ...]]

    @property
    def open(self) -> tuple[str, ...]:
        """Kinds that it does not decide."""
        return tuple(kind for kind, choices in self.rules.items() if len(choices) > 1)

    def settled(self, kinds: Iterable[str] | None = None) -> Guideline:
        """The guideline with these questions decided as they are meant; all, if none is named.

        Raises:
            DataError: there is no rule for a kind.
        """
        now = self.open if kinds is None else tuple(kinds)
        for kind in now:
            self._known(kind)
        return replace(self, rules={kind: choices[:1] if kind in now else choices
                                    for kind, choices in self.rules.items()})

    def meant(self, kinds: Sequence[str]) -> np.ndarray:
        """The label that the owner means for each item. (items,)

        Args:
            kinds: of each item.

        Raises:
            DataError: there is no rule for a kind.
        """
        return np.asarray([self.rules[self._known(kind)][0] for kind in kinds], int)

    def read_by(self, annotators: int, kinds: Sequence[str], seed: int = 0) -> np.ndarray:
        """What each annotator takes to be the label of each item. (annotators, items)

        Settling some questions does not change how the others are read.

        Raises:
            DataError: there is no rule for a kind.
        """
        held = []
        for k in range(annotators):
            chance = np.random.default_rng([seed, k, 2]).random(len(self.rules))
            private = {kind: self.rules[kind][int(draw * len(self.rules[kind]))]
                       for kind, draw in zip(sorted(self.rules), chance, strict=True)}
            held.append([private[self._known(kind)] for kind in kinds])
        return np.asarray(held, int).reshape(annotators, len(kinds))

    def misread(self, count: int, seed: int = 0) -> Guideline:
        """The guideline with so many of its rules wrong: a kind each, of another class.

        Raises:
            DataError: there are not so many rules.
        """
        if not 0 <= count <= len(self.rules):
            raise DataError(f"{count} rules cannot be wrong.", where="Guideline.misread",
                            fix=f"There are {len(self.rules)}.")
        draw, rules = random.Random(seed), dict(self.rules)
        for kind in draw.sample(sorted(rules), count):
            rules[kind] = (draw.choice([label for label in range(len(self.classes))
                                        if label != rules[kind][0]]),)
        return replace(self, rules=rules)

    def __str__(self) -> str:
        lines = (f"{kind}: {' or '.join(self.classes[label] for label in choices)}"
                 for kind, choices in self.rules.items())
        return "\n".join(lines)

    def _known(self, kind: str) -> str:
        if kind not in self.rules:
            raise DataError(f"The guideline has no rule for {kind!r}.", where="Guideline",
                            fix=meant(str(kind), self.rules))
        return kind


def areas(undecided: int = 8) -> Guideline:
    """The areas of the 24 services of `data.service_paragraphs`.

    Args:
        undecided: of the services between two areas, so many are left open, each as likely to be
            read one way as the other; 0 makes a clear guideline.

    Raises:
        DataError: there are not so many.

    >>> areas(0).open, areas(1).open
    ((), ('cloudtrail',))
    """
    if not 0 <= undecided <= len(BETWEEN):
        raise DataError(f"{undecided} services cannot be left open.", where="areas",
                        fix=f"Leave open 0 to {len(BETWEEN)}.")
    names, left = tuple(AREAS), list(BETWEEN)[:undecided]
    rules = {service: (names.index(area),) for area, own in AREAS.items() for service in own}
    rules |= {service: (*rules[service], names.index(BETWEEN[service])) for service in left}
    return Guideline(names, rules)


def disputed(table: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    """How much annotators disagree on each kind of item; what is most disputed comes first.

    Args:
        table: of labels, columns item and label.
        kinds: of each item.

    Returns:
        A row a kind: kind, pairs (of labels of one item), disagree (share of them that differ).
        Kinds without an item labelled twice are left out.

    >>> labels = pd.DataFrame({"item": [0, 0, 1, 1], "label": [0, 1, 1, 1]})
    >>> disputed(labels, ["glue", "kms"])["disagree"].tolist()
    [1.0, 0.0]
    """
    counts = pd.crosstab(table["item"], table["label"])
    each = counts.sum(axis=1)
    found = pd.DataFrame({"kind": [kinds[item] for item in counts.index],
                          "pairs": each * (each - 1) / 2,
                          "same": (counts * (counts - 1) / 2).sum(axis=1)})
    found = found.groupby("kind", sort=True)[["pairs", "same"]].sum().query("pairs > 0")
    found["disagree"] = 1 - found["same"] / found["pairs"]
    found = found.sort_values("disagree", ascending=False, kind="stable").reset_index()
    return found.astype({"pairs": int})[["kind", "pairs", "disagree"]]
