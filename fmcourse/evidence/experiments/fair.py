"""R4: a biased set found before training and after, mitigated, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from fmcourse import data, evaluate, models, train
from fmcourse.data.bias import class_imbalance
from fmcourse.data.filtering import SHE
from fmcourse.data.swaps import PRONOUNS, WOMEN_AND_MEN
from fmcourse.evaluate.counterfactual import CHANGED, GAP
from fmcourse.evidence.experiments.shared import Outcome

FOUND, FLIPS, FLIPS_OTHER, HIGHER, KEPT, CLOSED, RIGHT, APPARENT = (
    "metrics that find bias", "decisions that a swap changes",
    "decisions that other swaps change", "probability: he minus she", "kept: he minus she",
    "share of the gap closed", "right", "right by the biased labels")
OTHERS = tuple(pair for pair in WOMEN_AND_MEN if pair not in PRONOUNS)
UNBIASED, BIASED, REWEIGHED, RESAMPLED, AUGMENTED, FAIR_REWEIGHED, FAIR_AUGMENTED = (
    "unbiased", "biased", "reweighed", "resampled", "with swapped copies",
    "unbiased, reweighed", "unbiased, with swapped copies")


def fair(seed: int, train_size: int = 2400, test: int = 600, turned_down: float = 0.5,
         draws: int = 200) -> Outcome:
    """Which sentences are kept for a corpus? Labels that turn down half of what is about women.

    Real sentences, real labels; the bias is simulated, so that the truth is known: fewer sentences
    about women, half of the good ones labelled bad. The control is an unbiased set of the same
    size. Mitigations are given nothing but the biased set. The test counts right by the truth, and
    beside it by labels as biased as the training set's, which is all that practice would have.
    Training with swapped copies makes a filter blind to the words swapped; so other words are
    swapped, too, of which no mitigation was told. How much of the gap between the rates kept is
    closed is counted from the biased filter (0) to the unbiased one (1).

    Args:
        train_size: sentences collected, a third of those about women lost again or kept.
        test: sentences, as many about either.
        turned_down: share of the good ones about women that are labelled bad.
        draws: times that facets are dealt at random, for what the metrics show by chance.
    """
    parts = data.people(seed, train_size, test)
    biased = data.with_biased_labels(parts["train"], turned_down, seed=seed)
    equal = parts["train"].select(range(len(biased)))
    apparent = data.with_biased_labels(parts["test"], turned_down, 1.0, seed)["label"][:]
    ways = {UNBIASED: plain(equal), BIASED: plain(biased), REWEIGHED: reweighed(biased),
            RESAMPLED: resampled(biased, seed), AUGMENTED: augmented(biased),
            FAIR_REWEIGHED: reweighed(equal), FAIR_AUGMENTED: augmented(equal)}
    arms = {name: judged(train.bag_of_words(*way), parts["test"], apparent)
            for name, way in ways.items()}
    gap = arms[BIASED][KEPT] - arms[UNBIASED][KEPT]
    for name in (BIASED, REWEIGHED, RESAMPLED, AUGMENTED):
        arms[name][CLOSED] = (arms[BIASED][KEPT] - arms[name][KEPT]) / gap if gap else 0.0
    metrics = {}
    for name, rows in ((UNBIASED, equal), (BIASED, biased)):
        metrics[name], found = detected(rows, draws, seed)
        arms[name][FOUND] = found
    bits = evaluate.swap_bits(models.load("base"), data.templates(), PRONOUNS)
    return Outcome(arms, {"train": data.card(parts["train"]).sha256,
                          "test": data.card(parts["test"]).sha256},
                   {"metrics": metrics, "records": len(biased),
                    "base's bits for he over she": bits[["text", "bits"]].to_dict("list")})


def plain(rows: Dataset) -> tuple[list[str], list[int], None]:
    """Texts and labels as they are."""
    return rows["text"][:], rows["label"][:], None


def reweighed(rows: Dataset) -> tuple[list[str], list[int], np.ndarray]:
    """With weights that make label and facet independent."""
    return rows["text"][:], rows["label"][:], data.reweighing(rows["label"][:], rows["facet"][:])


def resampled(rows: Dataset, seed: int) -> tuple[list[str], list[int], None]:
    """The same by drawing records again."""
    return plain(rows.select(data.resampled(rows["label"][:], rows["facet"][:], seed)))


def augmented(rows: Dataset) -> tuple[list[str], list[int], None]:
    """Every record twice, once as it is and once swapped, with the same label."""
    texts, labels, _ = plain(rows)
    return texts + data.swapped(texts, PRONOUNS), labels + labels, None


def judged(taught, test: Dataset, apparent: Sequence[int]) -> dict[str, float]:
    """A filter by its decisions on the test and on the test swapped, by pronouns and by nouns."""
    texts, truth = test["text"][:], np.array(test["label"][:])
    kept, she = taught.predict(texts), np.array(test["facet"][:]) == SHE
    swap, other = (evaluate.swap_test(lambda some: taught.predict_proba(some)[:, 1], texts, pairs
                                      ).set_index("measure")["value"]
                   for pairs in (PRONOUNS, OTHERS))
    return {FLIPS: float(swap[CHANGED]), FLIPS_OTHER: float(other[CHANGED]),
            HIGHER: float(swap[GAP]),
            KEPT: float(kept[~she].mean() - kept[she].mean()),
            RIGHT: float((kept == truth).mean()),
            APPARENT: float((kept == np.array(apparent)).mean())}


def detected(rows: Dataset, draws: int, seed: int) -> tuple[dict[str, float], float]:
    """The eight metrics, and the share of them larger than chance gives in 95 % of draws.

    Chance: the same facets, dealt anew to the records. That leaves how many there are of each, and
    so CI, as it is; for CI alone, every record is of either facet with the same probability, as if
    half of the people were of each.
    """
    labels, facets = rows["label"][:], rows["facet"][:]
    lengths = np.array([len(text) for text in rows["text"][:]])
    groups = np.searchsorted(np.quantile(lengths, (0.25, 0.5, 0.75)), lengths).tolist()
    found = data.bias_metrics(labels, facets, SHE, 1, groups)
    draw = np.random.default_rng(seed)
    chance = [data.bias_metrics(labels, draw.permutation(facets).tolist(), SHE, 1, groups)
              | {"CI": class_imbalance(women := int(draw.binomial(len(labels), 0.5)),
                                       len(labels) - women)} for _ in range(draws)]
    high = {name: np.quantile([abs(one[name]) for one in chance], 0.95) for name in found}
    return found, float(np.mean([abs(found[name]) > high[name] for name in found]))
