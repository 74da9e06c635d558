"""The experiments behind the claims: each takes a seed and returns an `Outcome`.

A module an experiment, plain calls of the library: what a lesson does live in a minute, at a size
where the spread over seeds says something.
"""

from fmcourse.evidence.experiments.affordable import affordable
from fmcourse.evidence.experiments.audited import audited
from fmcourse.evidence.experiments.aws_documents import aws_documents
from fmcourse.evidence.experiments.base_model import base_model
from fmcourse.evidence.experiments.better_start import better_start
from fmcourse.evidence.experiments.by_route import by_route
from fmcourse.evidence.experiments.continued import continued
from fmcourse.evidence.experiments.curated import curated, duplicates
from fmcourse.evidence.experiments.demonstrated import demonstrated
from fmcourse.evidence.experiments.distillation import distilled
from fmcourse.evidence.experiments.diverse_enough import diverse_enough
from fmcourse.evidence.experiments.enough import enough, far_less
from fmcourse.evidence.experiments.expert import expert
from fmcourse.evidence.experiments.fair import fair
from fmcourse.evidence.experiments.feedback_on_aws import feedback_on_aws
from fmcourse.evidence.experiments.formats import formats
from fmcourse.evidence.experiments.governed import governed
from fmcourse.evidence.experiments.harmless import harmless
from fmcourse.evidence.experiments.instructed import formats_kept, unseen_families
from fmcourse.evidence.experiments.kept_current import kept_current
from fmcourse.evidence.experiments.label_errors import label_errors
from fmcourse.evidence.experiments.label_guidelines import label_guidelines
from fmcourse.evidence.experiments.label_noise import label_noise
from fmcourse.evidence.experiments.label_rounds import label_rounds
from fmcourse.evidence.experiments.least_privilege import least_privilege
from fmcourse.evidence.experiments.managed import managed
from fmcourse.evidence.experiments.methods import methods
from fmcourse.evidence.experiments.objectives import objectives
from fmcourse.evidence.experiments.overfit import overfit
from fmcourse.evidence.experiments.pretraining import pretraining
from fmcourse.evidence.experiments.private import private
from fmcourse.evidence.experiments.published import published
from fmcourse.evidence.experiments.ranked import ranked
from fmcourse.evidence.experiments.refreshed import refreshed
from fmcourse.evidence.experiments.registered import registered
from fmcourse.evidence.experiments.reinforced import reinforced
from fmcourse.evidence.experiments.represented import represented
from fmcourse.evidence.experiments.routes import routes
from fmcourse.evidence.experiments.scaling import scaling
from fmcourse.evidence.experiments.several_annotators import several_annotators
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.evidence.experiments.specialised import specialist, task_specific
from fmcourse.evidence.experiments.traced import traced
from fmcourse.evidence.experiments.transfer import transfer
from fmcourse.evidence.experiments.unusual import unusual
from fmcourse.evidence.experiments.validated import validated

EXPERIMENTS = {experiment.__name__: experiment for experiment in (
    affordable, audited, aws_documents, base_model, better_start, by_route, continued, curated,
    demonstrated, distilled, diverse_enough, duplicates, enough, expert, fair, far_less,
    feedback_on_aws, formats, formats_kept, governed, harmless, kept_current, label_errors,
    label_guidelines, label_noise, label_rounds, least_privilege, managed, methods, objectives,
    overfit, pretraining, private, published, ranked, refreshed, registered, reinforced,
    represented, routes, scaling, several_annotators, specialist, task_specific, traced, transfer,
    unseen_families, unusual, validated)}

__all__ = ["EXPERIMENTS", "Outcome"]
