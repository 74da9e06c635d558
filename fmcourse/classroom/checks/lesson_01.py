"""Lesson 01, pre-training: packing, labels, masks, bits per byte, a step, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fmcourse.classroom.check import Exercise
from fmcourse.classroom.uses import five_steps
from fmcourse.evaluate.bits import per_byte

PREDICTED = Exercise(
    "predicted_losses",
    lambda: {"uniform": math.log(1000), "frequencies": -0.9 * math.log(0.9) - 0.1 * math.log(0.1)},
    {"": ()},
    {"Those are bits: you took logarithms to base 2. A loss in PyTorch is in nats.":
        lambda: {"uniform": math.log2(1000), "frequencies": 0.469},
     "Those are perplexities (how many tokens it seems to choose from), e to the power of the "
     "loss.": lambda: {"uniform": 1000.0, "frequencies": 1.384}},
    ("Surprise at a token of probability p is -ln p. A loss is the *average* surprise.",
     "The average weighs both tokens by how often they come: 0.9 times one surprise, plus 0.1 "
     "times the other."),
    slips={"Uniform: that is the logarithm to base 10. A loss in PyTorch is in nats (base e).":
           {"uniform": 3.0},
           "Uniform: that is the logarithm to base 2, bits. A loss in PyTorch is in nats.":
           {"uniform": 9.966},
           "Frequencies: that is the surprise at the frequent token alone. The rare one comes, "
           "too, in one of ten places.": {"frequencies": 0.105},
           "Frequencies: that is ln 2, the loss of one who knows nothing of two tokens. This one "
           "knows how often each comes.": {"frequencies": 0.693},
           "Frequencies: you averaged both surprises as if the tokens came equally often.":
           {"frequencies": 1.204}},
    tolerance=0.02)


def _stream(documents: list[list[int]], end: int) -> list[int]:
    return [token for document in documents for token in [*document, end]]


def _rows(stream: list[int], context: int) -> Tensor:
    count = (len(stream) - 1) // context
    return torch.tensor([stream[i * context:(i + 1) * context + 1] for i in range(count)])


def _apart(documents: list[list[int]], end: int, context: int) -> Tensor:
    padded = [(document + [end] * (context + 1))[:context + 1] for document in documents]
    return torch.tensor(padded)


def _disjoint(documents: list[list[int]], end: int, context: int) -> Tensor:
    stream = torch.tensor(_stream(documents, end))
    return stream[:len(stream) // (context + 1) * (context + 1)].view(-1, context + 1)


PACK = Exercise(
    "pack", lambda documents, end, context: torch.tensor(_stream(documents, end)).unfold(
        0, context + 1, context),
    {"three documents": ([[11, 12, 13], [21, 22], [31, 32, 33, 34]], 0, 4),
     "a long document": ([list(range(10, 31)), [40]], 1, 5),
     "an end that fits exactly": ([[5, 6], [7, 8, 9], [3]], 2, 4)},
    {"You left out the end tokens: the model cannot see where a document ends.":
        lambda documents, end, context: _rows([*chain(*documents)], context),
     "Your end token stands before each document. It goes after it, so that the model learns to "
     "end.": lambda documents, end, context: _rows(
         [token for document in documents for token in [end, *document]], context),
     "Your rows do not overlap, so the first token of each row is never anybody's target. The last "
     "token of a row is the first of the next.": _disjoint,
     "You gave each document a row of its own, padded or cut. Packing puts them one behind the "
     "other.": _apart},
    ("First one long list: every document, and the end token behind each.",
     "Row i begins at token i · context and is context + 1 tokens long. Leave out what does not "
     "fill a row."))

ROWS = torch.tensor([[5, 6, 7, 8, 9], [3, 4, 2, 6, 8]])
DOCUMENTS = torch.tensor([[0, 0, 0, 0, 0], [0, 0, 1, 1, 2]])


def _labels(shift: Callable[[Tensor], Tensor], crossing: Callable[[Tensor], Tensor]) -> Callable:
    return lambda tokens, documents: (tokens[:, :-1], shift(tokens).masked_fill(
        crossing(documents), -100))


def _crosses(documents: Tensor) -> Tensor:
    return documents.diff(dim=1) != 0


def _nowhere(documents: Tensor) -> Tensor:
    return torch.zeros_like(documents[:, 1:], dtype=torch.bool)


LABELS = Exercise(
    "inputs_and_labels", _labels(lambda tokens: tokens[:, 1:], _crosses),
    {"one document, and three packed into a row": (ROWS, DOCUMENTS),
     "a boundary at once": (torch.tensor([[7, 1, 2, 3]]), torch.tensor([[0, 1, 1, 1]]))},
    {"Your labels are the inputs themselves. The model sees each answer, copies it, and its loss "
     "falls to nothing while it learns nothing.":
        _labels(lambda tokens: tokens[:, :-1], _nowhere),
     "Your labels are not moved, though you left out the boundaries: the model is asked for the "
     "token that it is shown.": _labels(lambda tokens: tokens[:, :-1], _crosses),
     "You did not leave out the boundaries: the last token of a document is made to predict the "
     "first of another, which nobody could.": _labels(lambda tokens: tokens[:, 1:], _nowhere),
     "You left out the wrong place at a boundary: one too late. It is the last token of a document "
     "whose target is a stranger.": _labels(
         lambda tokens: tokens[:, 1:],
         lambda d: functional.pad(_crosses(d), (1, -1))),
     "You moved the wrong way: each token is made to predict the one before it.": lambda t, d: (
         t[:, 1:], t[:, :-1].masked_fill(_crosses(d), -100))},
    ("Inputs are all tokens but the last, labels all but the first. Then look at documents the "
     "same way.",
     "A label belongs to two neighbouring tokens. Compare the document numbers of the same "
     "two, and write -100 where they differ; into a copy, not into `tokens` (masked_fill or "
     "torch.where give one)."))


def _mask(order: Callable[[Tensor, Tensor], Tensor], apart: bool = True) -> Callable:
    def mask(documents: Tensor) -> Tensor:
        place = torch.arange(documents.shape[1])
        allowed = order(place[:, None], place[None, :])
        same = documents[:, :, None] == documents[:, None, :]
        return allowed & same if apart else allowed.expand_as(same)
    return mask


MASK = Exercise(
    "attention_mask", _mask(lambda query, key: key <= query),
    {"two documents in a row": (torch.tensor([[0, 0, 1, 1, 1]]),),
     "two rows": (torch.tensor([[0, 0, 0], [0, 1, 2]]),)},
    {"Your mask lets each token see what comes after it, and not what came before: it is the other "
     "triangle.": _mask(lambda query, key: key >= query),
     "Your tokens cannot see themselves: the diagonal is missing, and the first token has nothing "
     "to attend to.": _mask(lambda query, key: key < query),
     "Your mask is causal, but a document sees the one packed before it.":
        _mask(lambda query, key: key <= query, apart=False),
     "Your mask keeps documents apart but is not causal: tokens see the ones they are to predict.":
        _mask(lambda query, key: (query >= 0) & (key >= 0)),
     "True means *may look* here; yours means the opposite.":
        lambda documents: ~_mask(lambda query, key: key <= query)(documents)},
    ("Two conditions, both true: the key is not later than the query; both are of one document.",
     "The first condition is a triangle, the same for every row of the batch: torch.tril makes "
     "one. The second compares `documents` with itself along two new axes, one for queries and "
     "one for keys."))

NATS = [np.array([2.0, 1.0, 3.0]), np.array([0.5])]

BITS = Exercise(
    "bits_per_byte", per_byte,
    {"two short texts": (NATS, ["abcd", "xy"]),
     "letters of more than one byte": ([np.array([4.0, 2.0])], ["né à Łódź"])},
    {"Those are nats per byte: a bit is ln 2 = 0.693 nats, so divide by that.":
        lambda nats, texts: per_byte(nats, texts) * math.log(2),
     "You multiplied by ln 2. A nat is *more* than a bit, so there are more bits than nats: "
     "divide.": lambda nats, texts: per_byte(nats, texts) * math.log(2) ** 2,
     "You divided by characters. é is one character and two bytes: use text.encode().":
        lambda nats, texts: sum(map(sum, nats)) / math.log(2) / sum(map(len, texts)),
     "Those are bits per *token*. Models with other tokens could not be compared.":
        lambda nats, texts: sum(map(sum, nats)) / math.log(2) / sum(map(len, nats)),
     "You averaged the texts' own averages, so a short text counts as much as a long one. Add up "
     "first, divide once.": lambda nats, texts: np.mean(
         [per_byte([n], [t]) for n, t in zip(nats, texts, strict=True)])},
    ("All the surprise, in bits, divided by all the bytes.",
     "Bits are nats / math.log(2); the bytes of a text are len(text.encode())."))


def _step(labels: Callable[[Tensor], Tensor], order: str, reduction: str = "mean") -> Callable:
    def step(network: nn.Module, optimizer: torch.optim.Optimizer, batch: Tensor) -> float:
        logits = network(batch[:, :-1])
        loss = functional.cross_entropy(logits.flatten(0, 1), labels(batch).flatten(),
                                        reduction=reduction)
        does = {"z": optimizer.zero_grad, "b": loss.backward, "s": optimizer.step}
        for letter in order:
            does[letter]()
        return loss.item()
    return step


def _next(batch: Tensor) -> Tensor:
    return batch[:, 1:]


def _same(batch: Tensor) -> Tensor:
    return batch[:, :-1]


STEP = Exercise(
    "train_step", _step(_next, "zbs"), {"five steps": (0,), "five others": (1,)},
    {"That is the step as it was given, with both of its faults.": _step(_same, "bs"),
     "The labels are right now; one fault is left. Print a weight's gradient before and after "
     "backward(), step after step.": _step(_next, "bs"),
     "Gradients are right now; one fault is left. What is the model asked for at each place, and "
     "can it see it?": _step(_same, "zbs"),
     "You empty the gradients between backward() and step(), so nothing is ever learnt.":
        _step(_next, "bzs"),
     "You step before backward(): each step uses the gradients of the batch before.":
        _step(_next, "szb"),
     "You added up the losses of all tokens. With their mean, the learning rate means the same "
     "for every size of batch.": _step(_next, "zbs", "sum")},
    ("There are two faults: one in what is asked of the model, one in what a gradient still holds "
     "from the step before.",
     "Print inputs and labels of one row side by side: what is asked at each place? Then print "
     "a weight's gradient after each backward() on the *same* batch: it should not grow."),
    use=five_steps)


def _days(flops: float = 6, *, share: bool = True, seconds: float = 86_400) -> Callable:
    return lambda parameters, tokens, peak, utilisation: (
        flops * parameters * tokens / (peak * (utilisation if share else 1)) / seconds)


DAYS = Exercise(
    "training_days", _days(),
    {"a small model on one card": (1e9, 2e10, 4e14, 0.4),
     "8 billion parameters, 15 trillion tokens, 16,000 cards": (8e9, 1.5e13, 16_000 * 9.9e14, 0.4)},
    {"You counted the forward pass alone (2 a parameter and token). Going back costs twice as much "
     "again.": _days(2),
     "You counted going back alone (4). The forward pass is 2 more.": _days(4),
     "You took the peak of the data sheet. Only `utilisation` of it is reached.":
        _days(share=False),
     "You multiplied by the utilisation where the time gets longer by it: divide.":
        lambda n, d, peak, share: 6 * n * d / peak * share / 86_400,
     "Those are hours.": _days(seconds=3600), "Those are seconds.": _days(seconds=1)},
    ("Three numbers: operations in all, operations a second that are really reached, seconds in a "
     "day.",
     "Forwards 2 operations a parameter and token, backwards 4. Divide by what is reached in a "
     "second, not by the peak, and then by the seconds of a day."))

EXERCISES = (PREDICTED, PACK, LABELS, MASK, BITS, STEP, DAYS)
