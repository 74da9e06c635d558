"""What the experiments hold effects against: chance for the metrics, a threshold for examples."""

import numpy as np
from datasets import Dataset

from fmcourse.evidence.experiments.fair import detected
from fmcourse.evidence.experiments.unusual import by_threshold


def about(facets: list[str], labels: list[int]) -> Dataset:
    return Dataset.from_dict({"text": ["a" * (i % 40) for i in range(len(labels))],
                              "label": labels, "facet": facets})


def test_what_only_lacks_women_is_found_by_class_imbalance_alone():
    draw = np.random.default_rng(0)
    some, good = ["he"] * 300 + ["she"] * 100, ([0, 1] * 200)
    assert detected(about(some, good), 100, 0)[1] == 1 / 8
    assert detected(about(["he", "she", "she", "he"] * 100, good), 100, 0)[1] == 0
    worse = [int(facet == "he" or draw.random() < 0.5) for facet in some]
    assert detected(about(some, worse), 100, 0)[1] == 1


def test_a_threshold_turns_away_what_shares_no_word():
    tidy = Dataset.from_dict({"text": ["red fox", "red hen", "blue whale", "blue fish"],
                              "label": [0, 0, 1, 1]})
    assert by_threshold(tidy, ["a red fox", "a blue whale"], ["red fox", "", "Satz"], 2
                        ) == [0, 2, 2]
