"""A claim of the syllabus as something that can fail: measures, arms, a control and a bound."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy import stats

from fmcourse.errors import EvidenceError

SHOWN, NOT_SHOWN, INCONCLUSIVE = "shown", "not shown", "inconclusive"


@dataclass(frozen=True)
class Measure:
    """One comparison of two arms.

    Attributes:
        metric: what is measured in every arm.
        treatment, control: names of the arms compared.
        better: 'higher' or 'lower', the direction the claim predicts for the treatment.
        bound: least effect over seeds that counts as shown.
        live: least effect in one live run; None where a lesson judges it by the ledger only.
        effect: 'difference' or 'ratio'; positive (or above 1) in the predicted direction. Ratios
            are averaged as logarithms: twice and half are equally far from 1.
        over: what the values repeat, and so what the interval speaks of: 'seeds' (training anew),
            or a kind of item, such as 'phenomena' (both arms are fixed models, compared on each),
            or 'nothing' for a quantity without chance, which gets no interval.
    """

    metric: str
    treatment: str
    control: str
    better: str
    bound: float
    live: float | None = None
    effect: str = "difference"
    over: str = "seeds"

    def effects(self, treatment: Sequence[float], control: Sequence[float]) -> np.ndarray:
        """The effect for each seed, positive in the direction the claim predicts. (seeds,)"""
        first, second = np.asarray(treatment, float), np.asarray(control, float)
        if self.better == "lower":
            first, second = second, first
        if self.effect == "difference":
            return first - second
        with np.errstate(divide="ignore", invalid="ignore"):  # judged later, as not finite
            return first / second


@dataclass(frozen=True)
class Claim:
    """A statement of the syllabus and how it is measured; the first measure is the main one."""

    id: str
    statement: str
    experiment: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class Judgement:
    """What the numbers say about one measure.

    Attributes:
        effect: mean over seeds; of ratios, the geometric mean.
        interval: 95 % interval of the mean (Student's t); None for a single value.
        verdict: 'shown' if the whole interval is above the bound, 'not shown' if it is all below,
            otherwise 'inconclusive'. A single value is compared with the bound itself.
    """

    effect: float
    interval: tuple[float, float] | None
    verdict: str


def judge(effects: Sequence[float], bound: float, ratio: bool = False) -> Judgement:
    """Hold effects, one a seed, against a bound.

    Args:
        effects, bound: differences, or ratios.
        ratio: judge the logarithms, since a ratio's spread is lopsided.

    Raises:
        EvidenceError: no effects, or one is not a number; a ratio that is not positive.

    >>> judge([0.30, 0.32, 0.31], bound=0.2).verdict
    'shown'
    >>> judge([0.1, 0.4, 0.2], bound=0.2).verdict
    'inconclusive'
    >>> judge([0.1], bound=0.2).verdict
    'not shown'
    >>> round(judge([2.0, 8.0, 4.0], bound=1, ratio=True).effect, 3)
    4.0
    """
    if ratio:
        with np.errstate(divide="ignore", invalid="ignore"):  # not finite, as found out below
            found = judge(np.log(effects), math.log(bound))
        interval = None if found.interval is None else tuple(map(math.exp, found.interval))
        return Judgement(math.exp(found.effect), interval, found.verdict)
    values = np.asarray(effects, float)
    if not len(values) or not np.isfinite(values).all():
        raise EvidenceError("An effect is missing or not a number.", where=list(effects),
                            fix="Look at the arms: did a run diverge?")
    mean = float(values.mean())
    if len(values) == 1:
        return Judgement(mean, None, SHOWN if mean >= bound else NOT_SHOWN)
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    low, high = mean - half, mean + half
    verdict = SHOWN if low >= bound else NOT_SHOWN if high < bound else INCONCLUSIVE
    return Judgement(mean, (low, high), verdict)


def overall(verdicts: Sequence[str]) -> str:
    """The verdict of several measures together: the least favourable one.

    >>> overall(["shown", "inconclusive"])
    'inconclusive'
    """
    for verdict in (NOT_SHOWN, INCONCLUSIVE):
        if verdict in verdicts:
            return verdict
    return SHOWN


@cache
def claims() -> dict[str, Claim]:
    """All claims by id, read from `claims.toml`."""
    with open(Path(__file__).with_name("claims.toml"), "rb") as file:
        raw = tomllib.load(file)
    return {
        name: Claim(name, entry["statement"], entry["experiment"],
                    tuple(Measure(**measure) for measure in entry["measures"]))
        for name, entry in raw.items()
    }


def get(name: str) -> Claim:
    """The claim with this id.

    Raises:
        EvidenceError: the syllabus has no such claim here.
    """
    if name not in claims():
        raise EvidenceError(f"There is no claim {name!r}.", where="claims.toml",
                            fix=f"Known: {', '.join(claims())}.")
    return claims()[name]
