"""Other right programs for lesson 05, and edits of the solutions that make known mistakes."""

import re
import shlex
from bisect import bisect_left
from functools import lru_cache

import numpy as np
from sklearn.metrics import f1_score

from fmcourse.classroom.checks import lesson_05


def call_by_chunks(reply, wanted):
    def normal(command):
        apart = re.sub(r"(--[\w-]+)=", r"\1 ", command)
        words = " ".join(shlex.quote(word) for word in shlex.split(apart))
        head, *options = re.split(r" (?=--)", words)
        return head, sorted(options)

    try:
        return normal(reply) == normal(wanted)
    except ValueError:
        return False


def f1_with_numpy(truth, said):
    names = sorted({*truth, *said})
    table = np.zeros((len(names), len(names)))
    for a, b in zip(truth, said, strict=True):
        table[names.index(a), names.index(b)] += 1
    rows, columns = table.sum(1), table.sum(0)
    scores = 2 * table.diagonal() / (rows + columns)
    return scores[rows > 0].mean()


def rouge_by_recursion(reply, reference):
    a, b = tuple(reply.lower().split()), tuple(reference.lower().split())

    @lru_cache(None)
    def common(i, j):
        if not i or not j:
            return 0
        if a[i - 1] == b[j - 1]:
            return common(i - 1, j - 1) + 1
        return max(common(i - 1, j), common(i, j - 1))

    return 2 * common(len(a), len(b)) / (len(a) + len(b))


def stop_with_a_counter(losses, patience):
    best, kept, waited, epoch = float("inf"), 0, 0, 0
    while epoch < len(losses) and waited < patience:
        epoch += 1
        waited += 1
        if losses[epoch - 1] < best:
            best, kept, waited = losses[epoch - 1], epoch, 0
    return [kept, epoch]


def rate_by_interpolation(step, steps, peak, warmup):
    if step < warmup:
        return np.linspace(0, peak, warmup + 1)[step + 1]
    return np.interp(step, [warmup, steps], [peak, 0])


def call_word_by_word(reply, wanted):
    def normal(command):
        try:
            words = shlex.split(command)
        except ValueError:
            return None
        made, key = {"": words[:3]}, "behind"
        for word in words[3:]:
            if word[:2] == "--" and "=" in word:
                key = word[:word.index("=")]
                made[key] = [word[len(key) + 1:]]
            elif word[:2] == "--":
                key = word
                made[key] = []
            else:
                made[key] = [*made.get(key, []), word]
        return made

    both = normal(reply), normal(wanted)
    return None not in both and both[0] == both[1]


def f1_from_rates(truth, said):
    total = 0.0
    for label in {*truth}:
        hits = [b for a, b in zip(truth, said, strict=True) if a == label].count(label)
        if hits:
            precision, recall = hits / said.count(label), hits / truth.count(label)
            total += 2 / (1 / precision + 1 / recall)
    return total / len({*truth})


def rouge_by_increasing_places(reply, reference):
    """The longest increasing run of places, by patience sorting (Hunt and Szymanski)."""
    said, wanted = reply.lower().split(), reference.lower().split()
    tails = []
    for word in said:
        for place in range(len(wanted) - 1, -1, -1):
            if wanted[place] == word:
                at = bisect_left(tails, place)
                tails[at:at + 1] = [place]
    return 2 * len(tails) / (len(said) + len(wanted))


def stop_with_numpy(losses, patience):
    running = np.minimum.accumulate(losses)
    first = [int(np.argmax(running == low)) + 1 for low in running]
    for epoch, best in enumerate(first, 1):
        if epoch == best + patience:
            return best, epoch
    return first[-1], len(losses)


def rate_by_the_lower_line(step, steps, peak, warmup):
    up = (step + 1) / max(1, warmup) if warmup else 1.0
    return peak * up if up <= 1 and warmup else peak * (1 - (step - warmup) / (steps - warmup))


def call_with_every_equals_sign_replaced(reply, wanted):
    return call_by_chunks(reply.replace("=", " "), wanted.replace("=", " "))


def f1_over_all_classes(truth, said):
    return f1_score(truth, said, average="macro", zero_division=0)


def rouge_without_full_stops(reply, reference):
    return rouge_by_recursion(*(re.sub(r"[^\w\s]", "", text) for text in (reply, reference)))


OTHERS = {
    "same_call": [call_word_by_word, call_by_chunks],
    "macro_f1": [f1_from_rates, f1_with_numpy],
    "rouge_l": [rouge_by_increasing_places, rouge_by_recursion],
    "stop_early": [stop_with_numpy, stop_with_a_counter],
    "rate_at": [rate_by_the_lower_line, rate_by_interpolation],
}
WRONG = {
    "same_call": [call_with_every_equals_sign_replaced],
    "macro_f1": [f1_over_all_classes],
    "rouge_l": [rouge_without_full_stops],
    "stop_early": [lesson_05._ties],
}
EDITS = {
    "predicted_results": [('"fewer"', '"as many"', "Nothing reminded the specialist"),
                          ('"no better"', '"better"', "Tuning helped it much")],
    "same_call": [("shlex.split(command)", "command.split()", "You split at blanks"),
                  ("return words[:3], options", "return words[:3], sorted(options)",
                   "You compare the names of options"),
                  ('word.partition("=")', 'word, "", ""', "`--region=x` and")],
    "macro_f1": [("set(truth)", "set(said)", "You left out the class"),
                 ("2 * right / (truth.count(label) + said.count(label))",
                  "right / truth.count(label)", "That is macro *recall*"),
                 ("scores.append(2",
                  "scores.append(truth.count(label) / len(truth) * len(set(truth)) * 2",
                  "You weighed each class")],
    "rouge_l": [("2 * precision * recall / (precision + recall)", "recall", "That is recall"),
                (".lower().split(), reference.lower().split()",
                 ".lower(), reference.lower()", "You compared letter by letter"),
                (".lower()", "", "Capitals are no difference")],
    "stop_early": [(">= patience", "> patience", "You stop one epoch too late"),
                   (">= patience", ">= max(1, patience - 1)", "You stop one epoch too early")],
    "rate_at": [("(step + 1)", "step", "Your first step has a rate of 0"),
                ("/ (steps - warmup)", "/ steps", "The warm-up is right now"),
                ("(step + 1) / warmup", "warmup / (step + 1)", "The way down is right now")],
}
