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
# # 05 · Exercises: domain adaptation
# Tuning an expert is one call. Knowing whether it *is* one is the work: a grader that cannot be flattered, a score that does not
# reward the lazy answer, a rule for when to stop. And one training run that explodes.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("same_call")` gives a hint,
# `sheet.hint("same_call", 2)` the last one.

# %%
import shlex

import torch

import fmcourse as fm

sheet = fm.classroom.sheet("05")

# %% [markdown] exercise="predicted_results" kind="predict" difficulty=2 minutes=5 claims=["M3", "K7"]
# ## Who is the expert?
# Requests for AWS CLI commands, of operations that no training example showed.
#
# - `best`: who writes most usable commands: *manual and similar examples* (a prompt with lines of the manual, and no training),
#   *tuned* (without the manual), or *tuned with the manual*?
# - `new services`: of requests about whole services that no example showed, how many does *tuned* (without the manual) get
#   right: *nearly none*, *half* or *as many* as before?
# - `instructions`: of general instructions, how many does it follow afterwards: *fewer*, *as many*, *more*?
# - `law`: another expert was tuned to summarise legal cases. Against copying a case's first sentence it is *better* or *no
#   better*?

# %%
def predicted_results() -> dict[str, str]:
    """Your predictions, with the four keys and the words in italics above.

    >>> ", ".join(sorted(predicted_results()))
    'best, instructions, law, new services'
    """
    ### BEGIN SOLUTION
    return {"best": "tuned with the manual", "new services": "nearly none",
            "instructions": "fewer", "law": "no better"}
    ### END SOLUTION


# %%
sheet.check(predicted_results)

# %% [markdown]
# **Now look.** From the ledger, the mean over five seeds:

# %%
shown = {m["metric"]: m for m in fm.evidence.read("M3")["measures"]}
for measure in shown.values():
    if measure["metric"] != "medical: macro-F1":
        print(measure["metric"])
        for arm, values in measure["arms"].items():
            print(f"  {sum(values) / len(values):.2f} {arm}")

# %% [markdown] tags=["commentary"]
# **Why.** *Fine-tuning teaches behaviour, retrieval brings facts.* An expert without the manual has learnt how a command looks,
# and invents its name. The prompt with everything knows the name, and does not keep to the form. Together they work. The
# legal expert is the warning: a large gain over the untuned model, and no gain over a rival that costs nothing.

# %% [markdown] exercise="same_call" kind="implement" difficulty=5 minutes=25 claims=["M3"]
# ## A grader that cannot be flattered
# Is a command the one that was wanted? Not letter by letter: options may stand in any order, `--region=x` is `--region x`, and
# quotation marks are the shell's business.

# %%
def same_call(reply: str, wanted: str) -> bool:
    """Whether two commands call the same operation with the same options.

    The first three words (`aws`, service, operation) must agree in order. An option begins with
    `--`; the words behind it, up to the next option, are its values, in order. Right behind an
    option's name `=` is like a blank; anywhere else it is part of a value. A reply that a shell
    would not read, such as one with a quotation that does not end, is wrong.

    >>> same_call("aws s3 ls --region=eu-west-1", "aws s3 ls --region eu-west-1")
    True
    """
    ### BEGIN SOLUTION
    def parts(command):
        words, options, name = shlex.split(command), {}, ""
        for word in words[3:]:
            if word.startswith("--"):
                name, equals, value = word.partition("=")
                options[name] = [value] if equals else []
            else:
                options.setdefault(name, []).append(word)
        return words[:3], options

    try:
        return parts(reply) == parts(wanted)
    except ValueError:
        return False
    ### END SOLUTION


# %%
sheet.check(same_call)

# %% [markdown] tags=["commentary"]
# **How it works.** Bring both into one *normal form* and compare that: a list where order matters, a dictionary where it doesn't.
# `shlex` does what a shell does, which `split` does not. The lesson's grader goes further: it asks the CLI's own parser
# whether each option exists. A grader this strict is precious: lesson 11 trains on one.

# %% [markdown] exercise="macro_f1" kind="implement" difficulty=3 minutes=15 claims=["M3"]
# ## A score that does not reward laziness
# Of 100 medical questions 60 are answered *yes*. Whoever always says yes is right on 60 %. Macro-F1 gives each class the same
# weight: the mean of every class's F1, where F1 = 2 · precision · recall / (precision + recall).

# %%
def macro_f1(truth: list[str], said: list[str]) -> float:
    """Mean F1 over the classes that occur in the truth; 0 for one that was never got right.

    A class that is only said has no F1 of its own, but it was wrong where it was said.

    >>> macro_f1(["yes", "yes", "no", "no"], ["yes", "yes", "yes", "yes"])  # 0.67 and 0
    0.3333333333333333
    """
    ### BEGIN SOLUTION
    scores = []
    for label in set(truth):
        right = sum(a == b == label for a, b in zip(truth, said))
        scores.append(2 * right / (truth.count(label) + said.count(label)))
    return sum(scores) / len(scores)
    ### END SOLUTION


# %%
sheet.check(macro_f1)

# %% [markdown] tags=["commentary"]
# **How it works.** Put precision (right / said) and recall (right / true) into the formula and it shortens to
# `2 · right / (said + true)`, which has no division by zero for a class that was never said. *Micro*-F1 over all classes is
# plain accuracy; *weighted* gives the frequent class its weight back. Say which one you report.

