"""A tagger of people's names: a linear model of how a word and its neighbours are written.

It has no list of names. It is taught on sentences whose names were made up, and looks at shapes,
beginnings and endings, the words around, and titles, so that it knows names it has never seen and
takes a minute less than a Transformer to teach. The price: it is fooled by what looks like a name
(streets, firms), and a name in small letters without a word that announces it is often missed.
Each word is labelled B (a name begins), I (it goes on) or O, after Ramshaw and Marcus 1995
(arXiv:cmp-lg/9505040).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from datasets import Dataset
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier

from fmcourse.data.privacy.spans import TAGGER, PersonalSpan
from fmcourse.errors import DataError

OUTSIDE, BEGIN, INSIDE = 0, 1, 2
_WORD = re.compile(r"[^\W_]+(?:['’\-\u2010\u2011](?![sS]\b)[^\W_]+)*|[^\w\s]|_|\n")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "lady", "judge",
                     "captain", "nurse"))
_FIRM = re.compile(r"[\s&]*(?:^|\s)(?:LLC|Ltd|Inc|GmbH|AG|plc|Corp|Co|SpA|SA|AB|BV|KG|Oy|Sons)\b")
_HASHED = 2**18
_BESIDE = 0.2  # probability that is enough beside a word that is surely part of a name
_SHOWN = 0.6  # share of a word's features that are shown while teaching: none may be relied on


@dataclass(frozen=True)
class NameTagger:
    """Finds names of people; made by `teach_names`.

    Attributes:
        common: word in small letters → how common its reading made it, 1 to 3; names seldom are.
        taught: words of the names that it was taught with, in small letters; it does not look at
            them, a test does, to plant others.
        threshold: least probability that the surest word of a name is part of one.
    """

    model: Any = field(repr=False)
    common: Mapping[str, int] = field(repr=False)
    taught: frozenset[str] = field(repr=False)
    threshold: float = 0.3

    def find(self, text: str) -> list[PersonalSpan]:
        """The names in a text."""
        words = list(_WORD.finditer(text))
        if not any(word[0][0].isalpha() for word in words):
            return []
        chances = self.model.predict_proba(_hashed(_features([w[0] for w in words], self.common)))
        spans, sure, going = [], [], False
        for word, (outside, begin, inside) in zip(words, chances, strict=True):
            own = 1 - outside >= _BESIDE and (going or word[0][0].isalpha())
            if own and word[0][0].isalpha():
                more = going and not begin > max(inside, outside)
                start = spans.pop().start if more else word.start()
                sure.append(max(1 - outside, sure.pop() if more else 0.0))
                spans.append(PersonalSpan(start, word.end(), "name", TAGGER))
            going = own and word[0] != "\n"
        return [span for span, chance in zip(spans, sure, strict=True)
                if chance >= self.threshold and _may_be_one(text[span.start:span.end],
                                                            text[span.end:span.end + 12])]


def teach_names(rows: Dataset, reading: Iterable[str] = (), nameless: Iterable[str] = (),
                seed: int = 0, threshold: float = 0.3) -> NameTagger:
    """Teach a tagger; seconds for a few thousand short texts.

    Args:
        rows: columns text and spans, as `plant_personal(…, part="taught")` gives; names in the
            texts that are in no span are taught to be none.
        reading: texts to learn from which words are written in small letters.
        nameless: texts without names of people, such as the names of one's products, to learn
            other words with capitals from; best others than those of `rows`.
        seed: of the order of learning.
        threshold: of the tagger.

    Raises:
        DataError: no name is marked.
    """
    common = _common(reading, nameless)
    features, labels, taught, draw = [], [], set(), random.Random(seed)
    for row in rows:
        words = list(_WORD.finditer(row["text"]))
        names = [span for span in row["spans"] if span["kind"] == "name"]
        own = _features([word[0] for word in words], common)
        features += [[one for one in seen if draw.random() < _SHOWN] for seen in own]
        labels += [_label(word, names) for word in words]
        taught |= {word.lower() for span in names
                   for word in re.findall(r"\w+", row["text"][span["start"]:span["end"]])}
    if not taught:
        raise DataError("No name is marked in these texts.", where="teach_names",
                        fix='Plant some with plant_personal(…, part="taught").')
    model = SGDClassifier(loss="log_loss", alpha=1e-6, learning_rate="constant", eta0=0.1,
                          max_iter=6, tol=None, random_state=seed)
    return NameTagger(model.fit(_hashed(features), np.array(labels)), common, frozenset(taught),
                      threshold)


def _may_be_one(written: str, after: str) -> bool:
    """No firm, and no abbreviation: a lone word in capitals; nor a lone one in small letters."""
    if _FIRM.search(written) or _FIRM.match(f"{after} "):
        return False
    return " " in written or (written[0].isupper() and not written.isupper())


def _common(reading: Iterable[str], nameless: Iterable[str]) -> dict[str, int]:
    small = Counter(word for text in reading for word in _LETTERS.findall(text) if word.islower())
    known = {word.lower() for text in nameless for word in _LETTERS.findall(text)}
    return {**{word: min(3, len(str(n))) for word, n in small.items()}, **dict.fromkeys(known, 3)}


def _label(word: re.Match[str], names: Sequence[dict[str, Any]]) -> int:
    for span in names:
        if span["start"] <= word.start() < span["end"]:
            return BEGIN if word.start() == span["start"] else INSIDE
    return OUTSIDE


def _hashed(features: Iterable[Sequence[str]]) -> Any:
    """Features of words as a matrix. (words, 2**18) sparse"""
    return FeatureHasher(_HASHED, input_type="string", alternate_sign=False).transform(features)


@lru_cache(100_000)
def _shape(word: str) -> str:
    """How a word is written: 'McDonald' → 'XxXx', '24' → 'd'.

    >>> _shape("McDonald"), _shape("USA"), _shape("x-ray"), _shape(",")
    ('XxXx', 'X', 'x-x', ',')
    """
    kinds = ["X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c
             for c in word]
    return "".join(kind for kind, last in zip(kinds, [None, *kinds], strict=False) if kind != last)


@lru_cache(100_000)
def _itself(word: str, common: int) -> tuple[str, ...]:
    """What a word is like: its shape, how common it is, and its parts."""
    shape, low = _shape(word), f"^{word.lower()}$"
    ends = [f"s{low[-n:]}" for n in (2, 3, 4, 5, 6)]
    starts = [f"p{low[:n]}" for n in (3, 4, 5)]
    middle = [f"m{low[i:i + 3]}" for i in range(2, 6)]
    return (shape, f"c{common}{shape}", f"l{min(len(low), 14)}{shape}", f"c{common}s{low[-3:]}",
            *ends, *starts, *middle)


def _features(words: Sequence[str], common: Mapping[str, int]) -> list[tuple[str, ...]]:
    """What the model sees of each word: the word by its parts, and its neighbours."""
    words = [word.encode("utf-8", "replace").decode() for word in words]  # no lone surrogates
    low = ["<<", "<", *(word.lower() for word in words), ">", ">>"]
    kinds = [f"{_shape(word)}{common.get(small, 0)}"
             for word, small in zip(["<<", "<", *words, ">", ">>"], low, strict=True)]
    found = []
    for i, word in enumerate(words, 2):
        kind, before, after = kinds[i], low[i - 1], low[i + 1]
        found.append((
            *_itself(word, common.get(low[i], 0)), f"-1{before}", f"+1{after}", f"-2{low[i - 2]}",
            f"+2{low[i + 2]}", f"-1{kinds[i - 1]}{kind}", f"+1{kind}{kinds[i + 1]}",
            f"±{kinds[i - 1]}{kind}{kinds[i + 1]}", f"-1{before}{kind}", f"+1{kind}{after}",
            f"-2{low[i - 2]}{before}{kind}", f"-2{kinds[i - 2]}{kinds[i - 1]}{kind}",
            f"+2{kind}{kinds[i + 1]}{kinds[i + 2]}", f"-s{before[-3:]}{kind}",
            f"+s{kind}{after[-3:]}", f"title{before in _TITLES}{low[i - 2] in _TITLES}{kind}"))
    return found
