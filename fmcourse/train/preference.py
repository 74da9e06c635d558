"""Direct preference optimisation: pairs of replies in, a model that gives the preferred kind out.

No reward model and no sampling: that a policy finds the chosen reply likelier than its start did is
its reward (Rafailov et al. 2023, arXiv:2305.18290). The loop is TRL's `DPOTrainer`; both replies of
a pair go through the network in one forward pass. Ours: the loss, whose output layer is computed
for replies alone (equal to TRL's, tested; on a CPU a step takes about half the time), and the
reference. The start reads each pair once, before training: one forward pass a pair however many
epochs follow, and no second model in memory or on disk that could be another one. Trade-off: it
reads a pair in the first batch that training does, so that even in bfloat16 training starts at
log 2 exactly; in later epochs rounding differs a little.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from fmcourse import hardware
from fmcourse.data import cards_of
from fmcourse.errors import CourseWarning, ModelError
from fmcourse.models import LanguageModel, adapt, adapted, compat, is_quantized, with_chat
from fmcourse.train import loop
from fmcourse.train.engine import InOrder
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.pair_recipes import PreferenceRecipe
from fmcourse.train.pairs import checked, fingerprint, in_order, pair_rows, trainer_arguments
from fmcourse.train.reference import (
    SEEN,
    SIDES,
    chunks,
    collator,
    implicit_rewards,
    pair_lengths,
    preference_loss,
    read,
    reply_log_probs,
    with_reference,
)
from fmcourse.train.report import before_and_after, detach, report
from fmcourse.train.run import Run, flops_per_token
from fmcourse.train.stage import stage
from fmcourse.train.watch import Observer, both, evenly

LOOKED_AT = ("validation_loss", *SEEN)


class Preferrer(InOrder, compat.PreparedDPOTrainer):
    """TRL's trainer of preferences, with our accounts, loss and order of rows."""

    def __init__(self, recipe: PreferenceRecipe, **settings: Any) -> None:
        super().__init__(**settings)
        self.recipe = recipe
        self.seen: list[Tensor] = []  # since the last log line, (4,) each

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Tensor], return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """DPO's or IPO's; what else is to be known of the batch is kept for the next log line.

        Raises:
            ModelError: the loss is no number any more.
        """
        with self.accelerator.autocast():  # the Trainer's own is around the network's forward
            found = reply_log_probs(model, inputs)
        loss = preference_loss(found, inputs, self.recipe)
        if not loss.isfinite():
            raise ModelError("Training diverged: the loss is not a number any more.",
                             where=f"step {self.state.global_step}", fix="Lower the learning rate.")
        self.seen.append(implicit_rewards(found, inputs, self.recipe.beta))
        return (loss, {"log_probs": found}) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """A line with a loss also has the means of `SEEN` since the last one."""
        if "loss" in logs:
            means = self.accelerator.reduce(torch.stack(self.seen).mean(0), "mean")
            self.seen.clear()
            logs = {**logs, **dict(zip(SEEN, means.tolist(), strict=True))}
        super().log(logs, start_time)


def prefer(
    model: LanguageModel,
    pairs: Dataset,
    recipe: PreferenceRecipe | None = None,
    *,
    validation: Dataset | None = None,
    name: str = "DPO",
    folder: Path | str | None = None,
    observe: Observer | None = None,
    observe_at: Sequence[float] = (0.0, 1.0),
    report_to: Sequence[str] = (),
    show_progress: bool = True,
    finish: Callable[[Run], None] | None = None,
) -> Run:
    """Train a model to find the preferred replies likelier, against the rejected ones.

    Args:
        model: a causal model that answers already; it is copied, and as it is now it is the
            reference. One without a chat template gets ours.
        pairs: as for `reward`. Ties are left out, and margins are not used; both is warned of.
        recipe: how long, how fast, how far; by default `PreferenceRecipe()`.
        validation: pairs held out, measured `recipe.looks` times.
        name, folder, observe, observe_at, report_to, show_progress, finish: as in `pretrain`; the
            two that observe look when `validation` does.

    Returns:
        A run whose `history` has, beside the loss, the means of each line's pairs:
        `reward_accuracy` (share whose implicit reward, β log π/π_ref, is higher for the chosen
        reply; equal ones count half), `margin` (the difference of these rewards), and
        `chosen_log_ratio` and `rejected_log_ratio` (log π/π_ref, nats a reply). Its `metrics` have
        their means over the last twentieth; `pairs`, `ties`, `left_out`, `same`, `epochs` and
        `pairs_per_second`, as `reward`; `reference_seconds`, which are in the cost; and, with
        `validation`, `validation_loss` and the four, each `_before` and `_after`.

    Raises:
        DataError: as `reward`; or all that could be learnt from are ties.
        ModelError: a masked, adapted or quantised model; no template and no tokens for one, or one
            that writes prompts anew; rows longer than the context; or training diverges.
        PolicyError: the data is governed, and may not be used for this.
        StoreError: the folder holds a different run, or one in progress.
    """
    recipe = recipe or PreferenceRecipe()
    _check(model, recipe)
    columns, start, chat = checked(pairs), model.sha256(), with_chat(model)
    rows, counts = pair_rows(columns, chat, recipe.max_length, parted=True)
    rows = _decided(rows, counts)
    made = adapt(chat, recipe.adapter, recipe.seed) if recipe.adapter else chat.copy()
    cards = cards_of(pairs, validation)
    parents = {"data": fingerprint(columns), "start": start}
    plan, held_out = {"recipe": recipe.as_dict(), "kind": "preference", **parents}, None
    if validation is not None:
        asked = checked(validation)
        plan["validation"] = fingerprint(asked)
        held_out, ties = pair_rows(asked, chat, model.context, parted=True)
        held_out = _decided(held_out, ties)

    def make(work: Path) -> Run:
        minutes = recipe.checkpoint_minutes if folder is not None else None
        machine, look, shares = loop.ready(made), observe, observe_at
        if held_out is not None:
            look, shares = both(_examiner(made, held_out, recipe), observe), evenly(recipe.looks)
        run = _train(made, rows, recipe, machine, loop.Surroundings(
            name, work, minutes, look, shares, report_to, show_progress))
        if recipe.adapter:
            detach(run, recipe.adapter, start)
        run.parents = {**parents, **cards[0].sources}
        run.metrics |= counts
        if held_out is not None:
            run.metrics |= before_and_after(run, LOOKED_AT)
        if finish is not None:
            finish(run)
        return run

    return stage(plan, folder, make, cards, name)


