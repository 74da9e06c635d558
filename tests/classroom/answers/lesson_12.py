"""Other right programs for lesson 12, and edits of the solutions that make known mistakes."""

import itertools
from fractions import Fraction

import numpy as np
import torch
from torch.nn import functional


def soft_by_rows(student, teacher, mask, temperature):
    kept = mask.bool()
    q = functional.log_softmax(student[kept] / temperature, dim=-1)
    p = functional.softmax(teacher[kept] / temperature, dim=-1)
    return functional.kl_div(q, p, reduction="batchmean") * temperature * temperature


def kept_by_sorting(logits, k, temperature):
    wide = logits.double() / temperature
    order = wide.argsort(-1, descending=True)
    ranked = wide.gather(-1, order)
    total = ranked.logsumexp(-1, keepdim=True)
    return (order[:, :k], (ranked[:, :k] - total).float(),
            (ranked[:, k:].logsumexp(-1) - total[:, 0]).float())


def distil_with_frozen_weights(student, teacher, batches, temperature):
    for weight in teacher.requires_grad_(False).modules():
        weight.training = False
    losses = []
    for ids in batches:
        said = teacher(ids).flatten(0, 1) / temperature
        made = student(ids).flatten(0, 1) / temperature
        p = said.softmax(-1)
        loss = temperature**2 * (p * (p.log() - made.log_softmax(-1))).sum(-1).mean()
        slopes = torch.autograd.grad(loss, list(student.parameters()))
        for weight, slope in zip(student.parameters(), slopes, strict=True):
            weight.data -= 0.5 * slope
        losses.append(loss.item())
    return losses


def even_by_counting(asking, training, teacher, student):
    if not teacher > student:
        return np.inf
    step = 1000
    paid = next(n for n in itertools.count(0, step)
                if asking + training + n / 1000 * student <= n / 1000 * teacher)
    return next(n for n in range(max(0, paid - step), paid + 1)
                if asking + training <= n * (teacher - student) / 1000)


def soft_token_by_token(student, teacher, mask, temperature):
    total, count = 0.0, 0
    for row in range(len(mask)):
        for t in range(mask.shape[1]):
            if mask[row, t]:
                p, q = ((one[row, t].double() / temperature).softmax(0) for one in (
                    teacher, student))
                total += float((p * (p / q).log()).sum())
                count += 1
    return temperature**2 * total / count


def kept_one_after_the_other(logits, k, temperature):
    left = torch.log_softmax(logits / temperature, dim=1)
    tokens, values = [], []
    for _ in range(k):
        best = left.max(dim=1)
        tokens.append(best.indices)
        values.append(best.values)
        left = left.index_put((torch.arange(len(left)), best.indices), torch.tensor(-float("inf")))
    return torch.stack(tokens, 1), torch.stack(values, 1), torch.logsumexp(left, dim=1)


def distil_from_answers_on_file(student, teacher, batches, temperature):
    with torch.no_grad():
        on_file = [(teacher.eval()(ids) / temperature).log_softmax(-1) for ids in batches]
    optimizer, losses = torch.optim.SGD(student.parameters(), lr=0.5), []
    for ids, said in zip(batches, on_file, strict=True):
        optimizer.zero_grad()
        made = functional.log_softmax(student(ids) / temperature, -1)
        loss = functional.kl_div(made.flatten(0, 1), said.flatten(0, 1), log_target=True,
                                 reduction="batchmean") * temperature**2
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def even_in_fractions(asking, training, teacher, student):
    """Exactly, with prices as they are written."""
    asking, training, teacher, student = (Fraction(str(one)) for one in (
        asking, training, teacher, student))
    if teacher - student <= 0:
        return float("inf")
    return -(-1000 * (asking + training) // (teacher - student))


OTHERS = {
    "predicted_sizes": [lambda: {"all": 64, "likeliest": 0.384, "text": 0.004}],
    "soft_loss": [soft_token_by_token, soft_by_rows],
    "likeliest_tokens": [kept_one_after_the_other, kept_by_sorting],
    "distil": [distil_from_answers_on_file, distil_with_frozen_weights],
    "break_even": [even_in_fractions, even_by_counting],
}
EDITS = {
    "predicted_sizes": [("32_000 * 2", "32_000 * 4", "All: those are 4 bytes"),
                        ("(4 + 2)", "2", "Likeliest: you kept how likely"),
                        ("tokens * 4 / 1e9", "tokens * 4 / 1e6", "Text: those are megabytes")],
    "soft_loss": [
        ("temperature**2 * ", "", "You left T² out"),
        ("(student / temperature)", "student", "Only the teacher is softened"),
        ("p.exp() * (p - q)", "q.exp() * (q - p)", "That is KL(student"),
        ("(p - q)", "-q", "That is a cross-entropy"),
        ("(each * mask).sum() / mask.sum()", "each.mean()", "Prompt and padding count"),
        ("/ mask.sum()", "/ len(mask)", "You divide by rows")],
    "likeliest_tokens": [
        ("return tokens, values, rest", "return tokens, values.log_softmax(-1), rest",
         "You spread all probability"),
        ("(logits / temperature)", "logits", "The temperature is missing"),
        ("logits / temperature).log_softmax(-1)", "logits).log_softmax(-1) / temperature",
         "You divided log-probabilities"),
        ("log_probs.scatter(-1, tokens, -torch.inf).logsumexp(-1)",
         "(1 - values.exp().sum(-1)).log()", "Right where the rest"),
        (".logsumexp(-1)\n", ".logsumexp(-1).exp()\n", "The rest is a probability")],
    "distil": [
        ("    teacher.eval()\n", "", "The teacher stays what it is now"),
        ("student.parameters(), lr", "teacher.parameters(), lr", "The student never learns")],
    "break_even": [("asking + training", "training", "You left out what the teacher"),
                   ("(teacher - student)", "teacher", "You divide by what the teacher"),
                   ("1000 * ", "", "Prices are for a thousand"),
                   ("math.ceil", "math.floor", "Rounded down"),
                   ("student >= teacher", "False", "Where the student is not")],
    "learn_from": [('"commands": "its text, checked"', '"commands": "its text"', "A quarter is"),
                   ('"terms": "people\'s labels"', '"terms": "its text"', "That a thing can be")],
}
