"""The real text that tasks are made of, read once for each part and kept ready to draw from.

One complete sentence, or two or three in a row, are the unit of most tasks: enough to choose from
and short enough (at most about 80 tokens) for a context of 512. Beside them stand BoolQ's
questions, the last sentences of medical abstracts, and the pages of AWS operations.

Trade-off: at most `_MOST` texts of each origin are read, always the same ones, so that reading
takes seconds; seeds choose among what was read. The parts are those of the corpora and share no
document, though about one sentence in a hundred of the manuals and of scripture stands elsewhere
too, word for word.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from datasets import Dataset

from fmcourse import sources
from fmcourse.data.corpus import general
from fmcourse.data.domain import body, domain
from fmcourse.data.sentences import trailing
from fmcourse.data.tasks.sentences import (
    NUMBER,
    YEAR,
    plain_sentences,
    runs,
    short_forms,
    telling_words,
)
from fmcourse.errors import DataError

PARTS = ("train", "validation", "test")
ORIGINS = {"boolq-passages": "encyclopaedia", "wikipedia-articles": "encyclopaedia",
           "web-bible": "scripture", "aws-docs": "manual", "pubmed": "medicine"}
_MIX = {"encyclopaedia": 5, "scripture": 2, "manual": 3}  # how often a text is of each origin
_MOST = 4000  # texts read of each origin
_PASSAGE, _RESULTS = 480, 400  # characters of a passage, and of a study's results


@dataclass(frozen=True)
class Text:
    """A piece of text in sentences, and where it is from."""

    sentences: tuple[str, ...]
    document: str
    source: str

    @property
    def text(self) -> str:
        """The sentences as they stood."""
        return " ".join(self.sentences)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its telling words in their order, each once; all small letters."""
        return telling_words(self.text)


@dataclass(frozen=True)
class Page:
    """An AWS operation: its name, its service, and what it does in one sentence."""

    name: str
    service: str
    about: str
    document: str
    source: str

    @property
    def text(self) -> str:
        """The page, shortened to two sentences."""
        return f"{self.name} is an operation of {self.service}. {self.about}"


@dataclass(frozen=True)
class Question:
    """A question, the passage that answers it, and the answer that people gave."""

    question: str
    passage: str
    answer: str
    document: str
    source: str


@dataclass(frozen=True)
class Material:
    """All that a part offers.

    Attributes:
        texts: two or three sentences in a row, by origin.
        sentences: single ones, by origin.
        by_short_form: sentences such as 'An Amazon Resource Name (ARN) is unique.', by
            ('ARN', 'Amazon Resource Name').
        pages, questions, abstracts: of AWS operations, of BoolQ, of PubMedQA.
    """

    texts: Mapping[str, Sequence[Text]]
    sentences: Mapping[str, Sequence[Text]]
    by_short_form: Mapping[tuple[str, str], Sequence[Text]]
    pages: Sequence[Page]
    questions: Sequence[Question]
    abstracts: Sequence[Question]

    def text(self, rng: random.Random) -> Text:
        """Two or three sentences of the encyclopaedia, of scripture or of a manual."""
        return rng.choice(self.texts[_origin(rng)])

    def sentence(self, rng: random.Random) -> Text:
        """One sentence from the same origins."""
        return rng.choice(self.sentences[_origin(rng)])

    def words(self, rng: random.Random, count: int) -> tuple[list[str], Text]:
        """So many telling words of one text, in random order, and the text."""
        text = self.text(rng)
        while len(text.words) < count:
            text = self.text(rng)
        return rng.sample(text.words, count), text

    @cached_property
    def by_answer(self) -> dict[str, list[Question]]:
        """BoolQ's questions by their answer, yes or no."""
        return {answer: [asked for asked in self.questions if asked.answer == answer]
                for answer in ("yes", "no")}

    @cached_property
    def by_service(self) -> dict[str, list[Page]]:
        """Pages by their service."""
        found: dict[str, list[Page]] = {}
        for page in self.pages:
            found.setdefault(page.service, []).append(page)
        return found

    @cached_property
    def by_year(self) -> dict[str, list[Text]]:
        """Sentences with one year and no other number, by the year."""
        return self._sentences_by(YEAR)

    @cached_property
    def by_number(self) -> dict[str, list[Text]]:
        """Sentences with one number below a thousand and no other, by the number."""
        return self._sentences_by(NUMBER)

    @cached_property
    def by_opening(self) -> dict[str, list[Text]]:
        """Sentences by their first word, so that few begin with 'The'."""
        found: dict[str, list[Text]] = {}
        for one in self._all():
            found.setdefault(one.text.split()[0].rstrip(","), []).append(one)
        return {word: texts for word, texts in found.items() if word.isalpha()}

    def _all(self) -> Iterator[Text]:
        for origin in _MIX:
            yield from self.sentences[origin]

    def _sentences_by(self, pattern: re.Pattern[str]) -> dict[str, list[Text]]:
        found: dict[str, list[Text]] = {}
        for one in self._all():
            matches = pattern.findall(one.text)
            if len(matches) == 1 and len(re.findall(r"\d+", one.text)) == 1:
                found.setdefault(matches[0], []).append(one)
        return found


