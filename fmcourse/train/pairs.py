"""Pairs of replies, a preferred one and another: what is refused, as tokens, in which order; and
what their trainers are told."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Sequence
from typing import Any

from datasets import Dataset

from fmcourse import store
from fmcourse.data.chat import written
from fmcourse.errors import CourseWarning, DataError, ModelError
from fmcourse.hardware import Hardware
from fmcourse.models import Stored, compat
from fmcourse.models.chat import Prompt
from fmcourse.models.reward_model import answered
from fmcourse.train.loop import Surroundings
from fmcourse.train.pair_recipes import PairsRecipe
from fmcourse.train.stage import processes

COLUMNS = ("prompt", "chosen", "rejected")
LIKE_LENGTH = 8  # batches sorted together by length: little padding, still a random order


def checked(pairs: Dataset) -> dict[str, list[Any]]:
    """The columns of pairs as lists, `tie` and `margin` filled in where there are none.

    Raises:
        DataError: a column is missing, there are no pairs, all are ties, something is no text, or a
            margin is negative or not a number.
    """
    if missing := [name for name in COLUMNS if name not in pairs.column_names]:
        raise DataError(f"These pairs have no column {' and no column '.join(missing)}.",
                        where=f"columns {', '.join(pairs.column_names)}",
                        fix="A prompt (text or messages), and as text the chosen and the rejected.")
    columns = {name: list(pairs[name]) for name in COLUMNS}
    for name, kind, usual in (("tie", bool, False), ("margin", float, 0.0)):
        given = pairs[name] if name in pairs.column_names else [None] * len(pairs)
        columns[name] = [usual if value is None else kind(value) for value in given]
    for name in ("chosen", "rejected"):
        for row, reply in enumerate(columns[name]):
            if not isinstance(reply, str):
                raise DataError(f"The {name} reply is {type(reply).__name__}, not text.",
                                where=f"pair {row}", fix="Give the reply alone, as a string.")
    for row, margin in enumerate(columns["margin"]):
        if not 0 <= margin < math.inf:
            raise DataError(f"A margin of {margin} is not possible.", where=f"pair {row}",
                            fix="0 or more: how much better the chosen reply should be rated.")
    if all(columns["tie"]):
        raise DataError(f"All {len(pairs)} pairs are ties: nothing is preferred to learn." if
                        len(pairs) else "There are no pairs.", where="pairs",
                        fix="Give pairs of which one reply was preferred.")
    return columns


def fingerprint(columns: dict[str, list[Any]]) -> str:
    """SHA-256 of all that is learnt from pairs."""
    return store.sha256_json(columns)


def pair_rows(columns: dict[str, list[Any]], model: Stored, max_length: int, parted: bool = False
              ) -> tuple[Dataset, dict[str, int]]:
    """Pairs ready for training, and how many were left out: too long, or of equal replies.

    Args:
        columns: as `checked` gives them.
        model: whose tokenizer and chat template are used.
        max_length: tokens of the longest conversation that is kept; none is cut.
        parted: the prompt in a column of its own, `prompt_ids`, and the replies alone.

    Returns:
        Columns `chosen_ids`, `rejected_ids`, `tie` and `margin`; and the counts `pairs`, `ties`,
        `left_out` and `same`. What is left out is warned of.

    Raises:
        DataError: nothing with a preference is left.
        ModelError: with `parted`, a chat template that writes a prompt anew once it is answered.
    """
    rows = Dataset.from_dict({
        **{f"{side}_ids": answered(model.tokenizer, columns["prompt"], columns[side])
           for side in ("chosen", "rejected")},
        "tie": columns["tie"], "margin": columns["margin"]})
    lengths = [max(map(len, sides)) for sides in zip(rows["chosen_ids"], rows["rejected_ids"],
                                                    strict=True)]
    same = {i for i, (one, other) in enumerate(zip(columns["chosen"], columns["rejected"],
                                                   strict=True))
            if one == other and not columns["tie"][i]}
    long = {i for i, length in enumerate(lengths) if length > max_length} - same
    kept = [i for i in range(len(rows)) if i not in same and i not in long]
    ties = sum(columns["tie"][i] for i in kept)
    if len(kept) == ties:
        raise DataError(f"Of {len(rows)} pairs none is left to learn from: {len(long)} are longer "
                        f"than {max_length} tokens, {len(same)} prefer a reply to itself.",
                        where="pairs", fix="Shorten them or raise max_length, or remove them.")
    for count, why in ((len(same), "prefer a reply to itself"),
                       (len(long), f"have more than {max_length} tokens")):
        if count:
            warnings.warn(CourseWarning(f"{count} of {len(rows)} pairs {why} and are left out."),
                          stacklevel=3)
    counts = {"pairs": len(kept), "ties": ties, "left_out": len(long), "same": len(same)}
    rows = rows.select(kept)
    if parted:
        asked = [_asked(columns["prompt"][i], columns["chosen"][i], model) for i in kept]
        rows = _parted(rows, model.tokenizer(asked, add_special_tokens=False)["input_ids"])
    return rows, counts


def _asked(prompt: Prompt, reply: str, model: Stored) -> str:
    """A prompt as the text that a reply is written after."""
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [*prompt]
    asked = written(messages, model.tokenizer, to_be_answered=True)
    answered = written([*messages, {"role": "assistant", "content": reply}], model.tokenizer)
    if not answered.startswith(asked):
        raise ModelError("This chat template writes a prompt differently once it is answered.",
                         where="tokenizer.chat_template",
                         fix="Replace it, or ask in a single turn, which it may leave alone.")
    return asked


def _parted(rows: Dataset, prompts: Sequence[list[int]]) -> Dataset:
    """Rows with their prompts apart: all that both sides begin with, up to where replies begin.

    A token that holds the prompt's end and a reply's beginning belongs to the reply.
    """
    parts: dict[str, list[list[int]]] = {"prompt_ids": [], "chosen_ids": [], "rejected_ids": []}
    for own, *sides in zip(prompts, rows["chosen_ids"], rows["rejected_ids"], strict=True):
        start = min(_shared(own, side) for side in sides)
        for name, part in zip(parts, (own[:start], *(side[start:] for side in sides)),
                              strict=True):
            parts[name].append(part)
    return Dataset.from_dict({**parts, "tie": rows["tie"], "margin": rows["margin"]})


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many numbers two rows begin with alike."""
    differ = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))


