"""L3: one annotator an item, or three and a consensus, or an expert too, for the same money."""

from __future__ import annotations

import pandas as pd

from fmcourse.data import annotation
from fmcourse.data.annotation import Consensus
from fmcourse.evidence.experiments.labelling import LABELS, PRICE, task
from fmcourse.evidence.experiments.shared import Outcome

SINGLE, MAJORITY, MODEL = "one annotator", "majority of three", "Dawid-Skene of three"
REVIEWED, MODELLED, EXPERT = ("majority, disputed ones reviewed",
                              "Dawid-Skene, doubtful ones reviewed", "expert only")


def several_annotators(seed: int, labels: int = 2400, test: int = 600, price: float = 5.0,
                       looks: float = 0.1) -> Outcome:
    """Nine annotators (simulated; four of them have a fault) label areas of AWS paragraphs.

    Every arm costs the same: three labels an item pay for a third of the items, and an expert's
    look (simulated: the truth) for fewer still. The labels are held against the truth; and the
    learners are taught on them, where it counts how many there are, too.

    Args:
        labels: the budget, in labels.
        test: paragraphs to judge by what is learnt.
        price: of an expert's look, in labels.
        looks: share of the items that the expert looks at.
    """
    read, guideline = task(seed, labels, test), annotation.areas(0)
    truth, asked = guideline.meant(read.kinds), guideline.meant(read.test_kinds)
    hard, classes, crew = read.difficulty(truth, seed), len(guideline.classes), annotation.crew()

    def bought(items: int, each: int) -> pd.DataFrame:
        return annotation.annotate(truth[:items], crew, classes, each=each,
                                   difficulty=hard[:items], seed=seed)

    few, seen = labels // 3, int(labels / (3 + price * looks))
    three, fewer = bought(few, 3), bought(seen, 3)
    found = {SINGLE: annotation.majority(bought(labels, 1), classes),
             MAJORITY: annotation.majority(three, classes),
             MODEL: annotation.dawid_skene(three, classes)}
    for arm, consensus in ((REVIEWED, annotation.majority), (MODELLED, annotation.dawid_skene)):
        found[arm] = annotation.review(consensus(fewer, classes), truth, int(looks * seen), price)
    alone = annotation.majority(bought(int(labels / price), 1), classes)
    found[EXPERT] = annotation.review(Consensus(alone.items, 0.0), truth, len(alone.items), price)
    arms = {}
    for arm, own in found.items():
        share = own.right(truth)
        arms[arm] = {LABELS: share, PRICE: own.cost / (share * len(own.items)),
                     **read.scores(own.items["item"], own.items["label"], asked)}
    return Outcome(arms, read.data, {
        "items": {arm: len(own.items) for arm, own in found.items()},
        "cost": {arm: own.cost for arm, own in found.items()},
        "estimated skill": found[MODEL].skill().to_dict()})
