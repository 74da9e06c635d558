"""The ledger: one experiment a syllabus claim, with arms, a control, seeds and bounds."""

from fmcourse.evidence.claim import Claim, Judgement, Measure, claims, get, judge
from fmcourse.evidence.ledger import check, read

__all__ = ["Claim", "Judgement", "Measure", "check", "claims", "get", "judge", "read",
           "run_claims"]


def __getattr__(name: str):  # the experiments load models: only when asked for
    if name == "run_claims":
        from fmcourse.evidence.run import run_claims

        return run_claims
    raise AttributeError(name)
