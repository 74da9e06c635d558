"""R2: as many examples, alike or different; and whether coverage foretells the score."""

from __future__ import annotations

import numpy as np
from scipy import stats

from fmcourse import data, train
from fmcourse.evidence.experiments.shared import Outcome

SCORE, HIT, VENDI, FORETELLS = ("right on the test", "clusters covered", "Vendi score",
                                "rank correlation with the score")
DIVERSE, RANDOM, NARROW = "diverse", "at random", "narrow"
COVERAGE, LENGTH = "coverage", "characters read"


def diverse_enough(seed: int, n: int = 384, pool: int = 4096, test: int = 1008, kinds: int = 128,
                   shares: tuple[float, ...] = (0.25, 0.5, 0.75)) -> Outcome:
    """Whose documentation is it? Taught on as many paragraphs of each service, chosen three ways.

    Every service has the same number in every arm: what is narrow is what is said of it (a
    paragraph and its nearest neighbours), not which labels there are. Sets between narrow and
    random show whether coverage goes with the score; the characters read are the rival
    explanation.

    Args:
        n: labelled records.
        pool: what they are chosen from, unlabelled but for their service.
        test: records of the whole distribution.
        kinds: clusters that coverage counts.
        shares: of the records that are random, in the sets between.
    """
    parts = data.service_paragraphs(seed, train=pool, test=test)
    texts, labels = parts["train"]["text"][:], parts["train"]["label"][:]
    points = data.text_vectors(texts, seed=seed)
    assigned = data.clusters(points, min(kinds, len(texts) // 2), seed)
    sets = {DIVERSE: data.diverse(points, n, seed, labels), RANDOM: balanced(labels, n, seed),
            NARROW: data.narrow(points, n, seed, labels)}
    for share in shares:
        some = balanced(labels, round(share * n), seed + 1)
        near = [i for i in sets[NARROW] if i not in some]
        rest = balanced([labels[i] for i in near], n - len(some), seed)
        sets[f"{share:.0%} at random"] = sorted([*some, *(near[i] for i in rest)])
    arms, sizes = {}, {}
    for name, rows in sets.items():
        taught = train.bag_of_words([texts[i] for i in rows], [labels[i] for i in rows])
        arms[name] = {SCORE: float(taught.score(parts["test"]["text"][:],
                                                parts["test"]["label"][:])),
                      HIT: data.coverage(assigned, rows).hit, VENDI: data.vendi(points[rows])}
        sizes[name] = sum(len(texts[i]) for i in rows)
    score = [arm[SCORE] for arm in arms.values()]
    for name, rival in ((COVERAGE, [arm[HIT] for arm in arms.values()]),
                        (LENGTH, list(sizes.values()))):
        arms.setdefault(name, {})[FORETELLS] = correlation(rival, score)
    return Outcome(arms, {"pool": data.card(parts["train"]).sha256,
                          "test": data.card(parts["test"]).sha256},
                   {"characters": sizes, "records": {name: len(rows) for name, rows
                                                     in sets.items()}, "n": n})


def balanced(labels: list[int], n: int, seed: int) -> list[int]:
    """n records at random, as many of each label as n allows."""
    order = np.random.default_rng([seed, 2]).permutation(len(labels)).tolist()
    turns: dict[int, int] = {}
    ranked = []
    for i in order:
        turns[labels[i]] = turns.get(labels[i], 0) + 1
        ranked.append((turns[labels[i]], len(ranked), i))
    return sorted(i for _, _, i in sorted(ranked)[:n])


def correlation(first: list[float], second: list[float]) -> float:
    """Spearman's; 0 where one of the two does not vary."""
    if len(set(first)) < 2 or len(set(second)) < 2:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)
