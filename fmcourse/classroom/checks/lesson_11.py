"""Lesson 11, preferences today: DPO, groups, GRPO's loss, a reward that is checked, harm."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import beta as beta_distribution
from scipy.stats import binom
from torch import Tensor
from torch.nn.functional import logsigmoid

from fmcourse.classroom.check import Exercise, chosen
from fmcourse.train.losses import dpo_loss, group_advantages, kl_estimate

_draw = torch.Generator().manual_seed(0)


def _log_probs() -> Tensor:
    return -3 * torch.rand(3, 5, generator=_draw)


def _dpo(reference: bool = True, masked: bool = True, mean: bool = False,
         loss: Callable[[Tensor, Tensor, float], Tensor] | None = None) -> Callable:
    """`loss` is that of a pair, by how much further than the reference either side has moved."""
    def total(part: Tensor, mask: Tensor) -> Tensor:
        kept = part * mask if masked else part
        return kept.sum(1) / (mask.sum(1) if mean else 1)

    def faulty(chosen: Tensor, rejected: Tensor, reference_chosen: Tensor,
               reference_rejected: Tensor, chosen_mask: Tensor, rejected_mask: Tensor,
               beta: float) -> Tensor:
        up = total(chosen - reference * reference_chosen, chosen_mask)
        down = total(rejected - reference * reference_rejected, rejected_mask)
        return (loss or _pair)(up, down, beta).mean()
    return faulty


def _pair(up: Tensor, down: Tensor, beta: float) -> Tensor:
    return -logsigmoid(beta * (up - down))


_LONG = torch.tensor([[1.0, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]])
_SHORT = torch.tensor([[1.0, 1, 0, 0, 0], [1, 1, 1, 1, 0], [1, 0, 0, 0, 0]])
_TOKENS = [_log_probs() for _ in range(4)]

DPO = Exercise(
    "dpo_loss", lambda chosen, rejected, ref_chosen, ref_rejected, mask, other, beta: dpo_loss(
        *((part * kept).sum(1) for part, kept in zip(
            (chosen, rejected, ref_chosen, ref_rejected), (mask, other) * 2, strict=True)), beta),
    {"three pairs": (*_TOKENS, _LONG, _SHORT, 0.1),
     "the policy is still the reference": (*_TOKENS[:2] * 2, _LONG, _SHORT, 0.1),
     "a dear divergence": (*_TOKENS, _LONG, _SHORT, 2.0)},
    {"That is the code as it was given: no reference, and padding counts.": _dpo(False, False),
     "The reference is there. Padding still counts: the shorter reply has more of it, so that it "
     "does not cancel.": _dpo(masked=False),
     "Padding is out. Without the reference a long chosen reply looks like a wrong choice from the "
     "start: compare with how likely the reference finds it.": _dpo(reference=False),
     "You take the mean over tokens. DPO compares whole replies: their log-probabilities add up.":
        _dpo(mean=True),
     "The sign is turned: the rejected reply is made likelier.":
        _dpo(loss=lambda up, down, beta: _pair(down, up, beta)),
     "β belongs inside the sigmoid, where it says how far a preference is worth moving.":
        _dpo(loss=lambda up, down, beta: beta * _pair(up, down, 1.0)),
     "You judge each reply by itself. Only how much *further* the chosen one has moved than the "
     "rejected one counts.": _dpo(
         loss=lambda up, down, beta: -logsigmoid(beta * up) - logsigmoid(-beta * down))},
    ("Before the first step the policy is the reference. What must the loss be then, for any "
     "replies? And which arguments does the given code never look at?",
     "For each side: how much likelier is the whole reply than under the reference, over its "
     "own tokens? The difference of the two sides, times beta, goes into logsigmoid. Test it "
     "with the policy as its own reference: ln 2."))


def _grouped(centre: Callable[[Tensor], Tensor] = lambda rewards: rewards.mean(1, keepdim=True),
             scale: Callable[[Tensor], Tensor] = lambda rewards: rewards.std(1, keepdim=True),
             tiny: float = 1e-4) -> Callable:
    return lambda rewards: (rewards - centre(rewards)) / (scale(rewards) + tiny)


GROUPS = Exercise(
    "group_advantages", group_advantages,
    {"right or wrong": (torch.tensor([[1.0, 0, 0, 1], [0, 0, 0, 1]]),),
     "two prompts, one easier": (torch.tensor([[0.9, 0.8, 1.0], [0.1, 0.3, 0.2]]),),
     "all right, and all wrong": (torch.tensor([[1.0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]]),)},
    {"You compare with the replies to *all* prompts: the worst reply to an easy one would be "
     "praised. Its own group is the yardstick.": _grouped(Tensor.mean, Tensor.std),
     "You compare the first reply to each prompt, then the second. Groups are rows.":
        _grouped(lambda rewards: rewards.mean(0), lambda rewards: rewards.std(0)),
     "Where all of a group are equal you divide 0 by 0, and NaN spreads to every weight.":
        _grouped(tiny=0.0),
     "Your deviation divides by n. This one is the unbiased one: n - 1.":
        _grouped(scale=lambda rewards: rewards.std(1, keepdim=True, correction=0)),
     "You divide by the variance. Its root has the unit of a reward.":
        _grouped(scale=lambda rewards: rewards.var(1, keepdim=True)),
     "You did not divide by the deviation. (Dr. GRPO does not; GRPO does.)":
        _grouped(scale=lambda rewards: 1 - 1e-4),
     "You did not take the group's mean away: a reply would be praised for an easy prompt.":
        _grouped(centre=lambda rewards: 0.0)},
    ("A row is a group. What is a reply's reward compared with, in which unit? And what is there "
     "to be learnt where all are alike?",
     "mean and std along axis 1, both with keepdim=True so that they can be taken from, and "
     "divide, every reply of the row. The 0.0001 is added before dividing."))


def _token(of: Callable[[Tensor, Tensor], Tensor] = torch.minimum, sign: float = -1.0,
           kl: Callable[[Tensor, Tensor], Tensor] = kl_estimate, price: float = 1.0) -> Callable:
    """`kl` gets the log-probabilities of policy and reference."""
    def losses(log_probs: Tensor, old: Tensor, reference: Tensor, advantages: Tensor,
               epsilon: float, beta: float) -> Tensor:
        ratio = (log_probs - old).exp()
        free, bound = (moved * advantages[:, None] for moved in (
            ratio, ratio.clamp(1 - epsilon, 1 + epsilon)))
        return sign * of(free, bound) + price * beta * kl(log_probs, reference)
    return losses


_NOW, _OLD, _THEN = _log_probs(), _log_probs(), _log_probs()
_PRAISE = torch.tensor([1.2, -0.7, 0.0])

TOKENS = Exercise(
    "token_losses", _token(),
    {"no price": (_NOW, _OLD, _THEN, _PRAISE, 0.2, 0.0),
     "nothing has moved since the start": (_NOW, _NOW, _NOW, _PRAISE, 0.2, 0.1),
     "all three differ": (_NOW, _OLD, _THEN, _PRAISE, 0.2, 0.5)},
    {"You always take the clipped product. A token that moved the *wrong* way then has no gradient "
     "to come back by: take the lesser of the two.": _token(of=lambda free, bound: bound),
     "Nothing is clipped: one lucky reply may take the policy anywhere.":
        _token(of=lambda free, bound: free),
     "You took the larger product, the hopeful view. The lesser is the cautious one.":
        _token(of=torch.maximum),
     "The sign of the first part is missing: a loss is made smaller, and praise would be, too.":
        _token(sign=1.0),
     "The price has the wrong sign: divergence is paid for, not charged.": _token(price=-1.0),
     "That is k1, the log-ratio itself: right on average, but a single token's may be below 0.":
        _token(kl=lambda now, then: now - then),
     "That is k2, half the squared log-ratio: never below 0, but wrong on average.":
        _token(kl=lambda now, then: (now - then).square() / 2),
     "The ratio in your k3 stands on its head: r is the reference over the policy.":
        _token(kl=lambda now, then: kl_estimate(then, now)),
     "You left out the - 1 of k3: where nothing has moved, no price is due.":
        _token(kl=lambda now, then: kl_estimate(now, then) + 1)},
    ("Two parts. The first is PPO's: which of two products is the cautious one? The second must be "
     "0 where policy and reference agree, and above 0 elsewhere.",
     "The ratio is exp of a difference of log-probabilities; clamp bounds it. Advantages need "
     "an axis to meet all tokens of their reply. For k3 you need the *logarithm* of r, which "
     "is another difference, and its exp."))

SIGNALS = chosen(
    "predicted_signals", {"hopeless": "hardly any", "hard": "half", "even": "nearly all",
                          "easy": "hardly any"},
    ("When do all replies of a group have the same advantage? What is there to be learnt then?",
     "A group is silent if all eight are right, or all eight wrong: p⁸ + (1 - p)⁸ of groups. 0.99⁸ "
     "is 0.92, 0.9⁸ is 0.43, 0.5⁸ is 0.004."),
    slips={"With one right reply of a hundred, 92 of 100 groups of eight have none at all.":
           {"hopeless": "half"},
           "It has most to learn, but nothing to learn from: in 92 of 100 groups all are wrong.":
           {"hopeless": "nearly all"},
           "One right reply of eight is enough for a comparison, and 57 of 100 groups have one.":
           {"hard": "hardly any"},
           "Half of the *replies* are right. That all eight of a group are, or none, is rare.":
           {"even": "half"},
           "What is right all the time is not compared with anything: such groups are silent.":
           {"easy": "nearly all"}})


def _bare(text: str) -> str:
    return text.strip().removesuffix(".").strip().casefold()


def _after(reply: str, bare: Callable[[str], str] = _bare) -> list[str]:
    return [bare(line.strip()[7:]) for line in reply.splitlines()
            if line.strip().casefold().startswith("answer:")]


def _given(reply: str, answer: str) -> float:
    return float(answer.casefold() in reply.casefold())


def _anywhere(reply: str, answer: str) -> float:
    said = [line.casefold().partition("answer:")[2] for line in reply.splitlines()
            if "answer:" in line.casefold()]
    return float([*map(_bare, said)] == [_bare(answer)])


def _on_the_next(reply: str, answer: str) -> float:
    said = re.findall(r"^[^\S\n]*answer:\s*(.*)$", reply, re.IGNORECASE | re.MULTILINE)
    return float([*map(_bare, said)] == [_bare(answer)])


def _checks(right: Callable[[list[str], str], bool], bare: Callable[[str], str] = _bare
            ) -> Callable:
    return lambda reply, answer: float(right(_after(reply, bare), bare(answer)))


ANSWER = Exercise(
    "right_answer", _checks(lambda said, wanted: said == [wanted]),
    {"as it was asked for": ("Half of 24 is 12.\nAnswer: 12", "12"),
     "a wrong one": ("Half of 24 is 14.\nAnswer: 14", "12"),
     "the right one is mentioned": ("It could be 12.\nAnswer: 14", "12"),
     "every number": ("Answer: " + " ".join(map(str, range(100))), "12"),
     "hidden in a longer one": ("Answer: 1120", "12"),
     "two answers": ("Answer: 12\nAnswer: 14", "12"),
     "two answers, the right one last": ("Answer: 14\nAnswer: 12", "12"),
     "a second thought": ("Answer: 12 or 14", "12"),
     "other capitals, a full stop": ("It is on the Seine.\n  ANSWER:  paris. ", "Paris"),
     "no answer at all": ("Paris", "Paris"), "nothing": ("", "Paris"),
     "a line that says there is none": ("There is no real answer: 12", "12"),
     "the line after": ("Answer:\n12", "12"), "a doubt": ("Answer: maybe: 12", "12")},
    {"That is the code as it was given: whoever says everything is right.": _given,
     "Whole words now. But the right one among many is still paid for.":
        lambda reply, answer: float(bool(re.search(
            rf"\b{re.escape(answer)}\b", reply, re.IGNORECASE))),
     "You ask for an answer line, and look for the right answer anywhere in it.":
        _checks(lambda said, wanted: any(wanted in line for line in said)),
     "One right answer line is enough for you, whatever the others say.":
        _checks(lambda said, wanted: wanted in said),
     "You take the last answer line. Then a policy learns to try several.":
        _checks(lambda said, wanted: said[-1:] == [wanted]),
     "You take the first answer line. Then a policy learns to try several.":
        _checks(lambda said, wanted: said[:1] == [wanted]),
     "A line that only has \"answer:\" in it counts for you. It must *begin* with it.":
        _anywhere,
     "You take what stands behind the *last* colon. Whatever follows \"Answer:\" is what was said.":
        _checks(lambda said, wanted: [one.rpartition(":")[2].strip() for one in said] == [wanted]),
     "You look for the answer on the line after, too. A line break is white space to a pattern's "
     "\\s; what follows must stand on the same line.": _on_the_next,
     "Too strict: capitals and a final full stop are no mistake.":
        _checks(lambda said, wanted: said == [wanted], str.strip)},
    ("Write down three replies that earn 1 and answer nothing. Which part of the rule does each "
     "break?",
     'Collect what stands behind "answer:" in each line that begins so, stripped, without a final '
     "full stop, in lower case. Right is: there is exactly one, and it is the answer."))


def _bound(tail: float = 0.05) -> Callable:
    """Clopper and Pearson's upper end, with `tail` of chance beyond it."""
    return lambda met, asked: float(
        beta_distribution.ppf(1 - tail, met + 1, asked - met)) if met < asked else 1.0


