"""Settings of distillation, by sequences and by logits; both are recipes to tune with, too."""

from __future__ import annotations

from dataclasses import dataclass

from fmcourse.train.recipe import InstructRecipe


@dataclass(frozen=True, kw_only=True)
class SequenceRecipe(InstructRecipe):
    """How to distil by what the teacher writes.

    Attributes, besides those of `InstructRecipe`, which are the student's:
        answer_tokens: longest answer of the teacher; one that is cut off there is not used.
        answer_temperature: that the teacher answers at. At 0.01 it says what it finds likeliest,
            which is best where there is one right answer; more brings variety.
        samples: answers to each prompt.
    """

    answer_tokens: int = 64
    answer_temperature: float = 0.01
    samples: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.answer_temperature < float("inf"):
            self._refuse(f"Nothing can be sampled at a temperature of {self.answer_temperature}.",
                         "answer_temperature", "Above 0; at 0.01 it is the likeliest answer.")
        for name in ("answer_tokens", "samples"):
            if getattr(self, name) < 1:
                self._refuse("The teacher would not answer.", name, "Ask for at least one.")


@dataclass(frozen=True, kw_only=True)
class LogitRecipe(InstructRecipe):
    """How to distil by what the teacher finds likely at each token of the answers that are there.

    The loss is `α T² KL(teacher ‖ student) + (1 − α) cross-entropy`.

    Attributes, besides those of `InstructRecipe`, which are the student's:
        temperature: T; higher shows more of what the teacher finds unlikely.
        alpha: α, how much the teacher counts; the rest is for the answers as they are.
        top_k: likeliest tokens of the teacher that are kept; all others count as one.
    """

    temperature: float = 2.0
    alpha: float = 0.7
    top_k: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.temperature < float("inf"):
            self._refuse(f"A temperature of {self.temperature} is not possible.", "temperature",
                         "Above 0; 1 to 4 are usual.")
        if not 0 <= self.alpha <= 1:
            self._refuse(f"The teacher cannot count for {self.alpha}.", "alpha",
                         "From 0 (the answers alone) to 1 (the teacher alone).")
        if self.top_k < 1:
            self._refuse("Nothing of the teacher would be kept.", "top_k", "At least 1.")
        if self.adapter and self.adapter.kind == "prompt":
            self._refuse("A prompt or a prefix cannot learn from logits here.", "adapter",
                         "Use lora, or another in the layers.")


DistilRecipe = SequenceRecipe | LogitRecipe
