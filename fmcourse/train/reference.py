"""How likely a model finds the replies of pairs, and how much likelier than its start did.

That ratio is all that direct preference optimisation is about. The start, which is the reference,
reads each pair once and is then no longer needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.nn.functional import linear

from fmcourse import hardware
from fmcourse.models import LanguageModel, compat
from fmcourse.models.stored import evaluating
from fmcourse.train.losses import dpo_loss, ipo_loss, token_log_probs
from fmcourse.train.pair_recipes import PreferenceRecipe

SEEN = ("reward_accuracy", "margin", "chosen_log_ratio", "rejected_log_ratio")
REFERENCE = ("ref_chosen_logps", "ref_rejected_logps")  # TRL's names
SIDES = ("chosen_ids", "rejected_ids")
Collate = Callable[[list[dict[str, Any]]], dict[str, Tensor]]


def reply_log_probs(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """How likely a network finds replies, each as a whole: one forward pass.

    Args:
        batch: of TRL's collator: `input_ids` and `completion_mask`, both (rows, time), padded on
            the right, where no position of a causal network can see it.

    Returns:
        (rows,) nats, at least float32: the sums over a reply's tokens, its end of turn included.
    """
    ids, mask = batch["input_ids"], batch["completion_mask"][:, 1:].bool()
    if network := compat.plain_network(model):
        hidden = network.base_model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        output = network.get_output_embeddings()
        logits = linear(hidden[mask], output.weight, output.bias)  # (tokens of replies, vocab)
    else:  # data-parallel: the wrapper must see the forward pass
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1][mask]
    found = token_log_probs(logits, ids[:, 1:][mask])
    return found.new_zeros(mask.shape).masked_scatter(mask, found).sum(1)


def preference_loss(found: Tensor, batch: dict[str, Tensor], recipe: PreferenceRecipe) -> Tensor:
    """The loss of log-probabilities (2 · pairs,), those of the chosen replies first."""
    sides = [*found.chunk(2), *(batch[name] for name in REFERENCE)]
    lengths = batch["completion_mask"].sum(1).clamp(min=1).chunk(2)
    if recipe.loss_type == "sigmoid":
        loss = dpo_loss(*sides, recipe.beta, recipe.label_smoothing)
    else:
        loss = ipo_loss(*(side / length for side, length in zip(sides, lengths * 2, strict=True)),
                        recipe.beta)
    return loss - recipe.sft_weight * sides[0].sum() / lengths[0].sum()


def implicit_rewards(found: Tensor, batch: dict[str, Tensor], beta: float) -> Tensor:
    """The means over a batch of what `SEEN` names, (4,); see `prefer`."""
    reference = torch.cat([batch[name] for name in REFERENCE])
    chosen, rejected = (found.detach() - reference).chunk(2)
    margin = beta * (chosen - rejected)
    return torch.stack([(margin.sign().mean() + 1) / 2, margin.mean(), chosen.mean(),
                        rejected.mean()])


def collator(model: LanguageModel) -> Collate:
    """What makes a batch of pairs: the chosen replies first, then the rejected."""
    collate = compat.DataCollatorForPreference(pad_token_id=model.padding())
    used = ("prompt_ids", *SIDES, *REFERENCE)
    return lambda pairs: collate([{k: pair[k] for k in used if k in pair} for pair in pairs])


def read(model: LanguageModel, pairs: list[dict[str, Any]]
         ) -> tuple[dict[str, Tensor], Tensor]:
    """Pairs as a batch on the model's device, and `reply_log_probs`, without gradient."""
    batch = {key: value.to(model.device) for key, value in collator(model)(pairs).items()}
    with evaluating(model.network), hardware.detect().autocast():
        return batch, reply_log_probs(model.network, batch)


def with_reference(model: LanguageModel, rows: Dataset, batches: Iterable[Sequence[int]]
                   ) -> tuple[Dataset, int]:
    """Rows with log-probabilities under the model as it is; and the tokens read for it.

    Args:
        batches: places of rows; each row is read in the first of its batches, and one that is in
            none gets NaN.
    """
    known: set[int] = set()
    tokens, found = 0, torch.full((2, len(rows)), torch.nan)
    for some in batches:
        if known.issuperset(some):
            continue
        batch, both = read(model, [rows[i] for i in some])
        for i, values in zip(some, both.view(2, -1).T.cpu(), strict=True):
            if i not in known:
                found[:, i] = values
        known.update(some)
        tokens += int(batch["attention_mask"].sum())
    for name, side in zip(REFERENCE, found, strict=True):
        rows = rows.add_column(name, side.tolist())
    return rows, tokens


def chunks(order: Sequence[int], size: int) -> list[Sequence[int]]:
    """Batches of an order."""
    return [order[start:start + size] for start in range(0, len(order), size)]


def pair_lengths(rows: Dataset) -> list[int]:
    """Tokens of each pair's longer conversation."""
    return [len(prompt) + max(len(one), len(other)) for prompt, one, other in
            zip(rows["prompt_ids"], *(rows[side] for side in SIDES), strict=True)]
