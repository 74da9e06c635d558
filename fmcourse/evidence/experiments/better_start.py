"""K10: what continued pre-training leaves behind: no assistant, and a better start for tuning."""

from __future__ import annotations

from fmcourse import data, evaluate, models, train
from fmcourse.evidence.experiments.shared import Outcome, domain_base

RATE, RIGHT = "instructions followed", "paragraphs assigned to their service"
LABELS = 240  # ten for each service


def better_start(seed: int, labels: int = LABELS) -> Outcome:
    """The base and the domain base, asked to follow instructions and tuned on the same few labels.

    The services to be told apart were held out of the domain's text: what can transfer is the
    language, not the answers.
    """
    base = models.load("base")
    starts = {"base": base, "domain base": domain_base(seed),
              "random weights": models.untrained(base, seed)}
    parts = data.service_paragraphs(seed)
    few, test = parts["train"].select(range(labels)), parts["test"]
    arms = {}
    for name, start in starts.items():
        taught = train.classify(start, few["text"][:], few["label"][:],
                                train.ClassifyRecipe(seed=seed))
        arms[name] = {RATE: evaluate.overall(evaluate.instruction_rate(start)),
                      RIGHT: taught.accuracy(test["text"][:], test["label"][:])}
    return Outcome(arms, {"paragraphs": data.card(parts["train"]).sha256, "base": base.sha256()},
                   {"labels": labels})
