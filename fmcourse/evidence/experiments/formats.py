"""K11: what a record of continued pre-training is, beside one of fine-tuning."""

from __future__ import annotations

from fmcourse import data, models
from fmcourse.evidence.experiments.shared import Outcome

GRADED = "share of a record's tokens that are graded"


def formats(seed: int, records: int = 200) -> Outcome:
    """The same operations as pages and as pairs; nothing here is left to chance.

    What counts in the loss is a definition, not a discovery: the masks are those the trainers
    apply (tests hold `data.graded` against our objective and TRL's), and this counts them.
    """
    tokenizer, texts = models.load("base").tokenizer, data.domain("aws")["validation"]
    pairs = data.operation_pairs(texts).select(range(records))
    pages = pairs.select_columns(["page"]).rename_column("page", "text")
    questions = pairs.select_columns(["prompt", "completion"])
    arms = {"documents": {GRADED: data.graded_share(pages, tokenizer)},
            "pairs": {GRADED: data.graded_share(questions, tokenizer)}}
    return Outcome(arms, {"aws validation": data.card(texts).sha256},
                   {"document": pages[0]["text"], "pair": questions[0]})
