"""M4: what a pre-trained start is worth in labels: services, yes/no questions, handwritten digits.

The same recipe for every arm. From scratch is the base's architecture with random weights; a
random network's frozen features are the control for the frozen base, and a bag of words stands
beside them all: a reference that no pre-training is owed to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from datasets import DatasetDict
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fmcourse import data, evaluate, models, train
from fmcourse.evidence.experiments import shared
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import LanguageModel

SIZES, QUESTIONS = (8, 64, 512, 4096), (64, 512)
NEEDED, FLOPS = "labels for the same score", "training FLOPs with 512 labels"


def transfer(seed: int, sizes: Sequence[int] = SIZES, questions: Sequence[int] = QUESTIONS,
             test: int = 504, recipe: train.ClassifyRecipe | None = None) -> Outcome:
    """Learning curves of every arm on three tasks, and the label-efficiency ratio of the first.

    The recipe is the same for all arms; its optimiser and rate were chosen on one seed, where base
    and scratch liked the same ones best.
    """
    recipe = recipe or train.ClassifyRecipe(seed=seed, most=4096)
    base = models.load("base")
    starts = {"base": base, "scratch": models.untrained(base, seed),
              "domain base": shared.domain_base(seed)}
    without_domain = {name: starts[name] for name in ("base", "scratch")}
    services = data.service_paragraphs(seed, train=max(sizes), test=test)
    answers = data.yes_no(seed)
    answers["test"] = answers["test"].select(range(min(test, len(answers["test"]))))
    tables = {"services": curves(services, starts, sizes, recipe),
              "yes or no": curves(answers, without_domain, questions, recipe),
              "digits": train.image_transfer(seed=seed)}
    arms: dict[str, dict[str, Any]] = {}
    for task, table in tables.items():
        for row in table.to_dict("records"):
            metric = f"{task}: right with {row['labels']} labels"
            arms.setdefault(row["arm"], {})[metric] = row["accuracy"]
            if task == "services" and row["labels"] == 512 and "flops" in row:
                arms[row["arm"]][FLOPS] = row["flops"]
    ratio = efficiency(tables["services"], "base, full", "scratch, full")
    arms["base, full"][NEEDED] = ratio.treatment_labels
    arms["scratch, full"][NEEDED] = ratio.control_labels
    return Outcome(
        arms, {"services": data.card(services["train"]).sha256, "base": base.sha256(),
               "answers": data.card(answers["train"]).sha256},
        {"tables": {task: table.to_dict("list") for task, table in tables.items()},
         "censored": ratio.censored, "target": ratio.target})


def curves(
    parts: DatasetDict, starts: dict[str, LanguageModel], sizes: Sequence[int],
    recipe: train.ClassifyRecipe,
) -> pd.DataFrame:
    """A row a start, arm and size: arm, labels, accuracy, tokens, flops, seconds."""
    test, rows = parts["test"], []
    for n in sizes:
        few = parts["train"].select(range(n))
        texts, labels = few["text"][:], few["label"][:]
        for name, start in starts.items():
            for arm in ("full", "frozen"):
                taught = train.classify(start, texts, labels, recipe, arm=arm)
                cost = taught.cost
                rows.append({"arm": f"{name}, {arm}", "labels": n, "tokens": cost.tokens,
                             "accuracy": taught.accuracy(test["text"][:], test["label"][:]),
                             "flops": cost.flops, "seconds": cost.seconds})
        words = bag_of_words(texts, labels)
        rows.append({"arm": "bag of words", "labels": n,
                     "accuracy": words.score(test["text"][:], test["label"][:])})
    return pd.DataFrame(rows)


def bag_of_words(texts: Sequence[str], labels: Sequence[Any]) -> Any:
    """TF-IDF of words and pairs of words, and logistic regression: what counting words can do."""
    counts = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    return make_pipeline(counts, LogisticRegression(C=10, max_iter=300)).fit(texts, labels)


def efficiency(table: pd.DataFrame, treatment: str, control: str) -> evaluate.LabelRatio:
    """The label-efficiency ratio of two arms of a table, at the control's best score.

    That score is one both arms reach, so the ratio is a measured one and not a bound; only where
    even the control's best is out of the treatment's reach is the treatment's own best taken.
    """
    scores = {arm: rows.set_index("labels")["accuracy"] for arm, rows in table.groupby("arm")}
    ours, theirs = scores[treatment], scores[control]
    return evaluate.label_efficiency(ours.to_dict(), theirs.to_dict(),
                                     target=min(theirs.max(), ours.max()))
