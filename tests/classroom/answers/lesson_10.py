"""Other right programs for lesson 10, and edits of the solutions that make known mistakes."""

import math

import numpy as np
import torch
from scipy.optimize import brentq
from torch.nn.functional import binary_cross_entropy_with_logits


def loss_by_cross_entropy(chosen, rejected, ties):
    return binary_cross_entropy_with_logits(chosen - rejected, torch.where(ties, 0.5, 1.0))


def loss_by_logaddexp(chosen, rejected, ties):
    gap = (chosen - rejected).double().numpy()
    either = np.logaddexp(0, -gap), np.logaddexp(0, gap)
    return np.where(ties.numpy(), (either[0] + either[1]) / 2, either[0]).mean()


def advantages_by_sums(rewards, values, mask, gamma, lam):
    kept = values * mask
    following = torch.cat([kept[:, 1:], torch.zeros(len(kept), 1)], dim=1)
    surprises = (rewards + gamma * following - values) * mask
    time = values.shape[1]
    apart = torch.arange(time)[:, None] - torch.arange(time)  # rows: later, columns: now
    return surprises @ torch.where(apart >= 0, (gamma * lam) ** apart.clamp(min=0), 0.0)


def rewards_row_by_row(scores, log_probs, reference, mask, beta):
    made = torch.zeros_like(log_probs)
    for row in range(len(scores)):
        size = int(mask[row].sum())
        for t in range(size):
            made[row, t] = beta * (reference[row, t] - log_probs[row, t])
        made[row, size - 1] += scores[row]
    return made


def bias_with_numpy(chosen, rejected, chosen_lengths, rejected_lengths):
    longer = np.subtract(chosen_lengths, rejected_lengths)
    agrees = np.sign(np.subtract(chosen, rejected)) * np.sign(longer)
    uneven = longer != 0
    return ((agrees[uneven] + 1) / 2).mean() - (longer[uneven] > 0).mean()


def ceiling_by_bisection(first, second):
    agreed = 1 - np.abs(np.array(first) - np.array(second)).mean()
    if agreed <= 0.5:
        return 0.5
    return brentq(lambda p: p * p + (1 - p) ** 2 - agreed, 0.5, 1.0, xtol=1e-12)


def advantages_by_definition(rewards, values, mask, gamma, lam):
    made = torch.zeros_like(rewards)
    for row, size in enumerate(mask.sum(1).long().tolist()):
        worth = [*values[row, :size].tolist(), 0.0]
        deltas = [float(rewards[row, t]) + gamma * worth[t + 1] - worth[t] for t in range(size)]
        for t in range(size):
            made[row, t] = sum((gamma * lam) ** (s - t) * deltas[s] for s in range(t, size))
    return made


def rewards_by_scatter(scores, log_probs, reference, mask, beta):
    last = mask.cumsum(1).argmax(1, keepdim=True)
    paid = torch.zeros_like(mask).scatter(1, last, scores[:, None])
    return paid + torch.where(mask.bool(), beta * (reference - log_probs), 0.0)


def bias_pair_by_pair(chosen, rejected, chosen_lengths, rejected_lengths):
    points = pairs = 0
    for a, b, n, m in zip(chosen, rejected, chosen_lengths, rejected_lengths, strict=True):
        if n == m:
            continue
        pairs += 1
        longer, shorter = (a, b) if n > m else (b, a)
        points += 1 if longer > shorter else 0.5 if longer == shorter else 0
        points -= n > m
    return points / pairs


OTHERS = {
    "preference_loss": [loss_by_cross_entropy, loss_by_logaddexp],
    "advantages": [advantages_by_definition, advantages_by_sums],
    "token_rewards": [rewards_by_scatter, rewards_row_by_row],
    "length_bias": [bias_pair_by_pair, bias_with_numpy],
    "ceiling": [ceiling_by_bisection, lambda first, second: math.cos(math.acos(math.sqrt(max(
        0, 2 * sum(a == b for a, b in zip(first, second, strict=True)) / len(first) - 1))) / 2) ** 2
    ],
}
EDITS = {
    "preference_loss": [
        ("gap = chosen - rejected", "gap = rejected - chosen", "The sign is turned"),
        ("-logsigmoid(gap)", "-torch.sigmoid(gap).log()", "Right where rewards are close"),
        ("torch.where(ties, (clear + turned) / 2, clear)", "clear", "A tie counts as a pref"),
        ("torch.where(ties, (clear + turned) / 2, clear)", "clear[~ties]", "You left ties out"),
        (".mean()", ".sum()", "You add up")],
    "advantages": [
        ("expected = values[:, t] * mask[:, t]", "expected = values[:, t]", "Values of padding"),
        ("gamma * lam * later", "gamma * later", "You left λ out"),
        ("gamma * lam * later", "lam * later", "Later surprises are discounted"),
        (" + gamma * lam * later", "", "You took one step's surprise"),
        ("return made", "return made + values * mask", "Those are returns"),
        ("reversed(range(values.shape[1]))", "range(values.shape[1])",
         "You add up from the first")],
    "token_rewards": [
        ("-beta", "beta", "Scores are at the right place"),
        ("last = mask.sum(1).long() - 1", "last = -1", "The price is right now"),
        ("reference_log_probs) * mask", "reference_log_probs)", "Padding is charged"),
        ("rewards[torch.arange(len(rewards)), last] += scores",
         "rewards = rewards + scores[:, None] * mask", "The score is paid at every")],
    "length_bias": [
        (" - sum(preferred) / len(preferred)", "", "How often the longer one earns"),
        ("sum(preferred) / len(preferred)", "0.5", "You compared with a half"),
        ("if long != short:", "if True:", "Pairs of equal length")],
    "ceiling": [
        ("(1 + max(0.0, 2 * agreed - 1) ** 0.5) / 2", "agreed", "That is how often they agree"),
        ("(1 + max(0.0, 2 * agreed - 1) ** 0.5) / 2", "agreed ** 0.5", "You left out that two"),
        ("(1 + max(0.0, 2 * agreed - 1) ** 0.5) / 2", "2 * agreed - 1", "That is kappa"),
        ("(1 + max", "(1 - max", "You have taken the other root")],
    "feedback": [('"flatterer": "new comparisons"', '"flatterer": "dearer divergence"',
                  "A dearer divergence slows"),
                 ('"sums": "checked answers"', '"sums": "comparisons"', "Where a program knows")],
}
