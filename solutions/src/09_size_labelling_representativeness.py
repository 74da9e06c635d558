# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · Exercises: size, labelling, representativeness
# How far may a label be trusted, how many are enough, and whom do they stand for? Each answer is a short formula, and each
# formula has a way to flatter you.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("beliefs")` gives a hint,
# `sheet.hint("beliefs", 2)` the last one.

# %%
import math
from collections import Counter

import numpy as np

import fmcourse as fm

sheet = fm.classroom.sheet("09")

# %% [markdown] exercise="predicted_kappas" kind="predict" difficulty=2 minutes=8 claims=["L2"]
# ## Ninety of a hundred
# In three projects two people call 100 comments *harmful* or *fine*, and agree on 90. Cohen's kappa asks how much of that is
# more than chance. Say for each *poor* (below 0.2), *moderate* (0.4 to 0.6) or *good* (above 0.7).
#
# - `even`: each calls 50 harmful, and 45 of those are the same ones.
# - `rare`: each calls 10 harmful, and 5 of those are the same ones.
# - `never`: one calls 10 harmful, the other none at all.

# %%
def predicted_kappas() -> dict[str, str]:
    """Your predictions, with the three keys and the words in italics above.

    >>> ", ".join(sorted(predicted_kappas()))
    'even, never, rare'
    """
    ### BEGIN SOLUTION
    return {"even": "good", "rare": "moderate", "never": "poor"}
    ### END SOLUTION


# %%
sheet.check(predicted_kappas)

# %% [markdown]
# **Now look.** Both harmful, only the first, only the second, neither:

# %%
for name, (both, first, second, neither) in {
        "even": (45, 5, 5, 45), "rare": (5, 5, 5, 85), "never": (0, 10, 0, 90)}.items():
    one = [1] * (both + first) + [0] * (second + neither)
    other = [1] * both + [0] * first + [1] * second + [0] * neither
    print(f"{name}: kappa {fm.evaluate.cohen_kappa(one, other):.2f}")

# %% [markdown] tags=["commentary"]
# **Why.** Chance agreement is what two people with these habits would reach without reading: 0.50, 0.82 and 0.90. What is left
# of 0.90 beyond it, as a share of what could be left: 0.80, 0.44 and 0. Where a class is rare, agreement is cheap. Look at
# the rare class itself: of the comments that either calls harmful, do they agree on any?

# %% [markdown] exercise="beliefs" kind="implement" difficulty=4 minutes=25 claims=["L3"]
# ## Whose word counts
# Dawid and Skene's model takes turns: from beliefs about labels to each annotator's habits, and back. Write the way back, for
# one item: given the habits, how likely is each class?

# %%
def beliefs(votes: list[tuple[int, int]], confusion: np.ndarray,
            prior: np.ndarray) -> np.ndarray:
    """How likely each class is after the votes, by Bayes' rule; annotators err independently.

    Args:
        votes: of (annotator, label); there may be hundreds.
        confusion: (annotators, classes, labels), how likely an annotator says a label where a
            class is true; every row sums to 1, and no number is 0.
        prior: (classes,), how likely each class is before any vote.

    Returns:
        (classes,), which sum to 1.

    >>> right_of_ten = np.array([[[0.8, 0.2], [0.2, 0.8]]])
    >>> beliefs([(0, 1)], right_of_ten, np.array([0.5, 0.5])).round(2).tolist()
    [0.2, 0.8]
    """
    ### BEGIN SOLUTION
    log = np.log(prior)
    for who, label in votes:
        log = log + np.log(confusion[who, :, label])
    likely = np.exp(log - log.max())
    return likely / likely.sum()
    ### END SOLUTION


# %%
sheet.check(beliefs)

# %% [markdown]
# **Try it.** Two who guess, against one who knows; then two who always say 1, against one who knows:

# %%
knows, guesses = [[0.95, 0.05], [0.05, 0.95]], [[0.5, 0.5], [0.5, 0.5]]
always = [[0.01, 0.99], [0.01, 0.99]]
for name, crew in {"guess": [knows, guesses, guesses], "always 1": [knows, always, always]}.items():
    print(name, beliefs([(0, 0), (1, 1), (2, 1)], np.array(crew), np.array([0.5, 0.5])).round(2))

# %% [markdown] tags=["commentary"]
# **How it works.** A product over votes is a sum of logarithms. Taking the largest away before `exp` changes no share and keeps
# at least one of them from becoming 0. A vote that would have been the same whatever the truth multiplies all classes alike,
# and so says nothing: that is how the model silences one who does not read, without anybody being told.

# %% [markdown] exercise="examples_needed" kind="implement" difficulty=3 minutes=20 claims=["S3"]
# ## How many more?
# You have measured errors at a few sizes, and want a lower one. Many curves fall as a power, `error = a · n^−b`, which is a
# straight line if both axes are logarithms. Fit it and read off the size.

