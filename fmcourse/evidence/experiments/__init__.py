"""The experiments behind the claims: each takes a seed and returns an `Outcome`.

A module an experiment, plain calls of the library: what a lesson does live in a minute, at a size
where the spread over seeds says something.
"""

from fmcourse.evidence.experiments.affordable import affordable
from fmcourse.evidence.experiments.audited import audited
from fmcourse.evidence.experiments.base_model import base_model
from fmcourse.evidence.experiments.better_start import better_start
from fmcourse.evidence.experiments.continued import continued
from fmcourse.evidence.experiments.curated import curated, duplicates
from fmcourse.evidence.experiments.expert import expert
from fmcourse.evidence.experiments.formats import formats
from fmcourse.evidence.experiments.governed import governed
from fmcourse.evidence.experiments.instructed import formats_kept, unseen_families
from fmcourse.evidence.experiments.label_errors import label_errors
from fmcourse.evidence.experiments.methods import methods
from fmcourse.evidence.experiments.objectives import objectives
from fmcourse.evidence.experiments.pretraining import pretraining
from fmcourse.evidence.experiments.published import published
from fmcourse.evidence.experiments.refreshed import refreshed
from fmcourse.evidence.experiments.registered import registered
from fmcourse.evidence.experiments.scaling import scaling
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.evidence.experiments.specialised import specialist, task_specific
from fmcourse.evidence.experiments.traced import traced
from fmcourse.evidence.experiments.transfer import transfer

EXPERIMENTS = {experiment.__name__: experiment for experiment in (
    affordable, audited, base_model, better_start, continued, curated, duplicates, expert,
    formats, formats_kept, governed, label_errors, methods, objectives, pretraining, published,
    refreshed, registered, scaling, specialist, task_specific, traced, transfer,
    unseen_families)}

__all__ = ["EXPERIMENTS", "Outcome"]
