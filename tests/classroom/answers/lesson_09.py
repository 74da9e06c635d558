"""Other right programs for lesson 09, and edits of the solutions that make known mistakes."""

from fractions import Fraction
from math import exp, inf, log

import numpy as np
import pandas as pd
from scipy.special import softmax


def beliefs_vote_by_vote(votes, confusion, prior):
    now = prior / prior.sum()
    for who, label in votes:
        now = now * confusion[who][:, label]
        now = now / now.sum()
    return now


def needed_by_sums(sizes, errors, target):
    x, y = [log(n) for n in sizes], [log(error) for error in errors]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    b = -sum((i - mean_x) * (j - mean_y) for i, j in zip(x, y, strict=True)) / sum(
        (i - mean_x) ** 2 for i in x)
    if b <= 0:
        return inf
    n = int(exp(mean_x + (mean_y - log(target)) / b)) - 2
    while exp(mean_y - b * (log(n) - mean_x)) > target:
        n += 1
    return n


def importance_with_fractions(collected, met):
    for kind in met:
        if kind not in collected:
            raise ValueError(kind)
    return [float(Fraction(met.count(kind) * len(collected), collected.count(kind) * len(met)))
            for kind in collected]


def disparity_with_pandas(accepted, member, groups):
    table = pd.DataFrame({"yes": accepted, "member": np.array(member, float), "group": groups})
    shares = table.pivot_table("member", "group", "yes").dropna()
    sizes = table["group"].value_counts()[shares.index]
    return ((shares[False] - shares[True]) * sizes).sum() / sizes.sum()


def beliefs_with_scipy(votes, confusion, prior):
    who, label = np.array(votes).T
    return softmax(np.log(prior) + np.log(confusion)[who, :, label].sum(axis=0))


def needed_with_least_squares(sizes, errors, target):
    rows = np.column_stack([np.ones(len(sizes)), np.log(sizes)])
    (start, slope), *_ = np.linalg.lstsq(rows, np.log(errors), rcond=None)
    return np.ceil((target / np.exp(start)) ** (1 / slope)) if slope < 0 else inf


def importance_with_pandas(collected, met):
    had = pd.Series(collected).value_counts(normalize=True)
    wanted = pd.Series(met).value_counts(normalize=True)
    if not wanted.index.isin(had.index).all():
        raise ValueError("never collected")
    return pd.Series(collected).map(wanted.reindex(had.index, fill_value=0) / had).tolist()


def disparity_by_counting(accepted, member, groups):
    tally = {}
    for yes, one, group in zip(accepted, member, groups, strict=True):
        counts = tally.setdefault(group, [[0, 0], [0, 0]])  # refused and taken: all, members
        counts[yes][0] += 1
        counts[yes][1] += one
    whole = [(refused, taken) for refused, taken in tally.values() if refused[0] * taken[0]]
    total = sum(refused[0] + taken[0] for refused, taken in whole)
    return sum((refused[0] + taken[0]) / total * (refused[1] / refused[0] - taken[1] / taken[0])
               for refused, taken in whole)


OTHERS = {
    "beliefs": [beliefs_with_scipy, beliefs_vote_by_vote],
    "examples_needed": [needed_with_least_squares, needed_by_sums],
    "importance": [importance_with_pandas, importance_with_fractions],
    "conditional_disparity": [disparity_by_counting, disparity_with_pandas],
}
EDITS = {
    "predicted_kappas": [('"moderate"', '"good"', "If nine of ten comments"),
                         ('"poor"', '"good"', "One who always says the same")],
    "beliefs": [("confusion[who, :, label]", "confusion[who, label, :]", "You read the confusion"),
                ("np.log(prior)", "np.zeros(len(prior))", "You left out the prior"),
                ("np.exp(log - log.max())\n    return likely / likely.sum()", "np.exp(log)\n"
                 "    return likely", "Your numbers do not sum to 1"),
                ("np.exp(log - log.max())", "np.exp(log)", "Right for few votes")],
    "examples_needed": [
        ("math.ceil", "math.floor", "You rounded down"),
        ("if slope >= 0:", "if slope == 0:", "Where the error does not fall"),
        ("np.log(sizes), np.log(errors)", "np.log(sizes[-2:]), np.log(errors[-2:])",
         "You used the last two points")],
    "importance": [
        ("(wanted[kind] / len(met)) / (had[kind] / len(collected))", "had[kind] / wanted[kind]",
         "That is the code as it was given"),
        ("(wanted[kind] / len(met)) / (had[kind] / len(collected))", "wanted[kind] / had[kind]",
         "The right way up"),
        ("if wanted.keys() - had.keys():", "if False:", "You let a kind pass")],
    "conditional_disparity": [
        ("for group in set(groups)", "groups = ['all'] * len(groups)\n    for group in set(groups)",
         "That is the disparity of all"),
        ("sum(refused) / len(refused) - sum(taken) / len(taken)",
         "sum(taken) / len(taken) - sum(refused) / len(refused)", "The sign is turned"),
        ("len(inside) * disparity\n            records += len(inside)",
         "disparity\n            records += 1", "Your groups all weigh the same")],
    "remedies": [('"clearer guideline"', '"several annotators"', "More people under the same"),
                 ('"decline": "refresh"', '"decline": "more examples"', "More of the old kind")],
}
