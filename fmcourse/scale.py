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
    small_size: str  # the models that compare objectives
    small_tokens: int  # their training budget
    ladder: tuple[str, ...]  # model sizes of the scaling curve
    ladder_tokens: int  # budget of the highest rung
    context: int  # tokens a model sees at once
    batch_tokens: int  # tokens per optimiser step
    probes: int  # probe items scored, at most
    eval_characters: int  # held-out text scored, at most
    published_characters: int  # of a source, scored by a published model
    instructions: int  # instructions asked, at most
    epochs: int  # passes over the examples of a fine-tuning
    continued_tokens: int  # budget of continued pre-training
    services: int  # of each kind, whose two releases are compared
    questions: int  # asked about them, of each kind
    labels: tuple[int, ...]  # sizes of a learning curve
    examples: int  # seen in a fine-tuning on few labels, at least
    instruct_tokens: int  # budget of instruction tuning, prompts included
    adapter_tokens: int  # budget of a published model's fine-tuning
    preference_pairs: int  # read in training a reward model
    online_steps: int  # of reinforcement learning


SCALES = {
    "smoke": Scale(
        name="smoke", enforce=False, documents=400, live_size="1m", live_tokens=16_384,
        small_size="tiny", small_tokens=8_192,
        ladder=("tiny", "1m", "2m"), ladder_tokens=8_192, context=128, batch_tokens=1_024,
        probes=60, eval_characters=6_000, published_characters=1_000, instructions=13,
        epochs=1, continued_tokens=4_096, services=4, questions=8,
        labels=(24, 48), examples=32, instruct_tokens=4_096,
        adapter_tokens=1_024, preference_pairs=64, online_steps=1),
    "cpu": Scale(
        name="cpu", enforce=True, documents=40_000, live_size="3m", live_tokens=400_000,
        small_size="1m", small_tokens=800_000,
        ladder=("tiny", "1m", "2m", "3m"), ladder_tokens=200_000, context=256, batch_tokens=2_048,
        probes=360, eval_characters=60_000, published_characters=8_000, instructions=26,
        epochs=3, continued_tokens=200_000, services=8, questions=80,
        labels=(8, 64, 512), examples=640, instruct_tokens=200_000,
        adapter_tokens=24_000, preference_pairs=2_000, online_steps=16),
    "gpu": Scale(
        name="gpu", enforce=True, documents=40_000, live_size="40m", live_tokens=30_000_000,
        small_size="7m", small_tokens=4_000_000,
        ladder=("3m", "12m", "40m", "125m"), ladder_tokens=20_000_000, context=512,
        batch_tokens=65_536, probes=720, eval_characters=400_000, published_characters=60_000,
        instructions=78, epochs=3, continued_tokens=9_000_000, services=24,
        questions=160, labels=(8, 64, 512, 4096), examples=640, instruct_tokens=6_000_000,
        adapter_tokens=600_000, preference_pairs=24_000, online_steps=200),
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