def _exactly(met: int, asked: int) -> float:
    low, high = met / asked, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if binom.pmf(met, asked, middle) > 0.05 else (low, middle)
    return 1.0 if met == asked else low


HARM = Exercise(
    "most_harm", _bound(),
    {"none of 30": (0, 30), "two of 30": (2, 30), "twelve of 200": (12, 200), "all of 8": (8, 8)},
    {"That is what was seen. The question is what may be behind it: none of thirty is not never.":
        lambda met, asked: met / asked,
     "The rule of three holds where none was met, roughly; elsewhere it must grow with `met`.":
        lambda met, asked: 3 / asked,
     "A normal curve around what was seen has no width where none was met.":
        lambda met, asked: met / asked + 1.645 * np.sqrt(met * (asked - met) / asked**3),
     "That leaves 2.5 % beyond it, the upper end of a two-sided interval. Asked for are 5 %.":
        _bound(0.025),
     "You look for the rate at which *exactly* so many are met with 5 %. So many or fewer.":
        _exactly,
     "You have taken 95 % of chance for so few, which is a lower end.": _bound(0.95)},
    ("If the true rate were 10 %, how likely would it be to see no harm in thirty requests? And at "
     "20 %? Where does that chance fall to 5 %?",
     "The chance of met or fewer is a sum over k = 0 … met (each term has a math.comb), and it "
     "falls as p rises. So halve the interval from 0 to 1 again and again, keeping the half in "
     "which it crosses 0.05. If all were met, 1."), tolerance=0.01,
    sample="aead2f0fe104")

