"""Lesson 09, size, labels, representativeness: agreement, votes, curves, weights, disparity."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from fmcourse.classroom.check import Exercise, chosen

KAPPAS = chosen(
    "predicted_kappas", {"even": "good", "rare": "moderate", "never": "poor"},
    ("How often would the two agree if neither read a single comment, and each kept to their own "
     "share of *harmful*?",
     "Chance agreement: 0.5·0.5 + 0.5·0.5, then 0.1·0.1 + 0.9·0.9, then 0·0.1 + 1·0.9. Kappa is "
     "(0.9 - chance) / (1 - chance)."),
    slips={"Where both answers are equally frequent, chance gives a half only. Much of 0.9 is "
           "earned.": {"even": "moderate"},
           "If nine of ten comments are called fine, two who do not read agree on 82 of 100. 90 is "
           "less than it seems.": {"rare": "good"},
           "90 is still clearly more than the 82 that chance would give.": {"rare": "poor"},
           "One who always says the same agrees with anybody by chance. Nothing is left beyond "
           "it.": {"never": "good"},
           "One who never says *harmful* adds nothing: chance gives 90 of 100, too.":
           {"never": "moderate"}})

CONFUSION = np.array([[[0.9, 0.07, 0.03], [0.2, 0.7, 0.1], [0.1, 0.3, 0.6]],
                      [[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5]],
                      [[0.2, 0.3, 0.5], [0.2, 0.35, 0.45], [0.15, 0.3, 0.55]]])
PRIOR = np.array([0.6, 0.3, 0.1])
Votes = Sequence[tuple[int, int]]


def _factors(votes: Votes, confusion: np.ndarray) -> np.ndarray:
    """How likely each vote is under each class. (votes, classes)"""
    return np.array([confusion[who, :, label] for who, label in votes])


def _shares(likely: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return likely / likely.sum()


def _bayes(votes: Votes, confusion: np.ndarray, prior: np.ndarray) -> np.ndarray:
    log = np.log(prior) + np.log(_factors(votes, confusion)).sum(axis=0)
    return _shares(np.exp(log - log.max()))


def _counted(votes: Votes, confusion: np.ndarray, prior: np.ndarray) -> np.ndarray:
    return np.bincount([label for _, label in votes], minlength=len(prior)) / len(votes)


BELIEFS = Exercise(
    "beliefs", _bayes,
    {"one vote": ([(0, 1)], CONFUSION, PRIOR),
     "two against one": ([(0, 0), (1, 1), (2, 1)], CONFUSION, PRIOR),
     "many votes of one mind": ([(0, 0)] * 1200, CONFUSION, PRIOR),
     "many votes": ([(i % 3, i % 2) for i in range(1200)], CONFUSION, PRIOR)},
    {"You count votes. Here they weigh by what their giver is known to confuse.": _counted,
     "You read the confusion by its columns: it holds the *class* first, then what was said.":
        lambda votes, confusion, prior: _bayes(votes, confusion.transpose(0, 2, 1), prior),
     "You left out the prior: a class that is rare needs better evidence.":
        lambda votes, confusion, prior: _bayes(votes, confusion, np.ones_like(prior)),
     "Your numbers do not sum to 1: divide by their sum.":
        lambda votes, confusion, prior: prior * _factors(votes, confusion).prod(axis=0),
     "You average over the votes. Independent pieces of evidence multiply.":
        lambda votes, confusion, prior: _shares(prior * _factors(votes, confusion).mean(axis=0)),
     "Right for few votes; for hundreds the product is smaller than any number the machine has. "
     "Add logarithms.":
        lambda votes, confusion, prior: _shares(prior * _factors(votes, confusion).prod(axis=0))},
    ("Bayes: prior times how likely this vote is if the class were true, for vote after vote. What "
     "happens to a product of a thousand such numbers?",
     "Begin with the prior's logarithm and add, for each vote, the logarithms of a *column* of "
     "that annotator's table. Before exp take away the largest, so that one of them stays 1; "
     "then make them sum to 1."))

SIZES, ERRORS = [50, 100, 200, 400, 800], [0.42, 0.31, 0.27, 0.19, 0.162]


def _needed(x: Callable = np.log, y: Callable = np.log, back: Callable = np.exp,
            whole: Callable = math.ceil, falls: bool = True, last: int = 0) -> Callable:
    def needed(sizes: list[int], errors: list[float], target: float) -> float:
        slope, start = np.polyfit(x(np.array(sizes[-last:])), y(np.array(errors[-last:])), 1)
        if slope >= 0 and falls:
            return math.inf
        return whole(back((y(np.array(target)) - start) / slope))
    return needed


def _same(value: np.ndarray) -> np.ndarray:
    return value


def _met(sizes: list[int], errors: list[float], target: float) -> float:
    return next((n for n, error in zip(sizes, errors, strict=True) if error <= target), math.inf)


NEEDED = Exercise(
    "examples_needed", _needed(),
    {"beyond what was measured": (SIZES, ERRORS, 0.1), "within it": (SIZES, ERRORS, 0.25),
     "far beyond": (SIZES[:3], ERRORS[:3], 0.05),
     "it does not fall": ([100, 200, 400], [0.3, 0.29, 0.31], 0.2)},
    {"You fitted a straight line to the numbers themselves. It would cross 0; put both axes into "
     "logarithms.": _needed(_same, _same, _same),
     "Only the sizes are logarithms in your fit. A power law needs both axes.": _needed(y=_same),
     "Only the errors are logarithms in your fit: that is an exponential, which falls too fast.":
        _needed(x=_same, back=_same),
     "You looked the size up among those measured. The question is about those that were not.":
        _met,
     "You used the last two points only: two noisy points make a very noisy line.": _needed(last=2),
     "You rounded down, and one example is lacking.": _needed(whole=math.floor),
     "Where the error does not fall, no number of examples is enough; your formula gives one.":
        _needed(falls=False)},
    ("Take the logarithm of `error = a · n^-b`: what are the slope and the intercept of the line? "
     "When does it never reach the target?",
     "np.polyfit gives slope and intercept of the line through the logarithms. A slope that "
     "does not fall never gets there. Otherwise solve the line for log n at log target, and "
     "come back by exp; upwards to a whole number."))


def _weights(of: Callable[[int, int, int, int, int], float], refuse: bool = True) -> Callable:
    """`of` gets the records of a kind here and there, all here and there, and the kinds."""
    def weights(collected: list[str], met: list[str]) -> list[float]:
        here, there = Counter(collected), Counter(met)
        if refuse and there.keys() - here.keys():
            raise ValueError("Some of what is met was never collected.")
        return [of(here[kind], there[kind], len(collected), len(met), len(here))
                for kind in collected]
    return weights


IMPORTANCE = Exercise(
    "importance", _weights(lambda here, there, n, m, kinds: (there / m) / (here / n)),
    {"letters and mails": (["letter"] * 6 + ["mail"] * 2, ["letter"] * 10 + ["mail"] * 30),
     "three kinds, few met": (list("abacbaca"), list("abbc")),
     "a kind is no longer met": (list("aabbc"), list("abab")),
     "a kind was never collected": (list("aab"), list("abc"))},
    {"That is the code as it was given: what there was too much of now weighs more.":
        _weights(lambda here, there, n, m, kinds: here / there),
     "Those are shares now, and the fraction still stands on its head.":
        _weights(lambda here, there, n, m, kinds: (here / n) / (there / m)),
     "The right way up. But it is made of counts: twice as many records met would double all "
     "weights.": _weights(lambda here, there, n, m, kinds: there / here),
     "You made all kinds weigh the same. They should weigh as they are *met*.":
        _weights(lambda here, there, n, m, kinds: n / (kinds * here)),
     "You gave each record its kind's share among those met: kinds with many records still weigh "
     "more for that.": _weights(lambda here, there, n, m, kinds: there / m),
     "You let a kind pass that was never collected. No weight stands in for it.": _weights(
         lambda here, there, n, m, kinds: (there / m) / (here / n), refuse=False)},
    ("Six letters shall together weigh what letters make of the mail met. What must one of them "
     "weigh? And if ten times as much were met?",
     "weight = share among met / share among collected, where a share is a count divided by its "
     "own list's length."))


def _by_group(value: Callable[[np.ndarray, np.ndarray], float],
              weight: Callable[[np.ndarray], float] = len, blank: bool = False) -> Callable:
    def mean(accepted: list[bool], member: list[bool], groups: list[str]) -> float:
        yes, of_d, kinds = np.array(accepted), np.array(member), np.array(groups)
        total = weights = 0.0
        for kind in np.unique(kinds):
            here = kinds == kind
            mixed = 0 < yes[here].sum() < here.sum()
            if mixed or blank:
                total += weight(of_d[here]) * (value(yes[here], of_d[here]) if mixed else 0)
                weights += weight(of_d[here])
        return total / weights
    return mean


def _disparity(accepted: np.ndarray, member: np.ndarray) -> float:
    return float(member[~accepted].mean() - member[accepted].mean())


def _label_gap(accepted: np.ndarray, member: np.ndarray) -> float:
    return float(accepted[~member].mean() - accepted[member].mean())


_TABLE = ([True] * 6 + [False] * 2 + [True] * 1 + [False] * 7,
          [False] * 5 + [True, False, False] + [True, False] + [True] * 6,
          ["physics"] * 8 + ["history"] * 8)
_MORE = ([True, True, False] * 4 + [False, True], [True, False, True, False] * 3 + [True, False],
         ["a"] * 5 + ["b"] * 9)

DISPARITY = Exercise(
    "conditional_disparity", _by_group(_disparity),
    {"two departments": _TABLE, "groups of other sizes": _MORE,
     "a group in which all are accepted": tuple(
         table + more for table, more in zip(
             _MORE, ([True] * 4, [True, True, False, True], ["c"] * 4), strict=True))},
    {"That is the disparity of all together, without its condition.":
        lambda accepted, member, groups: _disparity(np.array(accepted), np.array(member)),
     "Your groups all weigh the same. A group weighs as many as its records.":
        _by_group(_disparity, lambda member: 1.0),
     "The sign is turned: share of the *refused* first, less share of the accepted.":
        _by_group(lambda yes, of_d: -_disparity(yes, of_d)),
     "That compares how often each side is accepted (DPL). DD asks who makes up the refused and "
     "the accepted.": _by_group(_label_gap),
     "You weighed groups by their members. All records of a group count.":
        _by_group(_disparity, np.sum),
     "A group without refusals has no disparity; you let it count as one of 0.":
        _by_group(_disparity, blank=True)},
    ("Write DD of one group first: among the refused, what share are members? Among the accepted? "
     "When is there no such share?",
     "For each group with both outcomes: mean(member of refused) - mean(member of accepted), times "
     "its number of records; the sum divided by the records of those groups."),
    sample="77215f105189")

REMEDIES = chosen(
    "remedies",
    {"by heart": "more examples", "quarrel": "clearer guideline",
     "slips": "several annotators", "budget": "label what it is unsure of",
     "branches": "collect where it is used", "decline": "refresh"},
    ("Ask of each: are there too few, are they labelled wrongly, or are they the wrong ones?",
     "Mistakes that all make alike need a rule, mistakes of each one's own a vote. What is wrong "
     "in one place or from one year on is a matter of *which* data."),
    slips={"More people under the same unclear sentence quarrel more. The class that is disputed "
           "needs a rule.": {"quarrel": "several annotators"},
           "The guideline is clear already. Slips of each one's own are outvoted.":
           {"slips": "clearer guideline"},
           "More letters to the head office teach nothing about those abroad.":
           {"branches": "more examples"},
           "More of the old kind will not tell it what is new since.":
           {"decline": "more examples"},
           "At a fixed price two thousand are two thousand. The question is *which*.":
           {"budget": "more examples"},
           "New ones instead of old leave it sixty. Sixty are learnt by heart.":
           {"by heart": "refresh"}})

EXERCISES = (KAPPAS, BELIEFS, NEEDED, IMPORTANCE, DISPARITY, REMEDIES)
