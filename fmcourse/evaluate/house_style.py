"""Is a reply in the style of the house, and is what it says right? Checked rule by rule.

The rules are those of a made-up company's style guide (`fmcourse.data.house_style`), each decided
by reading the reply whole: no model judges another. Style and content are graded apart, since a
model can learn the one and lose the other: the content is kept when the manual's sentence stands in
the reply, word for word.

Trade-off: strictness. The opening and the closing are compared letter for letter, and a paraphrase
of the fact counts as lost. An empty reply breaks no prohibition, yet fulfils no rule: it is no
reply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
from datasets import Dataset

from fmcourse.data.house_style import guide
from fmcourse.data.sentences import sentences
from fmcourse.errors import DataError
from fmcourse.evaluate.intervals import share_table

RULES: dict[str, Callable[[str, str], bool]] = {  # of a stripped reply and the product's name
    "opening": lambda reply, product: reply.startswith(guide().opening),
    "product": lambda reply, product: product in reply,
    "brief": lambda reply, product: _count(reply) <= guide().most_sentences,
    "calm": lambda reply, product: "!" not in reply,
    "words": lambda reply, product: not guide().forbidden_in(reply),
    "closing": lambda reply, product: reply.endswith(f"\n{guide().closing}"),
}
STYLE, CONTENT, BOTH = "all rules", "content kept", "all rules, content kept"


def style_grade(reply: str, product: str, fact: str) -> dict[str, bool]:
    """Which rules a reply fulfils, whether all, and whether it keeps the fact.

    Args:
        product: the full name that a reply has to give.
        fact: the sentence that it has to hold, word for word; white space may differ.

    >>> graded = style_grade("It stops it!", "Amazon EC2", "It stops it")
    >>> graded["calm"], graded["brief"], graded["all rules"], graded["content kept"]
    (False, True, False, True)
    """
    reply = reply.strip()
    found = {name: bool(reply) and rule(reply, product) for name, rule in RULES.items()}
    style, kept = all(found.values()), " ".join(fact.split()) in " ".join(reply.split())
    return {**found, STYLE: style, CONTENT: kept, BOTH: style and kept}


def style_rates(replies: Sequence[str], items: Dataset) -> pd.DataFrame:
    """The shares of replies that fulfil each rule, all of them, keep the fact, and do both.

    Args:
        replies: one to each row of `items`.
        items: columns `product` and `fact`, such as a part of `data.house_style()`.

    Returns:
        A row a measure: `measure`, `n`, `rate`, `low` and `high` (95 % Wilson interval).

    Raises:
        DataError: no replies, or another number of items.
    """
    if len(replies) != len(items) or not len(replies):
        raise DataError(f"There are {len(replies)} replies for {len(items)} items.",
                        where="evaluate.style_rates", fix="Give one reply to each.")
    grades = [style_grade(reply, product, fact) for reply, product, fact
              in zip(replies, items["product"][:], items["fact"][:], strict=True)]
    tables = [share_table([measure] * len(grades), [float(grade[measure]) for grade in grades],
                          "measure", "rate")[:1] for measure in grades[0]]
    return pd.concat(tables, ignore_index=True)


def _count(reply: str) -> int:
    """Sentences of a reply, its closing left out."""
    return len(sentences(reply.removesuffix(guide().closing)))
