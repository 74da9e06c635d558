"""Tuning on graded tokens: what instruction tuning and distillation share.

The loop is TRL's `SFTTrainer`, and so is the packing of several conversations into a row (best fit;
they cannot see each other). Ours: the loss, whose output layer is computed for graded positions
only, the optimiser, looks at held-out conversations, and the accounts.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from datasets import Dataset
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from fmcourse import evaluate, hardware
from fmcourse.data.chat import chat_rows, left_out
from fmcourse.errors import CourseWarning
from fmcourse.models import LanguageModel, compat, is_quantized
from fmcourse.train import loop
from fmcourse.train.engine import Accountable
from fmcourse.train.keep import BACK_TO, Kept
from fmcourse.train.loss import IGNORE, linear_cross_entropy
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.recipe import InstructRecipe
from fmcourse.train.report import detach, report
from fmcourse.train.run import Run, flops_per_token
from fmcourse.train.stage import processes
from fmcourse.train.watch import Observer, both, evenly

VALIDATION = "validation bits per byte"


class Instructor(Accountable, compat.SFTTrainer):
    """TRL's trainer of conversations, with our accounts, and on one device with our loss.

    The loss is the same mean over graded tokens (tested); TRL's also computes entropies, and makes
    the output layer's gradient in float32, which on a CPU takes a third of each step.
    """

    columns: Sequence[str] = ()  # of the history, besides those of every stage

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """The graded tokens' mean loss; over accumulated batches it is one mean."""
        network = compat.plain_network(model)
        if return_outputs or network is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels = inputs.pop("labels")[:, 1:]
        graded = labels != IGNORE  # (batch, time)
        with self.accelerator.autocast():  # the Trainer's own is around the forward pass alone
            hidden = network.base_model(**inputs, use_cache=False).last_hidden_state[:, :-1]
            output = network.get_output_embeddings()
            loss = self.graded_loss(hidden[graded], output, labels[graded])
        count = graded.sum()
        return loss if num_items_in_batch is None else loss * count / num_items_in_batch

    def graded_loss(self, hidden: Tensor, output: nn.Module, labels: Tensor) -> Tensor:
        """The mean loss of (positions, width) states before the output layer; (positions,) labels.
        """
        return linear_cross_entropy(hidden, output.weight, labels, output.bias)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: a run's card is `run.json`."""


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


def _observer(validation: Dataset | None, recipe: InstructRecipe, around: loop.Surroundings
              ) -> tuple[Observer | None, Sequence[float]]:
    """What to look at and when: held-out conversations, whatever the caller wants, or both."""
    if validation is None:
        return around.observe, around.observe_at
    shares = evenly(recipe.looks)
    return both(Examiner(validation, recipe, shares, around.work), around.observe), shares


def _summary(looks: pd.DataFrame) -> dict[str, float]:
    """Bits per byte of held-out replies, before and after; and where the weights are from."""
    last, back = looks.iloc[-1], {}
    if BACK_TO in looks and not math.isnan(last[BACK_TO]):
        back = {BACK_TO: float(last[BACK_TO])}
        last = looks[looks["share"] == back[BACK_TO]].iloc[0]
    return {"validation_before": float(looks.iloc[0][VALIDATION]),
            "validation_after": float(last[VALIDATION]), **back}


def tuning_rows(records: Dataset, model: LanguageModel, recipe: InstructRecipe, stacklevel: int
                ) -> Dataset:
    """`data.chat_rows` of conversations; that some are too long is warned of.

    Args:
        stacklevel: of the warning, as it would be in the caller.

    Raises:
        DataError, ModelError: as `data.chat_rows`.
    """
    rows = chat_rows(records, model.tokenizer, recipe.max_length)
    if lost := left_out(rows):
        warnings.warn(CourseWarning(
            f"{lost} of {len(records)} conversations have more than {recipe.max_length} tokens "
            "and are left out."), stacklevel=stacklevel + 1)
    return rows


def tune(
    model: LanguageModel, rows: Dataset, recipe: InstructRecipe, around: loop.Surroundings,
    start: str, validation: Dataset | None = None, trainer: Callable[..., Instructor] = Instructor,
) -> Run:
    """Train on rows of `data.chat_rows`, and look at held-out conversations on the way.

    Args:
        model: it is trained itself, no copy; with its adapter on, if the recipe has one.
        around: where, and what the caller looks at.
        start: SHA-256 of the model without the adapter.
        validation: conversations held out; decides when to stop if there is a `recipe.patience`.
        trainer: made with the arguments of TRL's.

    Returns:
        A run without parents, whose `metrics` are those that `instruct` names.

    Raises:
        ModelError: training diverges.
    """
    look, shares = _observer(validation, recipe, around)
    run = _train(model, rows, recipe, replace(around, observe=look, observe_at=shares), trainer)
    if recipe.adapter:
        detach(run, recipe.adapter, start)
    run.metrics |= {"conversations": len(rows), "left_out": left_out(rows),
                    "epochs": run.cost.tokens / sum(map(len, rows["input_ids"]))}
    if validation is not None:
        run.metrics |= _summary(run.observations)
    return run


def _train(
    model: LanguageModel, rows: Dataset, recipe: InstructRecipe, around: loop.Surroundings,
    trainer: Callable[..., Instructor],
) -> Run:
    machine = loop.ready(model)
    network = model.network
    read = sum(map(len, rows["input_ids"]))
    packs = recipe.adapter is None or recipe.adapter.kind != "prompt"  # else each row needs its own
    batch = recipe.rows if packs else recipe.rows_of(read / len(rows))
    with compat.own_forward(network):
        engine = trainer(
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
    return report(model, engine, recipe, around.name, flops, line, machine.as_record(),
                  engine.columns)


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
