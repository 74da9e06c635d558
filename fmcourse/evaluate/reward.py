"""How good a reward model is: does it prefer what was preferred, is it as sure as it should be, and
is it only counting words?

Pure functions of the rewards of pairs. Every measure treats the two sides of a pair alike, so none
depends on which one is written first. A tie among the labels, and equal rewards among the
predictions, count as half a preference for either side, as they do in the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from datasets import Dataset
from scipy.special import expit

from fmcourse.errors import DataError
from fmcourse.models import RewardModel

Numbers = Sequence[float] | np.ndarray
BINS = 10


def reward_report(
    chosen: Numbers, rejected: Numbers, chosen_lengths: Numbers, rejected_lengths: Numbers,
    ties: Sequence[bool] | np.ndarray | None = None, bins: int = BINS,
) -> dict[str, float]:
    """All measures of one set of pairs.

    Args:
        chosen, rejected: (pairs,) raw rewards, whose differences are log-odds.
        chosen_lengths, rejected_lengths: (pairs,) of the replies, in any unit.
        ties: (pairs,), where neither reply was preferred.
        bins: of the calibration error.

    Returns:
        `accuracy` (see `pairwise_accuracy`), `ece` (`calibration_error`), and those of
        `length_bias`.

    Raises:
        DataError: shapes differ, a number is not finite, or all are ties.
    """
    return {"accuracy": pairwise_accuracy(chosen, rejected, ties),
            "ece": calibration_error(chosen, rejected, ties, bins),
            **length_bias(chosen, rejected, chosen_lengths, rejected_lengths, ties)}


def preference_report(model: RewardModel, pairs: Dataset, batch: int = 32) -> dict[str, float]:
    """`reward_report` of a reward model on pairs; lengths are in characters.

    Args:
        pairs: with columns `prompt`, `chosen` and `rejected`, and perhaps `tie`.
        batch: replies scored together.

    Raises:
        DataError, ModelError: as `reward_report` and `RewardModel.score`.
    """
    sides = [list(pairs[side]) for side in ("chosen", "rejected")]
    raw = model.raw(list(pairs["prompt"]) * 2, sides[0] + sides[1], batch)
    ties = [bool(tie) for tie in pairs["tie"]] if "tie" in pairs.column_names else None
    lengths = ([len(reply) for reply in side] for side in sides)
    return reward_report(*np.split(raw, 2), *lengths, ties)


def pairwise_accuracy(chosen: Numbers, rejected: Numbers,
                      ties: Sequence[bool] | np.ndarray | None = None) -> float:
    """Share of pairs whose preferred reply has the higher reward; equal rewards count half.

    Ties among the labels are left out: nobody was right there.

    Raises:
        DataError: as `reward_report`.

    >>> pairwise_accuracy([2.0, 1.0, 0.0], [1.0, 1.0, 3.0])  # right, undecided, wrong
    0.5
    """
    difference, label = _pairs(chosen, rejected, ties)
    decided = label == 1
    if not decided.any():
        raise DataError("Nothing was preferred in these pairs: all are ties.",
                        where="pairwise_accuracy", fix="Give at least one pair with a preference.")
    return float(_share(difference[decided]).mean())


def calibration(chosen: Numbers, rejected: Numbers,
                ties: Sequence[bool] | np.ndarray | None = None, bins: int = BINS) -> pd.DataFrame:
    """How sure a model was, and how often it was right, for a reliability diagram.

    A pair is seen from the side that got the higher reward: the model is σ(|r_c − r_r|) sure of it,
    from ½ to 1, and is right, wrong, or (a tie, equal rewards) half right.

    Returns:
        A row for each of the bins of equal width from ½ to 1 that has pairs: `sure` and `right`
        (means), and `pairs`.

    Raises:
        DataError: as `reward_report`.
    """
    difference, label = _pairs(chosen, rejected, ties)
    sure = expit(np.abs(difference))
    right = np.where(label == 1, _share(difference), label)
    place = np.minimum((2 * bins * (sure - 0.5)).astype(int), bins - 1)
    grouped = pd.DataFrame({"sure": sure, "right": right}).groupby(place)
    return grouped.mean().assign(pairs=grouped.size()).reset_index(drop=True)


def calibration_error(chosen: Numbers, rejected: Numbers,
                      ties: Sequence[bool] | np.ndarray | None = None, bins: int = BINS) -> float:
    """Expected calibration error: how far being sure and being right are apart on average.

    Guo et al. 2017 (arXiv:1706.04599, eq. 3), with their bins of equal width, here of the
    confidences from ½ to 1 that `calibration` makes of rewards: Σ pairs/all · |right − sure|. With
    few pairs it is above 0 even of a model that is calibrated.

    Raises:
        DataError: as `reward_report`.
    """
    table = calibration(chosen, rejected, ties, bins)
    return float(np.average((table["right"] - table["sure"]).abs(), weights=table["pairs"]))


def length_bias(
    chosen: Numbers, rejected: Numbers, chosen_lengths: Numbers, rejected_lengths: Numbers,
    ties: Sequence[bool] | np.ndarray | None = None,
) -> dict[str, float]:
    """Whether the longer reply gets the higher reward more often than it was preferred.

    Returns:
        `longer_rated_higher` and `longer_preferred`, shares of the pairs of different length (½ if
        there are none; ties and equal rewards count half); `length_bias`, the first minus the
        second; and `length_correlation`, Pearson's of the differences of reward and of length, each
        pair counted both ways round, so that it does not depend on the labels (0 where one of them
        never differs).

    Raises:
        DataError: as `reward_report`.

    >>> length_bias([2.0, 0.0], [1.0, 1.0], [5, 9], [3, 4])["longer_rated_higher"]
    0.5
    """
    difference, label = _pairs(chosen, rejected, ties)
    longer, _ = _pairs(chosen_lengths, rejected_lengths, None)
    if len(longer) != len(difference):
        raise DataError(f"{len(difference)} pairs of rewards, {len(longer)} pairs of lengths.",
                        where="length_bias", fix="Give each reply its length.")
    uneven, sign = longer != 0, np.sign(longer)
    rated = preferred = 0.5
    if uneven.any():
        rated = float(_share(difference * sign)[uneven].mean())
        preferred = float(np.where(sign > 0, label, 1 - label)[uneven].mean())
    norm = np.linalg.norm(difference) * np.linalg.norm(longer)
    return {"length_bias": rated - preferred, "longer_rated_higher": rated,
            "longer_preferred": preferred,
            "length_correlation": float(difference @ longer / norm) if norm else 0.0}


def _share(difference: np.ndarray) -> np.ndarray:
    """1 where the first is higher, 0 where it is lower, ½ where they are equal."""
    return (np.sign(difference) + 1) / 2


def _pairs(chosen: Numbers, rejected: Numbers, ties: Sequence[bool] | np.ndarray | None
           ) -> tuple[np.ndarray, np.ndarray]:
    """Differences, and labels: 1 for a preference, ½ for a tie."""
    chosen, rejected = (np.asarray(side, dtype=np.float64) for side in (chosen, rejected))
    tied = np.zeros(chosen.shape, bool) if ties is None else np.asarray(ties, dtype=bool)
    if chosen.ndim != 1 or not chosen.shape == rejected.shape == tied.shape or not len(chosen):
        raise DataError(f"These are no pairs: shapes {chosen.shape}, {rejected.shape} and "
                        f"{tied.shape}.", where="evaluate.reward",
                        fix="Give one number for each reply, and at least one pair.")
    difference = chosen - rejected
    if not np.isfinite(difference).all():
        wrong = int(np.flatnonzero(~np.isfinite(difference))[0])
        raise DataError(f"The rewards {chosen[wrong]} and {rejected[wrong]} have no difference.",
                        where=f"pair {wrong}", fix="Each must be a finite number.")
    return difference, np.where(tied, 0.5, 1.0)