# %%
def examples_needed(sizes: list[int], errors: list[float], target: float) -> float:
    """The least whole number of examples at which the fitted error is at most the target.

    Args:
        sizes: numbers of examples, two or more, all different.
        errors: share wrong at each, above 0.
        target: the error that is wanted.

    Returns:
        A whole number by least squares on logarithms; infinity if the fit does not fall.

    >>> examples_needed([100, 400], [0.4, 0.2], 0.15)
    712
    """
    ### BEGIN SOLUTION
    slope, start = np.polyfit(np.log(sizes), np.log(errors), 1)
    if slope >= 0:
        return math.inf
    return math.ceil(math.exp((math.log(target) - start) / slope))
    ### END SOLUTION


# %%
sheet.check(examples_needed)

# %% [markdown]
# **Investigate.** Take a labelled set of your own (a column of a spreadsheet will do). Train on 50, 100, 200 and 400 of it
# (`fm.train.bag_of_words(texts, labels)`), measure the error on 200 others, and predict the error at 800. Then measure it.
# Were you too hopeful? Fit again with the last three sizes only.

# %%
measured = {50: 0.41, 100: 0.33, 200: 0.27, 400: 0.22}
for target in (0.2, 0.1, 0.05):
    print(f"{target:.0%} wrong: {examples_needed([*measured], [*measured.values()], target):,}")

# %% [markdown] tags=["commentary"]
# **How it works.** `log error = log a − b · log n`; solve for n. Halving the error costs `2^(1/b)` times the examples: 8 times at
# `b = ⅓`. And the fit knows no floor. If some labels are wrong, or some texts say nothing, the error stops falling, and the
# size you read off is a *least* one. The lesson's fit has a plateau for that, and an interval.

# %% [markdown] exercise="importance" kind="debug" difficulty=3 minutes=15 claims=["R1"]
# ## The weights that made it worse
# The training set is mostly letters, users mostly write mails. Weights shall make the training set count as if it were like
# what users write. Somebody wrote this, and the model got worse on mails. Run it and say what each kind now weighs.

# %%
def faulty_importance(collected, met):
    had, wanted = Counter(collected), Counter(met)
    if wanted.keys() - had.keys():
        raise ValueError("Some of what is met was never collected.")
    return [had[kind] / wanted[kind] for kind in collected]


letters_and_mails, users = ["letter"] * 6 + ["mail"] * 2, ["letter"] * 10 + ["mail"] * 30
for kind, weight in zip(letters_and_mails, faulty_importance(letters_and_mails, users)):
    print(kind, round(weight, 2), end=" · ")

# %% [markdown]
# There are two faults.

# %%
def importance(collected: list[str], met: list[str]) -> list[float]:
    """A weight for each training record, so that kinds weigh as they are met in use.

    Args:
        collected: the kind of each training record.
        met: the kinds of records met in use, any number of them.

    Returns:
        Weights whose mean is 1. A kind that is not met any more weighs 0.

    Raises:
        ValueError: a kind is met that was never collected; no weight can stand in for it.

    >>> importance(["a", "a", "a", "b"], met=["a", "b"])  # b is met twice as often as collected
    [0.6666666666666666, 0.6666666666666666, 0.6666666666666666, 2.0]
    """
    ### BEGIN SOLUTION
    had, wanted = Counter(collected), Counter(met)
    if wanted.keys() - had.keys():
        raise ValueError("Some of what is met was never collected.")
    return [(wanted[kind] / len(met)) / (had[kind] / len(collected)) for kind in collected]
    ### END SOLUTION


# %%
sheet.check(importance)

# %% [markdown]
# **The price.** Unequal weights are fewer records. So many equal ones would say as much:

# %%
weights = np.array(importance(letters_and_mails, users))
print(f"{len(weights)} records count as {weights.sum() ** 2 / (weights ** 2).sum():.1f}")

# %% [markdown] tags=["commentary"]
# **What was wrong.** The fraction stood on its head: what there was too much of got more. And it was made of counts, not of
# shares, so the mean weight depended on how many mails somebody had happened to log; with it the learning rate, in effect.
# Weights are the remedy when new data is dear. Two mails that weigh three letters each still are two mails.

# %% [markdown] exercise="conditional_disparity" kind="investigate" difficulty=3 minutes=40 claims=["R4"]
# ## A gap that is none, and one that hides
# *Demographic disparity* (DD) of a group: its share of the refused, less its share of the accepted. Above 0 it is refused more than
# its share. But departments differ, so Clarify's CDD asks within groups of like records, and takes the mean, each weighted by
# its number of records.

# %%
def conditional_disparity(accepted: list[bool], member: list[bool], groups: list[str]) -> float:
    """CDD of the members: the mean DD of the groups, weighted by their numbers of records.

    A group in which all are accepted, or all refused, has no DD: leave its records out of the sum
    and out of the weights. At least one group has one.

    >>> conditional_disparity([True, True, False, False], [False, True, True, True], ["a"] * 4)
    0.5
    """
    ### BEGIN SOLUTION
    total = records = 0
    for group in set(groups):
        inside = [(yes, one) for yes, one, of in zip(accepted, member, groups) if of == group]
        refused = [one for yes, one in inside if not yes]
        taken = [one for yes, one in inside if yes]
        if refused and taken:
            disparity = sum(refused) / len(refused) - sum(taken) / len(taken)
            total += len(inside) * disparity
            records += len(inside)
    return total / records
    ### END SOLUTION


