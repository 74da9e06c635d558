"""Lesson 12, distillation: sizes, soft targets, what is kept of them, a teacher that learns."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from fmcourse.classroom.check import Exercise, chosen
from fmcourse.classroom.uses import taught
from fmcourse.train.losses import distillation_kl, likeliest

SIZES = chosen(
    "predicted_sizes", {"all": 64, "likeliest": 0.384, "text": 0.004},
    ("How many numbers are there for one token, and how many bytes for each? A gigabyte is 10⁹.",
     "All: 32,000 · 2 bytes a token. Likeliest: 64 · (2 + 4). Text: one number of 4 bytes. Times a "
     "million tokens."),
    slips={"All: those are 4 bytes a logit. Here each has 2.": {"all": 128},
           "All: that is one byte a logit. Here each has 2.": {"all": 32},
           "All: for every token there are 32,000 numbers, one for each that might have come.":
           {"all": 0.002},
           "Likeliest: you kept how likely, and not *which* tokens: 4 bytes more for each.":
           {"likeliest": 0.128},
           "Likeliest: you kept which tokens, and not how likely: 2 bytes more for each.":
           {"likeliest": 0.256},
           "Text: those are megabytes.": {"text": 4}},
    tolerance=0.02)


def _soft(direction: str = "forward", power: float = 2, student_too: bool = True,
          entropy: bool = False, per: Callable[[Tensor, Tensor], Tensor | float] | None = None,
          masked: bool = True) -> Callable:
    """`per` says, of mask and logits, what the sum is divided by."""
    def loss(student: Tensor, teacher: Tensor, mask: Tensor, temperature: float) -> Tensor:
        p = (teacher / temperature).log_softmax(-1)
        q = (student / (temperature if student_too else 1)).log_softmax(-1)
        p, q = (p, q) if direction == "forward" else (q, p)
        each = (p.exp() * ((0 if entropy else p) - q)).sum(-1)  # (batch, time)
        kept = mask if masked else torch.ones_like(mask)
        return temperature**power * (each * kept).sum() / (
            per(mask, student) if per else kept.sum())
    return loss


_draw = torch.Generator().manual_seed(0)
_STUDENT, _TEACHER = (2 * torch.randn(2, 4, 6, generator=_draw) for _ in range(2))
_MASK = torch.tensor([[0.0, 1, 1, 1], [0, 0, 1, 0]])

SOFT = Exercise(
    "soft_loss", distillation_kl,
    {"as they are": (_STUDENT, _TEACHER, _MASK, 1.0),
     "softened": (_STUDENT, _TEACHER, _MASK, 3.0),
     "the student agrees": (_TEACHER, _TEACHER, _MASK, 2.0)},
    {"You left T² out: at T = 3 gradients are about nine times smaller, and a learning rate means "
     "something else at every temperature.": _soft(power=0),
     "Divided by T² gradients shrink twice. Softening makes them smaller; T² makes up for it.":
        _soft(power=-2),
     "Only the teacher is softened. Student and teacher are compared at the same temperature.":
        _soft(student_too=False),
     "That is KL(student ‖ teacher), the other way round: the weights of the sum are the teacher's "
     "probabilities.": _soft("reverse"),
     "That is a cross-entropy: it is not 0 where the student agrees. Take the teacher's own "
     "log-probabilities away.": _soft(entropy=True),
     "Prompt and padding count. Only where the mask is 1 does the teacher have anything to say.":
        _soft(masked=False),
     "You divide by the number of all places, of which few count.":
        _soft(per=lambda mask, logits: mask.numel()),
     "You divide by rows (PyTorch's \"batchmean\" does). Divide by the tokens that count.":
        _soft(per=lambda mask, logits: len(mask)),
     "You take the mean over the vocabulary, too. A divergence is a *sum* over it.":
        _soft(per=lambda mask, logits: mask.sum() * logits.shape[-1])},
    ("Two softened distributions. Whose probabilities weigh the sum, and what is it when the two "
     "are the same? Then: over what is the mean taken?",
     "log_softmax of both, after dividing by T. Where the two agree their difference is 0; "
     "weighed by the teacher's probabilities it is summed over the vocabulary. Then the mask, "
     "then the mean over what it keeps, then T²."))


def _kept(others: Callable[[Tensor, Tensor], Tensor] | None = None,
          of: Callable[[Tensor, float], Tensor] | None = None,
          values: Callable[[Tensor, Tensor], Tensor] = lambda found, logits: found) -> Callable:
    """`others` makes the rest of log-probabilities and tokens; `of` log-probabilities of logits."""
    def kept(logits: Tensor, k: int, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
        log_probs = (of or _softened)(logits, temperature)
        found, tokens = log_probs.topk(k)
        return (tokens, values(found, logits.gather(-1, tokens)),
                (others or _log_rest)(log_probs, tokens))
    return kept


def _softened(logits: Tensor, temperature: float) -> Tensor:
    return (logits / temperature).log_softmax(-1)


def _log_rest(log_probs: Tensor, tokens: Tensor) -> Tensor:
    return log_probs.scatter(-1, tokens, -torch.inf).logsumexp(-1)


def _less_one(log_probs: Tensor, tokens: Tensor) -> Tensor:
    return torch.log1p(-log_probs.gather(-1, tokens).exp().sum(-1).clamp(max=1))


def _mean_rest(log_probs: Tensor, tokens: Tensor) -> Tensor:
    return _log_rest(log_probs, tokens) - math.log(log_probs.shape[-1] - tokens.shape[-1])


_LOGITS = 3 * torch.randn(3, 8, generator=_draw)
_SURE = torch.tensor([[60.0, 1.0, 0.0, -2.0, 20.0]])

LIKELIEST = Exercise(
    "likeliest_tokens", likeliest,
    {"two of eight": (_LOGITS, 2, 1.0), "softened": (_LOGITS, 3, 2.5),
     "a teacher that is sure": (_SURE, 2, 1.0)},
    {"You spread all probability over the k: a student is then free to say anything else as often "
     "as it likes.": _kept(values=lambda found, logits: found.log_softmax(-1)),
     "Those are logits. The student needs log-probabilities, for the others are not kept.":
        _kept(values=lambda found, logits: logits),
     "The temperature is missing.": _kept(of=lambda logits, temperature: logits.log_softmax(-1)),
     "You divided log-probabilities by T. Softened logits need a log_softmax of their own.":
        _kept(of=lambda logits, temperature: logits.log_softmax(-1) / temperature),
     "The rest is a probability in your answer. Its logarithm is wanted.":
        _kept(lambda log_probs, tokens: _log_rest(log_probs, tokens).exp()),
     "Right where the rest is large. 1 minus the others loses what is small, and its logarithm is "
     "then minus infinity: add up the others themselves, by logsumexp.": _kept(_less_one),
     "Your rest is the mean of the other tokens. All of them *together* are one more outcome.":
        _kept(_mean_rest)},
    ("First log-probabilities of the whole vocabulary, at this temperature; then choose. What is "
     "left is one number: how likely is any of the others?",
     "log_softmax after the temperature, topk after that. For the rest take the chosen ones "
     "out of the sum instead of taking their sum from 1: what is the logarithm of a chance of "
     "0, and which function adds up chances that are logarithms?"))


def _distil(calm: bool = True, frozen: bool = True, softened: bool = True, hard: bool = False,
            learner: bool = True) -> Callable:
    def distil(student: nn.Module, teacher: nn.Module, batches: Tensor,
               temperature: float) -> list[float]:
        teacher.train(not calm)
        weights = [*(student.parameters() if learner else ()),
                   *(() if frozen else teacher.parameters())]
        optimizer = torch.optim.SGD(weights, lr=0.5) if weights else None
        losses = []
        for ids in batches:
            said = teacher(ids).detach() if frozen else teacher(ids)
            t = temperature if softened else 1.0
            p, q = (said / t).softmax(-1), (student(ids) / t).log_softmax(-1)
            if hard:
                p = functional.one_hot(said.argmax(-1), said.shape[-1]).float()
            loss = t**2 * functional.kl_div(q, p, reduction="sum") / ids.numel()
            if optimizer:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            losses.append(loss.item())
        return losses
    return distil


DISTIL = Exercise(
    "distil", _distil(), {"six batches": (0,), "six others": (1,)},
    {"That is the code as it was given: the teacher guesses anew each time, and learns from its "
     "student.": _distil(calm=False, frozen=False),
     "The teacher answers calmly now, and still moves towards its student: who is in the "
     "optimiser?": _distil(frozen=False),
     "The teacher stays what it is now, and half of its features are still missing each time it is "
     "asked: in which mode is it?": _distil(calm=False),
     "The temperature is gone. It was no fault.": _distil(softened=False),
     "You learn from the teacher's first choice alone. What it thought of the others is what "
     "distillation is about.": _distil(hard=True),
     "The student never learns: it is missing in the optimiser.": _distil(learner=False)},
    ("Ask the same teacher the same thing twice: does it say the same? And after the last step: is "
     "it still who it was?",
     "In which mode does a network answer the same thing twice alike? Which weights does the "
     "optimiser hold? And what is remembered for the way back while the teacher is asked?"),
    use=taught, tolerance=1e-3)


def _even(once: Callable[[float, float], float] = lambda asking, training: asking + training,
          saved: Callable[[float, float], float] = lambda teacher, student: teacher - student,
          thousand: float = 1000, whole: Callable[[float], float] = math.ceil,
          never: bool = True) -> Callable:
    def even(asking: float, training: float, teacher: float, student: float) -> float:
        less = saved(teacher, student)
        if never and teacher <= student:
            return math.inf
        return whole(thousand * once(asking, training) / less)
    return even


EVEN = Exercise(
    "break_even", _even(),
    {"a hundred dollars once": (40.0, 61.0, 3.0, 0.4), "dear answers": (900.0, 25.0, 8.0, 0.3),
     "nearly the same price": (10.0, 3.0, 1.0, 0.93),
     "a whole number of requests": (75.0, 60.0, 3.0, 2.0),
     "the student is dearer": (10.0, 10.0, 0.5, 0.8), "the same price": (10.0, 10.0, 0.5, 0.5)},
    {"You left out what the teacher was paid for its answers. They are the student's food.":
        _even(lambda asking, training: training),
     "You left out training.": _even(lambda asking, training: asking),
     "You divide by what the teacher costs. A request saves the *difference*: the student is not "
     "free.": _even(saved=lambda teacher, student: teacher),
     "You divide by what the student costs. What a request saves is the difference of the two.":
        _even(saved=lambda teacher, student: student),
     "Prices are for a thousand requests: your number counts thousands.": _even(thousand=1),
     "Rounded down, the last cent is still missing. Round up.": _even(whole=math.floor),
     "Where the student is not cheaper it never pays: infinity.": _even(never=False)},
    ("What is paid once, whatever comes? What does one request save? And if it saves nothing?",
     "Whatever is paid once, times 1000, is divided by what a thousand requests save, then rounded "
     "up. And if a thousand save nothing?"),
    sample="8036e366b683")

SOURCES = chosen(
    "learn_from",
    {"house": "its logits", "service": "its text", "commands": "its text, checked",
     "terms": "people's labels", "wrong": "people's labels", "seldom": "no distillation"},
    ("What can be had of the teacher: numbers, text, nothing? Is it right? And is a smaller model "
     "worth anything here?",
     "One tokenizer and the weights: logits. An interface: text. A program that knows: check it "
     "first. Not allowed, or not right: people. Few requests: leave it."),
    slips={"Both are here and read the same tokens: text alone throws away what the teacher "
           "thought of all other words.": {"house": "its text"},
           "A service that returns text shows no logits.": {"service": "its logits"},
           "A quarter is wrong and a parser can tell which: why teach the mistakes?":
           {"commands": "its text"},
           "That a thing can be had does not mean that it may be used: terms are a licence.":
           {"terms": "its text"},
           "A student of this teacher learns to be wrong in four of ten. The right answers are on "
           "file.": {"wrong": "its logits"},
           "A student of this teacher would be wrong as often, in its words.":
           {"wrong": "its text"},
           "Three hundred requests a month never pay for training, nor for looking after a second "
           "model.": {"seldom": "its text"}})

EXERCISES = (SIZES, SOFT, LIKELIEST, DISTIL, EVEN, SOURCES)