# %% [markdown] exercise="rouge_l" kind="implement" difficulty=5 minutes=25 claims=["M3"]
# ## How much of a summary is right?
# ROUGE-L finds the longest common subsequence of words: words that both have in the same order, gaps allowed. As a share of the
# reply that is precision, as a share of the reference recall, and both together F1.

# %%
def rouge_l(reply: str, reference: str) -> float:
    """F1 of the longest common subsequence of words; capitals do not matter.

    Words are what white space separates. 0 where nothing is common.

    >>> rouge_l("They won the case.", "they won")  # precision 1/2, recall 1
    0.6666666666666666
    """
    ### BEGIN SOLUTION
    said, wanted = reply.lower().split(), reference.lower().split()
    row = [0] * (len(wanted) + 1)  # of the words said so far, against the first j wanted
    for word in said:
        before = row
        row = [0]
        for j, other in enumerate(wanted, 1):
            row.append(before[j - 1] + 1 if word == other else max(before[j], row[j - 1]))
    if row[-1] == 0:
        return 0.0
    precision, recall = row[-1] / len(said), row[-1] / len(wanted)
    return 2 * precision * recall / (precision + recall)
    ### END SOLUTION


# %%
sheet.check(rouge_l)

# %% [markdown]
# **Investigate.** Summarise any page in two sentences. Score against yours: the page's first sentence, its longest sentence, and
# a model's summary. What do you conclude about the *score*?

# %%
mine = "The council will close the bridge for repairs in May. Buses will take another road."
print(f"{rouge_l('In May the bridge will be closed, and buses go round.', mine):.2f}")

# %% [markdown] tags=["commentary"]
# **How it works.** The table of dynamic programming, of which only the last row is kept. ROUGE compares words, not meanings:
# a good summary in other words scores low, and copied beginnings score high. So compare with a cheap rival before you are
# pleased.

# %% [markdown] exercise="stop_early" kind="implement" difficulty=3 minutes=15 claims=["K6"]
# ## When to stop
# After each epoch a held-out loss is measured. Stop when `patience` epochs in a row brought no new best one; keep the best
# epoch's weights.

# %%
def stop_early(losses: list[float], patience: int) -> tuple[int, int]:
    """Early stopping.

    Args:
        losses: of held-out examples after epoch 1, 2, …, as they would come.
        patience: epochs without a new best loss before training stops, 1 or more. A loss that
            only equals the best is not a new one.

    Returns:
        The epoch whose weights are kept, and the last one that was trained.

    >>> stop_early([1.0, 0.9, 0.95, 0.97, 0.5], patience=2)
    (2, 4)
    """
    ### BEGIN SOLUTION
    best = 1
    for epoch, loss in enumerate(losses, 1):
        if loss < losses[best - 1]:
            best = epoch
        elif epoch - best >= patience:
            return best, epoch
    return best, len(losses)
    ### END SOLUTION


# %%
sheet.check(stop_early)

# %% [markdown] tags=["commentary"]
# **How it works.** The only memory needed is the best epoch. In the example epoch 5 would have been better still, and nobody will
# ever know: that is the price of stopping, and patience is what you pay to see further. Held-out examples that chose the
# epoch have been *used*; the final score needs others.

# %% [markdown] exercise="rate_at" kind="debug" difficulty=3 minutes=20 claims=["K6"]
# ## The run that explodes
# A learning rate should rise to its peak over the first `warmup` steps and then fall in a straight line to 0. This one makes
# training explode at once. Run it, look at the rates, and find both faults.

# %%
def faulty_rate(step, steps, peak, warmup):
    if step < warmup:
        return peak * warmup / (step + 1)
    return peak * (steps - step) / steps


torch.manual_seed(0)
weight, inputs = torch.zeros(8, requires_grad=True), torch.randn(64, 8)
truth = inputs @ torch.arange(8.0)
for step in range(40):
    loss = (inputs @ weight - truth).square().mean()
    slope, = torch.autograd.grad(loss, weight)
    weight.data -= faulty_rate(step, 40, peak=0.2, warmup=8) * slope
    if step % 8 == 0:
        print(f"step {step}: rate {faulty_rate(step, 40, 0.2, 8):.2f}, loss {loss.item():.3g}")

# %%
def rate_at(step: int, steps: int, peak: float, warmup: int) -> float:
    """The learning rate of a step.

    Args:
        step: from 0 to steps - 1.
        steps: of the run.
        peak: the highest rate; the last step of the warm-up has it, and the step after it.
        warmup: steps in which the rate rises in equal stages, the first one above 0; may be 0.

    Returns:
        After the warm-up a straight line from the peak that would reach 0 at step `steps`.

    >>> [rate_at(step, steps=6, peak=8.0, warmup=2) for step in range(6)]
    [4.0, 8.0, 8.0, 6.0, 4.0, 2.0]
    """
    ### BEGIN SOLUTION
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (steps - step) / (steps - warmup)
    ### END SOLUTION


# %%
sheet.check(rate_at)

# %% [markdown]
# Put `rate_at` in the place of `faulty_rate` above and run it again: the loss should fall smoothly. Then find the lowest peak at
# which it explodes even so.

# %% [markdown] tags=["commentary"]
# **What was wrong.** The fraction stood on its head, so the first rate was `warmup` times the peak: each step overshot by more
# than the last. The second fault is quiet: the way down started from step 0, so the rate jumped down where the warm-up ended,
# and the peak was hardly used. Print the schedule before you blame the data.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/05_domain_adaptation.ipynb`.
