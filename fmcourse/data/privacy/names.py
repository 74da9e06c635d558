"""A tagger of people's names: a linear model of how a word and its neighbours are written.

It has no list of names. It is taught on sentences whose names were made up, and looks at shapes,
beginnings and endings, and the words around, so that it knows names it has never seen and takes a
minute less than a Transformer to teach. Words of firms, streets and titles it is told
(`words.toml`): beside them it decides by rule. The price: a firm or a place called after a person
without such a word fools it, and a name in small letters is often missed.
Each word is labelled B (a name begins), I (it goes on) or O, after Ramshaw and Marcus 1995
(arXiv:cmp-lg/9505040).
"""

from __future__ import annotations

import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
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
_FIRM = re.compile(r"[\s&]*(?:^|\s)(?:LLC|Ltd|Inc|GmbH|AG|plc|Corp|Co|SpA|SA|AB|BV|KG|Oy|Sons)\b")
_ROAD = re.compile(  # the end of a street's name that is one word
    r"..(?:stra(?:ße|sse|at)|str|weg|platz|allee|gasse|ufer|damm|laan|plein|gracht|kade|steeg|"
    r"dreef|singel|pad|hof|boulevard|baan|gatan|vägen|gade|vej|gata|veien|vegen|katu|tie|utca)$")
_HASHED = 2**18
_BESIDE = 0.2  # probability that is enough beside a word that is surely part of a name
_TITLED = 0.02  # probability that is enough after a title
_SHOWN = 0.6  # share of a word's features that are shown while teaching: none may be relied on


@dataclass(frozen=True)
class NameTagger:
    """Finds names of people; made by `teach_names`.

    Attributes:
        common: word in small letters → how common its reading made it, 0 to 3 (names seldom are),
            and F, S or T if it belongs to a firm, a street or a title.
        taught: words of the names that it was taught with, in small letters; it does not look at
            them, a test does, to plant others.
        threshold: least probability that the surest word of a name is part of one.
    """

    model: Any = field(repr=False)
    common: Mapping[str, str] = field(repr=False)
    taught: frozenset[str] = field(repr=False)
    threshold: float = 0.7

    def find(self, text: str) -> list[PersonalSpan]:
        """The names in a text."""
        words = list(_WORD.finditer(text))
        if not any(word[0][0].isalpha() for word in words):
            return []
        marks = [self.common.get(word[0].lower(), "0") for word in words]
        chances = self.model.predict_proba(_hashed(_features([w[0] for w in words], self.common)))
        sure = _titled(words, marks, 1 - chances[:, OUTSIDE])
        found = []
        for first, last in _runs(words, sure, chances[:, BEGIN] > chances[:, INSIDE]):
            start, end = words[first].start(), words[last].end()
            own = [chance for word, chance in zip(words[first:last + 1], sure[first:last + 1],
                                                  strict=True) if word[0][0].isalpha()]
            chance = max(own) if text[start].isupper() else min(own)  # small letters: all of it
            if (chance >= self.threshold and _may_be_one(text[start:end], text[end:end + 12])
                    and not _of_other(words, marks, first, last)):
                found.append(PersonalSpan(start, end, "name", TAGGER))
        return found


def teach_names(rows: Dataset, reading: Iterable[str] = (), nameless: Iterable[str] = (),
                seed: int = 0, threshold: float = 0.7) -> NameTagger:
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


def _titled(words: Sequence[re.Match[str]], marks: Sequence[str], sure: np.ndarray) -> np.ndarray:
    """A word with a capital after a title, which may have a full stop, is a name's."""
    found, title = sure.copy(), False
    for place, (word, mark) in enumerate(zip(words, marks, strict=True)):
        capital = word[0][0].isupper()
        if title and capital and sure[place] >= _TITLED and not {"T", "F"} & {*mark}:
            found[place] = max(found[place], 0.9)
        title = (capital and "T" in mark) or (title and word[0] == ".")
    return found


def _runs(words: Sequence[re.Match[str]], sure: np.ndarray, begins: np.ndarray
          ) -> list[tuple[int, int]]:
    """First and last word of what may be names: words likely enough beside one another."""
    runs: list[tuple[int, int]] = []
    going = False
    for place, (word, chance) in enumerate(zip(words, sure, strict=True)):
        letters = word[0][0].isalpha()
        own = chance >= (_BESIDE / 4 if word[0][0].isupper() else _BESIDE) and (going or letters)
        if own and letters:
            more = going and not (begins[place] and chance >= 0.5)
            runs.append((runs.pop()[0] if more else place, place))
        going = own and word[0] != "\n"
    return runs


