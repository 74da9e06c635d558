"""M5: a model kept current as documents evolve, what that costs, and retrieval beside it."""

from __future__ import annotations

from datasets import Dataset

from fmcourse import data, evaluate, models
from fmcourse.evidence.experiments.shared import Outcome, read_on

NEW, UNCHANGED = "right about what is new", "right about what is unchanged"
GENERAL = "held-out general bits per byte"
FAST = {"learning_rate": 2e-3}  # every text is read about once, and should be remembered


def refreshed(seed: int, old_tokens: int = 380_000, new_tokens: int = 520_000) -> Outcome:
    """Trained to the release of 2022, refreshed with what is new in that of 2026.

    Both are read about once. The replay of the refresh is the old release, since that is what
    should be kept. The control reads as many tokens of general text; retrieval trains nothing: the
    old model is shown the beginning of the passage found for each question.
    """
    base, both, general = models.load("base"), data.releases(), data.general()
    items = questions(both, seed)
    texts = data.held_out(seed, 60_000)
    validation = data.domain("aws")["validation"]
    old_parts = {"train": both.old, "validation": general["validation"]}
    old = read_on(base, old_parts, old_tokens, seed, "release of 2022", 0.1, **FAST).model
    found = data.with_passages(items, data.Retriever(both.new["text"][:]))
    arms = {"base": measures(base, items, texts), "release of 2022": measures(old, items, texts),
            "2022 and retrieval": measures(old, found, texts)}
    news = {"train": both.news, "validation": validation}
    for name, replay in (("refreshed", 0.0), ("refreshed, replay 25%", 0.25)):
        run = read_on(old, news, new_tokens, seed, name, replay, general=old_parts, **FAST)
        arms[name] = measures(run.model, items, texts)
    more = read_on(old, general, new_tokens, seed, "general text", general=general, **FAST)
    arms["general text"] = measures(more.model, items, texts)
    return Outcome(arms, {"old": data.card(both.old).sha256, "new": data.card(both.new).sha256,
                          "base": base.sha256()},
                   {"old_tokens": old_tokens, "new_tokens": new_tokens, "items": len(items)})


def questions(both: data.Releases, seed: int = 0, each: int = 320) -> Dataset:
    """What came since the old release, and what both say."""
    return evaluate.items_of(
        evaluate.operation_items(both.added(), each, seed, topic=NEW),
        evaluate.operation_items(both.unchanged(), each, seed, topic=UNCHANGED))


def measures(model: models.LanguageModel, items: Dataset, texts: list[str]) -> dict[str, float]:
    """Both kinds of questions, and general text."""
    right = evaluate.score_facts(model, items).set_index("topic")["accuracy"]
    return {NEW: float(right[NEW]), UNCHANGED: float(right[UNCHANGED]),
            GENERAL: evaluate.bits_per_byte(model, texts)}