def in_order(lengths: Sequence[int], batch: int, steps: int, seed: int) -> list[int]:
    """The place of each pair in the run: all of them in random order, again and again.

    Pairs of similar length come in one batch, and the batches in random order.

    >>> in_order([9, 1, 8, 2], batch=2, steps=2, seed=0)
    [1, 3, 2, 0]
    """
    draw, order = random.Random(seed), []
    while len(order) < batch * steps:
        order += draw.sample(range(len(lengths)), len(lengths))
    order, found = order[:batch * steps], []
    for start in range(0, len(order), LIKE_LENGTH * batch):
        some = sorted(order[start:start + LIKE_LENGTH * batch], key=lambda i: lengths[i])
        batches = [some[i:i + batch] for i in range(0, len(some), batch)]
        draw.shuffle(batches)
        found += [i for one in batches for i in one]
    return found


def trainer_arguments(kind: Any, recipe: PairsRecipe, machine: Hardware, around: Surroundings,
                      steps: int, **own: Any) -> Any:
    """What TRL's trainers of pairs are told.

    Args:
        kind: class of the arguments.
        own: what this trainer alone has.
    """
    share = recipe.batch // processes()
    each = min(recipe.micro_batch, share)
    arguments = kind(
        output_dir=str(around.work), max_length=None, max_steps=steps,
        per_device_train_batch_size=each, gradient_accumulation_steps=share // each,
        max_grad_norm=recipe.clip, seed=recipe.seed, logging_first_step=True,
        logging_steps=max(1, steps // 200), save_strategy="no", save_total_limit=2,
        logging_nan_inf_filter=False, remove_unused_columns=False, activation_checkpointing=False,
        dataloader_pin_memory=machine.device == "cuda", disable_tqdm=True,
        report_to=list(around.report_to) or "none", **own, **machine.trainer_arguments())
    return compat.one_gpu(arguments)
