"""The one dial: `FMCOURSE_SCALE` is smoke, cpu or gpu, and every budget derives from it.

`cpu` is what learners run and where claims are enforced; `smoke` runs the same cells in seconds
for the tests and judges nothing; `gpu` spends the same minutes on a larger model. One table here
instead of numbers spread over notebooks, so that a lesson's cost can be seen and changed at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from fmcourse.errors import CourseError


@dataclass(frozen=True)
class Scale:
    """Budgets of one setting of the dial. Token counts are training tokens.

    `enforce` says whether a claim that fails its bound stops the lesson.
    """

    name: str
    enforce: bool
    documents: int  # passages the live lessons read, at most
    live_size: str  # the model trained in front of the learner
    live_tokens: int  # its training budget
    short_tokens: int  # an arm of a comparison
    ladder: tuple[str, ...]  # model sizes of the scaling curve
    ladder_tokens: int  # budget of each rung
    context: int  # tokens a model sees at once
    batch_tokens: int  # tokens per optimiser step
    probes: int  # probe items scored, at most
    eval_characters: int  # held-out text scored, at most
    seeds: tuple[int, ...]  # of a ledger run


SCALES = {
    "smoke": Scale("smoke", False, 400, "1m", 16_384, 8_192, ("tiny", "1m"), 8_192,
                   128, 1_024, 60, 6_000, (0,)),
    "cpu": Scale("cpu", True, 40_000, "3m", 800_000, 300_000, ("tiny", "1m", "2m", "3m"), 250_000,
                 256, 4_096, 700, 120_000, (0, 1, 2)),
    "gpu": Scale("gpu", True, 40_000, "40m", 40_000_000, 10_000_000,
                 ("3m", "12m", "40m", "125m"), 20_000_000, 512, 65_536, 700, 400_000, (0, 1, 2)),
}


def current() -> Scale:
    """The scale in force: `$FMCOURSE_SCALE`, else gpu where CUDA is present, else cpu."""
    chosen = os.environ.get("FMCOURSE_SCALE")
    if chosen is None:
        import torch

        chosen = "gpu" if torch.cuda.is_available() else "cpu"
    if chosen not in SCALES:
        raise CourseError(
            f"There is no scale called {chosen!r}.",
            where="FMCOURSE_SCALE",
            fix=f"Set it to one of {', '.join(SCALES)}, or unset it.",
        )
    return SCALES[chosen]
