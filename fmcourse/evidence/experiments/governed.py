"""G1: data that breaks the policy is not trained on; whole data is."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from datasets import Dataset

from fmcourse import data, models, sources, train
from fmcourse.data import Card, governance
from fmcourse.data.governance import Governance
from fmcourse.errors import PolicyError
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import LanguageModel

REFUSED, NAMED = "share of runs refused", "refusals that name the rule"
BROKEN, WHOLE, UNGOVERNED = "one fact broken", "whole cards", "the same, ungoverned"
OTHER = "another rule"
PURPOSE, CONTEXT = "product", 32
REDACTED = {"step": "redacted", "kept": 1, "dropped": 0, "note": ""}
FACTS = Governance("data team", ("product", "research"), "2099-12-31", "internal", "our own texts")
Change = Callable[[Card], Card]


def governed(seed: int, texts: int = 40, whole: int = 3) -> Outcome:
    """Runs of pre-training and instruction tuning in a governed project, on cards of which one fact
    is missing, past or wrong, and on whole ones; nothing here is left to chance.

    The same broken cards without any facts, outside the project, train as they always did.

    Args:
        texts: of the data set.
        whole: how many of the whole cards are tried; each is two trainings.
    """
    plain = _records(texts)
    model = models.build(models.Shape(width=32, layers=1, inner=32, heads=2),
                         models.load("base").tokenizer, context=CONTEXT, seed=seed)
    tries: dict[str, list[str | None]] = {BROKEN: [], WHOLE: [], UNGOVERNED: []}
    named: list[set[str]] = []
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as work:
        project = governance.start(Path(work) / "project", name="G1", owner="the experiment",
                                   purpose=PURPOSE)
        with mock.patch.dict(os.environ, {"FMCOURSE_HOME": str(Path(work) / "home")}):
            for rule, change in broken().items():
                said = _attempts(model, plain, change, project.folder / "runs" / rule)
                tries[BROKEN] += said
                named += [_named(one) ^ {rule.split(":")[0]} for one in said]
            for number, change in enumerate(kept()[:whole]):
                tries[WHOLE] += _attempts(model, plain, change, project.folder / f"runs/w{number}")
            for number, change in enumerate(list(broken().values())[1:whole + 1]):
                tries[UNGOVERNED] += _attempts(model, plain, _without_facts(change),
                                               Path(work) / f"elsewhere/{number}")
        logged = [entry.event for entry in project.log.entries()]
    arms = {arm: {REFUSED: sum(one is not None for one in said) / len(said)}
            for arm, said in tries.items()}
    arms[BROKEN][NAMED] = sum(not wrong for wrong in named) / len(named)
    arms[OTHER] = {NAMED: sum(bool(wrong) for wrong in named) / len(named)}
    return Outcome(arms, {"texts": data.card(plain).sha256}, {
        **{arm: len(said) for arm, said in tries.items()}, "rules": list(broken()),
        "refusals logged": logged.count("training refused"),
        "said": dict(zip(broken(), tries[BROKEN][::2], strict=True))})


def broken() -> dict[str, Change]:
    """Rule (and what of it) → how it is broken; all else about the card is whole."""
    past = (datetime.now(UTC) - timedelta(days=2)).date()
    people = replace(FACTS, sensitivity="personal")
    facts = {
        "owner": replace(FACTS, owner=""), "purpose:missing": replace(FACTS, purposes=()),
        "purpose:another": replace(FACTS, purposes=("research",)),
        "retention:missing": replace(FACTS, keep_until=""),
        "retention:past": replace(FACTS, keep_until=past),
        "sensitivity:missing": replace(FACTS, sensitivity=""), "redaction": people}
    made: dict[str, Change] = {
        "card": lambda card: replace(card, sources={}, governance=FACTS),
        "licence:missing": lambda card: replace(card, licence=(), governance=FACTS),
        "licence:unknown": lambda card: replace(card, licence=("Ours-1.0",), governance=FACTS),
        "licence:not for sale": lambda card: replace(card, licence=("CC-BY-NC-4.0",),
                                                     governance=FACTS),
        "sensitivity:too high": lambda card: replace(
            card, steps=(REDACTED,), governance=replace(FACTS, sensitivity="special")),
        "basis": lambda card: replace(card, steps=(REDACTED,),
                                      governance=replace(people, basis=""))}
    return made | {rule: _with_facts(own) for rule, own in facts.items()}


def kept() -> list[Change]:
    """Cards that break nothing, some of them nearly."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    people = replace(FACTS, sensitivity="personal")
    nearly = replace(FACTS, keep_until=tomorrow, sensitivity="confidential", basis="")
    return [_with_facts(nearly),
            lambda card: replace(card, steps=(REDACTED,), governance=people),
            lambda card: replace(card, licence=("MIT OR CC-BY-NC-4.0",), governance=FACTS)]


def _with_facts(facts: Governance) -> Change:
    return lambda card: replace(card, governance=facts)


def _without_facts(change: Change) -> Change:
    return lambda card: replace(change(card), governance=None)


def _records(texts: int) -> Dataset:
    """Verses with a question each, so that both ways of training can read them."""
    verses = sources.load("web-bible", limit=texts)
    rows = [{"text": text[:200], "messages": data.conversation("Go on.", text[:24])}
            for text in verses["text"]]
    return data.with_card(Dataset.from_list(rows), data.card(verses).step("cut", texts, 0))


def _attempts(model: LanguageModel, plain: Dataset, change: Change, folder: Path
              ) -> list[str | None]:
    """What each way of training said; None, if it went ahead."""
    made = plain.select(range(len(plain)))
    made = data.with_card(made, change(data.card(plain)))
    reading = train.PretrainRecipe(tokens=CONTEXT, context=CONTEXT, batch_tokens=CONTEXT,
                                   micro_batch_tokens=CONTEXT)
    tuning = train.InstructRecipe(tokens=CONTEXT, least_steps=1, max_length=CONTEXT)
    return [_said(lambda: train.pretrain(model, data.tokens(made, model.tokenizer), reading,
                                         folder=folder / "read", show_progress=False)),
            _said(lambda: train.instruct(model, made, tuning, folder=folder / "tuned",
                                         show_progress=False))]


def _said(attempt: Callable[[], Any]) -> str | None:
    try:
        attempt()
    except PolicyError as error:
        return str(error)
    return None


def _named(said: str | None) -> set[str]:
    """The rule that a refusal names first, if it is one."""
    found = re.search(r"the rule '(\w+)'", said or "")
    return {found[1]} if found else set()
