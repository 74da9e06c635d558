"""Personal data in texts: found, taken out or given pseudonyms, and the detector graded.

`find` says where it stands, `redact`, `mask` and `pseudonymise` replace it, `without_personal` does
so for a data set; `teach_names` makes the tagger for names; `plant_personal` and `grade_spans`
measure what all that misses, which is never nothing.
"""

from fmcourse.data.privacy.find import find
from fmcourse.data.privacy.grade import grade_spans
from fmcourse.data.privacy.names import NameTagger, teach_names
from fmcourse.data.privacy.plant import plant_personal, spans_of, templates
from fmcourse.data.privacy.replace import (
    Pseudonyms,
    label,
    mask,
    new_key,
    pseudonymise,
    redact,
    replaced,
    stars,
    step,
    without_personal,
)
from fmcourse.data.privacy.spans import KINDS, STRUCTURED, PersonalSpan

__all__ = [
    "KINDS", "STRUCTURED", "NameTagger", "PersonalSpan", "Pseudonyms", "find", "grade_spans",
    "label", "mask", "new_key", "plant_personal", "pseudonymise", "redact", "replaced", "spans_of",
    "stars", "step", "teach_names", "templates", "without_personal",
]
