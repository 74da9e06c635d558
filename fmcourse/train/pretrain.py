"""Pre-training: a model, text as tokens, a recipe in; a `Run` out.

Continued pre-training (`train.continued`) is the same call with a model that already knows
something, and a mixture of new and old text.
Given a folder, the run can be killed at any moment and called again: it goes on from its last
whole checkpoint and ends with the weights an uninterrupted run would have had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch.optim.lr_scheduler import LambdaLR

from fmcourse import hardware
from fmcourse.data import Mixture, TokenFile, packed_rows, tokenizer_hash
from fmcourse.errors import CourseError, DataError, ModelError
from fmcourse.models import LanguageModel, compat
from fmcourse.train import loop
from fmcourse.train.engine import Engine
from fmcourse.train.objectives import objective
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.recipe import PretrainRecipe
from fmcourse.train.report import report
from fmcourse.train.run import Run, flops_per_token
from fmcourse.train.stage import processes, stage
from fmcourse.train.watch import Observer

COMPILE_FROM_FLOPS = 1e14  # below about two minutes of work, compiling costs more than it saves


def pretrain(
    model: LanguageModel,
    data: TokenFile | Mixture,
    recipe: PretrainRecipe,
    *,
    name: str = "pre-training",
    folder: Path | str | None = None,
    observe: Observer | None = None,
    observe_at: Sequence[float] = (0.0, 0.1, 1.0),
    report_to: Sequence[str] = (),
    show_progress: bool = True,
    finish: Callable[[Run], None] | None = None,
    also: dict[str, Any] | None = None,
) -> Run:
    """Train a model on text by its own objective.

    Args:
        model: where to start; it is copied, never changed.
        data: tokens made with the model's own tokenizer (`data.tokens`), or a mixture of two.
        recipe: how long, how fast, with what.
        name: shown in progress and plots.
        folder: where to keep checkpoints and the finished run. A finished run with the same
            recipe, data and start is loaded instead of repeated.
        observe: called with the model and the share of training done, at each share in
            `observe_at`; the dict it returns (numbers, texts) is a row of `run.observations`.
            A true value under 'stop' ends the training there.
        report_to: experiment trackers of transformers, for example ('tensorboard',), whose files
            go to `logs` in the folder, or below `store.home()` without one.
        show_progress: a line with tokens a second, loss and minutes left.
        finish: called with the run before it is stored, to add to its metrics.
        also: what else decides the result, such as hashes; part of what a folder is checked by.

    Raises:
        PolicyError: the data is governed, and may not be used for this.
        StoreError: the folder holds a different run, or one in progress.
        DataError: too little data for one row, or another tokenizer's.
        ModelError: the rows are too long for the model, or training diverges.
    """
    _check(model, data, recipe)
    start = model.sha256()
    plan = {"recipe": recipe.as_dict(), "data": data.sha256, "start": start, **(also or {})}

    def make(work: Path) -> Run:
        minutes = recipe.checkpoint_minutes if folder is not None else None
        around = loop.Surroundings(name, work, minutes, observe, observe_at, report_to,
                                   show_progress)
        run = _train(model.copy(), data, recipe, around)
        run.parents = {"data": data.sha256, "start": start, **data.sources}
        if finish is not None:
            finish(run)
        return run

    return stage(plan, folder, make, data.cards, name)


def _check(model: LanguageModel, data: TokenFile | Mixture, recipe: PretrainRecipe) -> None:
    if recipe.context > model.context:
        raise ModelError(f"Rows of {recipe.context} tokens are too long for this model.",
                         where="PretrainRecipe.context", fix=f"Use {model.context} or fewer.")
    if data.tokenizer and data.tokenizer != tokenizer_hash(model.tokenizer):
        raise DataError("These tokens were made with another tokenizer than the model's.",
                        where=", ".join(data.sources),
                        fix="Make them with data.tokens(…, model.tokenizer).")


def _arguments(
    recipe: PretrainRecipe, machine: hardware.Hardware, around: loop.Surroundings
) -> Any:
    micro = min(recipe.micro_batch_tokens, recipe.batch_tokens)
    together = processes()
    if micro % (recipe.context * together):
        raise CourseError(f"A micro-batch of {micro} tokens cannot be shared by {together} "
                          "processes in whole rows.", where="PretrainRecipe.micro_batch_tokens",
                          fix=f"Make it a multiple of {recipe.context * together}.")
    arguments = compat.TrainingArguments(
        output_dir=str(around.work), max_steps=recipe.steps,
        per_device_train_batch_size=micro // recipe.context // together,
        gradient_accumulation_steps=recipe.batch_tokens // micro,
        max_grad_norm=recipe.clip, seed=recipe.seed, logging_first_step=True,
        logging_steps=max(1, recipe.steps // 200), save_strategy="no", save_total_limit=2,
        logging_nan_inf_filter=False,  # it would write a plausible loss where there is none
        dataloader_pin_memory=machine.device == "cuda", remove_unused_columns=False,
        disable_tqdm=True, report_to=list(around.report_to) or "none",
        **machine.trainer_arguments())
    return compat.one_gpu(arguments)


def _train(
    model: LanguageModel, data: TokenFile | Mixture, recipe: PretrainRecipe,
    around: loop.Surroundings,
) -> Run:
    machine, network = loop.ready(model), model.network
    share = recipe.mask_share if model.objective == "masked" else 0.0
    rows = packed_rows(data, recipe.context, recipe.steps * recipe.batch_tokens // recipe.context,
                       recipe.seed, share)
    optimizer = make_optimizer(network, recipe.optimizer, recipe.learning_rate,
                               recipe.weight_decay)
    schedule = LambdaLR(optimizer, warmup_stable_decay(recipe.steps, recipe.warmup, recipe.decay))
    flops = flops_per_token(model, recipe.context)
    engine = Engine(model=objective(model), args=_arguments(recipe, machine, around),
                    train_dataset=rows, optimizers=(optimizer, schedule))
    engine.tokens_per_step = recipe.batch_tokens
    compiled = _should_compile(recipe, machine, flops * recipe.steps * recipe.batch_tokens)
    if compiled:
        network.model.compile()
    line = loop.run(engine, model, around)
    network.model._compiled_call_impl = None
    network.eval()
    return report(model, engine, recipe, around.name, flops, line,
                  {**machine.as_record(), "compiled": compiled})


def _should_compile(
    recipe: PretrainRecipe, machine: hardware.Hardware, work_flops: float
) -> bool:
    if recipe.compile == "auto":
        return machine.compiler and work_flops > COMPILE_FROM_FLOPS * (
            1 if machine.device == "cpu" else 100)
    return bool(recipe.compile)
