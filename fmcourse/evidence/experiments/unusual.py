"""R3: an edge-case suite, slice by slice, before and after a few examples of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from datasets import Dataset

from fmcourse import data, evaluate, models, sources, train
from fmcourse.data.edge_cases import BLANK, FOREIGN, ORDINARY, TAUGHT
from fmcourse.evidence.experiments.labelling import Head
from fmcourse.evidence.experiments.shared import Outcome

DISGUISED, NOTHING, PLAIN = ("right in disguise", "right about what means nothing",
                             "right on ordinary texts")
BEFORE, AFTER, CONTROL, THRESHOLD = ("before", "a few of each slice", "as many ordinary ones",
                                     "a threshold")
WORDS = ", by words"


def unusual(seed: int, n: int = 1008, few: int = 24, asked: int = 96, tokens: int = 64) -> Outcome:
    """Whose documentation is it? A tidy training set, then a few edge cases more, or as many more.

    Two classifiers: features of the base with a linear head, and a bag of words, which reads texts
    of any length but knows no part of a word. What means nothing has an answer of its own, which
    only a set with such cases can teach; therefore a control that needs none: the tidy model's
    answer, but "none of these" where it is less sure than of 95 % of ordinary texts. Greetings,
    orders and mark-up of what is added are none of the suite's: were they the same, very long texts
    would seem mended, by greetings learnt by heart.

    Args:
        n: labelled records of the tidy set.
        few: records that edge cases are made of, one a slice each.
        asked: records that the suite is made of.
        tokens: of a text that the base reads.
    """
    parts = data.service_paragraphs(seed, train=n + 24 * few, test=max(2 * asked, 48))
    tidy, rest = (parts["train"].select(rows) for rows in (
        range(n), range(n, len(parts["train"]))))
    classes = 1 + max(parts["train"]["label"][:])
    held = parts["test"].select(range(asked, len(parts["test"])))["text"][:]
    foreign = other_languages(few + asked, seed)
    names = sorted(set(parts["train"]["service"][:]))  # of label 0, 1 …
    suite = data.edge_cases(parts["test"].select(range(asked)), classes, foreign[few:], seed,
                            names)
    made = data.edge_cases(rest.select(range(few)), classes, foreign[:few], seed + 1, names,
                           part=TAUGHT)
    made = made.select([i for i, name in enumerate(made["slice"][:]) if name != ORDINARY])
    more = rest.select(range(min(len(made), len(rest))))
    sets = {BEFORE: [tidy], AFTER: [tidy, made], CONTROL: [tidy, more]}
    base = models.load("base")
    answers, arms, tables = {}, {}, {}
    for suffix, predict in (("", Heads(base, tokens)), (WORDS, by_words)):
        for name, some in sets.items():
            texts, labels = ([value for part in some for value in part[column][:]]
                             for column in ("text", "label"))
            answers[name + suffix] = predict(texts, labels, suite["text"][:])
    answers[THRESHOLD + WORDS] = by_threshold(tidy, held, suite["text"][:], classes)
    for name, given in answers.items():
        table = evaluate.slice_rates(given, suite["label"][:], suite["slice"][:])
        arms[name], tables[name] = summary(table), table.to_dict("list")
    return Outcome(arms, {"tidy": data.card(parts["train"]).sha256, "base": base.sha256(),
                          "suite": data.card(suite).sha256},
                   {"tables": tables, "added": len(made), "n": n})


def other_languages(count: int, seed: int) -> list[str]:
    """Messages in languages other than English, of some length."""
    texts = [text for text in sources.load("django-messages", text_only=True)["text"][:]
             if len(text) >= 40]
    order = np.random.default_rng(seed).permutation(len(texts))[:count]
    return [texts[i] for i in order]


def by_words(texts: list[str], labels: list[int], asked: list[str]) -> list[int]:
    """What a bag of words answers."""
    return train.bag_of_words(texts, labels).predict(asked).tolist()


def by_threshold(taught: Dataset, held: list[str], asked: list[str], other: int,
                 kept: float = 0.95) -> list[int]:
    """A bag of words that answers `other` where it is less sure than of this share of `held`."""
    words = train.bag_of_words(taught["text"][:], taught["label"][:])
    least = np.quantile(words.predict_proba(held).max(axis=1), 1 - kept)
    sure = words.predict_proba(asked).max(axis=1) >= least
    return np.where(sure, words.predict(asked), other).tolist()


class Heads:
    """Linear heads on one network's features, each text read once."""

    def __init__(self, base: models.LanguageModel, tokens: int):
        self.base, self.tokens = base, tokens
        self.read: dict[str, torch.Tensor] = {}

    def features(self, texts: Sequence[str]) -> torch.Tensor:
        """(texts, width); a text without any character is read as an empty line."""
        new = [text for text in dict.fromkeys(texts) if text not in self.read]
        if new:
            found = train.features(self.base, [text or "\n" for text in new], tokens=self.tokens)
            self.read |= dict(zip(new, found, strict=True))
        return torch.stack([self.read[text] for text in texts])

    def __call__(self, texts: list[str], labels: list[int], asked: list[str]) -> list[int]:
        return Head(self.features(texts), labels).predict(self.features(asked)).tolist()


def summary(table) -> dict[str, float]:
    """Means over slices: those whose label is kept, those that mean nothing, the ordinary one."""
    rates = table.iloc[:-1].set_index("slice")["accuracy"]
    nothing = rates.index.isin([*BLANK, FOREIGN])
    disguised = ~nothing & (rates.index != ORDINARY)
    return {DISGUISED: float(rates[disguised].mean()), NOTHING: float(rates[nothing].mean()),
            PLAIN: float(rates[ORDINARY])}
