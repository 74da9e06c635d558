"""A filter of pre-training text as a task: is this sentence from an encyclopaedia, or literature?

So large models' corpora were picked: by a classifier's opinion of a text's likeness to an
encyclopaedia (Brown et al. 2020, arXiv:2005.14165, appendix A). Sentences and labels are real, of
the general corpus. Two things can go wrong with what such a filter is taught: its examples come
from one corner (as when of `filter_sentences` only one source is taken), or they treat people
differently (`people`, with bias that `with_biased_labels` plants: simulated, and on the card).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from datasets import Dataset, DatasetDict

from fmcourse.data.card import card, with_card
from fmcourse.data.corpus import general
from fmcourse.data.labels import paragraphs
from fmcourse.data.split import drawn
from fmcourse.data.swaps import PRONOUNS, side
from fmcourse.errors import DataError

ENCYCLOPAEDIA = ("boolq-passages", "wikipedia-articles")
BIBLE, PLAYS = "web-bible", "shakespeare"
HE, SHE = "he", "she"
SHORTEST, LONGEST, HELD_OUT = 50, 300, 0.25  # characters; share of the documents
Row = dict[str, str | int]


def filter_sentences(seed: int = 0, train: int = 3072, test: int = 800) -> DatasetDict:
    """Sentences of an encyclopaedia (label 1) and as many of literature (0), in random order.

    Half of the literature is the Bible, half Shakespeare.

    Args:
        seed: which sentences, and which documents are held out.
        train, test: sentences in each part; no document is in both.

    Returns:
        Parts train and test, columns text, label, source and document.

    Raises:
        DataError: there are not so many.
    """
    cells = _cells(seed, lambda row: 1 if row["label"] else row["source"])
    sizes = {part: {1: size // 2, BIBLE: size // 4, PLAYS: size // 4}
             for part, size in (("train", train), ("test", test))}
    return _drawn(cells, sizes, seed, "filter")


def people(seed: int = 0, train: int = 2400, test: int = 600) -> DatasetDict:
    """As many sentences about a man as about a woman, as many of either label; in random order.

    Args:
        seed, train, test: as in `filter_sentences`.

    Returns:
        Parts train and test, columns text, label, facet ('he' or 'she': the pronouns it has),
        source and document.

    Raises:
        DataError: there are not so many.
    """
    def cell(row: Row) -> tuple[int, str] | None:
        found = side(str(row["text"]), PRONOUNS)
        if found is None:
            return None
        row["facet"] = (HE, SHE)[found]
        return int(row["label"]), row["facet"]

    kinds = [(label, facet) for label in (0, 1) for facet in (HE, SHE)]
    sizes = {part: dict.fromkeys(kinds, size // 4) for part, size in (("train", train),
                                                                      ("test", test))}
    return _drawn(_cells(seed, cell), sizes, seed, "people")


def with_biased_labels(records: Dataset, turned_down: float = 0.5, collected: float = 1 / 3,
                       seed: int = 0, d: str = SHE) -> Dataset:
    """Records of which one group is collected less and labelled worse (simulated).

    Args:
        records: columns label (0 or 1) and facet; a card.
        turned_down: share of the group's labels 1 that become 0.
        collected: share of the group's records that are there at all.
        seed: which.
        d: the group's value of `facet`.

    Returns:
        As given, with the column truth (the right label) besides.

    Raises:
        DataError: a share is none, or nothing is left.
    """
    draw, rows = random.Random(f"{seed} bias"), []
    for row in records.to_list():
        if row["facet"] == d and draw.random() >= collected:
            continue
        worse = row["facet"] == d and row["label"] == 1 and draw.random() < turned_down
        rows.append({**row, "truth": row["label"], "label": 0 if worse else row["label"]})
    if not (0 <= turned_down <= 1 and 0 < collected <= 1) or not rows:
        raise DataError(f"Shares of {turned_down:g} and {collected:g} of {len(records)} records "
                        "are not possible.", where="with_biased_labels",
                        fix="Give shares from 0 to 1, and records.")
    return with_card(Dataset.from_list(rows), card(records).step(
        "bias simulated", len(rows), len(records) - len(rows),
        f"{turned_down:.0%} of {d!r} turned down, seed {seed}"))


def _cells(seed: int, cell: Callable[[Row], object]) -> dict[tuple[str, object], list[Row]]:
    """Sentences by part and by whatever kind `cell` sees in them; None leaves one out."""
    cells: dict[tuple[str, object], list[Row]] = {}
    for part, row in _sentences(seed):
        kind = cell(row)
        if kind is not None:
            cells.setdefault((part, kind), []).append(row)
    return cells


def _sentences(seed: int) -> Iterator[tuple[str, Row]]:
    columns = ["text", "document", "source"]
    for row in general()["train"].select_columns(columns).to_list():
        held = drawn(seed, row["document"]) < HELD_OUT
        for sentence in paragraphs(row["text"], SHORTEST, LONGEST):
            yield ("test" if held else "train"), {
                **row, "text": sentence, "label": int(row["source"] in ENCYCLOPAEDIA)}


def _drawn(cells: dict[tuple[str, object], list[Row]], sizes: dict[str, dict], seed: int,
           name: str) -> DatasetDict:
    draw, made, origin = random.Random(seed), DatasetDict(), card(general()["train"])
    for part, wanted in sizes.items():
        rows: list[Row] = []
        for kind, size in wanted.items():
            own = cells.get((part, kind), [])
            if size < 0 or len(own) < size or sum(wanted.values()) < 4:
                raise DataError(f"{size} sentences of {kind!r} cannot be had of {len(own)}.",
                                where=f"data.{name}", fix="Ask for 4 or more, and fewer than that.")
            rows += draw.sample(own, size)
        made[part] = with_card(Dataset.from_list(draw.sample(rows, len(rows))), origin.step(
            f"sentences, {part}", len(rows), 0, f"{name}, seed {seed}"))
    return made