@lru_cache(maxsize=len(PARTS))
def material(part: str) -> Material:
    """What the course's corpora offer in one part; the parts share no document.

    Raises:
        DataError: no part of that name.
    """
    if part not in PARTS:
        raise DataError(f"There is no part {part!r}.", where="data.task_records",
                        fix=f"Use one of {', '.join(PARTS)}.")
    return made_of(general()[part], domain("aws")[part], domain("medical")[part],
                   sources.load("boolq"))


def made_of(prose: Dataset, manuals: Dataset, abstracts: Dataset, asked: Dataset) -> Material:
    """Material from data sets shaped like the course's corpora.

    Args:
        prose: a part of the general corpus.
        manuals: a part of the AWS corpus.
        abstracts: a part of the medical corpus.
        asked: all of BoolQ; only questions on documents of `prose` are used.
    """
    texts: dict[str, list[Text]] = {origin: [] for origin in ORIGINS.values()}
    sentences: dict[str, dict[str, Text]] = {origin: {} for origin in ORIGINS.values()}
    by_short_form: dict[tuple[str, str], list[Text]] = {}
    for row in [*_some(prose), *_some(manuals), *_some(abstracts)]:
        if row["source"] in ORIGINS:
            origin, place = ORIGINS[row["source"]], (row["document"], row["source"])
            text = body(row["text"]) if origin == "manual" else row["text"]
            found = list(plain_sentences(text))
            texts[origin] += [Text(run, *place) for run in runs(found)]
            sentences[origin] |= {one: Text((one,), *place) for one in found if one}
            for names, sentence in short_forms(text):
                by_short_form.setdefault(names, []).append(Text((sentence,), *place))
    return Material(texts, {origin: list(found.values()) for origin, found in sentences.items()},
                    by_short_form, list(_pages(_some(manuals))),
                    list(_questions(asked, set(prose["document"][:]))), list(_abstracts(abstracts)))


def _origin(rng: random.Random) -> str:
    return rng.choices(list(_MIX), list(_MIX.values()))[0]


def _some(dataset: Dataset) -> list[dict[str, Any]]:
    """At most `_MOST` rows of each source, the same ones every time."""
    of_source: dict[str, list[int]] = {}
    for i, source in enumerate(dataset["source"][:]):
        of_source.setdefault(source, []).append(i)
    draw = random.Random(0)
    return dataset.select([i for rows in of_source.values()
                           for i in draw.sample(rows, min(_MOST, len(rows)))]).to_list()


def _pages(rows: Iterable[Mapping[str, Any]]) -> Iterator[Page]:
    for row in rows:
        _, _, about = row["text"].partition("\n\n")
        first = next(plain_sentences(about.split("\n")[0]), None)
        if row["kind"] == "operation" and first and row["name"] not in first:
            yield Page(row["name"], row["service"], first, row["document"], row["source"])


def _questions(asked: Dataset, here: set[str]) -> Iterator[Question]:
    for row in asked.to_list():
        document = f"boolq-passages: {row['document']}"
        if row["label"] is not None and document in here and len(row["passage"]) <= _PASSAGE:
            question = row["question"].rstrip(" ?").capitalize() + "?"
            yield Question(question, row["passage"], "yes" if row["label"] else "no", document,
                           row["source"])


def _abstracts(rows: Dataset) -> Iterator[Question]:
    for row in rows.to_list():
        results = trailing(row["text"], _RESULTS)
        if row["answered_by"] == "people" and len(results) > _RESULTS / 3:
            question = row["question"].rstrip(" ?")
            yield Question(f"{question[:1].upper()}{question[1:]}?", results, row["answer"],
                           row["document"], row["source"])
