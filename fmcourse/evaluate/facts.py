"""Fact probes: which of four answers to a question does a model find likeliest?

Nobody gave the base model a fact as a fact; what it knows it picked up while predicting tokens
(syllabus K1), and what more pre-training buys can be counted here (K5). The questions are the
course's own, in `probes/facts.toml`: what encyclopaedia passages, the World English Bible and
Shakespeare are likely to say, and little that a larger model will not have read.

Trade-off: choosing among four is easier than answering freely, and a base model can do it. The
wrong answers of a question are the right answers of three others like it, so each answer is right
once and wrong three times: a model that doesn't read the question is right exactly one time in
four, however popular Paris is. `shuffled` is the control: the same questions with the key of
answers mixed up, on which any model earns what guessing does.

How answers are compared (`normalisation`); higher is preferred:

- "sum": ln p(answer | question). Answers that are frequent or short anywhere win too often.
- "bytes": the same per byte of the answer. Mends the length, not the frequency, and long names
  whose end follows from their beginning win too often.
- "neutral": ln p(answer | question) - ln p(answer | "The answer is"), the recipe of Holtzman et
  al. 2021 (arXiv:2104.08315, "surface form competition"). It overshoots: "The Hobbit" is so odd
  after the neutral words that any question about a story raises it most.
- "pmi", the default: ln p(answer | question) - ln p(answer), where p(answer) is the mean of
  p(answer | question) over the questions that share the answers: pointwise mutual information,
  with questions of the same kind as the neutral prompt. It asks which answer *this* question
  raises, which is what knowing a fact adds to knowing what kind of word fits; a small model's
  guesses are mostly the latter. SmolLM2-135M, that plainly has read these facts, is right in 66,
  64, 60 and 82 % of them by the four in this order, with the same chance of 25 %.

The price of "pmi": the four questions of a block are judged together (never with the key), so
their outcomes are not quite independent, and a question alone falls back on "neutral".
"""

from __future__ import annotations

import random
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from datasets import Dataset, DatasetInfo

from fmcourse.errors import DataError
from fmcourse.evaluate.bits import sequence_log_likelihood
from fmcourse.evaluate.intervals import share_table

if TYPE_CHECKING:
    from fmcourse.models import LanguageModel

NEUTRAL = "The answer is"
NORMALISATIONS = ("pmi", "neutral", "bytes", "sum")
_BLOCK = 4  # questions that share their answers
_TIE = 1e-6  # nats; closer than this is rounding, not a preference
_COLUMNS = {"prompt", "answer", "distractors", "topic"}


