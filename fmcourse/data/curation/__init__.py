"""Curation: from what an archive holds to what a model should read, step by named step.

`curate(dataset, standard())` takes records through the steps and says of each one what became of
it; `plant` and `grade` measure that against planted dirt; `raw` is real dirt.
"""

from fmcourse.data.curation.dirt import grade, plant, plant_copies
from fmcourse.data.curation.duplicates import (
    decontaminated,
    exact_duplicates,
    near_duplicate_texts,
)
from fmcourse.data.curation.language import identify, language
from fmcourse.data.curation.pipeline import Curated, Decision, Drop, Step, curate, each
from fmcourse.data.curation.quality import against_shuffled, quality
from fmcourse.data.curation.raw import SHARES, raw
from fmcourse.data.curation.repair import boilerplate, encoding, markup, unicode_form
from fmcourse.data.curation.rules import heuristics, thresholds
from fmcourse.data.curation.schema import standardise
from fmcourse.data.curation.standard import repairs, standard

__all__ = [
    "SHARES", "Curated", "Decision", "Drop", "Step", "against_shuffled", "boilerplate", "curate",
    "decontaminated", "each", "encoding", "exact_duplicates", "grade", "heuristics", "identify",
    "language", "markup", "near_duplicate_texts", "plant", "plant_copies", "quality", "raw",
    "repairs", "standard", "standardise", "thresholds", "unicode_form",
]
