"""Lesson 10, reward models and RLHF: preferences, advantages, prices, biases, a ceiling."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from fmcourse.classroom.check import Exercise, chosen
from fmcourse.evaluate.reward import length_bias
from fmcourse.train.losses import bradley_terry_loss, gae


def _preferred(each: Callable[[Tensor], Tensor] = lambda gap: softplus(-gap),
               tied: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
               end: Callable[[Tensor], Tensor] = torch.mean) -> Callable:
    """`each` is the loss of a gap between rewards; `tied` puts one for ties in its place."""
    def half(gap: Tensor, loss: Tensor, ties: Tensor) -> Tensor:
        return torch.where(ties, (loss + each(-gap)) / 2, loss)

    def loss(chosen: Tensor, rejected: Tensor, ties: Tensor) -> Tensor:
        gap = chosen - rejected
        return end((tied or half)(gap, each(gap), ties))
    return loss


def _absolute(chosen: Tensor, rejected: Tensor, ties: Tensor) -> Tensor:
    clear, turned = softplus(-chosen) + softplus(rejected), softplus(chosen) + softplus(-rejected)
    return torch.where(ties, (clear + turned) / 2, clear).mean()


_NO = torch.tensor([False, False, False])

PREFERENCE = Exercise(
    "preference_loss", lambda chosen, rejected, ties: bradley_terry_loss(
        chosen, rejected, ties=ties),
    {"three preferences": (torch.tensor([2.0, 0.5, -1.0]), torch.tensor([0.0, 0.2, 1.0]), _NO),
     "one of three is a tie": (torch.tensor([2.0, 1.5, -1.0]), torch.tensor([0.0, 0.2, 1.0]),
                               torch.tensor([False, True, False])),
     "rewards far apart": (torch.tensor([-400.0, 300.0, 1.0]), torch.tensor([0.0, 0.0, 0.0]), _NO)},
    {"The sign is turned: your loss falls where the rejected reply earns more.":
        _preferred(lambda gap: softplus(gap)),
     "That is the chance of being wrong. The loss is a surprise: minus the logarithm of the chance "
     "of being right.": _preferred(lambda gap: torch.sigmoid(-gap)),
     "Right where rewards are close. Far apart, the sigmoid is 0 to the machine, and its logarithm "
     "infinite: logsigmoid takes both steps at once.":
        _preferred(lambda gap: -torch.sigmoid(gap).log()),
     "You ask each reward by itself to be above or below 0. Only their difference is compared.":
        _absolute,
     "You add up. With the mean, a learning rate means the same for any number of pairs.":
        _preferred(end=torch.sum),
     "A tie counts as a preference for whatever was written first. It is half a preference for "
     "either.": _preferred(tied=lambda gap, loss, ties: loss),
     "You left ties out. They say something: that the two rewards should be close.":
        _preferred(tied=lambda gap, loss, ties: loss[~ties])},
    ("The chance that the first of two is preferred is a sigmoid of the difference of rewards. Its "
     "surprise is the loss. And a tie?",
     "torch.nn.functional.logsigmoid of the difference is the logarithm of that chance. For a "
     "tie take the mean of the surprise at either order. torch.where puts one or the other at "
     "each place."))


def _advantages(future: Callable[[Tensor, Tensor], Tensor] = torch.mul, plus: float = 0.0,
                gamma_on_later: bool = True) -> Callable:
    """`future` makes what is expected next of a token's value and its mask."""
    def advantages(rewards: Tensor, values: Tensor, mask: Tensor, gamma: float,
                   lam: float) -> Tensor:
        made = torch.zeros_like(values)
        later = expected = torch.zeros(len(values))
        for t in reversed(range(values.shape[1])):
            kept = mask[:, t]
            delta = rewards[:, t] + gamma * expected - values[:, t]
            later = (delta + (gamma if gamma_on_later else 1) * lam * later) * kept
            expected = future(values[:, t], kept)
            made[:, t] = later
        return made + plus * values * mask
    return advantages


def _forwards(rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float) -> Tensor:
    turned = [part.flip(1) for part in (rewards, values, mask)]
    return _advantages()(*turned, gamma, lam).flip(1)


def _with_lam(lam: float) -> Callable:
    return lambda rewards, values, mask, gamma, _: _advantages()(rewards, values, mask, gamma, lam)


