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
NOT_JUDGED = "not judged"  # a run too short to say


@dataclass(frozen=True)
class Measure:
    """One comparison of two arms.

    Attributes:
        metric: what is measured in every arm.
        treatment, control: names of the arms compared.
        better: 'higher' or 'lower', the direction the claim predicts for the treatment.
        bound: least effect over seeds that counts as shown.
        live: least effect in one live run; None where a lesson judges it by the ledger only.
        effect: 'difference' or 'ratio' (of means, over seeds); positive (or above 1) in the
            predicted direction.
        over: what the values repeat, and so what the interval speaks of: 'seeds' (training anew),
            or a kind of item, such as 'phenomena' (both arms are fixed models, compared on each),
            or 'nothing' for a quantity without chance, which gets no interval.
        no_worse: the claim is only that the treatment loses little or nothing, so that the bound
            may be less than no effect at all: a ratio of 0.98 allows a loss of 2 %.
    """

    metric: str
    treatment: str
    control: str
    better: str
    bound: float
    live: float | None = None
    effect: str = "difference"
    over: str = "seeds"
    no_worse: bool = False

    def ordered(self, treatment: Sequence[float], control: Sequence[float]
                ) -> tuple[np.ndarray, np.ndarray]:
        """Both arms, the one first that the claim predicts to be higher. (seeds,), (seeds,)"""
        first, second = np.asarray(treatment, float), np.asarray(control, float)
        return (second, first) if self.better == "lower" else (first, second)

    def judge(self, treatment: Sequence[float], control: Sequence[float]) -> Judgement:
        """Hold two arms, a value a seed each, against the bound."""
        first, second = self.ordered(treatment, control)
        if self.over == "nothing":
            first, second = first.mean(keepdims=True), second.mean(keepdims=True)
        if self.effect == "ratio":
            return judge_ratio(first, second, self.bound)
        return judge(first - second, self.bound)

    def once(self, treatment: float, control: float) -> float:
        """The effect in a single run, positive (or above 1) as the claim predicts."""
        first, second = self.ordered([treatment], [control])
        with np.errstate(divide="ignore", invalid="ignore"):
            return float((first / second if self.effect == "ratio" else first - second)[0])


@dataclass(frozen=True)
class Claim:
    """A statement of the syllabus and how it is measured.

    Attributes:
        id, statement: of the syllabus.
        experiment: what is run.
        measures: the first is the main one.
        seeds: how often; more where an effect is small beside its spread.
    """

    id: str
    statement: str
    experiment: str
    measures: tuple[Measure, ...]
    seeds: int = 3


@dataclass(frozen=True)
class Judgement:
    """What the numbers say about one measure.

    Attributes:
        effect: mean over seeds, or the ratio of two means.
        interval: 95 % interval of it (Student's t; Fieller's for a ratio, whose upper end may be
            infinite); None for a single value.
        verdict: 'shown' if the whole interval is above the bound, 'not shown' if it is all below,
            otherwise 'inconclusive'. A single value is compared with the bound itself.
    """

    effect: float
    interval: tuple[float, float] | None
    verdict: str


def judge(effects: Sequence[float], bound: float) -> Judgement:
    """Hold effects, one a seed, against a bound.

    Raises:
        EvidenceError: no effects, or one is not a number.

    >>> judge([0.30, 0.32, 0.31], bound=0.2).verdict
    'shown'
    >>> judge([0.1, 0.4, 0.2], bound=0.2).verdict
    'inconclusive'
    >>> judge([0.1], bound=0.2).verdict
    'not shown'
    """
    values = _numbers(effects)
    mean = float(values.mean())
    if len(values) == 1:
        return Judgement(mean, None, SHOWN if mean >= bound else NOT_SHOWN)
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return _verdict(mean, mean - half, mean + half, bound)


def judge_ratio(first: Sequence[float], second: Sequence[float], bound: float) -> Judgement:
    """Hold the ratio of two means, of values paired by seed, against a bound.

    The interval is Fieller's (1954, "Some problems in interval estimation"): all ratios r for which
    the mean of first - r · second may be 0. It has no upper end where second may itself be 0; a
    mean of ratios would then follow the one seed that happens to be nearest to 0.

    Raises:
        EvidenceError: no values, one is not a number, or a mean is not positive.

    >>> judge_ratio([4, 5, 6], [2.0, 2.4, 3.1], bound=1.5).verdict
    'shown'
    """
    x, y = _numbers(first), _numbers(second)
    if not (x.mean() > 0 and y.mean() > 0):
        raise EvidenceError("A ratio needs positive means.", where=[x.mean(), y.mean()],
                            fix="Measure a difference, or look at the arms.")
    ratio = float(x.mean() / y.mean())
    if len(x) == 1:
        return Judgement(ratio, None, SHOWN if ratio >= bound else NOT_SHOWN)
    t2 = stats.t.ppf(0.975, len(x) - 1) ** 2
    spread = np.cov(x, y) * t2 / len(x)
    a, b, c = (y.mean() ** 2 - spread[1, 1], x.mean() * y.mean() - spread[0, 1],
               x.mean() ** 2 - spread[0, 0])
    root = math.sqrt(max(0.0, b * b - a * c))
    if a > 0:
        return _verdict(ratio, (b - root) / a, (b + root) / a, bound)
    return _verdict(ratio, c / (b + root) if c > 0 and b + root > 0 else 0.0, math.inf, bound)


def _numbers(values: Sequence[float]) -> np.ndarray:
    found = np.asarray(values, float)
    if not len(found) or not np.isfinite(found).all():
        raise EvidenceError("An effect is missing or not a number.", where=list(values),
                            fix="Look at the arms: did a run diverge?")
    return found


def _verdict(mean: float, low: float, high: float, bound: float) -> Judgement:
    verdict = SHOWN if low >= bound else NOT_SHOWN if high < bound else INCONCLUSIVE
    return Judgement(mean, (float(low), float(high)), verdict)


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
                    tuple(Measure(**measure) for measure in entry["measures"]),
                    entry.get("seeds", Claim.seeds))
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
