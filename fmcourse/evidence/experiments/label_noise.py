"""L1: what labels that are wrong at random do to what is learnt, and what a wrong rule does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fmcourse.data import annotation
from fmcourse.evidence.experiments.labelling import HEAD, WORDS, right, task
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
    arms, curve = {CLEAN: read.scores(range(items), truth, asked)}, []
    for count in wrong:
        bad = good.misread(count, seed)
        ruled, rule = bad.meant(read.kinds), bad.meant(read.test_kinds)
        labels = {SYSTEMATIC: ruled, RANDOM: flipped(truth, int((ruled != truth).sum()),
                                                     len(good.classes), seed)}
        for arm, own in labels.items():
            said = read.predictions(range(items), own)
            found = {right(name): float(np.mean(one == asked)) for name, one in said.items()}
            found |= {follows(name): float(np.mean(one[rule != asked] == rule[rule != asked]))
                      for name, one in said.items()}
            curve.append({"arm": arm, "wrong": float(np.mean(own != truth)), **found})
            if count == judged:
                arms[arm] = found
    bad = good.misread(judged, seed).meant(read.test_kinds)
    concerned = bad != asked
    for name, one in read.predictions(range(items), truth).items():
        arms[CLEAN][follows(name)] = float(np.mean(one[concerned] == bad[concerned]))
    return Outcome(arms, read.data, {"curve": curve})


def follows(learner: str) -> str:
    """Name of the metric."""
    return f"{learner}: follows the wrong rule"


def flipped(labels: np.ndarray, count: int, classes: int, seed: int) -> np.ndarray:
    """So many labels changed to any other, each as likely."""
    draw, changed = np.random.default_rng([seed, 4]), labels.copy()
    rows = draw.permutation(len(labels))[:count]
    changed[rows] = (changed[rows] + draw.integers(1, classes, count)) % classes
    return changed


LEARNERS = (WORDS, HEAD)
