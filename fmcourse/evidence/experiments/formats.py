"""K11: what a record of continued pre-training is, beside one of fine-tuning."""

from __future__ import annotations

from fmcourse import data, models
from fmcourse.evidence.experiments.shared import Outcome

GRADED = "share of a record's tokens that are graded"


def formats(seed: int, records: int = 200) -> Outcome:
    """The same documentation as documents and as pairs; nothing here is left to chance."""
    tokenizer, texts = models.load("base").tokenizer, data.domain("aws")["validation"]
    documents = texts.select(range(records))
    pairs = data.operation_pairs(texts).select(range(records))
    arms = {}
    for name, dataset in (("documents", documents), ("pairs", pairs)):
        masks = [data.graded(record, tokenizer)["graded"][1:] for record in dataset.select_columns(
            ["text"] if name == "documents" else ["prompt", "completion"])]
        arms[name] = {GRADED: float(sum(mask.sum() for mask in masks) / sum(map(len, masks)))}
    return Outcome(arms, {"aws validation": data.card(texts).sha256},
                   {"document": documents[0]["text"],
                    "pair": {key: pairs[0][key] for key in ("prompt", "completion")}})