def _may_be_one(written: str, after: str) -> bool:
    """No firm, and no abbreviation: a lone word in capitals; nor a lone one in small letters."""
    if _FIRM.search(written) or _FIRM.match(f"{after} "):
        return False
    return " " in written or (written[0].isupper() and not written.isupper())


def _of_other(words: Sequence[re.Match[str]], marks: Sequence[str], first: int, last: int) -> bool:
    """Whether a firm or a street is called so, or small letters hold a well-known word."""
    def marked(place: int, kinds: str) -> bool:
        return (0 <= place < len(words) and words[place][0][0].isupper()
                and any(kind in marks[place] for kind in kinds))

    small = all(word[0].islower() for word in words[first:last + 1] if word[0][0].isalpha())
    return (marked(last, "F") or marked(last + 1, "FS") or marked(first - 1, "S")
            or (small and any("3" in mark for mark in marks[first:last + 1])))


def _common(reading: Iterable[str], nameless: Iterable[str]) -> dict[str, str]:
    small = Counter(word for text in reading for word in _LETTERS.findall(text) if word.islower())
    known = {word.lower() for text in nameless for word in _LETTERS.findall(text)}
    found = {**{word: str(min(3, len(str(n)))) for word, n in small.items()},
             **dict.fromkeys(known, "3")}
    for mark, words in _lists().items():
        found |= {word: found.get(word, "0") + mark for word in words}
    return found


@cache
def _lists() -> dict[str, frozenset[str]]:
    """The mark of each list of `words.toml`, and its words."""
    with open(Path(__file__).with_name("words.toml"), "rb") as file:
        return {mark: frozenset(words.split()) for mark, words in tomllib.load(file).items()}


@lru_cache(100_000)
def _kind(word: str, mark: str) -> str:
    """A word's shape and mark; S also if it ends as streets do: 'Lindenweg' → 'Xx0S'."""
    road = "S" if _ROAD.search(word.lower()) and "S" not in mark else ""
    return f"{_shape(word)}{mark}{road}"


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
    ('XxXx', 'XX', 'x-x', ',')
    """
    kinds = ["X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c
             for c in word]
    runs = ["".join(run) for _, run in groupby(kinds)]
    return "".join("XX" if run[:2] == "XX" else run[0] for run in runs)


@lru_cache(100_000)
def _itself(word: str, common: str) -> tuple[str, ...]:
    """What a word is like: its shape, how common it is, and its parts."""
    shape, low = _shape(word), f"^{word.lower()}$"
    ends = [f"s{low[-n:]}" for n in (2, 3, 4, 5, 6)]
    starts = [f"p{low[:n]}" for n in (3, 4, 5)]
    middle = [f"m{low[i:i + 3]}" for i in range(2, 6)]
    return (shape, f"c{common}{shape}", f"l{min(len(low), 14)}{shape}", f"c{common}s{low[-3:]}",
            *ends, *starts, *middle)


def _features(words: Sequence[str], common: Mapping[str, str]) -> list[tuple[str, ...]]:
    """What the model sees of each word: the word by its parts, and its neighbours."""
    words = [word.encode("utf-8", "replace").decode() for word in words]  # no lone surrogates
    low = ["<<", "<", *(word.lower() for word in words), ">", ">>"]
    kinds = [_kind(word, common.get(small, "0"))
             for word, small in zip(["<<", "<", *words, ">", ">>"], low, strict=True)]
    found = []
    for i, word in enumerate(words, 2):
        kind, before, after = kinds[i], low[i - 1], low[i + 1]
        found.append((
            *_itself(word, common.get(low[i], "0")), f"-1{before}", f"+1{after}", f"-2{low[i - 2]}",
            f"+2{low[i + 2]}", f"-1{kinds[i - 1]}{kind}", f"+1{kind}{kinds[i + 1]}",
            f"±{kinds[i - 1]}{kind}{kinds[i + 1]}", f"-1{before}{kind}", f"+1{kind}{after}",
            f"-2{low[i - 2]}{before}{kind}", f"-2{kinds[i - 2]}{kinds[i - 1]}{kind}",
            f"+2{kind}{kinds[i + 1]}{kinds[i + 2]}", f"-s{before[-3:]}{kind}",
            f"+s{kind}{after[-3:]}"))
    return found
