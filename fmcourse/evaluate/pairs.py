"""Minimal pairs: does a model find the grammatical one of two nearly equal sentences likelier?

A base model was never told a rule of grammar, so agreement that it gets right was learnt from
predicting tokens (syllabus K1). The method is that of Marvin & Linzen 2018 (arXiv:1808.09031) and
BLiMP (Warstadt et al. 2020, arXiv:1912.00582); the sentences are the course's own, in words that
encyclopaedias, the World English Bible and Shakespeare share, because the course's models read
little else. They live in `probes/pairs.toml`, one rule a line, to be read and argued with.

Trade-off: few rules, each checked by eye, and balanced by construction instead of many drawn from
a grammar. Every swap occurs in both directions ("The king rules", "The kings rule") or keeps the
same words, so word frequency and length alone score exactly 50 %. Neighbouring words do help:
"these city" is a rare pair of words, so an n-gram model may beat chance where no word stands in
between; in `subject_verb_attractor` the nearer noun is always the wrong one.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable
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

_CUE = re.compile(r"\[([^|\]]+)\|([^|\]]+)\]")
_SWAP = re.compile(r"<([^|>]+)\|([^|>]+)>")
_ORDER = re.compile(r"\{([^|}]+)\|([^|}]+)\}")
_TIE = 1e-6  # nats; closer than this is rounding, not a preference


def minimal_pairs(limit: int | None = None) -> Dataset:
    """Pairs of sentences, one grammatical and one not, 48 for each of 15 phenomena.

    Deterministic: no seed. Written for the course (Apache-2.0).

    Args:
        limit: at most this many pairs, equally many a phenomenon, mirrored pairs kept together.

    Returns:
        A dataset with columns `good`, `bad`, `phenomenon` and `note` (which words were swapped).

    Raises:
        DataError: a limit below two pairs a phenomenon.

    >>> minimal_pairs()[0]["good"], minimal_pairs()[0]["bad"]
    ('The king rules the land.', 'The king rule the land.')
    """
    rules = _rules()
    share = None if limit is None else limit // len(rules)
    if share is not None and share < 2:
        raise DataError(f"A limit of {limit} pairs leaves none for some of the {len(rules)} "
                        "phenomena.", fix=f"Use at least {2 * len(rules)}.")
    rows = []
    for phenomenon, expanded in rules.items():
        for pairs in _some(expanded, share, phenomenon):
            rows += [{"good": good, "bad": bad, "phenomenon": phenomenon, "note": note}
                     for good, bad, note in pairs]
    about = "Minimal pairs written for fmcourse: " + "; ".join(
        f"{name}: {note}" for name, note in phenomena().items())
    return Dataset.from_list(rows, info=DatasetInfo(description=about, license="Apache-2.0"))


def phenomena() -> dict[str, str]:
    """Each phenomenon with the rule of grammar that it tests, in one line.

    >>> phenomena()["subject_verb"]
    'the verb agrees with its subject'
    """
    return {name: entry["note"] for name, entry in _file().items()}


def expand(line: str) -> list[tuple[str, str, str]]:
    """The pairs that one rule stands for, as (good, bad, note).

    Args:
        line: a frame with cues `[a|b]` and one swap `<a|b>`; two frames joined by ` // `; or a
            frame with one `{right order|wrong order}`. `probes/pairs.toml` explains them.

    Raises:
        DataError: the frame has no swap, or more than one.

    >>> expand("The [man|men] <is|are> old.")[1]
    ('The men are old.', 'The men is old.', "men: 'are', not 'is'")
    """
    order = _ORDER.search(line)
    if order:
        pair = [_ORDER.sub(order.group(side), line) for side in (1, 2)]
        return [(pair[0], pair[1], f"'{order.group(1)}', not '{order.group(2)}'")]
    if " // " in line:
        return [_fill(frame, cue=None, right=1) for frame in line.split(" // ")]
    return [_fill(line, cue=side, right=side) for side in (1, 2)]


def pair_margins(model: LanguageModel, pairs: Dataset) -> pd.DataFrame:
    """How clearly the model prefers the grammatical sentence of each pair.

    Returns:
        The columns of `pairs` and `margin`: ln p(good) - ln p(bad) in nats, positive when right.

    Raises:
        DataError: no pairs, or columns missing.
        ModelError: a masked model.
    """
    missing = {"good", "bad", "phenomenon"} - set(pairs.column_names)
    if missing or len(pairs) == 0:
        raise DataError(f"These are no minimal pairs: {', '.join(sorted(missing)) or 'no rows'} "
                        "missing.", fix="Use minimal_pairs(), or the same columns.")
    good, bad = list(pairs["good"]), list(pairs["bad"])
    scores = np.array(sequence_log_likelihood(model, good + bad))
    return pairs.to_pandas().assign(margin=scores[:len(good)] - scores[len(good):])


def score_pairs(model: LanguageModel, pairs: Dataset | None = None) -> pd.DataFrame:
    """Share of pairs whose grammatical sentence the model finds likelier, by phenomenon.

    The likelihood of the whole sentence is compared, punctuation included. A tie earns half, so
    a model that sees no difference scores at chance.

    Returns:
        Columns `phenomenon`, `n`, `accuracy`, `low`, `high` (95 % Wilson interval) and `chance`
        (0.5), as fractions; the last row is 'all'.

    Raises:
        DataError: no pairs, or columns missing.
        ModelError: a masked model.
    """
    judged = pair_margins(model, minimal_pairs() if pairs is None else pairs)
    margin = judged["margin"].to_numpy()
    credit = np.where(np.abs(margin) <= _TIE, 0.5, margin > 0)
    return share_table(judged["phenomenon"], credit, "phenomenon", chance=[0.5] * len(judged))


def _fill(frame: str, cue: int | None, right: int) -> tuple[str, str, str]:
    """One pair of a frame: its cues set to one side, its swap right and wrong."""
    swaps = _SWAP.findall(frame)
    if len(swaps) != 1:
        raise DataError(f"A rule needs one swap <a|b>, this has {len(swaps)}.", where=frame)
    words = swaps[0][right - 1], swaps[0][2 - right]
    cues = [found[cue - 1] for found in _CUE.findall(frame)] if cue else []
    text = _CUE.sub(lambda found: found.group(cue), frame) if cue else frame
    good, bad = (_SWAP.sub(word, text) for word in words)
    note = f"'{words[0]}', not '{words[1]}'"
    return good, bad, f"{' … '.join(cues)}: {note}" if cues else note


def _some(expanded: list[list], share: int | None, seed: str) -> Iterable[list]:
    """All rules, or a mixed handful that gives at most `share` pairs."""
    if share is None:
        return expanded
    chosen, size = [], 0
    for pairs in random.Random(seed).sample(expanded, len(expanded)):
        if size + len(pairs) <= share:
            chosen.append(pairs)
            size += len(pairs)
    return chosen


@cache
def _rules() -> dict[str, list[list[tuple[str, str, str]]]]:
    """The pairs of every rule, by phenomenon."""
    return {name: [expand(line) for line in entry["frames"].strip().splitlines()]
            for name, entry in _file().items()}


@cache
def _file() -> dict[str, dict[str, str]]:
    place = resources.files("fmcourse.evaluate") / "probes" / "pairs.toml"
    return tomllib.loads(place.read_text(encoding="utf-8"))
