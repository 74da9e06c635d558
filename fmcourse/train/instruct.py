"""Instruction tuning: conversations in, a model that answers out.

Supervised fine-tuning is pre-training's loop on other records: conversations, of which only the
assistant's replies are graded. The loop is TRL's `SFTTrainer`, and so are the packing of several
conversations into a row (best fit; they cannot see each other) and the loss, whose output layer is
computed for graded positions only. Ours: which tokens are graded (`data.chat`), the optimiser, and
the accounts. Trade-off: conversations that are too long are left out and counted, never cut.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from datasets import Dataset
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from fmcourse import evaluate, hardware, store
from fmcourse.data import card, cards_of
from fmcourse.data.chat import chat_rows, left_out
from fmcourse.errors import CourseWarning, ModelError
from fmcourse.models import LanguageModel, adapt, adapted, compat, is_quantized, with_chat
from fmcourse.train import loop
from fmcourse.train.engine import Accountable
from fmcourse.train.keep import BACK_TO, Kept, workplace
from fmcourse.train.loss import IGNORE, linear_cross_entropy
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.recipe import InstructRecipe
from fmcourse.train.report import detach, report
from fmcourse.train.run import Run, flops_per_token
from fmcourse.train.stage import processes, stage
from fmcourse.train.watch import Observer, both, evenly

VALIDATION = "validation bits per byte"


class Instructor(Accountable, compat.SFTTrainer):
    """TRL's trainer of conversations, with our accounts, and on one device with our loss.

    The loss is the same mean over graded tokens (tested); TRL's also computes entropies, and makes
    the output layer's gradient in float32, which on a CPU takes a third of each step.
    """

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """The graded tokens' cross-entropy; over accumulated batches it is one mean."""
        network = compat.plain_network(model)
        if return_outputs or network is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels = inputs.pop("labels")[:, 1:]
        graded = labels != IGNORE  # (batch, time)
        with self.accelerator.autocast():  # the Trainer's own is around the forward pass alone
            hidden = network.base_model(**inputs, use_cache=False).last_hidden_state[:, :-1]
            output = network.get_output_embeddings()
            loss = linear_cross_entropy(hidden[graded], output.weight, labels[graded], output.bias)
        count = graded.sum()
        return loss if num_items_in_batch is None else loss * count / num_items_in_batch

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: a run's card is `run.json`."""


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
    _check(model, recipe)
    start, model = model.sha256(), with_chat(model)
    model = adapt(model, recipe.adapter, recipe.seed) if recipe.adapter else model.copy()
    rows = chat_rows(records, model.tokenizer, recipe.max_length)
    if left_out(rows):
        warnings.warn(CourseWarning(
            f"{left_out(rows)} of {len(records)} conversations have more than "
            f"{recipe.max_length} tokens and are left out."), stacklevel=2)
    parents = {"data": card(rows).sha256, "start": start}
    plan = {"recipe": recipe.as_dict(), **parents}
    if validation is not None:
        plan["validation"] = store.sha256_json(validation["messages"][:])

    def make(work: Path) -> Run:
        with workplace(folder) as place:
            look, shares = _observer(validation, recipe, place, observe, observe_at)
            minutes = recipe.checkpoint_minutes if folder is not None else None
            run = _train(model, rows, recipe, loop.Surroundings(
                name, work, minutes, look, shares, report_to, show_progress))
        if recipe.adapter:
            detach(run, recipe.adapter, start)
        run.parents = {**parents, **card(rows).sources}
        run.metrics |= {"conversations": len(rows), "left_out": left_out(rows),
                        "epochs": run.cost.tokens / sum(map(len, rows["input_ids"]))}
        if validation is not None:
            run.metrics |= _summary(run.observations)
        if finish is not None:
            finish(run)
        return run

    return stage(plan, folder, make, cards_of(records, validation), name)


def _check(model: LanguageModel, recipe: InstructRecipe) -> None:
    """Refuse what cannot be trained; see `instruct`."""
    if model.objective != "causal":
        raise ModelError("A masked model cannot learn to answer.", where=model.name,
                         fix="Use a model that predicts the next token.")
    if adapted(model):
        raise ModelError("This model has an adapter already.", where=model.name,
                         fix="Tune models.merged(model), or the base it was made of.")
    virtual = recipe.adapter.tokens if recipe.adapter and recipe.adapter.kind == "prompt" else 0
    if recipe.max_length + virtual > model.context:
        raise ModelError(f"Rows of {recipe.max_length} tokens are too long for this model.",
                         where="InstructRecipe.max_length",
                         fix=f"Use {model.context - virtual} or fewer.")