ALIGN = chosen(
    "align",
    {"archive": "DPO", "amounts": "GRPO with a program", "none right": "demonstrations first",
     "tonight": "best of n", "fashion": "PPO with a reward model",
     "kill": "comparisons about look-alikes"},
    ("What is there: pairs, a program, a judge, or none of them? May weights be changed at all? "
     "And does the present model ever do it right?",
     "Pairs on file and no sampling: DPO. A program: groups. A judge that is renewed: PPO. No "
     "training: choose among several. Nothing right yet: show it."),
    slips={"With pairs on file neither a reward model nor sampling during training is needed.":
           {"archive": "PPO with a reward model"},
           "A program knows the amount. Pairs would have to be made, and teach taste.":
           {"amounts": "DPO"},
           "In a group of eight none is right: all advantages are 0, and nothing is learnt.":
           {"none right": "GRPO with a program"},
           "Its weights are not yours to change. Ask it several times, and let the judge choose.":
           {"tonight": "PPO with a reward model"},
           "Pairs of last month say what was liked then. This judge is renewed, and can be asked "
           "about whatever the policy says now.": {"fashion": "DPO"},
           "More examples of declining teach it to decline. It lacks requests that only *look* "
           "harmful.": {"kill": "demonstrations first"}})

EXERCISES = (DPO, GROUPS, TOKENS, SIGNALS, ANSWER, HARM, ALIGN)