def _check(model: LanguageModel, recipe: PreferenceRecipe) -> None:
    """Refuse what cannot be trained; see `prefer`."""
    if model.objective != "causal":
        raise ModelError("A masked model writes no replies that could be preferred.",
                         where=model.name, fix="Use a model that predicts the next token.")
    if adapted(model):
        raise ModelError("This model has an adapter already.", where=model.name,
                         fix="Use models.merged(model): with its adapter it is the reference.")
    if is_quantized(model):
        raise ModelError("This model has its weights in four bits.", where=model.name,
                         fix="Use the model that it was made of.")
    if recipe.max_length > model.context:
        raise ModelError(f"Rows of {recipe.max_length} tokens are too long for this model.",
                         where="PreferenceRecipe.max_length", fix=f"Use {model.context} or fewer.")


def _decided(rows: Dataset, counts: dict[str, int]) -> Dataset:
    """The pairs of which one was preferred; `counts` is put right, and what is lost warned of."""
    for lost, why in ((counts["ties"], "are ties, which say nothing here, and are left out"),
                      (sum(margin > 0 for margin in rows["margin"]), "have a margin, which is for "
                       "reward models and is not used")):
        if lost:
            warnings.warn(CourseWarning(f"{lost} of {counts['pairs']} pairs {why}."), stacklevel=3)
    counts["pairs"] -= counts["ties"]
    return rows.select([i for i, tie in enumerate(rows["tie"]) if not tie])


def _examiner(start: LanguageModel, rows: Dataset, recipe: PreferenceRecipe) -> Observer:
    """What looks at held-out pairs."""
    lengths = pair_lengths(rows)
    batches = chunks(sorted(range(len(rows)), key=lengths.__getitem__), recipe.micro_batch)
    rows, _ = with_reference(start, rows, batches)

    def look(model: LanguageModel, share: float) -> dict[str, Any]:
        total: Tensor | float = 0.0
        for some in batches:
            batch, found = read(model, [rows[i] for i in some])
            means = implicit_rewards(found, batch, recipe.beta)
            total += len(some) * torch.cat([preference_loss(found, batch, recipe)[None], means])
        return dict(zip(LOOKED_AT, (total / len(rows)).tolist(), strict=True))

    return look


def _train(model: LanguageModel, rows: Dataset, recipe: PreferenceRecipe,
           machine: hardware.Hardware, around: loop.Surroundings) -> Run:
    network, steps = model.network, recipe.steps(len(rows))
    order = in_order(pair_lengths(rows), recipe.batch, steps, recipe.seed)
    began = time.perf_counter()
    rows, tokens = with_reference(model, rows, chunks(order, recipe.micro_batch))
    spent = time.perf_counter() - began
    ordered = rows.select(order)
    graded = sum(len(ids) for side in SIDES for ids in ordered[side])
    total = graded + 2 * sum(map(len, ordered["prompt_ids"]))
    with compat.own_forward(network):
        arguments = trainer_arguments(
            compat.DPOConfig, recipe, machine, around, steps, precompute_ref_log_probs=True,
            beta=recipe.beta, loss_type=[recipe.loss_type, "sft"],
            loss_weights=[1.0, recipe.sft_weight], label_smoothing=recipe.label_smoothing)
        engine = Preferrer(recipe, model=compat.within(network), args=arguments,
                           train_dataset=ordered, data_collator=collator(model),
                           processing_class=copy.deepcopy(model.tokenizer))
        engine.optimizer = make_optimizer(network, recipe.optimizer, recipe.learning_rate,
                                          recipe.weight_decay)
        engine.lr_scheduler = LambdaLR(engine.optimizer,
                                       warmup_stable_decay(steps, recipe.warmup, recipe.decay))
        engine.tokens_per_step = round(total / steps)
        line = loop.run(engine, model, around)
    network.eval()
    flops = _flops(model, total / len(order) / 2, graded / total)
    run = report(model, engine, recipe, around.name, flops, line, machine.as_record(), SEEN)
    run.cost = replace(run.cost, seconds=run.cost.seconds + spent,
                       flops=run.cost.flops + tokens * flops / 3)  # forwards alone
    tail = run.history[list(SEEN)].tail(-(-len(run.history) // 20)).mean()
    run.metrics |= {**tail.to_dict(), "epochs": len(order) / len(rows), "reference_seconds": spent,
                    "pairs_per_second": len(order) / run.cost.seconds}
    return run


def _flops(model: LanguageModel, length: float, graded: float) -> float:
    """Operations a token; the output layer is computed for a share of them alone."""
    output = model.network.get_output_embeddings().weight
    each = (6 if output.requires_grad else 4) * output.numel()
    return flops_per_token(model, round(length)) - each * (1 - graded)
