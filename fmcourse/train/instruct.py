"""Instruction tuning: conversations in, a model that answers out.

Supervised fine-tuning is pre-training's loop on other records: conversations, of which only the
assistant's replies are graded. The loop is `train.tuning`; which tokens are graded, `data.chat`.
Trade-off: conversations that are too long are left out and counted, never cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from datasets import Dataset

from fmcourse import store
from fmcourse.data import card, cards_of
from fmcourse.errors import ModelError
from fmcourse.models import LanguageModel, adapt, adapted, with_chat
from fmcourse.train import loop
from fmcourse.train.recipe import InstructRecipe
from fmcourse.train.run import Run
from fmcourse.train.stage import stage
from fmcourse.train.tuning import VALIDATION, Instructor, tune, tuning_rows
from fmcourse.train.watch import Observer

__all__ = ["VALIDATION", "Instructor", "instruct"]


def instruct(
    model: LanguageModel,
    records: Dataset,
    recipe: InstructRecipe | None = None,
    *,
    validation: Dataset | None = None,
    name: str = "instruction tuning",
    folder: Path | str | None = None,
    observe: Observer | None = None,
    observe_at: Sequence[float] = (0.0, 1.0),
    report_to: Sequence[str] = (),
    show_progress: bool = True,
    finish: Callable[[Run], None] | None = None,
) -> Run:
    """Tune a model on conversations.

    Args:
        model: any causal model; it is copied. One without a chat template gets ours.
        records: with a column `messages`, such as `data.conversations` and `data.task_records`
            give: lists of {role, content}, each with at least one reply of the assistant.
        recipe: how long, how fast; by default `InstructRecipe()`.
        validation: conversations held out; how surprised the model is by their replies is looked at
            `recipe.looks` times, and decides when to stop if there is a `recipe.patience`.
        name, folder, observe, observe_at, report_to, show_progress, finish: as in `pretrain`.

    Returns:
        A run whose `metrics` count the conversations, those `left_out` because they were too long
        (which is also warned of), and the `epochs`, the times each was read; with `validation` also
        `validation_before` and `validation_after`, in bits per byte, and `back_to_share` if
        earlier weights were better.

    Raises:
        DataError: no conversations, or none short enough.
        ModelError: a masked model; no template and no tokens for one; rows longer than the
            model's context; or training diverges.
        PolicyError: the data is governed, and may not be used for this.
        StoreError: the folder holds a different run, or one in progress.
    """
    recipe = recipe or InstructRecipe()
    check_tunable(model, recipe)
    start, model = model.sha256(), with_chat(model)
    model = adapt(model, recipe.adapter, recipe.seed) if recipe.adapter else model.copy()
    rows = tuning_rows(records, model, recipe, stacklevel=2)
    parents = {"data": card(rows).sha256, "start": start}
    plan = {"recipe": recipe.as_dict(), **parents}
    if validation is not None:
        plan["validation"] = store.sha256_json(validation["messages"][:])

    def make(work: Path) -> Run:
        minutes = recipe.checkpoint_minutes if folder is not None else None
        run = tune(model, rows, recipe, loop.Surroundings(
            name, work, minutes, observe, observe_at, report_to, show_progress), start, validation)
        run.parents = {**parents, **card(rows).sources}
        if finish is not None:
            finish(run)
        return run

    return stage(plan, folder, make, cards_of(records, validation), name)


def check_tunable(model: LanguageModel, recipe: InstructRecipe) -> None:
    """Refuse what cannot be tuned on conversations.

    Raises:
        ModelError: a masked model, one with an adapter, or rows longer than its context.
    """
    if model.objective != "causal":
        raise ModelError("A masked model cannot learn to answer.", where=model.name,
                         fix="Use a model that predicts the next token.")
    if adapted(model):
        raise ModelError("This model has an adapter already.", where=model.name,
                         fix="Tune models.merged(model), or the base it was made of.")
    virtual = recipe.adapter.tokens if recipe.adapter and recipe.adapter.kind == "prompt" else 0
    if recipe.max_length + virtual > model.context:
        raise ModelError(f"Rows of {recipe.max_length} tokens are too long for this model.",
                         where=f"{type(recipe).__name__}.max_length",
                         fix=f"Use {model.context - virtual} or fewer.")


