"""Other right programs for lesson 03, and edits of the solutions that make known mistakes."""

import numpy as np
import torch
from torch.nn import functional


def pooled_by_loop(states, mask):
    return torch.stack([text[kept].mean(0) for text, kept in zip(states, mask, strict=True)])


def pooled_by_einsum(states, mask):
    weights = mask.float() / mask.float().sum(1, keepdim=True)
    return torch.einsum("btw,bt->bw", states, weights)


def standardised_with_torch(train, test):
    both = torch.tensor(train), torch.tensor(test)
    spread = both[0].std(0, correction=0)
    spread[spread < 1e-12] = 1
    return [(rows - both[0].mean(0)) / spread for rows in both]


def fit_by_requires_grad(body, head, inputs, labels, steps):
    was = [weight.requires_grad for weight in body.parameters()]
    for weight in body.parameters():
        weight.requires_grad = False
    body.eval()
    for _ in range(steps):
        loss = functional.cross_entropy(head(body(inputs)), labels)
        for weight, slope in zip(head.parameters(), torch.autograd.grad(
                loss, list(head.parameters())), strict=True):
            weight.data -= 0.1 * slope
    for weight, before in zip(body.parameters(), was, strict=True):
        weight.requires_grad = before
    return loss


def labels_by_powers(curve, target):
    points = sorted(curve.items())
    if target <= points[0][1]:
        return points[0][0]
    if target > points[-1][1]:
        return None
    return 2 ** np.interp(target, [score for _, score in points], np.log2([n for n, _ in points]))


def standardised_column_by_column(train, test):
    made = [np.zeros_like(train), np.zeros_like(test)]
    for j in range(train.shape[1]):
        column = [float(value) for value in train[:, j]]
        mean = sum(column) / len(column)
        spread = (sum((value - mean) ** 2 for value in column) / len(column)) ** 0.5
        for rows, out in zip((train, test), made, strict=True):
            out[:, j] = (rows[:, j] - mean) / (spread if spread > 1e-12 else 1)
    return made


def fit_on_kept_features(body, head, inputs, labels, steps):
    with torch.inference_mode():
        features = body.eval()(inputs)
    features = features.clone()
    mover = torch.optim.SGD(list(head.parameters()), 0.1)
    for _ in range(steps):
        mover.zero_grad()
        loss = functional.nll_loss(head(features).log_softmax(-1), labels)
        loss.backward()
        mover.step()
    return float(loss.detach())


def labels_by_bisection(curve, target):
    sizes = sorted(curve)
    if curve[sizes[0]] >= target:
        return sizes[0]
    above = [n for n in sizes if curve[n] >= target]
    if not above:
        return None
    low, high = sizes[sizes.index(above[0]) - 1], above[0]
    begin, end = float(low), float(high)
    for _ in range(60):
        middle = (begin * end) ** 0.5
        share = np.log(middle / low) / np.log(high / low)
        score = curve[low] + share * (curve[high] - curve[low])
        begin, end = (middle, end) if score < target else (begin, middle)
    return end


def standardised_by_n_less_one(train, test):
    spread = train.std(0, ddof=1)
    spread[spread == 0] = 1
    return (train - train.mean(0)) / spread, (test - train.mean(0)) / spread


OTHERS = {
    "pooled": [pooled_by_loop, pooled_by_einsum],
    "standardised": [standardised_column_by_column, standardised_with_torch],
    "fit_head": [fit_on_kept_features, fit_by_requires_grad],
    "labels_needed": [labels_by_bisection, labels_by_powers],
}
WRONG = {
    "standardised": [standardised_by_n_less_one],
}
EDITS = {
    "pooled": [("mask.sum(dim=1)[:, None]", "states.shape[1]", "You left padding out of the sum"),
               (" / mask.sum(dim=1)[:, None]", "", "You added up"),
               ("states * mask[..., None]", "states * mask.sum(1)[:, None, None] / states.shape[1]",
                "You averaged over all places")],
    "standardised": [
        ("(test - mean) / spread", "(test - test.mean(0)) / np.where(test.std(0), test.std(0), 1)",
         "You scaled the test by its own"),
        ("train.std(axis=0)", "train.var(axis=0)", "You divided by the variance"),
        ("np.where(spread == 0, 1.0, spread)", "spread + np.where(spread == 0, np.nan, 0)",
         "A feature that never varies")],
    "fit_head": [("    body.eval()", "    body.train()", "The body's weights are frozen, but"),
                 ("head.parameters()", "copy.deepcopy(head).parameters()", "The head has not")],
    "predicted_ratios": [("10 * 3", "10", "Full: those are ten forward"),
                         ('"anew": 10', '"anew": 1', "Anew: computed afresh")],
    "labels_needed": [
        ("math.exp(math.log(low) + share * (math.log(high) - math.log(low)))",
         "low + share * (high - low)", "You interpolated over"),
        ("return None", "return float(sizes[-1])", "Where the score is never reached"),
        ("math.exp(math.log(low) + share * (math.log(high) - math.log(low)))", "float(high)",
         "You gave the next size")],
}
