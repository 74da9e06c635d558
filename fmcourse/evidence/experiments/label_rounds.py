"""L4: labelling in rounds: what to label next, and a guideline mended before most is labelled."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import product
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from fmcourse import evaluate
from fmcourse.data import annotation
from fmcourse.data.annotation import Guideline
from fmcourse.evidence.experiments.labelling import LABELS, LEARNERS, Task, right, task
from fmcourse.evidence.experiments.shared import Outcome

UNSURE, RANDOM = "least sure next", "at random"
REFINED, AT_ONCE = "pilot, review, refined guideline", "all at once, vague guideline"
ANNOTATORS, EACH = annotation.crew()[:5], 3
ALPHA = "Krippendorff's alpha"


def label_rounds(seed: int, items: int = 2400, test: int = 600, start: int = 40, batch: int = 40,
                 budget: int = 280, fade: float = 0.5, repeats: int = 2, pilot: int = 120,
                 labels: int = 1800, undecided: int = 8, asked_above: float = 0.4) -> Outcome:
    """Two uses of rounds, each at equal cost.

    What to label next: the least sure items or any, of a pool in which some areas are rare, as in
    one that nobody has balanced; the labels are true ones, the test has all areas. How to label:
    five careful annotators (simulated), three an item, all at once with a vague guideline; or a
    pilot batch, after which the owner of the data answers what was disputed in it, has the pilot's
    items concerned labelled anew, and goes on with the better guideline until the same number of
    labels is bought.

    Args:
        items, test: paragraphs to choose from, and to judge by.
        start, batch, budget: items labelled at first, in a round, and in all.
        fade: each area is so many times as frequent in the pool as the next commoner.
        repeats: pools and starts drawn; the mean counts.
        pilot: items in the pilot batch.
        labels: bought in either way, of three an item.
        undecided: services that the vague guideline leaves open.
        asked_above: the owner looks at a service if this share of pairs of labels differ.
    """
    read, clear = task(seed, items, test), annotation.areas(0)
    truth, asked = clear.meant(read.kinds), clear.meant(read.test_kinds)
    draws = [repeats * seed + i for i in range(repeats)]
    pools, arms, curve = [faded(truth.tolist(), fade, draw) for draw in draws], {}, []
    for learner, arm in product(LEARNERS, (UNSURE, RANDOM)):
        runs = [rounds(read, learner, pool, truth, asked, arm, start, batch, budget, draw)
                for pool, draw in zip(pools, draws, strict=True)]
        own = {count: fmean(run[count] for run in runs) for count in runs[0]}
        curve += [{"arm": arm, "learner": learner, "labels": count, "right": value}
                  for count, value in own.items()]
        later = list(own.values())[1:]  # the first round is the same
        arms.setdefault(arm, {})[f"{right(learner)}, mean over rounds"] = fmean(later)
        arms[arm][f"{right(learner)}, at the end"] = later[-1]
    vague = annotation.areas(undecided)
    tables = {AT_ONCE: all_at_once(read, vague, labels, seed)}
    tables[REFINED], details = refined(read, vague, labels, seed, pilot, asked_above)
    arms |= {arm: judged(read, table, truth, asked) for arm, table in tables.items()}
    return Outcome(arms, read.data, {"curve": curve, "pool": len(pools[0]), **details})


def faded(kinds: Sequence[Hashable], fade: float, seed: int) -> list[int]:
    """Items of which each kind is rarer than the one before by a factor, kinds in random order."""
    names = sorted(set(kinds))
    order = np.random.default_rng([seed, 5]).permutation(len(names))
    most = min(kinds.count(name) for name in names)
    left = {names[j]: max(1, round(most * fade ** place)) for place, j in enumerate(order)}
    pool = []
    for i, kind in enumerate(kinds):
        if left[kind]:
            left[kind] -= 1
            pool.append(i)
    return pool


def rounds(read: Task, learner: str, pool: list[int], truth: np.ndarray, asked: np.ndarray,
           arm: str, start: int, batch: int, budget: int, seed: int) -> dict[int, float]:
    """Labels so far → share of the test that is right, for each round."""
    shown = read.shown[learner]

    def teach(rows: list[int]) -> Any:
        return read.taught(learner, [pool[i] for i in rows], truth[[pool[i] for i in rows]])

    def doubt(model: Any, rows: list[int]) -> np.ndarray:
        return model.predict_proba([shown[pool[i]] for i in rows])

    return {len(chosen): float(np.mean(model.predict(read.test_shown[learner]) == asked))
            for chosen, model in annotation.in_rounds(
                len(pool), teach, doubt if arm == UNSURE else None, start=start, batch=batch,
                budget=budget, seed=seed)}


def all_at_once(read: Task, vague: Guideline, labels: int, seed: int) -> pd.DataFrame:
    """Labels bought with the guideline as it is."""
    return buy(vague, read.kinds, range(labels // EACH), seed, 0)


def refined(read: Task, vague: Guideline, labels: int, seed: int, pilot: int, asked_above: float
            ) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Labels bought in a pilot batch and after its review; those found wanting were paid for too.

    The owner answers what is asked, and only what the guideline left open changes by that.
    """
    first = buy(vague, read.kinds, range(pilot), seed, 0)
    found = annotation.disputed(first, read.kinds)
    asked = found.loc[found["disagree"] > asked_above, "kind"].tolist()
    clearer, again = vague.settled(asked), [i for i in range(pilot) if read.kinds[i] in asked]
    end = labels // EACH - len(again)
    bought = [first[~first["item"].isin(again)], buy(clearer, read.kinds, again, seed, 1),
              buy(clearer, read.kinds, range(pilot, end), seed, 2)]
    return pd.concat(bought), {"asked": asked, "open": list(vague.open),
                               "left open": list(clearer.open), "labelled anew": len(again)}


def buy(guideline: Guideline, kinds: Sequence[str], rows: Sequence[int], seed: int, stage: int
        ) -> pd.DataFrame:
    """Three labels of each of these items. At every stage of a job (0, 1, 2) the annotators read
    the guideline as before, but make other mistakes."""
    if not len(rows):
        return pd.DataFrame(columns=["item", "annotator", "label", "order"], dtype=int)
    held = guideline.read_by(len(ANNOTATORS), [kinds[i] for i in rows], seed)
    table = annotation.annotate(held, ANNOTATORS, len(guideline.classes), each=EACH,
                                seed=3 * seed + stage)
    return table.assign(item=np.asarray(rows)[table["item"]])


def judged(read: Task, labels: pd.DataFrame, truth: np.ndarray, asked: np.ndarray
           ) -> dict[str, float]:
    """How far the annotators agree, how many labels are right, and what is learnt from them."""
    found = annotation.majority(labels, int(truth.max()) + 1)
    return {ALPHA: evaluate.krippendorff_alpha(evaluate.ratings(labels)),
            LABELS: found.right(truth),
            **read.scores(found.items["item"], found.items["label"], asked)}
