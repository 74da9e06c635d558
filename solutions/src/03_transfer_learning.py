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
# # 03 · Exercises: transfer learning
# A base as a feature extractor takes ten lines, and each of them can quietly go wrong: padding that counts, a test that
# leaks, a "frozen" body that moves. Then two sums that decide whether the start was worth it.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("pooled")` gives a hint,
# `sheet.hint("pooled", 2)` the last one.

# %%
import copy
import math

import numpy as np
import torch
from torch import nn

import fmcourse as fm

sheet = fm.classroom.sheet("03")

# %% [markdown] exercise="pooled" kind="implement" difficulty=2 minutes=10 claims=["M4"]
# ## One list of numbers for a text
# A network gives a state for each token. A classifier needs one list a text: the mean over the text's tokens, without the
# padding that fills a batch.

# %%
def pooled(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Features of each text.

    Args:
        states: (batch, time, width), the network's last hidden states.
        mask: (batch, time) bool, True where there is a token and not padding.

    Returns:
        (batch, width): the mean over each text's own tokens.

    >>> pooled(torch.tensor([[[2.0], [4.0], [9.0]]]), torch.tensor([[True, True, False]])).tolist()
    [[3.0]]
    """
    ### BEGIN SOLUTION
    kept = states * mask[..., None]  # (batch, time, width), zero where there is padding
    return kept.sum(dim=1) / mask.sum(dim=1)[:, None]
    ### END SOLUTION


# %%
sheet.check(pooled)

# %% [markdown] tags=["commentary"]
# **How it works.** The mask gets a third axis, so that it can be multiplied with the states, and the count gets a second, so
# that it can divide them. Counting padding is hard to notice: training works, and accuracy depends on how long the *other*
# texts of a batch are. Taking the last token is a good choice for a causal model too, if it is the text's last, and not the
# batch's.

# %% [markdown] exercise="standardised" kind="implement" difficulty=2 minutes=10 claims=["M4"]
# ## What may be learnt from the test?
# Features differ in size, and a linear layer learns better if they don't. Move and stretch each to mean 0 and spread 1.

# %%
def standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sets on one scale, with a mean of 0 and a standard deviation of 1 in training.

    The standard deviation is that of all rows: the root of their mean squared distance (by n).

    Args:
        train: (texts, features); test: (other texts, features).

    Returns:
        train and test, scaled; a feature that never varies in training becomes 0 there.

    >>> train, test = standardised(np.array([[1.0], [3.0]]), np.array([[5.0]]))
    >>> train.tolist(), test.tolist()
    ([[-1.0], [1.0]], [[3.0]])
    """
    ### BEGIN SOLUTION
    mean, spread = train.mean(axis=0), train.std(axis=0)
    spread = np.where(spread == 0, 1.0, spread)
    return (train - mean) / spread, (test - mean) / spread
    ### END SOLUTION


# %%
sheet.check(standardised)

# %% [markdown] tags=["commentary"]
# **How it works.** Mean and spread are *parameters*, though no gradient made them, so they come from the training set like all
# others. With both sets together the test has helped to shape the training: the leak is small here, and large where test
# texts differ. And a customer's question comes alone: it has no spread of its own to be divided by.

# %% [markdown] exercise="fit_head" kind="debug" difficulty=3 minutes=20 claims=["M4"]
# ## Frozen, but not quite
# Below a colleague trains a head on a "frozen" body. The body has batch normalisation and dropout, as many vision models do.
# Run it: what does the body answer to the same inputs, before and after?

# %%
def faulty_fit(body, head, inputs, labels, steps):
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(head(body(inputs)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


torch.manual_seed(0)
body = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.5))
before, inputs = copy.deepcopy(body).eval(), torch.randn(40, 6)
faulty_fit(body, nn.Linear(12, 3), inputs, torch.randint(0, 3, (40,)), steps=15)
print(f"answers moved by {(body.eval()(inputs) - before(inputs)).abs().mean():.2f}")

# %% [markdown]
# Mend it: the head learns, by plain SGD at a rate of 0.1, and *nothing* of the body changes.

# %%
def fit_head(body: nn.Module, head: nn.Module, inputs: torch.Tensor, labels: torch.Tensor,
             steps: int) -> float:
    """Train a head on the features of a frozen body.

    Args:
        body, head: head(body(inputs)) are logits (batch, classes).
        inputs: (batch, width); labels: (batch,) int64.
        steps: of SGD on the whole batch, learning rate 0.1.

    Returns:
        The mean cross-entropy of the last step, before it moved the head.

    >>> body, head = nn.Identity(), nn.Linear(2, 2)
    >>> for part in head.parameters():
    ...     _ = nn.init.zeros_(part)
    >>> fit_head(body, head, torch.eye(2), torch.tensor([0, 1]), steps=1)  # ln 2, before it moves
    0.6931471824645996
    """
    ### BEGIN SOLUTION
    body.eval()  # batch statistics stay, dropout is off
    with torch.no_grad():
        features = body(inputs)  # (batch, features), the same in every step
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(head(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()
    ### END SOLUTION


# %%
sheet.check(fit_head)

# %% [markdown] tags=["commentary"]
# **What was wrong.** The optimiser held the body's weights; that is the fault everybody looks for. The other one is quiet:
# batch normalisation updates its running means whenever it is *used* in training mode, gradients or not, and dropout changes
# the features at every step. `eval()` ends both. Once the body is still, its features are the same at every step, so one
# pass is enough: that is why frozen features are so cheap.

# %% [markdown] exercise="predicted_ratios" kind="predict" difficulty=2 minutes=5 claims=["M4"]
# ## What does it cost?
# Ten epochs over the same texts. The unit is what *frozen features, computed once and kept,* cost; the head costs nothing to
# speak of. How many times as much is `full` fine-tuning? And frozen features that are computed `anew` in every epoch?

# %%
def predicted_ratios() -> dict[str, float]:
    """{"full": how many times, "anew": how many times}.

    >>> ", ".join(sorted(predicted_ratios()))
    'anew, full'
    """
    ### BEGIN SOLUTION
    return {"full": 10 * 3, "anew": 10}
    ### END SOLUTION


# %%
sheet.check(predicted_ratios)

# %% [markdown]
# **Now count.** PyTorch can count operations.

# %%
from torch.utils.flop_counter import FlopCounterMode

layers = nn.Sequential(*(nn.Linear(256, 256) for _ in range(12)))
texts = torch.randn(64, 256)
with FlopCounterMode(display=False) as forwards, torch.no_grad():
    layers(texts)
with FlopCounterMode(display=False) as step:
    layers(texts).sum().backward()
print(f"full: {10 * step.get_total_flops() / forwards.get_total_flops():.1f} times")

# %% [markdown] tags=["commentary"]
# **Why.** The way back needs two products for each one of the way forwards: a gradient of the inputs, to go on, and one of the
# weights, to learn. (The very first layer has nothing before it, so the count is a little below 30.) The price of the cheap
# arm: features that were made for another task stay as they are.

# %% [markdown] exercise="labels_needed" kind="implement" difficulty=3 minutes=20 claims=["M4"]
# ## How many labels is it worth?
# "80 % against 60 %" says nothing about money; "a tenth of the labels for the same score" does. Read off a learning curve how
# many labels a score takes.

# %%
def labels_needed(curve: dict[int, float], target: float) -> float | None:
    """Labels at which a learning curve reaches a score.

    Between two sizes it is interpolated, straight over the logarithm of the number of labels.

    Args:
        curve: score by number of labels; rising, in any order.
        target: the score.

    Returns:
        The smallest size if that is enough; None if the target is never reached.

    >>> round(labels_needed({10: 0.2, 1000: 0.6}, 0.4))
    100
    """
    ### BEGIN SOLUTION
    sizes = sorted(curve)
    if curve[sizes[0]] >= target:
        return float(sizes[0])
    for low, high in zip(sizes, sizes[1:]):
        if curve[high] >= target:
            share = (target - curve[low]) / (curve[high] - curve[low])
            return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return None
    ### END SOLUTION


# %%
sheet.check(labels_needed)

# %% [markdown]
# **Investigate.** The ledger's curves, of one seed: how many labels does each arm need for a score that both reach? Change
# `target`, and watch the ratio: is a good start worth more where labels are few?

# %%
import pandas as pd

table = pd.DataFrame(fm.evidence.read("M4")["details"][0]["tables"]["services"])
for target in (0.2, 0.4, 0.6):
    needed = {arm: labels_needed(dict(zip(rows["labels"], rows["accuracy"])), target)
              for arm, rows in table.groupby("arm")}
    print(target, {arm: n and round(n) for arm, n in needed.items()})

# %% [markdown] tags=["commentary"]
# **How it works.** Learning curves bend, but over log n they are nearly straight, so that is where to interpolate; linearly
# between 64 and 512 the answer would be far too high. Beyond the last size nobody has measured anything, hence `None` and no
# guess. Real curves dip by chance; the library flattens such dips first (`fm.evaluate.label_efficiency`).

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/03_transfer_learning.ipynb`.
