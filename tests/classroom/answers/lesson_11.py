"""Other right programs for lesson 11, and edits of the solutions that make known mistakes."""

import re

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import beta as beta_distribution
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


def dpo_as_a_ratio(chosen, rejected, ref_chosen, ref_rejected, mask, other, beta):
    up = torch.einsum("pt,pt->p", chosen - ref_chosen, mask)
    down = torch.einsum("pt,pt->p", rejected - ref_rejected, other)
    return torch.log(1 + torch.exp(beta * (down - up))).mean()


def groups_by_moments(rewards):
    size = rewards.shape[1]
    centred = rewards - rewards.sum(1, keepdim=True) / size
    return centred / ((centred**2).sum(1, keepdim=True) / (size - 1)).sqrt().add(1e-4)


def losses_token_by_token(log_probs, old, reference, advantages, epsilon, beta):
    made = torch.empty_like(log_probs)
    for row, praise in enumerate(advantages.tolist()):
        for t in range(log_probs.shape[1]):
            now, then, start = (float(part[row, t]) for part in (log_probs, old, reference))
            ratio, r = np.exp(now - then), np.exp(start - now)
            bound = min(max(ratio, 1 - epsilon), 1 + epsilon)
            made[row, t] = -min(ratio * praise, bound * praise) + beta * (r - 1 - (start - now))
    return made


def answer_line_by_line(reply, answer):
    found = None
    for line in reply.split("\n"):
        head, mark, rest = line.strip().partition(":")
        if mark and head.lower() == "answer":
            if found is not None:
                return 0
            found = rest.strip()
    if found is None:
        return 0
    return float((found[:-1] if found.endswith(".") else found).lower() == answer.lower())


def harm_by_beta(met, asked):
    return 1.0 if met == asked else float(beta_distribution(met + 1, asked - met).isf(0.05))


def harm_on_a_grid(met, asked):
    rates = np.linspace(0, 1, 10_001)
    return rates[binom.cdf(met, asked, rates) >= 0.05].max()


def answer_anywhere_in_a_line(reply, answer):
    said = re.findall(r"answer:(.*)", reply, re.IGNORECASE)
    return float([one.strip(" .").lower() for one in said] == [answer.lower()])


def answer_on_the_next_line(reply, answer):
    said = re.findall(r"^\s*answer:\s*(.*)$", reply, re.IGNORECASE | re.MULTILINE)
    return float([one.strip(" .").lower() for one in said] == [answer.lower()])


def answer_behind_the_last_colon(reply, answer):
    said = [line.split(":")[-1] for line in reply.splitlines()
            if line.strip().lower().startswith("answer:")]
    return float([one.strip(" .").lower() for one in said] == [answer.lower()])


OTHERS = {
    "dpo_loss": [dpo_as_a_ratio, dpo_pair_by_pair],
    "group_advantages": [groups_by_moments, groups_with_numpy],
    "token_losses": [losses_token_by_token, losses_by_cases],
    "right_answer": [answer_line_by_line, answer_by_pattern],
    "most_harm": [harm_by_beta, harm_on_a_grid, harm_with_scipy],
}
WRONG = {
    "right_answer": [answer_anywhere_in_a_line, answer_on_the_next_line,
                     answer_behind_the_last_colon],
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