_draw = torch.Generator().manual_seed(0)
_MASK = torch.tensor([[1.0, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
_REWARDS = torch.randn(3, 5, generator=_draw) * _MASK
_VALUES = torch.randn(3, 5, generator=_draw)

ADVANTAGES = Exercise(
    "advantages", lambda rewards, values, mask, gamma, lam: gae(
        rewards, values, mask, gamma, lam)[0],
    {"one reply, a reward at its end": (
        torch.tensor([[0.0, 0, 0, 1.0]]), torch.tensor([[0.2, 0.5, 0.4, 0.9]]), torch.ones(1, 4),
        0.99, 0.9),
     "replies of three lengths": (_REWARDS, _VALUES, _MASK, 0.9, 0.5)},
    {"Values of padding are reckoned in: behind the last token nothing more is to be expected.":
        _advantages(future=lambda value, kept: value),
     "You left λ out: every later surprise counts in full.": _with_lam(1.0),
     "You took one step's surprise alone. Those that follow count as well, each λγ of the next.":
        _with_lam(0.0),
     "Later surprises are discounted by λ alone in your sum; it is λγ.":
        _advantages(gamma_on_later=False),
     "Those are returns, which the value function learns. An advantage is what was *not* expected.":
        _advantages(plus=1.0),
     "You add up from the first token on. Credit goes backwards: a token is praised for what "
     "follows it.": _forwards},
    ("The surprise of one step is δ = r + γ · (value of the next token) - value of this one. Which "
     "end do you begin at, and what comes after the last token?",
     "Go from the last token to the first and carry two things along: the advantage of the "
     "token behind, and the value that was expected there. Both are 0 behind the end, and the "
     "mask makes them so in padding."))


def _paid(sign: float = -1.0, place: Callable[[Tensor], Tensor] | None = None,
          price: Callable[[Tensor, Tensor], Tensor] = torch.mul) -> Callable:
    """`place` says where a score is paid, of the mask; `price` what of a log-ratio is charged."""
    def rewards(scores: Tensor, log_probs: Tensor, reference: Tensor, mask: Tensor,
                beta: float) -> Tensor:
        made = sign * beta * price(log_probs - reference, mask)
        return made + scores[:, None] * (place or _at_end)(mask)
    return rewards


def _at_end(mask: Tensor) -> Tensor:
    return (torch.arange(mask.shape[1]) == mask.sum(1, keepdim=True) - 1).float()


def _at_border(mask: Tensor) -> Tensor:
    return (torch.arange(mask.shape[1]) == mask.shape[1] - 1).float().expand_as(mask)


def _only_at_end(gap: Tensor, mask: Tensor) -> Tensor:
    return (gap * mask).sum(1, keepdim=True) * _at_end(mask) / mask.sum(1, keepdim=True)


_NOW = -torch.rand(3, 5, generator=_draw) * 3
_THEN = -torch.rand(3, 5, generator=_draw) * 3
_SCORES = torch.tensor([1.5, -0.5, 0.8])

SHAPED = Exercise(
    "token_rewards", _paid(),
    {"replies of three lengths": (_SCORES, _NOW, _THEN, _MASK, 0.1),
     "a dear divergence": (_SCORES, _NOW, _THEN, _MASK, 2.0),
     "the policy is still the reference": (_SCORES, _NOW, _NOW, _MASK, 0.5)},
    {"That is the code as it was given, with both of its faults.": _paid(1.0, _at_border),
     "Scores are at the right place now. Look at the price: whom does it pay?": _paid(1.0),
     "The price is right now. Look at the scores: who is paid for a reply that ended early?":
        _paid(place=_at_border),
     "The score is paid at every token: a long reply earns it many times.":
        _paid(place=lambda mask: mask),
     "Padding is charged for, too.": _paid(price=lambda gap, mask: gap),
     "You charge all tokens the size of their log-ratio. Where the policy finds a token *less* "
     "likely than the reference, the price is negative; on average it is not.":
        _paid(price=lambda gap, mask: gap.abs() * mask),
     "You charge a reply the mean over its tokens, at its end. Each token pays for itself.":
        _paid(price=_only_at_end)},
    ("Two faults: one in a sign, one in a place. Take a reply of two tokens in a row of four and "
     "write down what each token should get.",
     "Each token pays for how much *likelier* it has become, so the policy's log-probability "
     "counts against it. The last token of a row stands at the number of its tokens, less one."))

_PAIRS = ([2.0, 0.5, 1.0, -1.0, 0.3, 2.0, 0.0], [1.0, 1.5, 1.0, 1.0, 0.2, -1.0, 1.0],
          [40, 12, 30, 20, 25, 60, 9], [20, 30, 20, 15, 25, 30, 25])
_CAREFUL = ([1.0, 2.0, 0.1, 3.0], [0.0, 3.0, 0.4, 1.0], [8, 9, 30, 5], [6, 12, 10, 9])
Numbers = Sequence[float]


def _rated(equal: float = 0.5, even: bool = False, minus: Callable | None = None,
           sign: float = 1.0) -> Callable:
    """Share of pairs whose longer reply earns more, less `minus` of the pairs."""
    def bias(chosen: Numbers, rejected: Numbers, long: Numbers, short: Numbers) -> float:
        gaps = np.sign(np.subtract(chosen, rejected)), np.sign(np.subtract(long, short))
        counted = np.ones(len(gaps[0]), bool) if even else gaps[1] != 0
        reward, length = gaps[0][counted], gaps[1][counted]
        rated = np.where(reward == 0, equal, (reward * length + 1) / 2).mean()
        preferred = (minus or (lambda length: ((length + 1) / 2).mean()))(length)
        return float(sign * (rated - preferred))
    return bias


def _in_words(chosen: Numbers, rejected: Numbers, long: Numbers, short: Numbers) -> float:
    return length_bias(chosen, rejected, long, short)["length_correlation"]


BIAS = Exercise(
    "length_bias", lambda *pairs: length_bias(*pairs)["length_bias"],
    {"seven pairs": _PAIRS, "four pairs": _CAREFUL},
    {"How often the longer one earns more is half of it: people may like long replies, too. Take "
     "away how often they chose the longer one.": _rated(minus=lambda length: 0.0),
     "You compared with a half. The yardstick is how often *people* chose the longer one.":
        _rated(minus=lambda length: 0.5),
     "The difference is the wrong way round: above 0 the rewards like length more than people do.":
        _rated(sign=-1.0),
     "Pairs of equal length say nothing about length, and yours count.": _rated(even=True),
     "Equal rewards count as if the shorter one had won. They are half a win for either.":
        _rated(equal=0.0),
     "That is a correlation. It does not say what people would have chosen.": _in_words},
    ("Two shares, of the pairs whose lengths differ: how often does the longer reply have the "
     "higher reward, and how often is the longer one the chosen one?",
     "longer = chosen_lengths > rejected_lengths. Rated: 1 where (chosen > rejected) == longer, ½ "
     "where rewards are equal. Preferred: longer. Mean of rated minus mean of preferred."),
    sample="0cdba376f13d")


def _ceiling(of: Callable[[float], float], floor: bool = True) -> Callable:
    def ceiling(first: Sequence[int], second: Sequence[int]) -> float:
        agreed = float(np.mean(np.equal(first, second)))
        return of(max(agreed, 0.5) if floor else agreed)
    return ceiling


def _root(agreed: float) -> float:
    with np.errstate(invalid="ignore"):
        return (1 + float(np.sqrt(2 * agreed - 1))) / 2


_CHOICES = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1]


def _but(*places: int) -> list[int]:
    return [1 - choice if i in places else choice for i, choice in enumerate(_CHOICES)]


CEILING = Exercise(
    "ceiling", _ceiling(_root),
    {"they agree on 18 of 20": (_CHOICES, _but(3, 11)),
     "they agree on 14 of 20": (_CHOICES, _but(*range(6))),
     "they agree on 9 of 20": (_CHOICES, _but(*range(11)))},
    {"That is how often they agree. If one of them errs the other does not agree, though the model "
     "may be right: it is above that.": _ceiling(float, floor=False),
     "You left out that two may also be wrong together: then they agree as well.":
        _ceiling(np.sqrt, floor=False),
     "That is half the way from agreement to certainty. Write agreement as a sum: both right, or "
     "both wrong.": _ceiling(lambda agreed: (1 + agreed) / 2, floor=False),
     "That is kappa, if both replies are chosen equally often: agreement beyond chance, not how "
     "often a choice is right.": _ceiling(lambda agreed: 2 * agreed - 1, floor=False),
     "You have taken the other root, which is below a half: how often a choice is *wrong*.":
        _ceiling(lambda agreed: 1 - _root(agreed)),
     "Right above a half. Below it there is no root; they agree no more than by chance, so "
     "nothing can be foretold: ½.": _ceiling(_root, floor=False)},
    ("Call p how often one annotator's choice is right. In which two cases do two annotators "
     "agree, and how likely is each?",
     "Agreement is p² + (1 - p)². That is a quadratic equation for p with two roots; which of "
     "them is a half or more? And below which agreement is there none?"),
    sample="68a76470d455")

FEEDBACK = chosen(
    "feedback",
    {"letters": "demonstrations", "drafts": "comparisons", "sums": "checked answers",
     "flatterer": "new comparisons", "stranger": "dearer divergence",
     "coins": "clearer guideline"},
    ("Ask of each what is there: what was written well, what was liked better, or what can be "
     "checked? And of a run: who is at fault, the policy, its judge, or the judge's teachers?",
     "If the judge was never shown such replies, show it some. If the policy has run away within "
     "a few steps, hold it. If annotators quarrel, no judge can learn."),
    slips={"Good letters are no comparison: nobody said what they are better than. They can be "
           "imitated.": {"letters": "comparisons"},
           "A draft that lost is no example to imitate, and which of two was better is what they "
           "know: learn from that.": {"drafts": "demonstrations"},
           "Where a program knows the right answer, it need not be guessed from what people like.":
           {"sums": "comparisons"},
           "A dearer divergence slows it down. The judge still has never seen flattery that was "
           "disliked.": {"flatterer": "dearer divergence"},
           "The judge is at a loss so far from its data, and so would a next one be. First keep "
           "the policy near.": {"stranger": "new comparisons"},
           "More choices of the same coin teach nothing. What is better must be said first.":
           {"coins": "new comparisons"}})

EXERCISES = (PREFERENCE, ADVANTAGES, SHAPED, BIAS, CEILING, FEEDBACK)
