"""L1: what labels that are wrong at random do to what is learnt, and what a wrong rule does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fmcourse.data import annotation
from fmcourse.evidence.experiments.labelling import right, task
from fmcourse.evidence.experiments.shared import Outcome

CLEAN, RANDOM, SYSTEMATIC = "true labels", "wrong at random", "wrong by a rule"


def label_noise(seed: int, items: int = 2400, test: int = 600, wrong: Sequence[int] = (2, 5, 8),
                judged: int = 5) -> Outcome:
    """Areas of AWS paragraphs, some labels wrong: by a rule, or as many at random.

    The wrong rules put a few of the 24 services into another area; the control has exactly as many
    labels changed, of any items. Both learners are judged on the true areas of other paragraphs,
    and on those of the services concerned: how many are put where the wrong rule says.

    Args:
        items, test: paragraphs to learn from, and to judge by.
        wrong: services whose rule is wrong, for the curve.
        judged: the one of `wrong` that the claim is judged by.
    """
    read, good = task(seed, items, test), annotation.areas(0)
    truth, asked = good.meant(read.kinds), good.meant(read.test_kinds)
    clean, arms, curve = read.predictions(range(items), truth), {}, []
    for count in wrong:
        bad = good.misread(count, seed)
        ruled, rule = bad.meant(read.kinds), bad.meant(read.test_kinds)
        noise = annotation.flipped(truth, int((ruled != truth).sum()), len(good.classes), seed)
        found = {CLEAN: graded(clean, asked, rule),
                 RANDOM: graded(read.predictions(range(items), noise), asked, rule),
                 SYSTEMATIC: graded(read.predictions(range(items), ruled), asked, rule)}
        curve += [{"arm": arm, "wrong": float(np.mean(ruled != truth)), **own}
                  for arm, own in found.items()]
        arms = found if count == judged else arms
    return Outcome(arms, read.data, {"curve": curve, "judged at": judged / len(good.rules)})


def graded(said: dict[str, np.ndarray], truth: np.ndarray, rule: np.ndarray) -> dict[str, float]:
    """Each learner's share of the test that is right, and of what the rule gets wrong the share
    that is wrong in the same way."""
    concerned = rule != truth
    found = {right(learner): float(np.mean(own == truth)) for learner, own in said.items()}
    return found | {follows(learner): float(np.mean(own[concerned] == rule[concerned]))
                    for learner, own in said.items()}


def follows(learner: str) -> str:
    """Name of the metric."""
    return f"{learner}: says what the wrong rule says"
