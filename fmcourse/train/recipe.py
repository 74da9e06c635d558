"""Settings of a stage: small, frozen, printable, stored with every run."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from fmcourse import scale
from fmcourse.errors import CourseError
from fmcourse.models import Adapter

SOME_STEPS, SMALL_BATCH = 32, 2048  # optimiser steps, tokens: see `PretrainRecipe.at_scale`


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every stage's recipe has.

    Attributes:
        learning_rate: peak, in AdamW's units.
        optimizer: 'muon' or 'adamw'.
        warmup, decay: shares of the run spent raising and lowering the learning rate.
        weight_decay: pulls weights towards zero.
        clip: largest norm of the gradient.
        seed: order of the rows.
    """

    learning_rate: float = 1e-3
    optimizer: str = "muon"
    warmup: float = 0.1
    decay: float = 0.9
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.learning_rate >= 0:
            self._refuse(f"A learning rate of {self.learning_rate} is not possible.",
                         "learning_rate",
                         f"0 teaches nothing; {type(self).learning_rate:g} is a good start.")
        if self.optimizer not in ("muon", "adamw"):
            self._refuse(f"No optimiser is called {self.optimizer!r}.", "optimizer",
                         "muon or adamw")

    def _refuse(self, what: str, field: str, fix: str) -> NoReturn:
        raise CourseError(what, where=f"{type(self).__name__}.{field}", fix=fix)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class PretrainRecipe(Recipe):
    """How to pre-train.

    Attributes, besides those of `Recipe`:
        tokens: training budget; rounded up to whole optimiser steps.
        context: tokens in a row.
        batch_tokens: tokens per optimiser step, over all devices.
        micro_batch_tokens: tokens per forward pass; gradients add up until `batch_tokens`.
        mask_share: of tokens hidden, for masked models.
        compile: True, False, or 'auto' (where a compiler exists and the run is long enough).
        checkpoint_minutes: time between checkpoints, when the run has a folder.
    """

    tokens: int
    context: int = 256
    batch_tokens: int = 8192
    micro_batch_tokens: int = 8192
    learning_rate: float = 3e-3
    warmup: float = 0.05
    decay: float = 0.3
    weight_decay: float = 0.1
    mask_share: float = 0.3
    compile: bool | str = "auto"
    checkpoint_minutes: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tokens < 1:
            self._refuse("There is nothing to train on.", "tokens", "Ask for at least one token.")
        if self.batch_tokens % self.context or self.micro_batch_tokens % self.context:
            self._refuse("A batch must hold whole rows.", "batch_tokens",
                         f"Make it a multiple of the context, {self.context}.")
        if self.batch_tokens % min(self.micro_batch_tokens, self.batch_tokens):
            self._refuse("A batch must hold whole micro-batches.", "micro_batch_tokens",
                         "Make it a divisor of batch_tokens.")

    @property
    def steps(self) -> int:
        """Optimiser steps in the run."""
        return -(-self.tokens // self.batch_tokens)

    @classmethod
    def at_scale(cls, **changes: Any) -> PretrainRecipe:
        """The recipe of a live lesson at the current scale, with what you change.

        Where fewer tokens are asked for than the scale has in mind, batches of a GPU are halved
        until there are some steps to learn by.
        """
        now = scale.current()
        tokens, batch = changes.get("tokens", now.live_tokens), now.batch_tokens
        while batch > SMALL_BATCH and tokens < SOME_STEPS * batch:
            batch //= 2
        settings: dict[str, Any] = {"tokens": tokens, "context": now.context, "batch_tokens": batch,
                                    "micro_batch_tokens": min(batch, 16_384)}
        return cls(**{**settings, **changes})


@dataclass(frozen=True, kw_only=True)
class ContinuedRecipe(PretrainRecipe):
    """How to go on pre-training, on new text: a `PretrainRecipe`, and what guards the old.

    The learning rate is warmed up again from nothing: the one a finished model ended with is too
    low to learn by, and a sudden high one does more damage (Gupta et al. 2023, arXiv:2308.04014).

    Attributes, besides those of `PretrainRecipe`:
        replay_fraction: of the rows, drawn from general text. 0 forgets most.
        general_rise: stop once general bits per byte have risen by more than this, and go back to
            the last look before; None never stops.
        eval_characters: of held-out general and of domain text, read at each look.
        looks: at the model, spread evenly from before the first step to after the last.
    """

    learning_rate: float = 1e-3
    replay_fraction: float = 0.1
    general_rise: float | None = None
    eval_characters: int = 30_000
    looks: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.replay_fraction < 1:
            self._refuse(f"A replay fraction of {self.replay_fraction} is not possible.",
                         "replay_fraction",
                         "From 0 (none) to below 1; 0.1 replays one row in ten.")
        if self.general_rise is not None and not self.general_rise >= 0:
            self._refuse(f"A bound of {self.general_rise} would stop before the first step.",
                         "general_rise", "A rise in bits per byte, such as 0.1, or None.")
        if self.looks < 2 or self.eval_characters < 1:
            self._refuse("Forgetting cannot be told without a look before and one after.",
                         "looks", "At least 2 looks of at least 1 character.")

    @classmethod
    def at_scale(cls, **changes: Any) -> ContinuedRecipe:
        """The recipe of a live lesson at the current scale, with what you change."""
        now = scale.current()
        return super().at_scale(**{"tokens": now.continued_tokens, "looks": 4,
                                   "eval_characters": now.eval_characters // 2, **changes})


@dataclass(frozen=True, kw_only=True)
class InstructRecipe(Recipe):
    """How to tune on conversations.

    Small batches, since there are few records; and AdamW, since Muon's own work on so small a batch
    takes about as long as the network's (`benchmarks/tuning.py` compares them).

    Attributes, besides those of `Recipe`:
        epochs: passes over the conversations, unless `tokens` says how far to go; more, if that
            would be fewer than `least_steps`.
        least_steps: optimiser steps below which nothing would be learnt.
        tokens: training budget, prompts included; it replaces `epochs`.
        max_length: tokens of the longest conversation that is kept, and of a packed row.
        batch_tokens: tokens per optimiser step, about; rows are not always full.
        micro_rows: packed rows per forward pass.
        adapter: train this alone, and add it into the weights at the end (a prompt or a prefix
            stays in front of the model instead); None trains every weight.
        looks: at held-out conversations, spread evenly from before the first step to after the
            last, if some are given.
        patience: stop after so many looks in a row without a better one, and in any case end with
            the weights of the best; None trains to the end and keeps that.
        checkpoint_minutes: time between checkpoints, when the run has a folder.
    """

    epochs: float = 3.0
    tokens: int | None = None
    least_steps: int = 30
    max_length: int = 256
    optimizer: str = "adamw"
    batch_tokens: int = 1024
    micro_rows: int = 2
    adapter: Adapter | None = None
    looks: int = 5
    patience: int | None = None
    checkpoint_minutes: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.epochs > 0 or (self.tokens is not None and self.tokens < 1):
            self._refuse("There is nothing to train on.", "epochs",
                         "Ask for some epochs, or tokens.")
        if self.looks < 2 or (self.patience is not None and self.patience < 1):
            self._refuse("Early stopping needs looks to compare.", "patience",
                         "At least 2 looks, and a patience of 1 or more, or None.")
        least = self.max_length * self.micro_rows
        if self.batch_tokens < least:
            self._refuse(f"A batch of {self.batch_tokens} tokens does not hold {self.micro_rows} "
                         f"rows of {self.max_length}.", "batch_tokens",
                         f"Make it {least} or more.")

    @property
    def rows(self) -> int:
        """Packed rows per optimiser step."""
        return self.batch_tokens // self.max_length // self.micro_rows * self.micro_rows

    def rows_of(self, length: float) -> int:
        """Rows per optimiser step where they are not packed and have so many tokens on average."""
        return max(1, round(self.batch_tokens / length / self.micro_rows)) * self.micro_rows

    def steps(self, tokens: int, rows: int, batch: int | None = None) -> int:
        """Optimiser steps for a data set of so many tokens in so many rows.

        Args:
            batch: rows per step; by default packed ones.
        """
        batch = batch or self.rows
        if self.tokens is not None:
            return math.ceil(self.tokens / tokens * rows / batch)
        return max(self.least_steps, math.ceil(self.epochs * rows / batch))

    @classmethod
    def at_scale(cls, **changes: Any) -> InstructRecipe:
        """The recipe of a live lesson at the current scale, with what you change."""
        return cls(**{"tokens": scale.current().instruct_tokens, **changes})
