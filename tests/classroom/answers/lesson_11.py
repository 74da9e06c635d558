"""Other right programs for lesson 11, and edits of the solutions that make known mistakes."""

import re

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import binom
from torch.nn.functional import softplus


def dpo_pair_by_pair(chosen, rejected, ref_chosen, ref_rejected, mask, other, beta):
    losses = []
    for row in range(len(chosen)):
        good, bad = mask[row] == 1, other[row] == 1
        policy = chosen[row][good].sum() - rejected[row][bad].sum()
        reference = ref_chosen[row][good].sum() - ref_rejected[row][bad].sum()
        losses.append(softplus(-beta * (policy - reference)))
    return torch.stack(losses).mean()


def groups_with_numpy(rewards):
    table = rewards.numpy()
    return np.array([(row - row.mean()) / (row.std(ddof=1) + 1e-4) for row in table])


def losses_by_cases(log_probs, old, reference, advantages, epsilon, beta):
    praise = advantages.unsqueeze(1).expand_as(log_probs)
    ratio = torch.exp(log_probs) / torch.exp(old)
    clipped = torch.where(praise > 0, ratio.clamp(max=1 + epsilon), ratio.clamp(min=1 - epsilon))
    r = torch.exp(reference) / torch.exp(log_probs)
    return beta * (r - 1 - r.log()) - clipped * praise


def answer_by_pattern(reply, answer):
    said = re.findall(r"^\s*answer:(.*)$", reply, re.IGNORECASE | re.MULTILINE)
    if len(said) != 1:
        return 0.0
    return 1.0 if re.sub(r"\.$", "", said[0].strip()).lower() == answer.lower() else 0.0


def harm_with_scipy(met, asked):
    if met == asked:
        return 1.0
    return brentq(lambda p: binom.cdf(met, asked, p) - 0.05, 0, 1, xtol=1e-10)


OTHERS = {
    "dpo_loss": [dpo_pair_by_pair],
    "group_advantages": [groups_with_numpy],
    "token_losses": [losses_by_cases],
    "right_answer": [answer_by_pattern],
    "most_harm": [harm_with_scipy],
}
EDITS = {
    "dpo_loss": [
        (" * chosen_mask).sum(1)\n    other = ((rejected - reference_rejected) * rejected_mask)",
         ").sum(1)\n    other = ((rejected - reference_rejected))", "The reference is there"),
        ("moved - other", "other - moved", "The sign is turned"),
        ("-logsigmoid(beta * (moved - other))", "-beta * logsigmoid(moved - other)",
         "β belongs inside")],
    "group_advantages": [(" + 1e-4", "", "Where all of a group"),
                         ("rewards.std(1, keepdim=True)",
                          "rewards.std(1, keepdim=True, correction=0)", "Your deviation divides"),
                         ("(rewards - mean)", "rewards", "You did not take"),
                         ("rewards.mean(1, keepdim=True), rewards.std(1, keepdim=True)",
                          "rewards.mean(), rewards.std()", "You compare with the replies to")],
    "token_losses": [
        ("torch.minimum", "torch.maximum", "You took the larger product"),
        ("-step + beta", "-step - beta", "The price has the wrong sign"),
        ("log_r = reference_log_probs - log_probs", "log_r = log_probs - reference_log_probs",
         "The ratio in your k3"),
        ("(log_r.exp() - 1 - log_r)", "(-log_r)", "That is k1"),
        ("(log_r.exp() - 1 - log_r)", "(log_r.exp() - log_r)", "You left out the - 1")],
    "predicted_signals": [('"hard": "half"', '"hard": "hardly any"', "One right reply of eight"),
                          ('"easy": "hardly any"', '"easy": "nearly all"', "What is right all")],
    "right_answer": [
        ("float(said == [bare(answer)])", "float(bare(answer) in said)", "One right answer line"),
        ("float(said == [bare(answer)])", "float(said[-1:] == [bare(answer)])",
         "You take the last")],
    "most_harm": [("> 0.05", "> 0.025", "That leaves 2.5 %"),
                  ("> 0.05", "> 0.95", "You have taken"),
                  ("return high", "return met / asked", "That is what was seen"),
                  ("return high", "return 3 / asked", "The rule of three")],
    "align": [('"none right": "demonstrations first"', '"none right": "GRPO with a program"',
               "In a group of eight none"),
              ('"fashion": "PPO with a reward model"', '"fashion": "DPO"', "Pairs of last month")],
}