def fact_probes(limit: int | None = None) -> Dataset:
    """Questions with one right and three wrong answers each, by topic.

    Deterministic: no seed. Written for the course (Apache-2.0).

    Args:
        limit: at most this many, whole blocks of four, spread evenly over the topics.

    Returns:
        A dataset with columns `prompt` (a sentence to be ended), `answer`, `distractors` (three
        answers of the same kind) and `topic`.

    Raises:
        DataError: a limit below four.

    >>> probe = fact_probes()[0]
    >>> probe["prompt"], probe["answer"], probe["distractors"]
    ('The capital of France is', 'Paris', ['London', 'Rome', 'Berlin'])
    """
    if limit is not None and limit < _BLOCK:
        raise DataError(f"A limit of {limit} leaves no block of {_BLOCK} probes.",
                        fix=f"Use at least {_BLOCK}.")
    rows = []
    for topic, block in _spread(None if limit is None else limit // _BLOCK):
        answers = [answer for _, answer in block]
        rows += [{"prompt": prompt, "answer": answer, "topic": topic,
                  "distractors": [other for other in answers if other != answer]}
                 for prompt, answer in block]
    about = "Multiple-choice facts written for fmcourse, in blocks of four that share answers."
    return Dataset.from_list(rows, info=DatasetInfo(description=about, license="Apache-2.0"))


def shuffled(probes: Dataset, seed: int = 0) -> Dataset:
    """The control: the same questions and choices, with the key of right answers mixed up.

    Within a block of questions that share their choices, one question at random keeps its answer
    and the others pass theirs on in a circle. Thereby every choice is as likely as any other to
    be called right, and a model that knows all facts scores exactly what guessing does, as one
    that knows none does on average. Probes in no such block get a random choice as their answer.

    Raises:
        DataError: no probes, or columns missing.
    """
    rows = _check(probes)
    blocks: dict[frozenset[str], list[int]] = {}
    for index, row in enumerate(rows):
        blocks.setdefault(frozenset(_choices(row)), []).append(index)
    draw = random.Random(seed)
    for choices, members in blocks.items():
        answers = [rows[index]["answer"] for index in members]
        if len(members) > 2 and set(answers) == choices and len(set(answers)) == len(answers):
            keys = _one_kept(answers, draw)
        else:
            keys = [draw.choice(sorted(choices)) for _ in members]
        for index, key in zip(members, keys, strict=True):
            others = [choice for choice in _choices(rows[index]) if choice != key]
            rows[index] = {**rows[index], "answer": key, "distractors": others}
    return Dataset.from_list(rows, info=DatasetInfo(description="Shuffled key, a control."))


def rank_answers(model: LanguageModel, probes: Dataset | None = None) -> pd.DataFrame:
    """Score every choice of every question in all four ways.

    The model reads "question choice."; the full stop counts, so that "iron" is not preferred
    for being the beginning of longer words.

    Returns:
        A row a choice: `probe` (number), `topic`, `prompt`, `choice`, `right` (bool) and the
        scores `sum`, `neutral`, `pmi` (nats) and `bytes` (nats per byte); higher is preferred.

    Raises:
        DataError: no probes, or columns missing.
        ModelError: a masked model.
    """
    rows = _check(fact_probes() if probes is None else probes)
    ranked = pd.DataFrame([
        {"probe": number, "topic": row["topic"], "prompt": row["prompt"], "choice": choice,
         "right": choice == row["answer"], "block": " / ".join(sorted(_choices(row)))}
        for number, row in enumerate(rows) for choice in _choices(row)])
    endings = [f" {choice}." for choice in ranked["choice"]]
    ranked["sum"] = sequence_log_likelihood(model, ranked["prompt"].tolist(), endings)
    ranked["bytes"] = ranked["sum"] / [len(ending.encode("utf-8")) for ending in endings]
    distinct = sorted(set(endings))
    alone = dict(zip(distinct, sequence_log_likelihood(model, NEUTRAL, distinct), strict=True))
    ranked["neutral"] = ranked["sum"] - [alone[ending] for ending in endings]
    shared = ranked.groupby(["block", "choice"])["sum"]
    marginal = shared.transform(lambda nats: np.logaddexp.reduce(nats) - np.log(len(nats)))
    single = shared.transform("size") == 1
    ranked["pmi"] = ranked["neutral"].where(single, ranked["sum"] - marginal)
    return ranked.drop(columns="block")


def score_ranked(ranked: pd.DataFrame, normalisation: str = "pmi") -> pd.DataFrame:
    """The table of `score_facts` from scores made once with `rank_answers`.

    Raises:
        DataError: there is no such normalisation.
    """
    if normalisation not in NORMALISATIONS:
        raise DataError(f"There is no normalisation called {normalisation!r}.",
                        fix=f"Use one of {', '.join(NORMALISATIONS)}.")
    topics, credits, chances = [], [], []
    for _, choices in ranked.groupby("probe"):
        score = choices[normalisation].to_numpy()
        best = score >= score.max() - _TIE
        topics.append(choices["topic"].iloc[0])
        credits.append(float((best & choices["right"].to_numpy()).sum() / best.sum()))
        chances.append(1 / len(choices))
    return share_table(topics, credits, "topic", chance=chances)


def score_facts(model: LanguageModel, probes: Dataset | None = None,
                normalisation: str = "pmi") -> pd.DataFrame:
    """Share of questions whose right answer the model prefers, by topic.

    A tie earns its share, so a model that sees no difference scores at chance.

    Args:
        model: a causal LanguageModel.
        probes: by default all of `fact_probes()`; `shuffled(...)` of them for the control.
        normalisation: how answers are compared; the module's text explains the three ways.

    Returns:
        Columns `topic`, `n`, `accuracy`, `low`, `high` (95 % Wilson interval) and `chance`
        (0.25 here), as fractions; the last row is 'all'.

    Raises:
        DataError: no probes, columns missing, or no such normalisation.
        ModelError: a masked model.
    """
    return score_ranked(rank_answers(model, probes), normalisation)


def _check(probes: Dataset) -> list[dict]:
    missing = _COLUMNS - set(probes.column_names)
    if missing or len(probes) == 0:
        raise DataError(f"These are no fact probes: {', '.join(sorted(missing)) or 'no rows'} "
                        "missing.", fix="Use fact_probes(), or the same columns.")
    return probes.to_list()


def _choices(row: dict) -> list[str]:
    return [row["answer"], *row["distractors"]]


def _one_kept(answers: list[str], draw: random.Random) -> list[str]:
    """The answers with one in its place and the others moved round by a random step."""
    kept = draw.randrange(len(answers))
    others = [index for index in range(len(answers)) if index != kept]
    step = draw.randrange(1, len(others))
    moved = list(answers)
    for place, index in enumerate(others):
        moved[index] = answers[others[(place + step) % len(others)]]
    return moved


def _spread(count: int | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """(topic, block) pairs: all of them, or `count` taken from the topics in turn."""
    blocks = [(topic, block, turn) for topic, group in _file().items()
              for turn, block in enumerate(group)]
    if count is not None:
        order = np.argsort([turn for _, _, turn in blocks], kind="stable")[:count]
        blocks = [blocks[index] for index in sorted(order)]
    return [(topic, block) for topic, block, _ in blocks]


@cache
def _file() -> dict[str, list[list[tuple[str, str]]]]:
    """The blocks of each topic, a block being four (prompt, answer)."""
    place = resources.files("fmcourse.evaluate") / "probes" / "facts.toml"
    topics = tomllib.loads(place.read_text(encoding="utf-8"))
    return {topic: [[tuple(line.split(" => ")) for line in block.splitlines()]
                    for block in entry["blocks"].strip().split("\n\n")]
            for topic, entry in topics.items()}
