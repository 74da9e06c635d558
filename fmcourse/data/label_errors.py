"""Wrong labels: planted with known truth, and found.

Three kinds, each with its own way to find it. A label that a model, taught on the other records,
doubts with confidence (confident learning: Northcutt, Jiang and Chuang 2021, arXiv:1911.00068, by
their library cleanlab); one text under two labels; and two texts that are nearly the same under two
labels. The first can be wrong, since a model can; the others are facts, though not about which of
the labels is the wrong one.
"""

from __future__ import annotations

import random
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from datasets import Dataset
from sklearn.model_selection import StratifiedKFold

from fmcourse.data.card import card, with_card
from fmcourse.data.curation.dirt import near_copy
from fmcourse.data.near_duplicates import near_duplicates
from fmcourse.errors import DataError
from fmcourse.sources.group import folded

RIGHT, MISLABELLED, CONTRADICTED, NEARLY = ("right", "mislabelled", "same text, other label",
                                            "near duplicate, other label")
Teach = Callable[[list[str], list[int]], Any]


def plant_label_errors(dataset: Dataset, share: float = 0.15, copies: float = 0.03, seed: int = 0
                       ) -> Dataset:
    """Records with some labels made wrong, and some copied under another label.

    Args:
        dataset: columns text and label (0, 1 …); a card.
        share: of the records whose label becomes another, any with the same chance.
        copies: share of the right records that come again under another label, and the share that
            come again with a word changed as well.
        seed: which records, and which labels.

    Returns:
        Columns text, label, truth (the right label) and planted (what was done). The copies come
        last.

    Raises:
        DataError: there are fewer than two labels, or records are too few for such shares.
    """
    draw, texts, truth = random.Random(seed), dataset["text"][:], dataset["label"][:]
    classes = sorted(set(truth))
    wrong, again = round(share * len(texts)), round(copies * len(texts))
    if len(classes) < 2 or wrong + 2 * again > len(texts) or share < 0 or copies < 0:
        raise DataError(f"{share:g} and {copies:g} of {len(texts)} records with {len(classes)} "
                        "labels cannot be made wrong.", where="plant_label_errors",
                        fix="Give more records, or smaller shares.")

    def other(label: int) -> int:
        return draw.choice([name for name in classes if name != label])

    order = draw.sample(range(len(texts)), len(texts))
    flipped = set(order[:wrong])
    rows = [{"text": text, "label": other(label) if i in flipped else label, "truth": label,
             "planted": MISLABELLED if i in flipped else RIGHT}
            for i, (text, label) in enumerate(zip(texts, truth, strict=True))]
    for i in order[wrong:wrong + again]:
        rows.append({"text": texts[i], "label": other(truth[i]), "truth": truth[i],
                     "planted": CONTRADICTED})
    near = [(i, changed) for i in order[wrong + again:]
            if (changed := near_copy(texts[i], draw)) is not None][:again]
    rows += [{"text": changed, "label": other(truth[i]), "truth": truth[i], "planted": NEARLY}
             for i, changed in near]
    return with_card(Dataset.from_list(rows), card(dataset).step(
        "label errors planted", len(rows), 0, f"{share:.0%} mislabelled, seed {seed}"))


def out_of_fold(texts: Sequence[str], labels: Sequence[int], teach: Teach, folds: int = 5,
                seed: int = 0) -> np.ndarray:
    """What a classifier thinks of each record that it was not taught. (records, classes)

    It is taught on the other folds each time: doubt about a label that a model has learnt by heart
    would say nothing.

    Args:
        texts, labels: the records; labels 0, 1 ….
        teach: texts, labels → a classifier with `predict_proba`, such as `train.bag_of_words`.
        folds: parts that the records are cut into.
        seed: of the cut.

    Raises:
        DataError: a label is rarer than there are folds, or the labels are not 0, 1 ….
    """
    given = np.asarray(labels)
    counts = np.bincount(given) if given.size and given.min() >= 0 else np.zeros(1, int)
    if len(counts) < 2 or counts.min() < folds or len(given) != len(texts):
        raise DataError(f"Each of at least two labels (0, 1 …) is needed {folds} times, and one "
                        f"label a record; there are {counts.tolist()} of {len(texts)} records.",
                        where="out_of_fold", fix="Give more records, or use fewer folds.")
    found = np.empty((len(texts), len(counts)))
    cut = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for others, own in cut.split(given, given):
        taught = teach([texts[i] for i in others], given[others].tolist())
        found[own] = taught.predict_proba([texts[i] for i in own])
    return found


def mislabelled(labels: Sequence[int], probabilities: np.ndarray) -> list[int]:
    """Records whose label is probably wrong, by confident learning; the most doubtful first.

    A class has a threshold: the mean probability that its own records get for it. A record counts
    as a confident member of another class if it reaches that one's threshold; how many there are
    estimates how much of each class is mislabelled, and so many of the least likely are returned.

    Args:
        labels: 0, 1 … of each record.
        probabilities: (records, classes), out of fold.

    Raises:
        DataError: the two do not fit together.
    """
    from cleanlab.filter import find_label_issues  # takes seconds to import

    given = np.asarray(labels)
    if len(given) != len(probabilities) or given.max(initial=0) >= probabilities.shape[1]:
        raise DataError(f"{len(given)} labels do not fit probabilities of shape "
                        f"{probabilities.shape}.", where="mislabelled",
                        fix="Take both from the same records, with labels 0, 1 ….")
    with warnings.catch_warnings():  # a class that no record is confidently in is no mistake here
        warnings.simplefilter("ignore", UserWarning)
        found = find_label_issues(given, probabilities, n_jobs=1,
                                  return_indices_ranked_by="self_confidence")
    return found.tolist()


def contradictions(texts: Sequence[str], labels: Sequence[int]) -> list[list[int]]:
    """Groups of records that have the same text, but for case and white space, and several labels.

    >>> contradictions(["Stop.", "go", "stop. "], [0, 1, 1])
    [[0, 2]]
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        groups[folded(text)].append(i)
    return [rows for rows in groups.values() if len({labels[i] for i in rows}) > 1]


def near_contradictions(texts: Sequence[str], labels: Sequence[int], threshold: float = 0.8
                        ) -> list[tuple[int, int]]:
    """Pairs of records, the later one second, that nearly have the same text and differ in label.

    A text is compared with earlier ones that are themselves no near duplicates.

    >>> near_contradictions(["A fox ran up the hill.", "a fox ran UP the hill"], [0, 1])
    [(0, 1)]
    """
    originals = near_duplicates(texts, threshold)
    return [(first, second) for second, first in enumerate(originals)
            if first is not None and labels[first] != labels[second]]


def grade_flags(flagged: Sequence[int], wrong: Sequence[int]) -> tuple[float, float]:
    """Precision and recall of the records flagged; without any flag the precision is 0.

    >>> grade_flags([1, 2], [2, 3, 4, 5])
    (0.5, 0.25)
    """
    both = len(set(flagged) & set(wrong))
    return both / (len(set(flagged)) or 1), both / (len(set(wrong)) or 1)
