"""Reward modelling: pairs of replies in, a model that says how good a reply is out.

The loop is TRL's `RewardTrainer`; both replies of a pair go through the network in one forward
pass. Ours: the loss, which also knows ties (`losses.bradley_terry_loss`, equal to TRL's where there
are none), the head in float32, batches of pairs of similar length, and the accounts. Trade-off:
pairs that are too long are left out and counted, never cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from fmcourse import evaluate
from fmcourse.data import cards_of
from fmcourse.errors import ModelError
from fmcourse.models import LanguageModel, RewardModel, compat
from fmcourse.models.reward_model import padded, rewards
from fmcourse.train import loop
from fmcourse.train.engine import InOrder
from fmcourse.train.losses import bradley_terry_loss
from fmcourse.train.optimizer import make_optimizer, warmup_stable_decay
from fmcourse.train.pair_recipes import RewardRecipe
from fmcourse.train.pairs import checked, fingerprint, in_order, pair_rows, trainer_arguments
from fmcourse.train.report import before_and_after, report
from fmcourse.train.run import Run, flops_per_token
from fmcourse.train.stage import stage
from fmcourse.train.watch import Observer, both, evenly

LOOKED_AT = ("accuracy", "ece", "length_bias", "length_correlation")


class Judge(InOrder, compat.RewardTrainer):
    """TRL's trainer of reward models, with our accounts, loss and order of rows."""

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Bradley and Terry's, with margins, ties, and the price of rewards off the centre.

        Raises:
            ModelError: a reward is no number any more.
        """
        network = compat.plain_network(model)
        if network is None:  # data-parallel: the wrapper must see the forward pass
            found = model(input_ids=inputs["input_ids"], use_cache=False).logits[:, 0].float()
        else:
            with self.accelerator.autocast():  # the Trainer's own is around the network's forward
                found = rewards(network, inputs["input_ids"], inputs["lengths"])
        if not found.isfinite().all():
            raise ModelError("Training diverged: a reward is not a number any more.",
                             where=f"step {self.state.global_step}", fix="Lower the learning rate.")
        chosen, rejected = found.chunk(2)  # (pairs,)
        loss = bradley_terry_loss(chosen, rejected, inputs["margin"], inputs["tie"])
        if price := self.args.center_rewards_coefficient:
            loss = loss + price * (chosen + rejected).square().mean()
        return (loss, {"logits": found[:, None]}) if return_outputs else loss


def reward(
    model: LanguageModel | RewardModel,
    pairs: Dataset,
    recipe: RewardRecipe | None = None,
    *,
    validation: Dataset | None = None,
    name: str = "reward model",
    folder: Path | str | None = None,
    observe: Observer | None = None,
    observe_at: Sequence[float] = (0.0, 1.0),
    report_to: Sequence[str] = (),
    show_progress: bool = True,
    finish: Callable[[Run], None] | None = None,
) -> Run:
    """Train a reward model on preferences.

    Args:
        model: any causal model, which gets a new head; or a reward model, to be trained further
            (from its raw rewards). It is copied.
        pairs: with the columns `prompt` (text, or messages), `chosen` and `rejected` (text), and
            perhaps `tie` (neither was better) and `margin` (by how much the difference of rewards
            should exceed 0, in log-odds); a margin is not applied to a tie.
        recipe: how long, how fast; by default `RewardRecipe()`.
        validation: pairs held out, measured `recipe.looks` times (`evaluate.preference_report`).
        name, folder, observe, observe_at, report_to, show_progress, finish: as in `pretrain`; the
            two that observe are given the reward model, and look when `validation` does.

    Returns:
        A run whose `model` is a `RewardModel`, and whose `metrics` count the `pairs` learnt from,
        the `ties` among them, those `left_out` for their length and those that prefer a reply to
        the `same` (both are warned of); `epochs`, `pairs_per_second`; and, with `validation`,
        `accuracy`, `ece`, `length_bias` and `length_correlation`, each `_before` and `_after`.

    Raises:
        DataError: a column is missing, no pairs or nothing but ties, a margin that is negative or
            no number, or no pair short enough.
        ModelError: as `RewardModel.of`; rows longer than the context; or training diverges.
        PolicyError: the data is governed, and may not be used for this.
        StoreError: the folder holds a different run, or one in progress.
    """
    recipe = recipe or RewardRecipe()
    start, columns = model.sha256(), checked(pairs)
    if recipe.max_length > model.context:
        raise ModelError(f"Rows of {recipe.max_length} tokens are too long for this model.",
                         where="RewardRecipe.max_length", fix=f"Use {model.context} or fewer.")
    made = (RewardModel.of(model, recipe.seed) if isinstance(model, LanguageModel)
            else model.unstandardised())
    rows, counts = pair_rows(columns, made, recipe.max_length)
    cards = cards_of(pairs, validation)
    parents = {"data": fingerprint(columns), "start": start}
    plan = {"recipe": recipe.as_dict(), **parents}
    if validation is not None:
        plan["validation"] = fingerprint(checked(validation))
        observe_at = evenly(recipe.looks)
        observe = both(lambda model, _: evaluate.preference_report(model, validation), observe)

    def make(work: Path) -> Run:
        minutes = recipe.checkpoint_minutes if folder is not None else None
        run = _train(made, rows, recipe, loop.Surroundings(
            name, work, minutes, observe, observe_at, report_to, show_progress))
        run.parents = {**parents, **cards[0].sources}
        run.metrics |= counts
        if validation is not None:
            run.metrics |= before_and_after(run, LOOKED_AT)
        if finish is not None:
            finish(run)
        return run

    return stage(plan, folder, make, cards, name)


def _collate(config: Any) -> Callable[[list[dict[str, Any]]], dict[str, Tensor]]:
    """What makes a batch of pairs: the chosen replies first, then the rejected."""
    def collate(pairs: list[dict[str, Any]]) -> dict[str, Tensor]:
        sides = [pair[side] for side in ("chosen_ids", "rejected_ids") for pair in pairs]
        ids, lengths = padded(sides, config)
        return {"input_ids": ids, "lengths": lengths,
                **{key: torch.tensor([pair[key] for pair in pairs]) for key in ("tie", "margin")}}

    return collate


def _train(model: RewardModel, rows: Dataset, recipe: RewardRecipe, around: loop.Surroundings
           ) -> Run:
    machine, network = loop.ready(model), model.network
    sizes = [[len(row) for row in rows[side]] for side in ("chosen_ids", "rejected_ids")]
    steps = recipe.steps(len(rows))
    order = in_order([*map(max, *sizes)], recipe.batch, steps, recipe.seed)
    read = sum(side[i] for side in sizes for i in order)
    with compat.own_forward(network):
        arguments = trainer_arguments(
            compat.RewardConfig, recipe, machine, around, steps,
            center_rewards_coefficient=recipe.center_rewards_coefficient)
        engine = Judge(model=network, args=arguments, train_dataset=rows.select(order),
                       processing_class=model.tokenizer,
                       data_collator=_collate(network.config))
        engine.optimizer = make_optimizer(network, recipe.optimizer, recipe.learning_rate,
                                          recipe.weight_decay)
        engine.lr_scheduler = LambdaLR(engine.optimizer,
                                       warmup_stable_decay(steps, recipe.warmup, recipe.decay))
        engine.tokens_per_step = round(read / steps)
        line = loop.run(engine, model, around)
    network.eval()
    length = round(read / len(order) / 2)
    looked_up = 6 * network.get_input_embeddings().weight.numel()  # and there is no output layer
    run = report(model, engine, recipe, around.name, flops_per_token(model, length) - looked_up,
                 line, machine.as_record())
    run.metrics |= {"epochs": len(order) / len(rows),
                    "pairs_per_second": len(order) / run.cost.seconds}
    return run
