"""Labelling and ranking: annotators, guidelines, consensus, what to label, manifests, sittings.

The annotators are simulated wherever they appear, so that labels can be held against a truth. How
far they agree is measured by `fmcourse.evaluate.agreement`.
"""

from fmcourse.data.annotation.annotators import Annotator, annotate, crew, flipped
from fmcourse.data.annotation.choosing import in_rounds, least_sure
from fmcourse.data.annotation.consensus import Consensus, dawid_skene, majority, review
from fmcourse.data.annotation.guidelines import AREAS, BETWEEN, Guideline, areas, disputed
from fmcourse.data.annotation.manifest import manifest_records, read_manifest, write_manifest
from fmcourse.data.annotation.ranking import Ranking
from fmcourse.data.annotation.sitting import Sitting

__all__ = [
    "AREAS", "BETWEEN", "Annotator", "Consensus", "Guideline", "Ranking", "Sitting", "annotate",
    "areas", "crew", "dawid_skene", "disputed", "flipped", "in_rounds", "least_sure", "majority",
    "manifest_records", "read_manifest", "review", "write_manifest",
]
