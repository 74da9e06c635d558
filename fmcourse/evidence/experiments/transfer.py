"""M4: what a pre-trained start is worth in labels: services, yes/no questions, handwritten digits.

From scratch is the base's architecture with random weights, given the same recipe, and at one size
also four times its training, for a lack of steps is not a lack of labels. A random network's frozen
features are the control for the base's, and a bag of words stands beside them all: a reference
that no pre-training is owed to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from datasets import DatasetDict

from fmcourse import data, evaluate, models, train
from fmcourse.evidence.experiments import shared
from fmcourse.evidence.experiments.plain import plain
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import LanguageModel

SIZES, QUESTIONS, MIDDLE = (8, 64, 512, 4096), (256,), 512
LABELS, FLOPS = "labels for the same score", "training FLOPs for the same score"


def transfer(
    seed: int, sizes: Sequence[int] = SIZES, questions: Sequence[int] = QUESTIONS,
    middle: int = MIDDLE, test: int = 504, recipe: train.ClassifyRecipe | None = None,
) -> Outcome:
    """Learning curves of every arm on three tasks, and what the base saves on the first.

    Args:
        sizes, questions: labels given on the services and on the yes/no task.
        middle: the one of `sizes` at which scratch is also trained for longer.
    """
    recipe = recipe or train.ClassifyRecipe(seed=seed, most=4096, tokens=64)
    base, scratch = models.load("base"), models.untrained(models.load("base"), seed)
    services = data.service_paragraphs(seed, train=max(sizes), test=test)
    answers = data.yes_no(seed)
    answers["test"] = answers["test"].select(range(min(test, len(answers["test"]))))
    starts, domain = {"base": base, "scratch": scratch}, shared.domain_base(seed)
    longer = replace(recipe, epochs=4 * recipe.epochs, most=4 * recipe.most)
    tables = {
        "services": pd.concat([
            curves(services, starts, sizes, recipe),
            curves(services, {"domain base": domain}, [n for n in sizes if n <= middle], recipe),
            curves(services, {"scratch, 4 times as long": scratch}, (middle,), longer, ("full",))]),
        "yes or no": curves(answers, starts, questions, recipe),
        "digits": train.image_transfer(seed=seed)}
    return Outcome(
        _arms(tables), {"services": data.card(services["train"]).sha256, "base": base.sha256(),
                        "answers": data.card(answers["train"]).sha256},
        {"tables": {task: plain(table) for task, table in tables.items()}})


def curves(
    parts: DatasetDict, starts: dict[str, LanguageModel], sizes: Sequence[int],
    recipe: train.ClassifyRecipe, kinds: Sequence[str] = train.ARMS,
) -> pd.DataFrame:
    """A row a start, arm and size: arm, labels, accuracy, flops, seconds; and a bag of words."""
    test, rows = parts["test"], []
    for n in sizes:
        few = parts["train"].select(range(n))
        texts, labels = few["text"][:], few["label"][:]
        for name, start in starts.items():
            for kind in kinds:
                taught = train.classify(start, texts, labels, recipe, arm=kind)
                rows.append({"arm": f"{name}, {kind}", "labels": n,
                             "accuracy": taught.accuracy(test["text"][:], test["label"][:]),
                             "flops": taught.cost.flops, "seconds": taught.cost.seconds})
        if "base" in starts:
            right = train.bag_of_words(texts, labels).score(test["text"][:], test["label"][:])
            rows.append({"arm": "bag of words", "labels": n, "accuracy": right})
    return pd.DataFrame(rows)


def _arms(tables: dict[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Arm → metric → value: every point of the curves, and what each arm needs for one score."""
    arms: dict[str, dict[str, Any]] = {}
    for task, table in tables.items():
        for row in table.to_dict("records"):
            metric = f"{task}: right with {row['labels']} labels"
            arms.setdefault(row["arm"], {})[metric] = row["accuracy"]
    for metric, cost, ours in ((LABELS, "labels", "base, full"), (FLOPS, "flops", "base, frozen")):
        saved = needed(tables["services"], cost, ours, "scratch, full")
        arms[ours][metric] = saved.treatment_labels
        arms["scratch, full"][metric] = saved.control_labels
    return arms


def needed(table: pd.DataFrame, cost: str, treatment: str, control: str) -> evaluate.LabelRatio:
    """What two arms need of a cost ('labels', 'flops') for the best score that both reach."""
    curve = {arm: dict(zip(rows[cost], rows["accuracy"], strict=True))
             for arm, rows in table.groupby("arm")}
    return evaluate.label_efficiency(curve[treatment], curve[control])
