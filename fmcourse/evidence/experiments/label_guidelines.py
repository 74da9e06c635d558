"""L2: the same simulated annotators with a vague guideline and with a clear one."""

from __future__ import annotations

from fmcourse import evaluate
from fmcourse.data import annotation
from fmcourse.evidence.experiments.labelling import LABELS, task
from fmcourse.evidence.experiments.shared import Outcome

VAGUE, CLEAR = "vague guideline", "clear guideline"
ANNOTATORS = annotation.crew()[:5]  # careful people: it is not they who are at fault


def label_guidelines(seed: int, items: int = 600, test: int = 600, undecided: int = 8) -> Outcome:
    """Five careful annotators (simulated) label the same paragraphs by area, each every one.

    The vague guideline leaves some services between two areas, and each annotator privately
    decides; the clear one decides. Skill, mistakes and cost are the same.

    Args:
        items: paragraphs, each labelled five times.
        test: paragraphs to judge by what is learnt from the majority's labels.
        undecided: of the 24 services.
    """
    read, vague = task(seed, items, test), annotation.areas(undecided)
    clear, arms, disputed = vague.settled(), {}, {}
    truth, asked = clear.meant(read.kinds), clear.meant(read.test_kinds)
    for arm, guideline in ((VAGUE, vague), (CLEAR, clear)):
        held = guideline.read_by(len(ANNOTATORS), read.kinds, seed)
        labels = annotation.annotate(held, ANNOTATORS, len(clear.classes), seed=seed)
        found = annotation.majority(labels, len(clear.classes))
        arms[arm] = {**evaluate.agreement(labels).set_index("measure")["value"].to_dict(),
                     LABELS: found.right(truth),
                     **read.scores(found.items["item"], found.items["label"], asked)}
        disputed[arm] = annotation.disputed(labels, read.kinds).to_dict("list")
    return Outcome(arms, read.data, {"disputed": disputed, "open": list(vague.open),
                                     "labels": len(labels)})