# %%
sheet.check(conditional_disparity)

# %% [markdown]
# **Investigate.** Take decisions you have at hand: which mails were answered within a day, which issues of a project were closed,
# which songs were skipped. Choose a group and a condition, compute DD (one group for all) and CDD. Do they differ? Who chose
# the condition, and could it be part of the bias?

# %%
answers = [True] * 6 + [False] * 2 + [True] * 1 + [False] * 7
women = [False] * 5 + [True] + [False] * 2 + [True] + [False] + [True] * 6
alike = ["physics"] * 8 + ["history"] * 8
sheet.own("conditional_disparity", answers, women, alike)
print(f"DD {conditional_disparity(answers, women, ['all'] * len(answers)):+.2f}, "
      f"CDD {conditional_disparity(answers, women, alike):+.2f}")

# %% [markdown]
# **Your finding.** Four or five sentences: which of the two would you report, and to whom?
#
# ### BEGIN SOLUTION
# *Such a finding might read (its numbers are made up):* Of 240 issues of our project I took those of first-time reporters as the
# group, and *closed within a week* as accepted. DD is +0.21: they are a larger part of what lies about. Within bug reports
# and within wishes apart CDD is +0.04, since newcomers mostly send wishes, and wishes wait, whoever sends them. With 70
# newcomers the +0.04 may well be chance; the +0.21 hardly is. But I chose the condition, and whether something is filed as a
# wish is *our* label: of twenty wishes of newcomers that I read again, six were bugs. So the condition hides a part of
# the bias. I would report both numbers, and have a label given before the name is seen.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | records | says which decisions, which group and which condition, and how many of each |
# | both | reports DD and CDD, and says why they differ or do not |
# | condition | asks who made the condition, and whether it could be part of the bias |
# | sure | says what so few records leave open |

# %% [markdown] tags=["commentary"]
# **How it works.** A large DD may be a mixture of groups in which nobody is treated otherwise (*Simpson's paradox*): above, women
# apply where most are refused. Neither number is *the* truth. If the condition is itself a result of unfairness, such as who
# was let into which department, conditioning on it explains the bias away.

# %% [markdown] exercise="remedies" kind="design" difficulty=2 minutes=20 claims=["S2", "L1", "L3", "L4", "R1", "R5"]
# ## Six complaints, six remedies
# Choose for each what to do *first*: *more examples*, *clearer guideline*, *several annotators*, *label what it is unsure of*,
# *collect where it is used*, *refresh*.
#
# - `by heart`: "Training loss is near 0, validation loss rises, after two epochs of 60 examples."
# - `quarrel`: "Our two lawyers are careful, and yet their kappa is 0.4. It is always the same two classes."
# - `slips`: "The guideline is clear. Everybody slips now and then, each on other items."
# - `budget`: "100,000 letters, money for 2,000 labels, and a first model that is so-so."
# - `branches`: "Trained on letters to the head office, it fails on those to our branches abroad."
# - `decline`: "It was right on 92 % two years ago, and on 80 % today. Nobody changed anything."

# %%
def remedies() -> dict[str, str]:
    """Your choice for each of the six.

    >>> ", ".join(sorted(remedies()))
    'branches, budget, by heart, decline, quarrel, slips'
    """
    ### BEGIN SOLUTION
    return {"by heart": "more examples", "quarrel": "clearer guideline",
            "slips": "several annotators", "budget": "label what it is unsure of",
            "branches": "collect where it is used", "decline": "refresh"}
    ### END SOLUTION


# %%
sheet.check(remedies)

# %% [markdown]
# **Your plan.** For `budget`: how will the 2,000 labels be spent? Five or six sentences that a team could follow.
#
# ### BEGIN SOLUTION
# First we draw 300 letters at random, labelled by three people each, and put them aside as the test: chosen by no model, so
# they stay like the real ones. Then a pilot of 100 more, two people each; we compute kappa for every class and rewrite the
# guideline until it is above 0.7 for all. After that we go in rounds of 200: half are those where the model's two likeliest
# classes are closest, at most ten of one sender, and half are drawn at random, lest we only see what puzzles this model.
# One annotator labels, a tenth is labelled twice, and a lawyer decides what is disputed. After each round we draw error
# against labels for both halves of the pool, and stop when the last round brought less than one point.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | test | a test set is drawn at random and put aside before a model chooses anything |
# | pilot | a small batch, an agreement measured with a number, and the guideline mended by it |
# | choice | says how examples are chosen, and guards against many that are alike, or keeps a random share as control |
# | quality | says who labels what how often, and who decides what is disputed |
# | stop | a measured rule says when enough is enough |

# %% [markdown] tags=["commentary"]
# **Why.** Ask which *kind* of error it is. Errors that differ from person to person average out, so several people help. Errors
# that come of one unclear sentence do not, however many you pay. A set that lacks the users' letters lacks them at any
# size. And what was right when it was collected ages without anybody touching it.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/09_size_labelling_representativeness.ipynb`.
