"""Find passages by their words (BM25), so that a model can read what it was never trained on.

Retrieval changes what a model is told, not what it knows: add a document to the index and it can
be quoted the same second. bm25s (Lù 2024, arXiv:2407.03618) does the counting; BM25 is Robertson
and Zaragoza 2009. Trade-off: words, not meanings; a paraphrase is not found.
"""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
from datasets import Dataset

from fmcourse.errors import DataError


class Retriever:
    """An index over texts.

    Args:
        texts: what can be found; in memory.

    Raises:
        DataError: there are none.

    >>> Retriever(["A fox lives here.", "An owl lives there."]).find(["the owl"])
    [['An owl lives there.']]
    """

    def __init__(self, texts: Sequence[str]):
        self.texts = list(texts)
        if not self.texts:
            raise DataError("There is nothing to search.", where="data.Retriever",
                            fix="Give it at least one text.")
        self.index = bm25s.BM25()
        self.index.index(self._words(self.texts), show_progress=False)

    @staticmethod
    def _words(texts: Sequence[str]) -> bm25s.tokenization.Tokenized:
        return bm25s.tokenize(list(texts), stopwords="en", show_progress=False)

    def find(self, queries: Sequence[str], count: int = 1) -> list[list[str]]:
        """The best `count` texts for each query, best first."""
        count = min(count, len(self.texts))
        found, _ = self.index.retrieve(self._words(queries), k=count, show_progress=False)
        return [[self.texts[int(place)] for place in row] for row in found]


def with_passages(items: Dataset, retriever: Retriever, characters: int = 300) -> Dataset:
    """The same questions, each with the beginning of the best passage in front of it.

    Args:
        items: rows with a `prompt`.
        retriever: over the documents that may be quoted.
        characters: of the passage; the model's context is short.
    """
    passages = retriever.find(items["prompt"][:])
    prompts = [f"{_beginning(found[0], characters)}\n\n{prompt}"
               for found, prompt in zip(passages, items["prompt"][:], strict=True)]
    return items.remove_columns("prompt").add_column("prompt", prompts)


def _beginning(text: str, characters: int) -> str:
    """A text up to its last whole word within so many characters."""
    return text if len(text) <= characters else text[:characters + 1].rsplit(maxsplit=1)[0]
