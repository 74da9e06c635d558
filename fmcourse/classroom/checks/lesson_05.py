"""Lesson 05, domain adaptation: grading commands and answers, stopping early, a learning rate."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from fmcourse.classroom.check import Exercise, chosen

PREDICTED = chosen(
    "predicted_results",
    {"best": "tuned with the manual", "new services": "nearly none",
     "instructions": "fewer", "law": "no better"},
    ("Ask of each way whether it brings the *behaviour* (one valid command, then stop) and whether "
     "it brings the *fact* (what the operation is called).",
     "Tuning brings behaviour, the manual brings names. Whoever learns one thing only loses "
     "others. And a case's first sentence already says who sued whom."),
    slips={"The prompt with everything in it knows the names, but a model that was never tuned "
           "still writes few commands that the CLI would take.":
           {"best": "manual and similar examples"},
           "Tuned alone it has the manner of a command, and has to guess names it never saw.":
           {"best": "tuned"},
           "Thousands of operation names do not go into a model by examples of others. Facts are "
           "looked up.": {"new services": "as many"},
           "Nothing reminded the specialist of general instructions: that is the price.":
           {"instructions": "as many"},
           "Practice on one task does not carry over to all others here; it drives them out.":
           {"instructions": "more"},
           "Tuning helped it much, and copying the first sentence did as well. Always look at the "
           "cheap rival.": {"law": "better"}})


def _options(words: Sequence[str], equals: bool = True) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, sign, value = word.partition("=") if equals else (word, "", "")
            found[name] = [value] if sign else []
        else:
            found.setdefault(name, []).append(word)
    return found


def _call(split: Callable[[str], list[str]] = shlex.split, equals: bool = True,
          values: bool = True, order: bool = True) -> Callable:
    def key(command: str) -> object:
        words = split(command)
        if not order:
            return sorted(words)
        options = _options(words[3:], equals)
        return words[:3], options if values else sorted(options)

    def same(reply: str, wanted: str) -> bool:
        try:
            return key(reply) == key(wanted)
        except ValueError:  # a quotation that does not end
            return False
    return same


_WANTED = "aws ec2 start-instances --instance-ids i-1 i-2 --region eu-west-1"
CALL = Exercise(
    "same_call", _call(),
    {"word for word": (_WANTED, _WANTED),
     "options in another order": ("aws ec2 start-instances --region eu-west-1 --instance-ids i-1 "
                                  "i-2", _WANTED),
     "another operation": (_WANTED.replace("start", "stop"), _WANTED),
     "another value": (_WANTED.replace("eu", "us"), _WANTED),
     "values of one option swapped": (_WANTED.replace("i-1 i-2", "i-2 i-1"), _WANTED),
     "other quotation marks": ("aws sns publish --message 'Hello you'",
                               'aws sns publish --message "Hello you"'),
     "an equals sign": ("aws s3 ls --region=eu-west-1", "aws s3 ls --region eu-west-1"),
     "an equals sign within a value": ("aws sns tag --tags Key=red", "aws sns tag --tags Key red"),
     "one behind the name, one within": ("aws sns tag --tags=Key=red",
                                         "aws sns tag --tags Key=red"),
     "one option too many": (_WANTED + " --dry-run", _WANTED),
     "a quotation that does not end": ("aws sns publish --message 'Hello",
                                       "aws sns publish --message Hello")},
    {"You compare the texts. Options may stand in any order, and quotation marks may differ.":
        lambda reply, wanted: reply.split() == wanted.split(),
     "You split at blanks, so a quoted value falls apart. shlex.split reads as a shell does.":
        _call(split=str.split),
     "You compare the names of options and not their values.": _call(values=False),
     "You compare which words occur, not where: values may then wander between options.":
        _call(order=False),
     "`--region=x` and `--region x` say the same.": _call(equals=False),
     "You put a blank for every =. Only the one right behind an option's name is like a blank; "
     "within a value it is part of the value.": _call(
         split=lambda command: shlex.split(command.replace("=", " ")))},
    ("Turn each command into something that can be compared with ==: what must be a list, what a "
     "dictionary?",
     "words = shlex.split(command) (a ValueError is a no); words[:3] in order; the rest a "
     "dictionary: an option's name to the list of values behind it, after `--a=b` was split at "
     "its =."))

_TRUTH = ["yes"] * 6 + ["no"] * 3 + ["maybe"]
_SAID = ["yes"] * 5 + ["no"] + ["no", "yes", "yes"] + ["yes"]


def _sklearn(score: Callable, average: str | None = "macro") -> Callable:
    def of(truth: list[str], said: list[str]) -> float:
        more = {} if average is None else {
            "average": average, "labels": sorted(set(truth)), "zero_division": 0}
        return float(score(truth, said, **more))
    return of


def _of_averages(truth: list[str], said: list[str]) -> float:
    p, r = (_sklearn(score)(truth, said) for score in (precision_score, recall_score))
    return 2 * p * r / (p + r)


def _of_guessed(truth: list[str], said: list[str]) -> float:
    return float(f1_score(truth, said, average="macro", labels=sorted(set(said)), zero_division=0))


def _of_all(truth: list[str], said: list[str]) -> float:
    return float(f1_score(truth, said, average="macro", zero_division=0))


MACRO = Exercise(
    "macro_f1", _sklearn(f1_score),
    {"a class is never guessed": (_TRUTH, _SAID),
     "three classes": (list("aabbbcccc"), list("abbbaccab")),
     "a class that the truth never has": (list("aaabbb"), list("aacbbc"))},
    {"That is accuracy: a model that always says the frequent class looks good.":
        _sklearn(accuracy_score, None),
     "You weighed each class by how often it comes. Macro means that all weigh the same.":
        _sklearn(f1_score, "weighted"),
     "You averaged precision and recall over the classes first. Make an F1 of each class, and "
     "average those.": _of_averages,
     "You left out the class that was never guessed. Its F1 is 0, and it counts.": _of_guessed,
     "A class counts for you that the truth never has. Average over the classes of the truth.":
        _of_all,
     "That is macro *recall*: what was guessed wrongly costs it nothing.": _sklearn(recall_score)},
    ("An F1 for each class of the truth, then their plain mean. What is the F1 of a class that was "
     "never guessed?",
     "Put precision (right / said) and recall (right / true) into the formula and shorten it: "
     "what is left can be divided even where a class was never said. Average over the classes "
     "of which list?"))


def _stopped(steps: Callable[[Sequence[float], int], int | None], kept: Callable) -> Callable:
    def stop(losses: list[float], patience: int) -> tuple[int, int]:
        last = steps(losses, patience) or len(losses)
        return kept(losses, last), last
    return stop


def _patient(losses: Sequence[float], patience: int) -> int | None:
    return next((n for n in range(1, len(losses) + 1)
                 if n - (int(np.argmin(losses[:n])) + 1) >= patience), None)


def _rises(losses: Sequence[float], patience: int) -> int | None:
    worse = [n for n in range(2, len(losses) + 1) if losses[n - 1] >= min(losses[:n - 1])]
    return worse[patience - 1] if len(worse) >= patience else None


def _in_a_row(losses: Sequence[float], patience: int) -> int | None:
    return next((n for n in range(patience + 1, len(losses) + 1) if all(
        losses[i] > losses[i - 1] for i in range(n - patience, n))), None)


def _best(losses: Sequence[float], last: int) -> int:
    return int(np.argmin(losses[:last])) + 1


def _ties(losses: Sequence[float], patience: int) -> tuple[int, int]:
    """A loss as low as the best begins the wait anew."""
    best = 1
    for epoch, loss in enumerate(losses, 1):
        if loss <= losses[best - 1]:
            best = epoch
        elif epoch - best >= patience:
            return best, epoch
    return best, len(losses)


EARLY = Exercise(
    "stop_early", _stopped(_patient, _best),
    {"a dip, then another": ([2.0, 1.8, 1.9, 1.7, 1.75, 1.72, 1.74, 1.6], 3),
     "two passes of patience": ([1.0, 0.9, 0.95, 0.93, 0.97, 0.5], 2),
     "better to the end": ([3.0, 2.0, 1.5], 2), "worse at once": ([1.0, 1.1, 1.2, 1.3], 2),
     "down, up, down a little": ([1.0, 1.2, 1.1, 1.05], 2),
     "the best one comes again": ([1.0, 0.9, 0.95, 0.9, 0.97, 0.8], 3)},
    {"You keep the last weights. By then they have been getting worse for `patience` epochs: keep "
     "those of the best epoch.": _stopped(_patient, lambda losses, last: last),
     "You stop one epoch too late: `patience` epochs without a better one are enough.":
        _stopped(lambda losses, patience: _patient(losses, patience + 1), _best),
     "You stop one epoch too early.":
        _stopped(lambda losses, patience: _patient(losses, max(1, patience - 1)), _best),
     "You counted all epochs that were no better, and did not begin again after a new best one.":
        _stopped(_rises, _best),
     "You compared each epoch with the one before. Compare with the best so far: a loss may fall "
     "again and still be no better.": _stopped(_in_a_row, _best),
     "A loss that only equals the best is new to you. It is no better, so the wait goes on.":
        _ties,
     "You looked at epochs behind the stop. They were never trained.":
        _stopped(_patient, lambda losses, last: int(np.argmin(losses)) + 1)},
    ("Remember two things on the way: the best loss, and the epoch it came in.",
     "Count epochs from 1. At each there are two cases: better than the best so far (note it), "
     "or not (how long ago was the best?). If the loop ends by itself, which epoch was trained "
     "last?"))


def _common(one: Sequence, other: Sequence) -> int:
    table = np.zeros((len(one) + 1, len(other) + 1), int)
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            table[i, j] = max(table[i - 1, j], table[i, j - 1], table[i - 1, j - 1] + (a == b))
    return int(table[-1, -1])


def _run(one: Sequence, other: Sequence) -> int:
    return SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size


def _bag(one: Sequence, other: Sequence) -> int:
    return sum(min(one.count(word), other.count(word)) for word in set(one))


def _rouge(common: Callable = _common, parts: str = "f",
           cut: Callable[[str], Sequence] = lambda text: text.lower().split()) -> Callable:
    def score(reply: str, reference: str) -> float:
        said, wanted = cut(reply), cut(reference)
        shared = common(said, wanted)
        if not shared:
            return 0.0
        p, r = shared / len(said), shared / len(wanted)
        return {"f": 2 * p * r / (p + r), "p": p, "r": r}[parts]
    return score


ROUGE = Exercise(
    "rouge_l", _rouge(),
    {"words left out": ("The court dismissed the case", "the court has dismissed most of the case"),
     "in another order": ("dismissed was the case by the court", "the case was dismissed by the "
                                                                 "court"),
     "longer than the reference": ("they won the case in the end", "They won"),
     "a full stop": ("They won the case.", "they won their case"),
     "nothing in common": ("yes", "a judge disagreed"),
     "an empty reply": ("", "a judge disagreed")},
    {"You took the longest run without a gap. A subsequence may leave words out.": _rouge(_run),
     "You counted shared words in any order. The L is for the longest subsequence *in order*.":
        _rouge(_bag),
     "That is recall: a reply that copies everything would be best.": _rouge(parts="r"),
     "That is precision: a reply of one right word would be best.": _rouge(parts="p"),
     "You compared letter by letter. ROUGE compares words.": _rouge(cut=lambda t: t.lower()),
     "Capitals are no difference here.": _rouge(cut=str.split),
     "You took full stops away. Words are what white space separates, so `case.` is not `case`.":
        _rouge(cut=lambda text: re.findall(r"\w+", text.lower()))},
    ("Fill a table: how long is the longest common subsequence of the first i words here and the "
     "first j words there?",
     "If word i equals word j: one more than at (i-1, j-1); else the larger of (i-1, j) and "
     "(i, j-1). precision = common / words said, recall = common / words wanted, F1 = "
     "2·p·r / (p + r), and 0 where nothing is common."))


def _rate(warm: Callable[[int, int], float],
          decay: Callable[[int, int, int], float] = lambda s, n, w: (n - s) / (n - w)) -> Callable:
    return lambda step, steps, peak, warmup: peak * (
        warm(step, warmup) if step < warmup else decay(step, steps, warmup))


def _up(step: int, warmup: int) -> float:
    return (step + 1) / warmup


def _unwarmed(step: int, steps: int, warmup: int) -> float:
    return (steps - step) / steps


RATE = Exercise(
    "rate_at", _rate(_up),
    {"the first step": (0, 100, 0.01, 10), "half-way up": (4, 100, 0.01, 10),
     "the last step of the warm-up": (9, 100, 0.01, 10), "at the peak": (10, 100, 0.01, 10),
     "half-way down": (55, 100, 0.01, 10), "the last step": (99, 100, 0.01, 10),
     "without warm-up": (0, 50, 0.2, 0)},
    {"That is the schedule as it was given, with both of its faults.":
        _rate(lambda s, w: w / (s + 1), _unwarmed),
     "The warm-up is right now. The way down still begins at step 0, so the rate drops where it "
     "should be at its peak.": _rate(_up, _unwarmed),
     "The way down is right now. The warm-up still begins far *above* the peak: put in step 0.":
        _rate(lambda s, w: w / (s + 1)),
     "Your first step has a rate of 0: a batch is read for nothing. Step 0 is the first of "
     "`warmup`.": _rate(lambda s, w: s / w),
     "You have no warm-up: the first step is taken at the full rate.": _rate(lambda s, w: 1.0),
     "You stay at the peak and never come down.": _rate(_up, lambda s, n, w: 1.0)},
    ("Two straight lines. Write down by hand what the rate should be at the first step, at step "
     "`warmup`, and at the last step.",
     "Up: which share of the peak has step 0, if step warmup - 1 has all of it? Down: how many "
     "steps are left, of how many that the way down has in all?"))

EXERCISES = (PREDICTED, CALL, MACRO, ROUGE, EARLY, RATE)
