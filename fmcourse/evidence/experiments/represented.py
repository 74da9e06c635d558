"""R1: taught on one slice, used on the real distribution; what closes the gap, and what warns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from fmcourse import data, train
from fmcourse.data.filtering import BIBLE, PLAYS
from fmcourse.evidence.experiments.shared import Outcome

SCORE, OWN, REST, AUC = ("right on the real distribution", "right on its own slice",
                         "right on what the slice lacks", "told apart: AUC")
SLICE, REAL, WEIGHTED, KNOWN, TARGET, MORE = (
    "one slice", "as in use", "one slice, reweighted", "one slice, to known shares",
    "one slice and a few of the rest", "one slice and as many more of it")


def represented(seed: int, n: int = 768, few: int = 64, leak: float = 0.05, test: int = 1000
                ) -> Outcome:
    """Encyclopaedia or literature? Taught with the Bible as literature, used on plays as well.

    A filter of pre-training text. Whoever needs examples of literature takes the book that is at
    hand; in use, half of the literature is Shakespeare's plays. Equal numbers throughout: the
    representative set is as large as the slice, and as much is added of the slice as of the rest.
    Weights are made from other, unlabelled text as it is met in use, or from the sources' known
    shares.

    Args:
        n: labelled sentences, half of either label; `few` more where some are added.
        few: sentences added.
        leak: share of plays among the slice's literature.
        test: sentences of the real distribution.
    """
    parts = data.filter_sentences(seed, 4 * n, test)
    pool, half, quarter = parts["train"], n // 2, n // 4
    origins = pool["source"][:]
    plays, bible = ([i for i, name in enumerate(origins) if name == one]
                    for one in (PLAYS, BIBLE))
    good = [i for i, name in enumerate(origins) if name not in (BIBLE, PLAYS)]
    leaked = round(leak * half)
    own = good[:half] + plays[:leaked] + bible[:half - leaked]
    sets = {SLICE: own, REAL: good[:half] + plays[:quarter] + bible[:quarter],
            TARGET: own + plays[leaked:leaked + few],
            MORE: own + bible[half - leaked:half - leaked + few]}
    met = [pool["text"][i] for i in good[half:n] + plays[-quarter:] + bible[-quarter:]]
    weights = data.importance_weights(pool.select(own)["text"][:], met, train.bag_of_words,
                                      seed=seed)
    arms = {name: scores(pool.select(rows), parts["test"]) for name, rows in sets.items()}
    arms[WEIGHTED] = scores(pool.select(own), parts["test"], weights)
    known = data.strata_weights([origin if origin in (BIBLE, PLAYS) else "" for origin in
                                 (origins[i] for i in own)], {"": 0.5, BIBLE: 0.25, PLAYS: 0.25})
    arms[KNOWN] = scores(pool.select(own), parts["test"], known)
    drifts = {}
    for name in (SLICE, REAL):
        found = data.drift(pool.select(sets[name])["text"][:], met, train.bag_of_words, seed=seed)
        arms[name][AUC] = float(found["value"].iloc[-1])
        drifts[name] = found.to_dict("list")
    return Outcome(arms, {"pool": data.card(pool).sha256,
                          "test": data.card(parts["test"]).sha256},
                   {"drift": drifts, "weights count as": data.effective_size(weights), "n": n,
                    "few": few})


def scores(rows: Dataset, test: Dataset, weights: Sequence[float] | None = None
           ) -> dict[str, float]:
    """Share right of the whole test, of what the slice has in mind and of the rest, the plays."""
    taught = train.bag_of_words(rows["text"][:], rows["label"][:], weights)
    right = taught.predict(test["text"][:]) == np.array(test["label"][:])
    own = np.array([name != PLAYS for name in test["source"][:]])
    return {SCORE: float(right.mean()), OWN: float(right[own].mean()),
            REST: float(right[~own].mean())}