class Examiner:
    """Looks at held-out conversations; keeps the best weights, and stops when they stay the best.

    Args:
        validation: conversations to be surprised by.
        recipe: `patience`, in looks; None only looks.
        shares: of training, at which it looks.
        place: folder for the best weights; they outlive a kill.
    """

    def __init__(self, validation: Dataset, recipe: InstructRecipe, shares: Sequence[float],
                 place: Path):
        self.validation, self.recipe, self.shares = validation, recipe, list(shares)
        self.kept = Kept(place / "best")

    def __call__(self, model: LanguageModel, share: float) -> dict[str, Any]:
        """Bits per byte of the replies; with 'stop' and where it went back to, if it did."""
        quick = "bfloat16" if hardware.detect().dtype == "bfloat16" else "float32"
        bits = evaluate.reply_bits_per_byte(model, self.validation, dtype=quick)
        if self.recipe.patience is None:
            return {VALIDATION: bits}
        if share == 0:
            self.kept.forget()  # of a run that was here before
        found = self.kept.found()
        if found is None or bits < found[1]:
            self.kept.keep(model, share, bits)
            return {VALIDATION: bits}
        since = self.shares.index(share) - self.shares.index(found[0])
        if since < self.recipe.patience and share < 1:
            return {VALIDATION: bits}
        self.kept.go_back(model)
        return {VALIDATION: bits, "stop": True, BACK_TO: found[0]}


def _observer(
    validation: Dataset | None, recipe: InstructRecipe, place: Path, observe: Observer | None,
    observe_at: Sequence[float],
) -> tuple[Observer | None, Sequence[float]]:
    """What to look at and when: held-out conversations, whatever the caller wants, or both."""
    if validation is None:
        return observe, observe_at
    shares = evenly(recipe.looks)
    return both(Examiner(validation, recipe, shares, place), observe), shares


def _summary(looks: pd.DataFrame) -> dict[str, float]:
    """Bits per byte of held-out replies, before and after; and where the weights are from."""
    last, back = looks.iloc[-1], {}
    if BACK_TO in looks and not math.isnan(last[BACK_TO]):
        back = {BACK_TO: float(last[BACK_TO])}
        last = looks[looks["share"] == back[BACK_TO]].iloc[0]
    return {"validation_before": float(looks.iloc[0][VALIDATION]),
            "validation_after": float(last[VALIDATION]), **back}


def _train(
    model: LanguageModel, rows: Dataset, recipe: InstructRecipe, around: loop.Surroundings
) -> Run:
    machine = loop.ready(model)
    network = model.network
    read = sum(map(len, rows["input_ids"]))
    packs = recipe.adapter is None or recipe.adapter.kind != "prompt"  # else each row needs its own
    batch = recipe.rows if packs else recipe.rows_of(read / len(rows))
    with compat.own_forward(network):
        engine = Instructor(
            model=network, args=_arguments(recipe, machine, around, packs, batch),
            train_dataset=rows.select_columns(["input_ids", "labels"]),
            processing_class=model.tokenizer)
        if is_quantized(model):  # TRL has made them bfloat16, which swallows small steps
            for weight in filter(lambda weight: weight.requires_grad, network.parameters()):
                weight.data = weight.data.float()
        packed = len(engine.train_dataset)
        steps = recipe.steps(read, packed, batch)
        engine.args.max_steps = steps
        engine.args.logging_steps = max(1, steps // 200)
        engine.optimizer = make_optimizer(network, recipe.optimizer, recipe.learning_rate,
                                          recipe.weight_decay)
        engine.lr_scheduler = LambdaLR(engine.optimizer,
                                       warmup_stable_decay(steps, recipe.warmup, recipe.decay))
        engine.tokens_per_step = round(read / packed * batch)
        line = loop.run(engine, model, around)
    network.eval()
    flops = flops_per_token(model, round(read / len(rows)))
    return report(model, engine, recipe, around.name, flops, line, machine.as_record())


def _arguments(
    recipe: InstructRecipe, machine: hardware.Hardware, around: loop.Surroundings, packs: bool,
    batch: int,
) -> Any:
    arguments = compat.SFTConfig(
        output_dir=str(around.work), max_length=recipe.max_length, packing=packs,
        per_device_train_batch_size=recipe.micro_rows,
        gradient_accumulation_steps=batch // recipe.micro_rows // processes(),
        max_grad_norm=recipe.clip, seed=recipe.seed, logging_first_step=True,
        save_strategy="no", save_total_limit=2, logging_nan_inf_filter=False,
        activation_checkpointing=False, dataloader_pin_memory=machine.device == "cuda",
        disable_tqdm=True, report_to=list(around.report_to) or "none",
        **machine.trainer_arguments())
    return compat.one_gpu(arguments)
