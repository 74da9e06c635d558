"""D6: wrong labels planted, found, and what a classifier gains once they are repaired."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from fmcourse import data, train
from fmcourse.data.label_errors import CONTRADICTED, MISLABELLED, NEARLY
from fmcourse.evidence.experiments.shared import Outcome

PRECISION, RECALL = "flags that are right", "wrong labels found"
SAME, NEAR, SCORE = "contradictions found", "near contradictions found", "right on the test"
CONFIDENT, RANDOM, COMPARED = "confident learning", "random flags", "texts compared"
AS_GIVEN, REVIEWED, AT_RANDOM, DROPPED, TRUE = (
    "as labelled", "flagged ones reviewed", "as many reviewed at random",
    "flagged ones dropped unseen", "true labels")


def label_errors(seed: int, labels: int = 2048, test: int = 1008, share: float = 0.2,
                 reviewed: float = 0.25) -> Outcome:
    """Paragraphs of AWS documentation with the service as label, a share of them wrong.

    Found by confident learning with a bag of words, the best classifier there is for this task, and
    by comparing texts (with the measure by which the copies were made: that it finds them is no
    wonder); the control is as many flags at random. Then it is taught again, after an expert
    (simulated: the truth) has reviewed so many of the records: contradictions first, then the
    doubted, the surest first; or records drawn at random. Beside them: dropping what was flagged
    without a look, and the true labels, which is the best there is to reach.

    Args:
        labels: labelled records; copies under another label come on top.
        test: records whose labels are right.
        share: of the labels that are wrong.
        reviewed: share of the records that the expert has time for.
    """
    parts = data.service_paragraphs(seed, train=labels, test=test)
    rows = data.plant_label_errors(parts["train"], share, seed=seed)
    texts, given, truth = rows["text"][:], rows["label"][:], rows["truth"][:]
    thought = data.out_of_fold(texts, given, train.bag_of_words, seed=seed)
    flags = {CONFIDENT: data.mislabelled(given, thought), COMPARED: compared(texts, given)}
    flags[RANDOM] = at_random(len(rows), len(flags[CONFIDENT]), seed)
    wrong = [i for i in range(len(rows)) if given[i] != truth[i]]
    kinds = {kind: [i for i, name in enumerate(rows["planted"][:]) if name == kind]
             for kind in (MISLABELLED, CONTRADICTED, NEARLY)}
    arms = {}
    for arm, own in flags.items():
        precision, recall = data.grade_flags(own, wrong)
        arms[arm] = {PRECISION: precision, RECALL: recall,
                     SAME: data.grade_flags(own, kinds[CONTRADICTED])[1],
                     NEAR: data.grade_flags(own, kinds[NEARLY])[1]}
    surest = [*dict.fromkeys(flags[COMPARED] + flags[CONFIDENT])]
    suspects = set(surest[:round(reviewed * len(rows))])
    others = set(at_random(len(rows), len(suspects), seed))
    repaired = {AS_GIVEN: given, TRUE: truth,
                **{arm: [truth[i] if i in seen else label for i, label in enumerate(given)]
                   for arm, seen in ((REVIEWED, suspects), (AT_RANDOM, others))}}
    arms |= {arm: {SCORE: score(texts, own, parts["test"])} for arm, own in repaired.items()}
    left = [i for i in range(len(rows)) if i not in surest]
    arms[DROPPED] = {SCORE: score([texts[i] for i in left], [given[i] for i in left],
                                  parts["test"])}
    return Outcome(arms, {"labelled": data.card(rows).sha256,
                          "test": data.card(parts["test"]).sha256},
                   {"records": len(rows), "wrong": len(wrong), "flagged": len(flags[CONFIDENT]),
                    "reviewed": len(suspects),
                    "planted": {kind: len(own) for kind, own in kinds.items()}})


def compared(texts: Sequence[str], labels: Sequence[int]) -> list[int]:
    """Records in a contradiction, and the later ones of near contradictions."""
    same = [i for group in data.contradictions(texts, labels) for i in group]
    return sorted({*same, *(later for _, later in data.near_contradictions(texts, labels))})


def at_random(records: int, count: int, seed: int) -> list[int]:
    """So many records, drawn otherwise than those that were made wrong."""
    return np.random.default_rng([seed, 1]).permutation(records)[:count].tolist()


def score(texts: Sequence[str], labels: Sequence[int], test: Dataset) -> float:
    """Share of the test that a bag of words gets right after these records."""
    return float(train.bag_of_words(texts, labels).score(test["text"][:], test["label"][:]))
